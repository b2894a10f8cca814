import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Organizations of outside systems: made once, whoever asks how often.
struct ProvisionTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func request(
        _ externalID: String, _ title: String = "School", below parent: Organization? = nil
    ) -> ProvisionOrganizationRequest {
        ProvisionOrganizationRequest(
            externalID: externalID, title: title, parentID: parent?.id ?? "")
    }

    @Test func `a new organization has the parent's category and country`() async throws {
        let owner = try installation.platformOwner()
        var creation = CreateOrganizationRequest.named("District")
        creation.category = .academicPostSecondary
        creation.country = "DE"
        let district = try await owner.createOrganization(creation)

        let inherited = try await owner.provisionOrganization(request("lti:1", below: district))
        var chosen = request("lti:2", "Other", below: district)
        (chosen.category, chosen.country) = (.businessCompany, "us")
        let own = try await owner.provisionOrganization(chosen)
        let root = try await owner.provisionOrganization(request("lti:3", "Root"))

        #expect(inherited.origin == .auto && inherited.externalID == "lti:1")
        #expect(inherited.category == .academicPostSecondary && inherited.country == "DE")
        #expect(inherited.categorySource == .inherited)
        #expect(own.category == .businessCompany && own.country == "US")
        #expect(own.categorySource == .chosen)
        #expect(root.category == .businessCompany && root.country == "")
        #expect(root.categorySource == .default)
    }

    @Test func `one that is there is answered as it is`() async throws {
        let owner = try installation.platformOwner()
        let first = try await owner.provisionOrganization(request("sso/7"))
        let renamed = try await owner.update(first, paths: ["title"]) { $0.title = "Renamed" }

        let again = try await owner.provisionOrganization(request("sso/7", "Whatever"))
        let untitled = try await owner.provisionOrganization(request("sso/7", ""))

        #expect(again == renamed && untitled == renamed)
        #expect(try await installation.nodes().count == 2)
    }

    @Test func `one in the archive is nobody's to use`() async throws {
        let platform = try installation.platformOwner()
        let district = try await platform.create("District")
        let school = try await platform.provisionOrganization(request("sso/7", below: district))
        let owner = try installation.user(
            Access.Grant(.owner, at: try district.organizationID))
        _ = try await platform.delete(school)

        for caller in [platform, owner] {
            let refused = try await refusal {
                try await caller.provisionOrganization(request("sso/7", below: district))
            }
            #expect(refused.reason == "wrong_state" && refused.httpStatus == 409)
        }
    }

    @Test func `who may create there may provision there`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let id = try one.organizationID
        let owner = try installation.user(Access.Grant(.owner, at: id))
        let manager = try installation.user(Access.Grant(.manager, at: id))
        let stranger = try installation.user(Access.Grant(.owner, at: try other.organizationID))

        let made = try await owner.provisionOrganization(request("a", below: one))
        let root = try await refusal { try await owner.provisionOrganization(request("b")) }
        let byManager = try await refusal {
            try await manager.provisionOrganization(request("c", below: one))
        }
        let elsewhere = try await refusal {
            try await stranger.provisionOrganization(request("d", below: one))
        }
        let others = try await refusal {
            try await stranger.provisionOrganization(request("a", below: other))
        }

        #expect(made.parentID == one.id)
        #expect(root.reason == "forbidden" && byManager.reason == "forbidden")
        #expect(elsewhere.reason == "not_found")
        #expect(others.reason == "identifier_taken" && !others.message.contains(made.id))
    }

    @Test func `the rules of creation hold`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.deactivateOrganization(.init(id: school.id))

        let named = try await refusal {
            try await owner.provisionOrganization(request("1", "SCHOOL"))
        }
        let paused = try await refusal {
            try await owner.provisionOrganization(request("2", "Class", below: school))
        }
        let untitled = try await refusal {
            try await owner.provisionOrganization(request("3", " "))
        }
        let anonymous = try await refusal { try await owner.provisionOrganization(request("")) }
        let spaced = try await refusal { try await owner.provisionOrganization(request("a b")) }

        #expect(named.reason == "name_taken")
        #expect(paused.reason == "org_not_active")
        #expect(untitled.invalidFields == ["title"])
        #expect(anonymous.invalidFields == ["external_id"])
        #expect(spaced.invalidFields == ["external_id"])
    }

    @Test func `of fifty calls at once one makes it, and all answer it`() async throws {
        let owner = try installation.platformOwner()

        let replies = try await withThrowingTaskGroup(of: Organization.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await owner.provisionOrganization(request("x", "School \(number)"))
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1.id) }
        }

        #expect(replies.count == 1)
        #expect(try await installation.nodes().count == 1)
    }
}
