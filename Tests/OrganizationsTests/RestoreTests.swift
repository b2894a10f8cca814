import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Coming back from the archive.
struct RestoreTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `everything that was archived together comes back together`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Class")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: chain[1].id, value: "school.example"))
        let earlier = try await owner.create("Earlier", below: chain[1])
        _ = try await owner.delete(earlier)
        _ = try await owner.delete(chain[0], cascade: true)

        let reply = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[0].id))

        #expect(reply.organization?.effectiveState == .active)
        #expect(reply.organization?.archivedAt == nil && reply.notRestored.isEmpty)
        #expect(try await owner.get(chain[2]).effectiveState == .active)
        #expect(try await owner.get(earlier).effectiveState == .archived)
        let asked = try #require(await installation.people.restored.first)
        #expect(asked.organizationIDs == chain.map(\.id) && !asked.blocked)
        let resolved = try await installation.service("membership").resolveEmail(
            ResolveEmailRequest(email: "a@school.example"))
        #expect(resolved.organizationID == chain[1].id)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `what others have by now is told`() async throws {
        let owner = try installation.platformOwner()
        let first = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: first.id, value: "school.example"))
        _ = try await owner.delete(first)
        let second = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: second.id, value: "school.example"))

        let taken = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: first.id))
        }
        let reply = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: first.id, title: "Old school", members: .blocked))

        #expect(taken.reason == "name_taken")
        #expect(reply.organization?.title == "Old school")
        #expect(reply.notRestored == ["school.example"])
        #expect(await installation.people.restored.map(\.blocked) == [true])
    }

    @Test func `below an archived parent another one must be named`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Class")
        let other = try await owner.create("Other")
        _ = try await owner.delete(chain[0], cascade: true)

        let refused = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: chain[1].id))
        }
        let named = try await refusal {
            try await owner.restoreOrganization(
                RestoreOrganizationRequest(id: chain[1].id, parentID: chain[0].id))
        }
        let unknown = try await refusal {
            try await owner.restoreOrganization(
                RestoreOrganizationRequest(
                    id: chain[1].id, parentID: OrganizationID(high: 1, low: 1).text))
        }
        let reply = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[1].id, parentID: other.id))

        #expect(refused.reason == "parent_archived")
        #expect(named.reason == "parent_archived")
        #expect(unknown.reason == "not_found")
        #expect(reply.organization?.path.map(\.title) == ["Other"])
        #expect(try await owner.get(chain[2]).path.map(\.title) == ["Other", "School"])
    }

    @Test func `what Membership refuses stays in the archive`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.delete(school)
        await installation.people.refuse(
            with: Status.refusal(.membersLimitReached, "The limit is 5."))

        let refused = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: school.id))
        }

        #expect(refused.reason == "members_limit_reached")
        #expect(try await owner.get(school).effectiveState == .archived)
    }

    @Test func `where somebody only sees, nothing is restored to`() async throws {
        let platform = try installation.platformOwner()
        let mine = try await platform.chain("Mine", "School")
        let other = try await platform.create("Other")
        _ = try await platform.delete(mine[1])
        let admin = try installation.user(
            Access.Grant(.platformAdmin, at: try mine[0].organizationID),
            Access.Grant(.student, at: try other.organizationID))

        let refused = try await refusal {
            try await admin.restoreOrganization(
                RestoreOrganizationRequest(id: mine[1].id, parentID: other.id))
        }
        let reply = try await admin.restoreOrganization(
            RestoreOrganizationRequest(id: mine[1].id))

        #expect(refused.reason == "forbidden")
        #expect(reply.organization?.parentID == mine[0].id)
    }

    @Test func `what is not archived is not restored, and an owner restores nothing`()
        async throws
    {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let owner = try installation.user(Access.Grant(.owner, at: try school.organizationID))

        let present = try await refusal {
            try await platform.restoreOrganization(RestoreOrganizationRequest(id: school.id))
        }
        _ = try await platform.delete(school)
        let hidden = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: school.id))
        }

        #expect(present.reason == "wrong_state")
        #expect(hidden.reason == "not_found")
    }

    @Test func `it comes back as a root, whatever has become of its parent`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Class")
        _ = try await owner.delete(chain[0], cascade: true)

        let reply = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[1].id, toRoot: true))

        #expect(reply.organization?.depth == 1 && reply.organization?.parentID == "")
        #expect(try await owner.get(chain[2]).path.map(\.title) == ["School"])
        #expect(try await owner.get(chain[2]).depth == 2)
        #expect(try await owner.get(chain[0]).effectiveState == .archived)
        let asked = try #require(await installation.people.restored.first)
        #expect(asked.organizationIDs == [chain[1].id, chain[2].id] && asked.parentID == "")
        let told = try await installation.nodes().suffix(2)
        #expect(told.map(\.id) == [chain[1].id, chain[2].id])
        #expect(told.map(\.parentID) == ["", chain[1].id])
        let roots = try await owner.listOrganizations(ListOrganizationsRequest())
        #expect(roots.organizations.map(\.title) == ["School"] && roots.totalSize == 1)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `as a root it needs a title that no root has`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.create("SCHOOL")
        _ = try await owner.delete(chain[1])

        let taken = try await refusal {
            try await owner.restoreOrganization(
                RestoreOrganizationRequest(id: chain[1].id, toRoot: true))
        }
        let reply = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[1].id, title: "Old school", toRoot: true))

        #expect(taken.reason == "name_taken")
        #expect(reply.organization?.depth == 1 && reply.organization?.title == "Old school")
        #expect(await installation.people.restored.count == 1)
    }

    @Test func `it comes back below a parent or as a root, not both`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.delete(chain[1])

        let both = try await refusal {
            try await owner.restoreOrganization(
                RestoreOrganizationRequest(
                    id: chain[1].id, parentID: chain[0].id, toRoot: true))
        }

        #expect(both.invalidFields == ["parent_id"])
        #expect(try await owner.get(chain[1]).effectiveState == .archived)
    }

    @Test func `only who may make roots restores to the root, unless it was one`() async throws {
        let platform = try installation.platformOwner()
        let chain = try await platform.chain("District", "School")
        let admin = try installation.user(
            Access.Grant(.platformAdmin, at: try chain[0].organizationID))
        _ = try await platform.delete(chain[1])

        let refused = try await refusal {
            try await admin.restoreOrganization(
                RestoreOrganizationRequest(id: chain[1].id, toRoot: true))
        }
        _ = try await admin.restoreOrganization(RestoreOrganizationRequest(id: chain[1].id))
        _ = try await platform.delete(chain[0], cascade: true)
        let root = try await admin.restoreOrganization(
            RestoreOrganizationRequest(id: chain[0].id, toRoot: true))

        #expect(refused.reason == "forbidden")
        #expect(root.organization?.depth == 1)
        #expect(try await platform.get(chain[1]).depth == 2)
    }
}
