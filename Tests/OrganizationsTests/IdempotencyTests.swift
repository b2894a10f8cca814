import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// One key, one effect.
struct IdempotencyTests {
    @Test func `a repeated creation answers the same and creates nothing`() async throws {
        let installation = try Installation()
        let user: UserID = installation.identifiers.next()
        let owner = try installation.user(Access.Grant(.platformOwner), as: user)

        let first = try await owner.createOrganization(.named("School"), options: .key("k"))
        installation.clock.advance(by: .seconds(10))
        let second = try await owner.createOrganization(.named("School"), options: .key("k"))

        #expect(second == first)
        #expect(try await installation.nodes().count == 1)
    }

    @Test func `twenty repetitions at once are one creation`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()

        let replies = try await withThrowingTaskGroup(of: Organization.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await owner.createOrganization(.named("School"), options: .key("k"))
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }

        #expect(replies.count == 1)
        #expect(try await installation.nodes().count == 1)
    }

    @Test func `one key for another request is refused`() async throws {
        let owner = try Installation().platformOwner()
        _ = try await owner.createOrganization(.named("One"), options: .key("k"))

        let refused = try await refusal {
            try await owner.createOrganization(.named("Two"), options: .key("k"))
        }

        #expect(refused.reason == "idempotency_mismatch")
    }

    @Test func `the same key of another person is another key`() async throws {
        let installation = try Installation()
        _ = try await installation.platformOwner().createOrganization(
            .named("One"), options: .key("k"))

        let other = try await installation.platformOwner().createOrganization(
            .named("Two"), options: .key("k"))

        #expect(other.title == "Two")
    }

    @Test func `a refusal is repeated, also when its cause is gone`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let first = try await refusal {
            try await owner.createOrganization(.named("school"), options: .key("k"))
        }
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(organization: Organization(id: school.id, title: "Other")))

        let second = try await refusal {
            try await owner.createOrganization(.named("school"), options: .key("k"))
        }

        #expect(first.reason == "name_taken")
        #expect(second == first)
    }

    @Test func `a refusal for want of a right is not kept`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let id: UserID = installation.identifiers.next()
        let node = try school.organizationID
        let request = CreateOrganizationRequest.named("A", below: school.id)
        let before = try await refusal {
            try await installation.user(Access.Grant(.member, at: node), as: id)
                .createOrganization(request, options: .key("k"))
        }

        let after = try await installation.user(Access.Grant(.owner, at: node), as: id)
            .createOrganization(request, options: .key("k"))

        #expect(before.reason == "forbidden")
        #expect(after.title == "A")
    }

    @Test func `an organization out of sight is not kept as one that is not there`()
        async throws
    {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let id: UserID = installation.identifiers.next()
        let node = try school.organizationID
        let creation = CreateOrganizationRequest.named("A", below: school.id)
        let update = UpdateOrganizationRequest(
            organization: Organization(id: school.id, title: "Other"))
        let stranger = try installation.user(as: id)
        let notCreated = try await refusal {
            try await stranger.createOrganization(creation, options: .key("creation"))
        }
        let notUpdated = try await refusal {
            try await stranger.updateOrganization(update, options: .key("update"))
        }

        let owner = try installation.user(Access.Grant(.owner, at: node), as: id)
        let created = try await owner.createOrganization(creation, options: .key("creation"))
        let updated = try await owner.updateOrganization(update, options: .key("update"))

        #expect(notCreated.reason == "not_found" && notUpdated == notCreated)
        #expect(created.title == "A")
        #expect(updated.title == "Other")
    }

    @Test(arguments: ["", "with space", String(repeating: "k", count: 129)])
    func `a key that is none is refused`(key: String) async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.createOrganization(.named("A"), options: .key(key))
        }

        #expect(refused.code == .invalidArgument)
    }
}
