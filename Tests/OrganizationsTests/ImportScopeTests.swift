import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Who imports where: at the plan, at reading it, and at applying it.
struct ImportScopeTests {
    private let installation: Installation
    private let office: ImportOffice
    private let header =
        "Title,Suborganization 2,Suborganization 3,Email mask,Discount percentage,"
        + "Discount expiration date"

    init() throws {
        installation = try Installation()
        office = try ImportOffice(installation)
    }

    @Test func `whoever administers one place imports from there down, and nowhere else`()
        async throws
    {
        let owner = try installation.platformOwner()
        let mine = try await owner.create("Mine")
        let parent = try await owner.create("Inner", below: mine)
        _ = try await owner.create("Others")
        let grant = Access.Grant(.platformAdmin, at: try parent.organizationID)
        let imports = try office.client(grant)

        let plan = try await imports.plan(
            csv: "Title,Suborganization 2", "Inner,New", "Others,New", "Mine,New")
        let named = try await refusal {
            try await imports.plan(csv: "Title", "X", parent: mine.id)
        }
        let member = try office.client(Access.Grant(.owner, at: try parent.organizationID))
        let forbidden = try await refusal { try await member.plan(csv: "Title", "X") }

        let rows = try await imports.rows(plan)
        #expect(rows.map { $0.faults.map(\.code) } == [[], ["out_of_scope"], ["out_of_scope"]])
        #expect(named.reason == "not_found")
        #expect(forbidden.reason == "forbidden")
        let foreign = try await refusal {
            try await member.getImport(GetImportRequest(id: plan.id))
        }
        #expect(foreign.reason == "not_found")
    }

    @Test func `whether a file may come is answered as it would be refused`() async throws {
        let owner = try installation.platformOwner()
        let mine = try await owner.create("Mine")
        let parent = try await owner.create("Inner", below: mine)
        let grant = Access.Grant(.platformAdmin, at: try parent.organizationID)
        let imports = try office.client(grant)
        let member = try office.client(Access.Grant(.owner, at: try parent.organizationID))
        let everywhere = try office.client(Access.Grant(.platformOwner))

        _ = try await imports.checkImport(CheckImportRequest())
        _ = try await imports.checkImport(CheckImportRequest(parent: parent.id))
        _ = try await everywhere.checkImport(CheckImportRequest())
        for (client, place, reason) in [
            (imports, mine.id, "not_found"), (member, "", "forbidden"),
            (member, parent.id, "forbidden"), (imports, "nowhere", "validation"),
        ] {
            let checked = try await refusal {
                try await client.checkImport(CheckImportRequest(parent: place))
            }
            let planned = try await refusal {
                try await client.plan(csv: "Title", "X", parent: place)
            }
            #expect(checked == planned)
            #expect(checked.reason == reason)
        }
    }

    @Test func `rights that are lost end an import that was planned with them`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let person: UserID = installation.identifiers.next()
        let router = office
        let before = try router.client(as: person, Access.Grant(.globalAdmin))
        let plan = try await before.plan(csv: header, "New,,,,,")
        let after = try router.client(
            as: person, Access.Grant(.platformAdmin, at: try school.organizationID))

        let read = try await refusal {
            try await after.listImportRows(ListImportRowsRequest(id: plan.id))
        }
        let apply = try await refusal {
            try await after.applyImport(ApplyImportRequest(id: plan.id))
        }

        #expect(read.reason == "forbidden" || read.reason == "not_found")
        #expect(apply.reason == "forbidden" || apply.reason == "not_found")
        #expect(try await owner.listOrganizations(ListOrganizationsRequest()).totalSize == 1)
    }

    @Test func `an organization that has left the place is not changed from there`()
        async throws
    {
        let owner = try installation.platformOwner()
        let mine = try await owner.chain("Mine", "School", "Class")
        let other = try await owner.create("Other")
        let imports = try office.client(
            Access.Grant(.platformAdmin, at: try mine[0].organizationID))
        let plan = try await imports.plan(
            csv: header, "Mine,School,Class,,10,", "Mine,,,,,")
        _ = try await owner.move(mine[1], below: other)

        let applied = try await imports.apply(plan)

        #expect(applied.state == .failed && applied.faultCode == "plan_stale")
        #expect(try await owner.get(mine[2]).memberDiscount == nil)
    }
}
