import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What other services hear of the tree.
struct FeedTests {
    @Test func `every change is told with the whole state`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: chain[1].id, title: "New School")))
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[0].id))
        _ = try await owner.activateOrganization(ActivateOrganizationRequest(id: chain[0].id))

        let nodes = try await installation.nodes()

        func node(
            _ organization: Organization, _ title: String, _ status: OrganizationStatus,
            _ version: Int64
        ) -> OrganizationNode {
            OrganizationNode(
                id: organization.id, parentID: organization.parentID, title: title,
                status: status, origin: .manual, version: version)
        }
        #expect(
            nodes == [
                node(chain[0], "District", .active, 1), node(chain[1], "School", .active, 1),
                node(chain[1], "New School", .active, 2), node(chain[0], "District", .inactive, 2),
                node(chain[0], "District", .active, 3),
            ])
    }

    @Test func `what changes nothing is not told`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")

        _ = try await owner.updateOrganization(UpdateOrganizationRequest(organization: school))
        _ = try await owner.activateOrganization(ActivateOrganizationRequest(id: school.id))
        _ = try? await owner.create("school")

        #expect(try await installation.nodes().count == 1)
    }

    @Test func `a service follows the feed`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let membership = try installation.service("membership")

        let head = try await membership.getFeedHead(GetFeedHeadRequest())
        var seen: [String] = []
        do {
            try await membership.watch(WatchRequest()) { reply in
                guard let event = reply.events.first else { return }
                throw Seen(body: event.body, kind: event.kind)
            }
        } catch let event as Seen {
            seen = [try OrganizationNode(decoding: event.body).id, event.kind]
        }

        #expect(head.sequence == installation.database.feed.head())
        #expect(head.incarnation == installation.database.incarnation)
        #expect(seen == [school.id, "guildhall.organizations.v1.OrganizationNode"])
    }

    private struct Seen: Error {
        let body: [UInt8]
        let kind: String
    }
}
