import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Imports by the numbers: what a file plans, and what applying it makes.
struct ImportTests {
    private let installation: Installation
    private let office: ImportOffice
    private let header =
        "Title,Suborganization 2,Suborganization 3,Email mask,Discount percentage,"
        + "Discount expiration date"

    init() throws {
        installation = try Installation()
        office = try ImportOffice(installation)
    }

    @Test func `a structure is made in one go, its rows in any order`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let owner = try installation.platformOwner()

        let plan = try await imports.plan(
            csv: header, "District,School,Class,,,", "District,,,district.example,,",
            "District,School,,\"a.example; *.b.example\",15%,2030-06-30", "Other,,,,-,-")

        #expect(plan.state == .planned, "\(plan.fault)")
        #expect(plan.rowCount == 4 && plan.createdCount == 4 && plan.errorCount == 0)
        #expect(try await owner.listOrganizations(ListOrganizationsRequest()).totalSize == 0)

        let applied = try await imports.apply(plan)
        let all = try await owner.pages(below: nil, size: 50) { $0.subtree = true }
            .flatMap(\.organizations)

        #expect(applied.state == .applied, "\(applied.fault)")
        #expect(all.map(\.title) == ["Class", "District", "Other", "School"])
        #expect(all.map(\.depth) == [3, 1, 1, 2])
        #expect(all.allSatisfy { $0.origin == .import && $0.category == .businessCompany })
        #expect(all.map(\.categorySource) == [.inherited, .default, .default, .inherited])
        let school = try #require(all.last)
        #expect(school.memberDiscount?.basisPoints == 1_500)
        #expect(school.memberDiscount?.expiresOn == "2030-06-30")
        let masks = try await owner.listEmailMasks(ListEmailMasksRequest(organizationID: school.id))
        #expect(masks.emailMasks.map(\.value) == ["*.b.example", "a.example"])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `rows of an applied import name what they made, whatever becomes of it`()
        async throws
    {
        let imports = try office.client(Access.Grant(.platformOwner))
        let owner = try installation.platformOwner()
        let plan = try await imports.plan(
            csv: header, "District,School,Class,,,", "District,,,,,", "Wrong,,,,200,",
            "District,School,,,,")
        let planned = try await imports.rows(plan)
        _ = try await imports.apply(plan, skipRows: true)
        let made = try await owner.pages(below: nil, size: 50) { $0.subtree = true }
            .flatMap(\.organizations)
        let school = try #require(made.first { $0.title == "School" })
        _ = try await owner.update(school, paths: ["title"]) { $0.title = "Renamed" }

        let rows = try await imports.rows(plan)
        let created = try await imports.rows(plan, .created)
        let later = installation.clock.now.advanced(by: .seconds(1))
        let noted = try await installation.database.write { transaction in
            while try transaction.removeImports(before: later, rowsMax: 2) {}
            return try transaction.row("SELECT count(*) FROM import_made") { try $0.int64(0) }
        }

        let ids = ["Class", "District", "", "School"].map { title in
            made.first { $0.title == title }?.id ?? ""
        }
        #expect(planned.allSatisfy { $0.organizationID.isEmpty })
        #expect(made.count == 3 && rows.map(\.organizationID) == ids)
        #expect(created.map(\.organizationID) == ids.filter { !$0.isEmpty })
        #expect(noted == 0)
    }

    @Test func `the same file applied twice changes nothing the second time`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let lines = [header, "District,,,d.example,12.5,2030-01-01", "District,School,,,,"]
        let file = Array(lines.joined(separator: "\n").utf8)
        _ = try await imports.apply(try await imports.plan(file))
        let head = try await installation.nodes().count

        let again = try await imports.plan(file)
        let applied = try await imports.apply(again)

        #expect(again.unchangedCount == 2 && again.createdCount + again.updatedCount == 0)
        #expect(applied.state == .applied)
        #expect(try await installation.nodes().count == head)
    }

    @Test func `a row changes what it names, and says old and new`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let owner = try installation.platformOwner()
        _ = try await imports.apply(
            try await imports.plan(csv: header, "District,,,\"a.example,b.example\",10,2030-01-01"))

        let plan = try await imports.plan(
            csv: "Title,Discount percentage,Email mask", "DISTRICT,20%,b.example; c.example")
        let row = try #require(try await imports.rows(plan).first)
        _ = try await imports.apply(plan)
        let cleared = try await imports.plan(
            csv: "Title,Discount percentage,Discount expiration date,Email mask", "District,-,-,-")
        _ = try await imports.apply(cleared)
        let district = try #require(
            try await owner.listOrganizations(ListOrganizationsRequest()).organizations.first)

        #expect(row.outcome == .updated && row.organizationID == district.id)
        #expect(
            row.differences.map { "\($0.field): \($0.oldValue) -> \($0.newValue)" } == [
                "email_masks: a.example; b.example -> b.example; c.example",
                "discount_percentage: 10% -> 20%",
            ])
        #expect(district.memberDiscount == nil)
        #expect(district.title == "District")
        let masks = try await owner.listEmailMasks(
            ListEmailMasksRequest(organizationID: district.id))
        #expect(masks.emailMasks.isEmpty)
    }

    @Test func `every kind of error is told with its row, and nothing is applied`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let owner = try installation.platformOwner()
        let taken = try await owner.create("Taken")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: taken.id, value: "taken.example"))

        let plan = try await imports.plan(
            csv: header, ",,,x.example,,", "Twice,,,,,", "TWICE,,,,,", "Nowhere,School,,,,",
            "A,,,taken.example,,", "B,,,,101,", "C,,,,,31/12/2030", "D,,,gmail.com,,",
            "E,,,no domain,,", "F,,,,5.555,", "Good,,,,,", ",Below,,,,")
        let rows = try await imports.rows(plan)
        let refused = try await refusal {
            try await imports.applyImport(ApplyImportRequest(id: plan.id))
        }
        let applied = try await imports.apply(plan, skipRows: true)

        #expect(
            rows.map { $0.faults.map(\.code).joined(separator: "+") } == [
                "title_missing", "duplicate_row", "duplicate_row", "parent_not_found",
                "email_mask_taken", "percent_out_of_range", "ambiguous_date",
                "public_email_domain", "email_mask_invalid", "percent_invalid", "",
                "title_missing",
            ])
        #expect(rows.map(\.row) == Array(2...13))
        #expect(plan.errorCount == 11 && plan.createdCount == 1)
        #expect(refused.reason == "import_has_errors")
        #expect(applied.state == .applied)
        let titles = try await owner.listOrganizations(ListOrganizationsRequest(orderBy: "title"))
        #expect(titles.organizations.map(\.title) == ["Good", "Taken"])
    }

    @Test func `a child of a row with errors has no parent`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))

        let plan = try await imports.plan(csv: header, "A,,,,200,", "A,B,,,,", "A,B,C,,,")

        let codes = try await imports.rows(plan).map { $0.faults.map(\.code) }
        #expect(codes == [["percent_out_of_range"], ["parent_not_found"], ["parent_not_found"]])
    }

    @Test func `what changed since the plan stops it, with the row`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let owner = try installation.platformOwner()
        let district = try await owner.create("District")
        let update = try await imports.plan(csv: header, "District,,,,5,")
        let create = try await imports.plan(csv: header, "New,,,,,")
        _ = try await owner.update(district, paths: ["description"]) { $0.description = "x" }
        _ = try await owner.create("NEW")

        let staleUpdate = try await refusal {
            try await imports.applyImport(ApplyImportRequest(id: update.id))
        }
        let staleCreation = try await refusal {
            try await imports.applyImport(ApplyImportRequest(id: create.id))
        }

        #expect(staleUpdate.reason == "plan_stale" && staleCreation.reason == "plan_stale")
        #expect("\(staleUpdate.details)".contains("row 2"))
        #expect(try await imports.getImport(GetImportRequest(id: update.id)).state == .planned)
    }

    @Test func `below what is paused nothing is made, by itself or from above`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("Paused", "Below")
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: chain[0].id))
        let imports = try office.client(Access.Grant(.platformOwner))

        let roots = try await imports.plan(csv: header, "Paused,New,,,,", "Paused,Below,New,,,")
        let inside = try await imports.plan(
            csv: "Title,Suborganization 2", "Below,New", parent: chain[1].id)

        let codes = try await imports.rows(roots).map { $0.faults.map(\.code) }
        #expect(codes == [["org_not_active"], ["org_not_active"]])
        #expect(
            try await imports.rows(inside).map { $0.faults.map(\.code) } == [["org_not_active"]])
    }

    @Test func `a domain that needed no approval becomes one to join by`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: school.id, value: "school.example", mode: .allow))
        let imports = try office.client(Access.Grant(.platformOwner))

        let applied = try await imports.apply(
            try await imports.plan(csv: header, "School,,,school.example,,"))

        let masks = try await owner.listEmailMasks(ListEmailMasksRequest(organizationID: school.id))
        #expect(applied.state == .applied, "\(applied.fault)")
        #expect(masks.emailMasks.map(\.mode) == [.join])
    }

    @Test func `where titles are unique on the platform, a plan says which are taken`()
        async throws
    {
        let owner = try installation.platformOwner()
        _ = try await owner.chain("One", "Leaf")
        _ = try await PlatformClient(
            try installation.channel([Access.Grant(.platformOwner)])
        ).updatePlatformSettings(.init(settings: PlatformSettings(nameScope: .global)))
        let imports = try office.client(Access.Grant(.platformOwner))

        let plan = try await imports.plan(
            csv: header, "Two,,,,,", "Two,leaf,,,,", "Two,Same,,,,", "One,Same,,,,", "One,Leaf,,,,")

        let codes = try await imports.rows(plan).map { $0.faults.map(\.code) }
        #expect(codes == [[], ["name_taken"], [], ["name_taken"], []])
    }

    @Test func `while an organization moves no import is applied`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        let imports = try office.client(Access.Grant(.platformOwner))
        let plan = try await imports.plan(csv: header, "New,,,,,")
        await installation.people.refuse(with: Status(.unavailable, "Nobody answers."))
        var options = CallOptions.key("move")
        options.timeout = .milliseconds(200)
        _ = try await refusal {
            try await owner.moveOrganization(
                MoveOrganizationRequest(id: chain[1].id, newParentID: two.id), options: options)
        }

        let applied = try await imports.apply(plan)

        #expect(applied.state == .failed && applied.faultCode == "org_moving")
    }

    @Test func `ten levels are made, an eleventh is an error`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let columns = (["Title"] + (2...10).map { "Suborganization \($0)" }).joined(separator: ";")
        let paths = (1...10).map { depth in
            (1...10).map { $0 <= depth ? "L\($0)" : "" }.joined(separator: ";")
        }
        let plan = try await imports.plan(Array(([columns] + paths).joined(separator: "\n").utf8))
        _ = try await imports.apply(plan)
        let owner = try installation.platformOwner()
        let deepest = try #require(
            try await owner.listOrganizations(
                ListOrganizationsRequest(subtree: true, orderBy: "updated_at desc")
            ).organizations.max { $0.depth < $1.depth })

        let below = try await imports.plan(
            csv: "Title,Suborganization 2", "L10,Eleventh", parent: deepest.id)

        #expect(plan.createdCount == 10)
        #expect(deepest.depth == 10 && deepest.title == "L10")
        #expect(try await imports.rows(below).map { $0.faults.map(\.code) } == [["depth_exceeded"]])
    }

    @Test(arguments: ["csv", "xlsx"])
    func `what is exported can be imported, and changes nothing`(format: String) async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        _ = try await imports.apply(
            try await imports.plan(
                csv: header, "=1+1,,,,,", "-,,,,0,", "District,,,d.example,12.34,2030-01-01",
                "District,+A,,,,", "District,@B,,,,",
                "District,@B,\"Class \"\"5\"\", a\",x.example,100%,",
                "北京大学,,,,,"))

        let file = try await imports.export(format: format)
        let plan = try await imports.plan(file)

        #expect(plan.state == .planned, "\(plan.fault)")
        #expect(plan.rowCount == 7 && plan.unchangedCount == 7, "\(plan)")
        #expect(plan.createdCount + plan.updatedCount + plan.errorCount == 0)
    }

    @Test func `an export of a place holds it and what is below, and imports there`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("Mine", "Inner", "Class")
        _ = try await owner.create("Others")
        let imports = try office.client(
            Access.Grant(.platformAdmin, at: try chain[1].organizationID))

        let file = try await imports.export()
        let plan = try await imports.plan(file)

        let text = String(decoding: file, as: UTF8.self)
        #expect(text.contains("Inner,Class,"))
        #expect(!text.contains("Mine") && !text.contains("Others"))
        #expect(plan.unchangedCount == 2 && plan.rowCount == 2)
    }

    @Test func `the example is a file that can be imported`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let parts = Parts()
        try await imports.getImportExample(GetImportExampleRequest()) { await parts.add($0) }

        let plan = try await imports.plan(await parts.bytes)

        #expect(await parts.name == "import-example.xlsx")
        #expect(plan.state == .planned && plan.createdCount == 4 && plan.errorCount == 0)
    }

    @Test(arguments: [
        (file: "Titel\nA", code: "unknown_column"), (file: "Email mask\nA", code: "column_missing"),
        (file: "Title,Suborganization 3\nA,B", code: "column_missing"),
        (file: "Title,title\nA,B", code: "duplicate_column"),
        (file: "\u{0}\u{1}\u{2}\u{3}", code: "not_a_spreadsheet"),
    ])
    func `a file that is none is told in words`(file: String, code: String) async throws {
        let imports = try office.client(Access.Grant(.platformOwner))

        let plan = try await imports.plan(Array(file.utf8))

        #expect(plan.state == .failed)
        #expect(plan.faultCode == code, "\(plan.fault)")
        #expect(!plan.fault.isEmpty)
    }

    @Test func `a plan that is cancelled is not applied`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))
        let plan = try await imports.plan(csv: header, "A,,,,,")

        let cancelled = try await imports.cancelImport(CancelImportRequest(id: plan.id))
        let refused = try await refusal {
            try await imports.applyImport(ApplyImportRequest(id: plan.id))
        }

        #expect(cancelled.state == .cancelled)
        #expect(refused.reason == "wrong_state")
    }

    @Test func `what a former life left half done is told as failed`() async throws {
        let run = ImportRun(
            id: installation.identifiers.next(), parent: nil, state: .applying,
            createdBy: "user:x", createdAt: installation.clock.now)
        try await installation.database.write { try $0.put(run) }
        let later = try ImportOffice(installation)
        let imports = try later.client(Access.Grant(.platformOwner))

        // The desk ends what is open before it takes anything in.
        _ = try await imports.plan(csv: header, "A,,,,,")
        let ended = try await imports.getImport(GetImportRequest(id: run.id.text))

        #expect(ended.state == .failed && ended.faultCode == "interrupted")
    }
}

private actor Parts {
    private(set) var name = ""
    private(set) var bytes: [UInt8] = []

    func add(_ part: FilePart) {
        if name.isEmpty { name = part.name }
        bytes += part.data
    }
}
