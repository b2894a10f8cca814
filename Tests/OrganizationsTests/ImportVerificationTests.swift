import Access
import Messages
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What is kept beside the rows of imports, broken by hand and found by `verify`.
struct ImportVerificationTests {
    private static let damages: [SQL] = [
        "UPDATE import_run SET created_count = created_count - 1, error_count = error_count + 1",
        "UPDATE import_run SET row_count = row_count - 1",
        "DELETE FROM import_row WHERE outcome = 1 AND import_id = (SELECT max(id) FROM import_run)",
        "UPDATE import_row SET outcome = 3 WHERE outcome = 4",
    ]

    @Test(arguments: damages.indices)
    func `numbers of rows that are wrong are found`(number: Int) async throws {
        let installation = try Installation()
        let office = try ImportOffice(installation)
        let imports = try office.client(Access.Grant(.platformOwner))
        let header = "Title,Suborganization 2,Discount percentage"
        _ = try await imports.plan(csv: header, "District,,", "Other,,200")
        installation.clock.advance(by: .seconds(1))
        let plan = try await imports.plan(csv: header, "District,,", "District,School,")
        _ = try await imports.apply(plan)
        #expect(try await installation.findings().isEmpty)

        try await installation.database.write { try $0.execute(Self.damages[number]) }

        let findings = try await installation.findings()
        #expect(!findings.isEmpty)
        #expect(findings.allSatisfy { $0.hasPrefix("numbers of imported rows: Import ") })
    }

    @Test func `an old import whose rows are going is no damage`() async throws {
        let installation = try Installation()
        let office = try ImportOffice(installation)
        let imports = try office.client(Access.Grant(.platformOwner))
        let plan = try await imports.plan(csv: "Title", "District", "Other")
        _ = try await imports.apply(plan)
        installation.clock.advance(by: .seconds(8 * 86_400))

        let now = installation.clock.now
        let isMore = try await installation.database.write {
            try $0.removeImports(before: now.advanced(by: .seconds(-86_400)), rowsMax: 1)
        }

        #expect(isMore)
        #expect(try await installation.findings().isEmpty)
    }
}
