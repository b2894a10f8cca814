import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Moves: who may make them, what stands against them, and that each happens wholly or not at all.
struct MoveTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `an organization moves with everything below it`() async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School", "Class", "Group")
        let two = try await owner.chain("Two", "North")

        let moved = try await owner.move(one[1], below: two[1])

        #expect(moved.organization?.path.map(\.title) == ["Two", "North"])
        #expect(moved.organization?.depth == 3)
        #expect(
            try await owner.get(one[3]).path.map(\.title) == ["Two", "North", "School", "Class"])
        #expect(try await owner.get(one[3]).depth == 5)
        let asked = await installation.people.moved
        #expect(asked.map(\.organizationID) == [one[1].id])
        #expect(asked.map(\.newParentID) == [two[1].id])
        let told = try #require(try await installation.nodes().last)
        #expect(told.id == one[1].id && told.parentID == two[1].id)
        let below = try await owner.listOrganizations(ListOrganizationsRequest(parent: one[0].id))
        #expect(below.totalSize == 0)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `it becomes a root, and a child again`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School", "Class")

        let root = try await owner.move(chain[1], below: nil)
        let back = try await owner.move(chain[1], below: chain[0])

        #expect(root.organization?.depth == 1 && root.organization?.parentID == "")
        #expect(back.organization?.depth == 2)
        #expect(try await owner.get(chain[2]).depth == 3)
    }

    @Test func `what stands against a move is told in order, and nothing moves`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School", "Class")
        let other = try await owner.chain("Two", "SCHOOL")
        let deep = try await owner.chain("1", "2", "3", "4", "5", "6", "7", "8")
        let paused = try await owner.create("Paused")
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: paused.id))

        let cycle = try await refusal { try await owner.move(chain[0], below: chain[2]) }
        let itself = try await refusal { try await owner.move(chain[0], below: chain[0]) }
        let name = try await refusal { try await owner.move(chain[1], below: other[0]) }
        let depth = try await refusal { try await owner.move(chain[0], below: deep[7]) }
        let closed = try await refusal { try await owner.move(chain[1], below: paused) }

        #expect(cycle.reason == "cycle" && itself.reason == "cycle")
        #expect(name.reason == "name_taken")
        #expect(depth.reason == "depth_exceeded")
        #expect(closed.reason == "org_not_active")
        #expect(await installation.people.moved.isEmpty)
        let fits = try await owner.move(chain[0], below: deep[6])
        #expect(fits.organization?.depth == 8)
    }

    @Test func `what Membership refuses leaves the tree as it was, and its name free`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        await installation.people.refuse(
            with: Status.refusal(.membersLimitReached, "The limit is 5."))

        let refused = try await refusal { try await owner.move(chain[1], below: two) }
        let namesake = try await owner.create("School", below: two)

        #expect(refused.reason == "members_limit_reached")
        #expect(try await owner.get(chain[1]).parentID == chain[0].id)
        #expect(namesake.title == "School")
    }

    @Test func `while Membership is away nothing else changes the trees, and then it goes on`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        await installation.people.refuse(with: Status(.unavailable, "Nobody answers."))
        var options = CallOptions.key("move")
        options.timeout = .milliseconds(300)

        let waiting = try await refusal {
            try await owner.moveOrganization(
                MoveOrganizationRequest(id: chain[1].id, newParentID: two.id), options: options)
        }
        let create = try await refusal { try await owner.create("New", below: two) }
        let delete = try await refusal { try await owner.delete(chain[1]) }
        let elsewhere = try await owner.create("Elsewhere")
        await installation.people.refuse(with: nil)
        // The next attempt is due some time after the last.
        installation.clock.advance(by: .seconds(60))
        let replayed = try await owner.moveOrganization(
            MoveOrganizationRequest(id: chain[1].id, newParentID: two.id), options: .key("move"))

        #expect(waiting.reason == "not_acknowledged" || waiting.code == .deadlineExceeded)
        #expect(create.reason == "org_moving" && delete.reason == "org_moving")
        #expect(elsewhere.depth == 1)
        #expect(replayed.organization?.parentID == two.id)
    }

    @Test func `of two crossing moves exactly one wins`() async throws {
        let owner = try installation.platformOwner()
        for round in 0..<10 {
            let one = try await owner.create("One \(round)")
            let two = try await owner.create("Two \(round)")

            async let first = outcome { try await owner.move(one, below: two) }
            async let second = outcome { try await owner.move(two, below: one) }
            let outcomes = await [first, second]

            #expect(outcomes.count { $0 == "moved" } == 1, "\(outcomes)")
            #expect(
                outcomes.allSatisfy { ["moved", "cycle", "org_moving"].contains($0) },
                "\(outcomes)")
        }
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a dry run tells what would change and what refuses, and changes nothing`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.chain("Two", "School")
        await installation.people.answer(
            with: MoveSubtreeReply(
                gates: [
                    AdmissionGate(
                        code: "members_limit_reached", organizationID: two[0].id, kind: "members",
                        used: 5, cap: 5)
                ],
                capChanges: [
                    CapChange(kind: "members", organizationID: two[0].id, cap: 5, begins: true)
                ]))

        let reply = try await owner.moveOrganization(
            MoveOrganizationRequest(id: chain[1].id, newParentID: two[0].id, dryRun: true))

        #expect(reply.obstacles.map(\.code) == ["name_taken", "members_limit_reached"])
        #expect(reply.effects.map(\.aspect) == ["members_limit"])
        #expect(reply.effects[0].toValue == "5")
        #expect(try await owner.get(chain[1]).version == chain[1].version)
    }

    @Test func `a new parent that is forgotten is no move to the root`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")

        let nothing = try await refusal {
            try await owner.moveOrganization(MoveOrganizationRequest(id: chain[1].id))
        }
        let both = try await refusal {
            try await owner.moveOrganization(
                MoveOrganizationRequest(
                    id: chain[1].id, newParentID: chain[0].id, toRoot: true))
        }

        #expect(nothing.invalidFields == ["new_parent_id"])
        #expect(both.invalidFields == ["new_parent_id"])
        #expect(try await owner.get(chain[1]).parentID == chain[0].id)
    }

    @Test func `what was archived before moves along, however often`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("1", "2", "3", "4", "5", "6", "7", "8")
        let top = try await owner.chain("P", "C")
        _ = try await owner.delete(top[1])
        let down = try await owner.move(top[0], below: chain[7])
        let up = try await owner.move(top[0], below: nil)
        _ = try await owner.delete(top[0])
        _ = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: top[0].id, parentID: chain[6].id))
        let again = try await owner.move(top[0], below: nil)
        let child = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: top[1].id))

        #expect(down.organization?.depth == 9 && up.organization?.depth == 1)
        #expect(again.organization?.depth == 1 && child.organization?.depth == 2)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `both ends need the right`() async throws {
        let platform = try installation.platformOwner()
        let one = try await platform.chain("One", "School", "Class")
        let two = try await platform.create("Two")
        let owner = try installation.user(Access.Grant(.owner, at: try one[0].organizationID))

        let foreign = try await refusal { try await owner.move(one[1], below: two) }
        let root = try await refusal { try await owner.move(one[1], below: nil) }
        let within = try await owner.move(one[2], below: one[0])

        #expect(foreign.reason == "not_found")
        #expect(root.reason == "forbidden")
        #expect(within.organization?.depth == 2)
    }
}

extension OrganizationsClient {
    func move(
        _ organization: Organization, below parent: Organization?
    ) async throws -> MoveOrganizationReply {
        try await moveOrganization(
            MoveOrganizationRequest(
                id: organization.id, newParentID: parent?.id ?? "", toRoot: parent == nil))
    }
}

/// What a call comes to, in a word.
private func outcome<Reply: Sendable>(
    _ call: @Sendable () async throws -> Reply
) async -> String {
    do {
        _ = try await call()
        return "moved"
    } catch {
        return Status(thrown: error).reason ?? "\(error)"
    }
}
