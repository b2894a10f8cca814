import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import Membership

@Suite struct `when an organization is archived` {
    @Test func `its people count nowhere, and those who are elsewhere too stay counted`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        let ada = try await hall.admit(to: world.schools[0], as: [.student])
        try await hall.admit(ada, to: world.schools[1], as: [.teacher])
        try await hall.admit(to: world.schools[0], as: [.student])
        let owner = try await hall.admit(to: world.schools[0], as: [.owner])

        try await world.tell([world.schools[0]], archived: true)

        #expect(try await world.used(world.schools[0]) == 0)
        #expect(try await world.used(world.schools[0], .seat) == 0)
        #expect(try await world.used(world.district) == 1)
        #expect(try await world.used(world.district, .students) == 0)
        #expect(try await world.used(world.district, .teachers) == 1)
        // The last owner stays one, of an organization that nobody sees.
        #expect(try await hall.state(of: owner, in: world.schools[0]) == .active)
        try await expectInvariants(hall)
    }

    @Test func `the ledger has a line for each person and node, each with its balance`()
        async throws
    {
        let world = try await District()
        for _ in 0..<3 { try await world.hall.admit(to: world.schools[0]) }
        let before = try await world.hall.ledger(world.district)

        try await world.tell([world.schools[0]], archived: true)

        let district = try await world.hall.ledger(world.district)
        let school = try await world.hall.ledger(world.schools[0])
        #expect(
            Array(district.dropFirst(before.count)) == [
                "members release 2 archive", "members release 1 archive",
                "members release 0 archive",
            ])
        #expect(
            school.suffix(6) == [
                "seat release 2 archive", "seat release 1 archive", "seat release 0 archive",
                "members release 2 archive", "members release 1 archive",
                "members release 0 archive",
            ])
    }

    @Test func `blocked people hold nothing that could be released`() async throws {
        let world = try await District()
        let ada = try await world.hall.admit(to: world.schools[0])
        _ = try await world.hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: world.schools[0].text, userID: ada.text))

        try await world.tell([world.schools[0]], archived: true)
        try await world.tell([world.schools[0]], archived: false)

        #expect(try await world.used(world.district) == 0)
        #expect(try await world.hall.state(of: ada, in: world.schools[0]) == .blocked)
        try await expectInvariants(world.hall)
    }

    @Test func `for good, its people count no longer either, and its workspace goes`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        try await hall.admit(to: world.schools[0])
        try await hall.admit(to: world.schools[1])
        try await world.tell([world.schools[1]], archived: true)

        // Events of what is gone do not name the parent.
        for school in world.schools { try await hall.organization(school, removed: true) }

        #expect(try await world.used(world.district) == 0)
        try await expectInvariants(hall)
        let workspaces = try await hall.service("partners").listWorkspaces(
            ListWorkspacesRequest(organizationID: world.district.text))
        #expect(workspaces.workspaces.count == 1)
    }
}

@Suite struct `when an organization leaves the archive` {
    @Test func `its people are admitted together, and the event then changes nothing`()
        async throws
    {
        let world = try await District()
        try await world.setLimit(2)
        for school in world.schools { try await world.hall.admit(to: school, as: [.student]) }
        let all = [world.district] + world.schools
        try await world.tell(all, archived: true)
        #expect(try await world.used(world.district) == 0)

        try await world.restore(all)
        let before = try await world.hall.ledger(world.district)
        try await world.tell(all, archived: false)

        #expect(try await world.used(world.district) == 2)
        #expect(try await world.used(world.schools[0], .seat) == 1)
        #expect(try await world.hall.ledger(world.district) == before)
        #expect(before.suffix(1) == ["students take 2 restore"])
        try await expectInvariants(world.hall)
    }

    @Test func `what was decided and not carried out is archived again by events`() async throws {
        let world = try await District()
        let hall = world.hall
        let other = try await hall.organization()
        for school in world.schools { try await hall.admit(to: school, as: [.student]) }
        try await world.tell(world.schools, archived: true)

        // The first would have come back elsewhere.
        try await world.restore([world.schools[0]], below: other)
        #expect(try await hall.used(other) == 1)
        try await world.tell([world.schools[0]], archived: true)

        #expect(try await hall.used(other) == 0)
        #expect(try await hall.used(world.schools[0]) == 0)
        #expect(try await world.used(world.district) == 0)
        try await world.restore([world.schools[0]], below: world.district)
        #expect(try await world.used(world.district) == 1)
        try await expectInvariants(hall)
    }

    @Test func `everybody is refused when not all have room, with every gate, nearest first`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        _ = try await hall.platformOwner.updateSeats(
            UpdateSeatsRequest(organizationID: school.text, seatCount: 3))
        try await world.setLimit(3, students: 2)
        for _ in 0..<2 { try await hall.admit(to: school, as: [.student]) }
        try await hall.admit(to: school)
        try await world.tell([school], archived: true)
        for _ in 0..<2 { try await hall.admit(to: world.schools[1], as: [.student]) }
        // What was sold is taken back while nobody sits there.
        try await hall.setSeats(2, atArchived: school)

        let refused = await refusal { try await world.restore([school], below: world.district) }

        #expect(
            refused?.gates == ["seats_exhausted", "members_limit_reached", "role_quota_reached"])
        #expect(refused?.reason == "seats_exhausted")
        #expect(refused?.code == .failedPrecondition)
        #expect(
            refused?.facts == [
                "at": school.text, "kind": "seat", "used": "0", "cap": "2", "newcomers": "3",
            ])
        #expect(
            refused?.sentences.last
                == "2 more do not fit under a limit of students: 2 of 2 are taken.")
        #expect(try await world.used(world.district) == 2)
        #expect(await refusal { try await hall.admit(to: school) }?.code == .notFound)
        try await expectInvariants(hall)
    }

    @Test func `a person in several of its organizations is counted once at each node`()
        async throws
    {
        let world = try await District()
        try await world.setLimit(1)
        let ada = try await world.hall.admit(to: world.schools[0])
        try await world.hall.admit(ada, to: world.schools[1])
        let all = [world.district] + world.schools
        try await world.tell(all, archived: true)

        try await world.restore(all)

        #expect(try await world.used(world.district) == 1)
        try await expectInvariants(world.hall)
    }

    @Test func `its people come back blocked when that is asked, and take no place`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        let school = world.schools[0]
        let ada = try await hall.admit(to: school)
        try await world.tell([school], archived: true)
        try await world.setLimit(0)

        try await world.restore([school], below: world.district, blocked: true)

        #expect(try await hall.state(of: ada, in: school) == .blocked)
        #expect(try await world.used(world.district) == 0)
        let unblocked = await refusal {
            try await hall.platformOwner.unblockMember(
                UnblockMemberRequest(organizationID: school.text, userID: ada.text))
        }
        #expect(unblocked?.gates == ["members_limit_reached"])
        try await expectInvariants(hall)
    }

    @Test func `it may come back elsewhere`() async throws {
        let world = try await District()
        let hall = world.hall
        let (school, other) = (world.schools[0], try await hall.organization())
        try await hall.admit(to: school)
        try await world.tell([school], archived: true)

        try await world.restore([school], below: other)
        try await hall.organization(school, below: other)

        #expect(try await world.used(world.district) == 0)
        #expect(try await world.used(other) == 1)
        #expect(try await hall.ledger(other) == ["members take 1 restore"])
        try await expectInvariants(hall)
    }

    @Test func `asking again under the same key or another changes nothing more`() async throws {
        let world = try await District()
        let school = world.schools[0]
        try await world.hall.admit(to: school)
        try await world.tell([school], archived: true)

        try await world.restore([school], below: world.district, key: "one")
        try await world.restore([school], below: world.district, key: "one")
        try await world.restore([school], below: world.district, key: "two")

        #expect(try await world.used(world.district) == 1)
        try await expectInvariants(world.hall)
    }

    @Test func `what is still on its way does not archive it again`() async throws {
        let box = Mutex<(hall: Hall, late: OrganizationNode)?>(nil)
        let hall = try Hall(
            tree: TreeBarrier(
                catchUp: {
                    guard let (hall, late) = box.withLock({ $0 }) else { return }
                    try await hall.apply(late)
                }, wait: { _, _ in }))
        let school = try await hall.organization()
        try await hall.admit(to: school)
        let late = hall.node(school, archived: true)
        box.withLock { $0 = (hall, late) }
        defer { box.withLock { $0 = nil } }

        try await hall.restore([school])
        try await hall.apply(late)

        #expect(try await hall.used(school) == 1)
        try await expectInvariants(hall)
    }

    @Test func `without having been asked for, its people take their places without gates`()
        async throws
    {
        let world = try await District()
        let school = world.schools[0]
        for _ in 0..<3 { try await world.hall.admit(to: school) }
        try await world.tell([school], archived: true)
        try await world.setLimit(1)

        try await world.tell([school], archived: false)

        #expect(try await world.used(world.district) == 3)
        #expect(await refusal { try await world.hall.admit(to: school) } != nil)
        try await expectInvariants(world.hall)
    }

    @Test func `it is refused below what is archived, for what is unknown, and for whom it is not`()
        async throws
    {
        let world = try await District()
        let hall = world.hall
        try await world.tell([world.district] + world.schools, archived: true)

        let above = await refusal {
            try await world.restore([world.schools[0]], below: world.district)
        }
        let circle = await refusal {
            try await world.restore([world.district], below: world.schools[0])
        }
        let unknown = await refusal { try await world.restore([hall.identifiers.next()]) }
        let none = await refusal { try await world.restore([]) }
        let twice = await refusal { try await world.restore([world.district, world.district]) }
        let person = await refusal {
            try await hall.platformOwner.restoreSubtree(RestoreSubtreeRequest())
        }
        let partner = await refusal {
            try await hall.service("partners").restoreSubtree(RestoreSubtreeRequest())
        }

        #expect(above?.reason == "parent_archived")
        #expect(circle?.code == .invalidArgument)
        #expect(unknown?.code == .unavailable)
        #expect(none?.code == .invalidArgument)
        #expect(twice?.code == .invalidArgument)
        #expect(person?.code == .permissionDenied)
        #expect(partner?.code == .permissionDenied)
    }
}
