import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import TreeCopy

@testable import Membership

extension Hall {
    func cancelMove(_ organization: OrganizationID, key: String) async throws {
        _ = try await service("organizations").cancelSubtreeMove(
            CancelSubtreeMoveRequest(organizationID: organization.text, moveKey: key))
    }

    func cancelRestore(_ organization: OrganizationID, key: String) async throws {
        _ = try await service("organizations").cancelSubtreeRestore(
            CancelSubtreeRestoreRequest(organizationID: organization.text, restoreKey: key))
    }

    fileprivate func block(_ user: UserID, in organization: OrganizationID) async throws {
        _ = try await platformOwner.blockMember(
            BlockMemberRequest(organizationID: organization.text, userID: user.text))
    }

    fileprivate func unblock(_ user: UserID, in organization: OrganizationID) async throws {
        _ = try await platformOwner.unblockMember(
            UnblockMemberRequest(organizationID: organization.text, userID: user.text))
    }

    /// How many people are noted as blocked by restores.
    fileprivate func notedBlocks() async throws -> Int64? {
        try await database.read { snapshot in
            try snapshot.row("SELECT count(*) FROM restore_block") { try $0.int64(0) }
        }
    }
}

@Suite struct `a move that is cancelled` {
    @Test func `is refused when it comes late, and counts nobody`() async throws {
        let world = try await District()
        let hall = world.hall
        let other = try await hall.organization()
        try await hall.admit(to: world.schools[0])

        try await hall.cancelMove(world.schools[0], key: "move")
        let late = await refusal {
            try await hall.move(world.schools[0], below: other, key: "move")
        }
        try await hall.move(world.schools[1], below: other, key: "another")

        #expect(late?.reason == "command_cancelled")
        #expect(try await world.used(world.district) == 1)
        #expect(try await hall.used(other) == 0)
        try await expectInvariants(hall)
    }

    @Test func `stays where it was carried out until the event, and is not made again`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        let other = try await hall.organization()
        try await hall.admit(to: world.schools[0])
        try await hall.move(world.schools[0], below: other, key: "move")

        try await hall.cancelMove(world.schools[0], key: "move")
        let between = try await hall.used(other)
        try await world.tell([world.schools[0]], archived: false)
        try await hall.cancelMove(world.schools[0], key: "move")
        let again = await refusal {
            try await hall.move(world.schools[0], below: other, key: "move")
        }

        #expect(between == 1)
        #expect(again?.reason == "command_cancelled")
        #expect(try await world.used(world.district) == 1)
        #expect(try await hall.used(other) == 0)
        try await expectInvariants(hall)
    }
}

@Suite struct `a restore that is cancelled` {
    @Test func `is refused when it comes late, and blocks nobody`() async throws {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        let ada = try await hall.admit(to: school)
        try await world.tell([school], archived: true)

        try await hall.cancelRestore(school, key: "restore")
        let late = await refusal {
            try await world.restore([school], below: world.district, blocked: true, key: "restore")
        }

        #expect(late?.reason == "command_cancelled")
        #expect(try await hall.state(of: ada, in: school) == .active)
        try await expectInvariants(hall)
    }

    @Test func `gives back whom it has blocked, and nobody else`() async throws {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        let ada = try await hall.admit(to: school, as: [.student])
        let owner = try await hall.admit(to: school, as: [.owner])
        let bob = try await hall.admit(to: school)
        try await hall.block(bob, in: school)
        try await world.tell([school], archived: true)
        try await world.restore([school], below: world.district, blocked: true, key: "restore")
        let blocked = try await hall.state(of: ada, in: school)
        let noted = try await hall.notedBlocks()

        try await hall.cancelRestore(school, key: "restore")
        let before = try await hall.ledger(world.district)
        let newcomer = await refusal { try await hall.admit(to: school) }
        try await world.tell([school], archived: true)
        let after = try await hall.ledger(world.district)
        let states = [
            try await hall.state(of: ada, in: school), try await hall.state(of: owner, in: school),
            try await hall.state(of: bob, in: school),
        ]
        try await expectInvariants(hall)
        try await world.restore([school], below: world.district, key: "another")

        #expect(blocked == .blocked && noted == 2)
        #expect(states == [.active, .active, .blocked])
        #expect(try await hall.notedBlocks() == 0)
        // It is in the archive again, and the event finds that.
        #expect(newcomer?.code == .notFound && before == after)
        #expect(try await world.used(world.district) == 2)
        #expect(try await world.used(world.district, .students) == 1)
        #expect(try await world.used(school, .seat) == 1)
        try await expectInvariants(hall)
    }

    @Test func `leaves those as they are whom somebody has changed since`() async throws {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        var people: [UserID] = []
        for _ in 0..<4 { people.append(try await hall.admit(to: school)) }
        try await world.tell([school], archived: true)
        try await world.restore([school], below: world.district, blocked: true, key: "restore")
        // One is let in, one is then blocked by hand, one removed; one comes from outside.
        try await hall.unblock(people[1], in: school)
        try await hall.unblock(people[2], in: school)
        try await hall.block(people[2], in: school)
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: people[3].text))
        try await hall.admit(to: school)
        let between = try await world.used(world.district)

        try await hall.cancelRestore(school, key: "restore")

        let (all, reader) = (people, hall.database)
        let states = try await reader.read { snapshot in
            try all.map { try snapshot.membership(of: $0, in: school)?.state }
        }
        #expect(states == [.active, .active, .blocked, .removed])
        #expect(between == 2)
        #expect(try await world.used(world.district) == 0)
        #expect(try await world.used(school) == 0)
        try await expectInvariants(hall)
        try await world.restore([school], below: world.district)
        #expect(try await world.used(world.district) == 3)
    }

    @Test func `gives back nobody whom another restore has blocked`() async throws {
        let world = try await District()
        let hall = world.hall
        var people: [UserID] = []
        for school in world.schools { people.append(try await hall.admit(to: school)) }
        try await world.tell(world.schools, archived: true)
        for (school, key) in zip(world.schools, ["one", "two"]) {
            try await world.restore([school], below: world.district, blocked: true, key: key)
        }

        try await hall.cancelRestore(world.schools[1], key: "two")

        #expect(try await hall.state(of: people[0], in: world.schools[0]) == .blocked)
        #expect(try await hall.state(of: people[1], in: world.schools[1]) == .active)
        #expect(try await hall.notedBlocks() == 1)
        try await expectInvariants(hall)
    }

    @Test func `gives everybody back, however many`() async throws {
        let world = try await District()
        let hall = world.hall
        let now = hall.clock.now
        let people: [UserID] = (0..<1_201).map { _ in hall.identifiers.next() }
        let schools = world.schools
        try await hall.database.write { transaction in
            for (number, id) in people.enumerated() {
                let user = UserRecord(
                    id: id, email: "\(number)@example.com", name: "Ada", created: now, version: 1)
                try transaction.add(user, passwordHash: nil)
                let membership = MembershipRecord(
                    id: MembershipID(millisecondsSince1970: 1, random: (0, UInt64(number))),
                    organization: schools[number < 1_000 ? 0 : 1], user: id, roles: .member,
                    state: .active, takesSeat: true, joined: now, version: 1)
                try transaction.keep(MemberRecord(membership: membership, user: user), at: now)
            }
            try transaction.noteChange(of: schools, .coming)
            try transaction.applyChange(because: .membership, at: now)
        }
        let all = [world.district] + schools
        try await world.tell(all, archived: true)
        try await world.restore(all, blocked: true, key: "restore")
        let noted = try await hall.notedBlocks()

        try await hall.cancelRestore(world.district, key: "restore")
        try await world.tell(all, archived: true)
        try await world.restore(all, key: "another")

        #expect(noted == 1_201)
        #expect(try await world.used(world.district) == 1_201)
        try await expectInvariants(hall)
    }

    @Test func `is forgotten once what it brought back is archived again, or gone`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        let ada = try await hall.admit(to: world.schools[0])
        try await hall.admit(to: world.schools[1])
        try await world.tell(world.schools, archived: true)
        try await world.restore(
            world.schools, below: world.district, blocked: true, key: "restore")
        try await world.tell(world.schools, archived: false)

        try await world.tell([world.schools[0]], archived: true)
        let afterArchive = try await hall.notedBlocks()
        try await hall.organization(world.schools[1], removed: true)
        let afterRemoval = try await hall.notedBlocks()
        // It stood, and nothing of it is cancelled any more.
        try await hall.cancelRestore(world.schools[0], key: "restore")

        #expect(afterArchive == 1 && afterRemoval == 0)
        #expect(try await hall.state(of: ada, in: world.schools[0]) == .blocked)
        try await expectInvariants(hall)
    }

    @Test func `waits for the copy of the tree, and is carried out then`() async throws {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        let ada = try await hall.admit(to: school)
        try await world.tell([school], archived: true)
        try await world.restore([school], below: world.district, blocked: true, key: "restore")
        try await hall.database.write { try TreeCopy.reset(in: $0) }

        let early = await refusal { try await hall.cancelRestore(school, key: "restore") }
        let nodes = [
            hall.node(world.district), hall.node(school, below: world.district, archived: true),
            hall.node(world.schools[1], below: world.district),
        ]
        try await hall.database.write { transaction in
            for node in nodes { try TreeCopy.apply(node, in: transaction) }
            try hall.follower.caughtUp(in: transaction)
        }
        try await hall.cancelRestore(school, key: "restore")

        #expect(early?.code == .unavailable)
        #expect(try await hall.state(of: ada, in: school) == .active)
        #expect(try await world.used(world.district) == 0)
        try await expectInvariants(hall)
    }
}

@Suite struct `cancelling moves and restores` {
    @Test func `is for Organizations alone, and needs a key`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let move = CancelSubtreeMoveRequest(organizationID: school.text, moveKey: "key")
        let restore = CancelSubtreeRestoreRequest(organizationID: school.text, restoreKey: "key")

        for client in [hall.platformOwner, hall.service("partners")] {
            let statuses = [
                await refusal { try await client.cancelSubtreeMove(move) },
                await refusal { try await client.cancelSubtreeRestore(restore) },
            ]
            #expect(statuses.map(\.?.code) == [.permissionDenied, .permissionDenied])
        }
        let organizations = hall.service("organizations")
        let keyless = [
            await refusal {
                try await organizations.cancelSubtreeMove(.init(organizationID: school.text))
            },
            await refusal {
                try await organizations.cancelSubtreeRestore(.init(organizationID: school.text))
            },
        ]
        let nameless = [
            await refusal { try await organizations.cancelSubtreeMove(.init(moveKey: "key")) },
            await refusal {
                try await organizations.cancelSubtreeRestore(.init(restoreKey: "key"))
            },
        ]

        #expect(keyless.map(\.?.reason) == Array(repeating: "idempotency_key_invalid", count: 2))
        #expect(nameless.map(\.?.code) == [.invalidArgument, .invalidArgument])
    }
}
