import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Programs that make and change organizations by their API keys.
struct ProgramTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `what a program creates came by the API, what it provisions by itself`()
        async throws
    {
        let staff = try installation.program(Access.Grant(.globalAdmin))
        let district = try await staff.create("District")
        let owner = try installation.program(
            Access.Grant(.owner, at: try district.organizationID))

        let school = try await owner.create("School", below: district)
        let automatic = try await owner.provisionOrganization(
            ProvisionOrganizationRequest(
                externalID: "lti:1", title: "Other", parentID: district.id))
        let byHand = try await installation.platformOwner().create("By hand", below: district)

        #expect(district.origin == .api && school.origin == .api)
        #expect(automatic.origin == .auto && byHand.origin == .manual)
        #expect(try await staff.getOrganization(.init(id: school.id)).origin == .api)
    }

    @Test func `the key is named as the creator, told apart from people`() async throws {
        let id: APIKeyID = installation.identifiers.next()
        let program = try installation.program(Access.Grant(.globalAdmin), as: id)
        _ = try await program.create("District")

        let creators = try await installation.database.read { snapshot in
            try snapshot.rows("SELECT created_by FROM organization LIMIT 10") { try $0.text(0) }
        }

        #expect(creators == ["apiKey:\(id.text)"])
    }

    @Test func `a program sees and does what its role may, and no more`() async throws {
        let platform = try installation.platformOwner()
        let district = try await platform.create("District")
        let school = try await platform.create("School", below: district)
        let id = try school.organizationID
        let owner = try installation.program(Access.Grant(.owner, at: id))
        let member = try installation.program(Access.Grant(.member, at: id))

        let renamed = try await owner.update(school, paths: ["title"]) { $0.title = "Renamed" }
        #expect(renamed.title == "Renamed")
        let above = try await refusal { try await owner.getOrganization(.init(id: district.id)) }
        let root = try await refusal { try await owner.create("Root") }
        let byMember = try await refusal {
            try await member.update(renamed, paths: ["title"]) { $0.title = "Mine" }
        }
        #expect(above.reason == "not_found" && root.reason == "forbidden")
        #expect(byMember.reason == "forbidden")

        _ = try await platform.deactivateOrganization(.init(id: school.id))
        let paused = try await refusal {
            try await owner.update(renamed, paths: ["title"]) { $0.title = "Paused" }
        }
        #expect(paused.reason == "org_not_active")
        _ = try await platform.delete(school)
        let archived = try await refusal { try await owner.getOrganization(.init(id: school.id)) }
        #expect(archived.reason == "not_found")
    }

    @Test func `an import by a key is an import, and its own`() async throws {
        let office = try ImportOffice(installation)
        let platform = try installation.platformOwner()
        let district = try await platform.create("District")
        let grant = Access.Grant(.platformAdmin, at: try district.organizationID)
        let program = try office.program(installation.identifiers.next(), grant)

        let plan = try await program.plan(
            csv: "Title,Suborganization 2", "District,School", parent: district.id)
        let applied = try await program.apply(plan)
        #expect(applied.state == .applied && applied.createdCount == 1, "\(plan)")
        let made = try await platform.listOrganizations(.init(parent: district.id))
        let school = try #require(made.organizations.first)
        #expect(
            try await platform.getOrganization(.init(id: school.id)).origin == .`import`)
        let other = try office.program(installation.identifiers.next(), grant)
        let refused = try await refusal { try await other.getImport(.init(id: plan.id)) }
        #expect(refused.reason == "not_found")
    }
}
