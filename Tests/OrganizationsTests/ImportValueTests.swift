import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Discounts and email domains in files: what a row may make of what is there.
struct ImportValueTests {
    private let installation: Installation
    private let office: ImportOffice
    private let header = "Title,Email mask,Discount percentage,Discount expiration date"

    init() throws {
        // The day is 2026-01-01.
        installation = try Installation()
        office = try ImportOffice(installation)
    }

    private func imports() throws -> ImportsClient {
        try office.client(Access.Grant(.platformOwner))
    }

    private func set(
        _ basisPoints: Int32, until day: String, at organization: Organization
    ) async throws {
        _ = try await MemberDiscountsClient(
            try installation.channel([Access.Grant(.platformOwner)])
        ).setMemberDiscount(
            SetMemberDiscountRequest(
                organizationID: organization.id, basisPoints: basisPoints, expiresOn: day))
    }

    @Test func `a last day that is over, and one without a percentage, are errors`() async throws {
        let owner = try installation.platformOwner()
        let discounted = try await owner.create("Discounted")
        try await set(1_000, until: "2026-03-01", at: discounted)
        let imports = try imports()

        let plan = try await imports.plan(
            csv: header, "Over,,10,2025-12-31", "Today,,10,2026-01-01", "Bare,,,2026-06-30",
            "Cleared,,-,2026-06-30", "DISCOUNTED,,,2025-12-31", "None,,-,-")
        let rows = try await imports.rows(plan)
        let moved = try await imports.plan(csv: header, "Discounted,,-,2026-06-30")

        #expect(
            rows.map { $0.faults.map(\.code) } == [
                ["date_in_past"], [], ["percent_missing"], ["percent_missing"],
                ["date_in_past"], [],
            ])
        #expect(
            rows.flatMap(\.faults).map(\.column) == [
                "Discount expiration date", "Discount percentage", "Discount percentage",
                "Discount expiration date",
            ])
        #expect(plan.errorCount == 4 && plan.createdCount == 2)
        #expect(try await imports.rows(moved).first?.faults.map(\.code) == ["percent_missing"])
    }

    @Test(arguments: ["csv", "xlsx"])
    func `a discount that has expired is exported, and imported again changes nothing`(
        format: String
    ) async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        try await set(1_000, until: "2026-03-01", at: school)
        installation.clock.advance(by: .seconds(90 * 86_400))
        let imports = try imports()

        let plan = try await imports.plan(try await imports.export(format: format))
        let percentage = try await imports.plan(csv: header, "School,,20,2026-03-01")
        _ = try await imports.apply(percentage)

        #expect(plan.unchangedCount == 1 && plan.rowCount == 1, "\(plan)")
        #expect(percentage.updatedCount == 1)
        #expect(
            try await owner.get(school).memberDiscount
                == MemberDiscount(basisPoints: 2_000, expiresOn: "2026-03-01", appliesTo: .self_))
    }

    @Test func `a percentage that is cleared takes its last day along`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        try await set(1_000, until: "2026-03-01", at: school)
        let imports = try imports()

        let plan = try await imports.plan(csv: "Title,Discount percentage", "School,-")
        let row = try #require(try await imports.rows(plan).first)
        _ = try await imports.apply(plan)
        let again = try await imports.plan(csv: header, "School,,20,")
        _ = try await imports.apply(again)

        #expect(
            row.differences.map { "\($0.field): \($0.oldValue) -> \($0.newValue)" } == [
                "discount_percentage: 10% -> ", "discount_expiration_date: 2026-03-01 -> ",
            ])
        let discount = try await owner.get(school).memberDiscount
        #expect(discount?.basisPoints == 2_000 && discount?.expiresOn == "")
    }

    @Test(arguments: ["School,,10,2026-01-02", "New,,10,2026-01-02"])
    func `a last day that passes between plan and turn fails the plan, with the row`(
        line: String
    ) async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create("School")
        let imports = try imports()
        let plan = try await imports.plan(csv: header, "Other,,,", line)
        installation.clock.advance(by: .seconds(2 * 86_400))

        let applied = try await imports.apply(plan)

        #expect(applied.state == .failed && applied.faultCode == "plan_stale")
        #expect(applied.faultRow == 3)
        #expect(try await owner.listOrganizations(ListOrganizationsRequest()).totalSize == 1)
    }

    @Test func `a file as large as an export of 100,000 is taken, and a larger one refused`()
        async throws
    {
        let imports = try imports()
        // What exports add is passed over; a row has about 29 KiB of it.
        func file(rows: Int) -> [UInt8] {
            let note = String(repeating: "x", count: 30_000)
            let lines = (1...rows).map { "School \($0),\(note)" }
            return Array(("Title,id\n" + lines.joined(separator: "\n")).utf8)
        }

        let plan = try await imports.plan(file(rows: 450))
        let refused = try await refusal { try await imports.plan(file(rows: 600)) }

        #expect(plan.state == .planned && plan.createdCount == 450, "\(plan.fault)")
        #expect(refused.invalidFields == ["content"])
        #expect("\(refused)".contains("16 MiB"), "\(refused)")
    }

    @Test func `a domain that waits is neither exported nor taken away, and counts when named`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "counts.example"))
        _ = try await installation.user(Access.Grant(.owner, at: try school.organizationID))
            .createEmailMask(
                CreateEmailMaskRequest(organizationID: school.id, value: "waits.example"))
        let imports = try imports()
        func states() async throws -> [String] {
            try await owner.listEmailMasks(ListEmailMasksRequest(organizationID: school.id))
                .emailMasks.map { "\($0.value): \($0.state)" }
        }

        let file = try await imports.export()
        let same = try await imports.plan(file)
        let cleared = try await imports.plan(csv: header, "School,-,,")
        _ = try await imports.apply(cleared)
        let afterClearing = try await states()
        let named = try await imports.plan(csv: header, "School,waits.example,,")
        _ = try await imports.apply(named)

        let text = String(decoding: file, as: UTF8.self)
        #expect(text.contains("counts.example") && !text.contains("waits.example"))
        #expect(same.unchangedCount == 1 && same.rowCount == 1)
        #expect(afterClearing == ["waits.example: pendingVerification"])
        #expect(named.updatedCount == 1)
        #expect(try await states() == ["waits.example: active"])
    }
}
