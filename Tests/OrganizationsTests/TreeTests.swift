import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Creating and changing organizations.
struct TreeTests {
    @Test func `a new organization answers everything that is known of it`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let district = try await owner.create("District")
        let request = CreateOrganizationRequest(
            parentID: district.id, title: "North School", description: "  For all\n",
            category: .businessTrainingCenter, country: "de")

        let school = try await owner.createOrganization(request)

        #expect(school.parentID == district.id)
        #expect(school.depth == 2)
        #expect(school.title == "North School")
        #expect(school.description == "For all")
        #expect(school.category == .businessTrainingCenter)
        #expect(school.country == "DE")
        #expect(school.status == .active)
        #expect(school.effectiveState == .active)
        #expect(school.stateReason == nil)
        #expect(school.origin == .manual)
        #expect(school.version == 1)
        #expect(school.path == [PathElement(id: district.id, title: "District")])
        #expect(school.createdAt == school.updatedAt)
        let found = try await owner.getOrganization(GetOrganizationRequest(id: school.id))
        #expect(found == school)
    }

    @Test func `every missing or wrong field is named at once`() async throws {
        let owner = try Installation().platformOwner()
        let request = CreateOrganizationRequest(
            title: "", description: "a\u{1}", category: .unspecified, country: "XX")

        let refused = try await refusal { try await owner.createOrganization(request) }

        #expect(refused.code == .invalidArgument)
        #expect(refused.reason == "validation")
        #expect(refused.invalidFields == ["title", "description", "category", "country"])
    }

    @Test(arguments: ["", "U", "USA", "XX", "ß", "12", "U\u{0}"])
    func `a country that is none is refused`(country: String) throws {
        #expect(throws: Refusal.self) {
            try DetailsChange(
                DetailsInput(title: "A", category: 1, country: country), fields: [.country])
        }
    }

    @Test(arguments: [0, 5, -1, Int32.max])
    func `a category that is none is refused`(category: Int32) throws {
        #expect(throws: Refusal.self) {
            try DetailsChange(
                DetailsInput(title: "A", category: category, country: "US"), fields: [.category])
        }
    }

    @Test(arguments: [
        "x", "018f3c5e-7a10-7c3b-9d52-0242ac12000", "018f3c5e_7a10_7c3b_9d52_0242ac120002",
    ])
    func `a malformed identifier is refused with its field`(text: String) async throws {
        let owner = try Installation().platformOwner()

        let get = try await refusal {
            try await owner.getOrganization(GetOrganizationRequest(id: text))
        }
        let create = try await refusal {
            try await owner.createOrganization(.named("A", below: text))
        }

        #expect(get.code == .invalidArgument)
        #expect(get.invalidFields == ["id"])
        #expect(create.invalidFields == ["parent_id"])
    }

    @Test func `the tenth level is the last`() async throws {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")

        let refused = try await refusal { try await owner.create("11", below: chain[9]) }

        #expect(chain[9].depth == 10)
        #expect(chain[9].path.map(\.title) == ["1", "2", "3", "4", "5", "6", "7", "8", "9"])
        #expect(refused.reason == "depth_exceeded")
    }

    @Test func `nothing is created below a parent that is not there`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let nobody: OrganizationID = installation.identifiers.next()

        let refused = try await refusal {
            try await owner.createOrganization(.named("A", below: nobody.text))
        }

        #expect(refused.code == .notFound)
    }

    @Test func `nothing is created below an organization that is paused above`() async throws {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[0].id))

        let refused = try await refusal { try await owner.create("Class", below: chain[1]) }

        #expect(refused.code == .failedPrecondition)
        #expect(refused.reason == "org_not_active")
    }

    @Test func `only the fields of the mask are changed`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        installation.clock.advance(by: .seconds(60))
        let asked = Organization(
            id: school.id, title: "Ignored", description: "New", country: "FR")

        let changed = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: asked, updateMask: FieldMask(paths: ["description", "country"])))

        #expect(changed.title == "School")
        #expect(changed.description == "New")
        #expect(changed.country == "FR")
        #expect(changed.version == 2)
        #expect(changed.etag != school.etag)
        #expect(changed.createdAt == school.createdAt)
        #expect(changed.updatedAt != school.updatedAt)
    }

    @Test func `a description can be cleared by name alone`() async throws {
        let owner = try Installation().platformOwner()
        var request = CreateOrganizationRequest.named("School")
        request.description = "Old"
        let school = try await owner.createOrganization(request)

        let unchanged = try await owner.updateOrganization(
            UpdateOrganizationRequest(organization: Organization(id: school.id)))
        let cleared = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: school.id),
                updateMask: FieldMask(paths: ["description"])))

        #expect(unchanged == school)
        #expect(cleared.description == "")
    }

    @Test(arguments: ["parent", "", "title.text", "*"])
    func `a field that cannot be changed is refused`(path: String) async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let refused = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: school, updateMask: FieldMask(paths: ["title", path])))
        }

        #expect(refused.code == .invalidArgument)
        #expect(refused.invalidFields == ["update_mask"])
    }

    @Test(arguments: ["title", "category", "country"])
    func `what is mandatory cannot be cleared`(path: String) async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let refused = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(id: school.id),
                    updateMask: FieldMask(paths: [path])))
        }

        #expect(refused.reason == "validation")
        #expect(refused.invalidFields == ["organization.\(path)"])
    }

    @Test(arguments: ["member_count", "version", "id", "etag", "memberCount", "trial.color"])
    func `a mask that somebody wrote names nothing that is only answered`(
        path: String
    ) async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let refused = try await refusal {
            try await owner.update(school, paths: ["description", path]) { $0.description = "x" }
        }

        #expect(refused.invalidFields == ["update_mask"])
        #expect(refused.message.contains("“\(path)”"))
        #expect(try await owner.get(school).version == 1)
    }

    @Test func `a part of the trial in a mask changes the trial`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let changed = try await owner.update(
            school, paths: ["trial.enabled", "trial.valid_until"]
        ) { $0.trial = Trial(enabled: true, validUntil: "2026-03-01") }

        #expect(changed.trial == Trial(enabled: true, validUntil: "2026-03-01"))
    }

    @Test func `what was read can be sent back with a change`() async throws {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("District", "School")
        var school = chain[1]
        school.title = "Renamed"
        let everything = [
            "id", "parent_id", "depth", "title", "description", "category", "country", "status",
            "effective_state", "state_reason", "origin", "created_at", "updated_at", "version",
            "etag", "path", "warnings", "kind", "sales_rep_email", "type_id", "trial",
            "expires_at", "services", "external_id", "member_count", "category_source",
            "archived_at", "normalized", "member_discount",
        ]

        // As the gateway names them where a body comes without a mask.
        let renamed = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: school, updateMask: FieldMask(paths: everything)),
            options: .impliedMask)
        school.parentID = ""
        school.etag = renamed.etag
        let moved = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: school, updateMask: FieldMask(paths: everything)),
                options: .impliedMask)
        }
        let unknown = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: school, updateMask: FieldMask(paths: ["color"])),
                options: .impliedMask)
        }

        #expect(renamed.title == "Renamed")
        #expect(renamed.version == chain[1].version + 1)
        #expect(moved.invalidFields == ["organization.parent_id"])
        #expect(unknown.invalidFields == ["update_mask"])
    }

    @Test func `a change of a version that is no longer current is refused`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(organization: Organization(id: school.id, title: "First")))

        let refused = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(
                        id: school.id, title: "Second", etag: school.etag)))
        }

        #expect(refused.reason == "version_mismatch")
    }

    @Test func `a request without an organization is refused`() async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.updateOrganization(UpdateOrganizationRequest())
        }

        #expect(refused.invalidFields == ["organization.id"])
    }
}
