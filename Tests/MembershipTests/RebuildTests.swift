import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import TreeCopy

@testable import Membership

@Suite struct `when the copy of the tree is filled anew` {
    /// Reads a history from its beginning, up to its end.
    private func rebuild(_ hall: Hall, _ nodes: [OrganizationNode]) async throws {
        try await hall.database.write { [follower = hall.follower] transaction in
            try TreeCopy.reset(in: transaction)
            for node in nodes {
                let event = Messages.FeedEvent(
                    sequence: node.version, kind: OrganizationNode.messageName,
                    aggregateID: [], version: node.version, body: node.encoded())
                try follower.apply(event, in: transaction)
            }
            try follower.caughtUp(in: transaction)
        }
    }

    @Test func `people count where the tree that is known now has them`() async throws {
        let world = try await District()
        let hall = world.hall
        let other = try await hall.organization()
        for school in world.schools { try await hall.admit(to: school, as: [.teacher]) }
        try await hall.admit(to: other)
        try await world.tell([world.schools[1]], archived: true)
        let before = try await hall.ledger(world.district)

        // The first school hangs elsewhere by now, the second is live, the other is archived.
        try await rebuild(
            hall,
            [
                hall.node(world.district), hall.node(other),
                hall.node(world.schools[0], below: other, archived: true),
                hall.node(world.schools[1], below: world.district),
                hall.node(world.schools[0], below: other), hall.node(other, archived: true),
            ])

        #expect(try await world.used(world.district) == 1)
        #expect(try await world.used(world.schools[1], .seat) == 1)
        #expect(try await world.used(other) == 1)
        #expect(try await world.used(other, .seat) == 0)
        #expect(try await world.used(world.schools[0]) == 1)
        // Only what differs in the end has lines.
        let lines = try await hall.ledger(world.district).dropFirst(before.count)
        #expect(
            Array(lines) == [
                "members release 0 recount", "members take 1 recount",
                "teachers release 0 recount", "teachers take 1 recount",
            ])
        try await expectInvariants(hall)
    }

    @Test func `a copy that was emptied and differs counts as the new one`() async throws {
        let world = try await District()
        let hall = world.hall
        for school in world.schools { try await hall.admit(to: school) }
        try await hall.database.write { try $0.execute("DELETE FROM tree_node") }

        try await rebuild(
            hall,
            [
                hall.node(world.schools[0]), hall.node(world.district),
                hall.node(world.schools[1], below: world.district, archived: true),
            ])

        #expect(try await world.used(world.district) == 0)
        #expect(try await world.used(world.schools[0]) == 1)
        #expect(try await world.used(world.schools[1]) == 0)
        try await expectInvariants(hall)
    }

    @Test func `the same tree as before leaves no line`() async throws {
        let world = try await District()
        let hall = world.hall
        try await hall.admit(to: world.schools[0])
        let before = try await hall.ledger(world.district)

        try await rebuild(
            hall,
            [hall.node(world.district)]
                + world.schools.map {
                    hall.node($0, below: world.district)
                })

        #expect(try await hall.ledger(world.district) == before)
        try await expectInvariants(hall)
    }

    @Test func `keys of an organization that is gone go, the others stay`() async throws {
        let world = try await District()
        let hall = world.hall
        let staff = hall.keys(as: .globalAdmin)
        let requests = world.schools.map {
            CreateApiKeyRequest(name: "Key", role: .member, organizationID: $0.text)
        }
        let gone = try await staff.createApiKey(requests[0])
        let kept = try await staff.createApiKey(requests[1])

        try await rebuild(
            hall,
            [hall.node(world.district), hall.node(world.schools[1], below: world.district)])

        #expect(await refusal { try await hall.owner(of: gone.secret) }?.code == .unauthenticated)
        #expect(try await hall.owner(of: kept.secret).apiKeyID == kept.apiKey?.id)
    }

    @Test func `nothing leaves the archive meanwhile`() async throws {
        let world = try await District()
        try await world.tell([world.schools[0]], archived: true)
        try await world.hall.database.write { try TreeCopy.reset(in: $0) }

        let refused = await refusal {
            try await world.restore([world.schools[0]], below: world.district)
        }

        #expect(refused?.code == .unavailable)
    }
}
