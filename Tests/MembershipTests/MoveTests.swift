import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing
import TreeCopy

@testable import Membership

extension Hall {
    @discardableResult
    func move(
        _ organization: OrganizationID, below parent: OrganizationID?, dryRun: Bool = false,
        key: String? = nil
    ) async throws -> MoveSubtreeReply {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return try await service("organizations").moveSubtree(
            MoveSubtreeRequest(
                organizationID: organization.text, newParentID: parent?.text ?? "",
                dryRun: dryRun), options: options)
    }

    /// Tells the service that an organization has expired, as the feed of Organizations would.
    func tellOfLapse(of organization: OrganizationID) async throws {
        let lapse = OrganizationLapse(
            organizationID: organization.text, kind: .expired, lastDay: 19_000)
        let event = Messages.FeedEvent(
            sequence: 1_000, kind: OrganizationLapse.messageName,
            aggregateID: organization.bytes + [2], version: 1, body: lapse.encoded())
        try await database.write { [follower] in try follower.apply(event, in: $0) }
    }

    func setLimit(
        _ organization: OrganizationID, members: Int64? = nil, students: Int64? = nil
    ) async throws {
        _ = try await platformOwner.updateCaps(
            UpdateCapsRequest(
                organizationID: organization.text, members: members, students: students))
    }
}

/// Two regions of one country; the school of the first moves to the second.
private struct Country {
    let hall: Hall
    let country: OrganizationID
    let regions: [OrganizationID]
    let school: OrganizationID
    let classroom: OrganizationID

    init() async throws {
        hall = try Hall()
        country = try await hall.organization()
        regions = [
            try await hall.organization(below: country),
            try await hall.organization(below: country),
        ]
        school = try await hall.organization(below: regions[0])
        classroom = try await hall.organization(below: school)
    }
}

@Suite struct `a move of a subtree` {
    @Test func `counts its people at the ancestors that it gains, and the common ones stay`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        let ada = try await hall.admit(to: world.school, as: [.student])
        try await hall.admit(ada, to: world.classroom)
        try await hall.admit(to: world.classroom, as: [.teacher])
        try await hall.admit(ada, to: world.regions[1])
        try await hall.setLimit(world.regions[1], members: 2)
        let common = try await hall.ledger(world.country)

        try await hall.move(world.school, below: world.regions[1])
        let gained = try await hall.ledger(world.regions[1])
        // The event finds all of it done.
        try await hall.organization(world.school, below: world.regions[1])

        #expect(try await hall.used(world.regions[0]) == 0)
        #expect(try await hall.used(world.regions[1]) == 2)
        #expect(try await hall.used(world.regions[1], .students) == 1)
        #expect(try await hall.used(world.country) == 2)
        #expect(try await hall.ledger(world.country) == common)
        #expect(try await hall.ledger(world.regions[1]) == gained)
        #expect(
            gained.suffix(3) == [
                "members take 2 move", "students take 1 move", "teachers take 1 move",
            ])
        try await expectInvariants(hall)
    }

    @Test func `is refused by every limit that its new people exceed, nearest first`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        let other = try await hall.organization()
        let place = try await hall.organization(below: other)
        for _ in 0..<3 { try await hall.admit(to: world.classroom, as: [.student]) }
        try await hall.setLimit(other, members: 2)
        try await hall.setLimit(place, members: 2, students: 1)

        let refused = await refusal { try await hall.move(world.school, below: place) }
        let dry = try await hall.move(world.school, below: place, dryRun: true)

        #expect(
            refused?.gates == [
                "members_limit_reached", "role_quota_reached", "members_limit_reached",
            ])
        #expect(
            refused?.facts == [
                "at": place.text, "kind": "members", "used": "0", "cap": "2", "newcomers": "3",
            ])
        #expect(dry.gates.map(\.organizationID) == [place.text, place.text, other.text])
        #expect(dry.gates.map(\.newcomers) == [3, 3, 3])
        #expect(dry.gates.map(\.cap) == [2, 1, 2])
        #expect(try await hall.used(world.regions[0]) == 3)
        try await expectInvariants(hall)
    }

    @Test func `goes under a limit exactly, and not one above it`() async throws {
        let world = try await Country()
        let hall = world.hall
        for _ in 0..<3 { try await hall.admit(to: world.school) }
        try await hall.admit(to: world.regions[1])
        try await hall.setLimit(world.regions[1], members: 3)
        #expect(
            await refusal { try await hall.move(world.school, below: world.regions[1]) } != nil)

        try await hall.setLimit(world.regions[1], members: 4)
        try await hall.move(world.school, below: world.regions[1])

        #expect(try await hall.used(world.regions[1]) == 4)
    }

    @Test func `brings people who are counted there already under a limit that is exceeded`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        for _ in 0..<2 {
            let person = try await hall.admit(to: world.school)
            try await hall.admit(person, to: world.regions[1])
        }
        try await hall.setLimit(world.regions[1], members: 1)

        try await hall.move(world.school, below: world.regions[1])

        #expect(try await hall.used(world.regions[1]) == 2)
        try await expectInvariants(hall)
    }

    @Test func `tried out says which limits begin and end to count, and changes nothing`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        try await hall.admit(to: world.school)
        try await hall.setLimit(world.country, members: 50)
        try await hall.setLimit(world.regions[0], members: 10)
        try await hall.setLimit(world.regions[1], members: 20, students: 5)

        let dry = try await hall.move(world.school, below: world.regions[1], dryRun: true)

        #expect(dry.gates.isEmpty)
        #expect(
            dry.capChanges == [
                Messages.CapChange(
                    kind: "members", organizationID: world.regions[0].text, cap: 10),
                Messages.CapChange(
                    kind: "members", organizationID: world.regions[1].text, cap: 20, begins: true),
                Messages.CapChange(
                    kind: "students", organizationID: world.regions[1].text, cap: 5, begins: true),
            ])
        #expect(try await hall.used(world.regions[0]) == 1)
        try await expectInvariants(hall)
    }

    @Test func `to the root leaves every ancestor`() async throws {
        let world = try await Country()
        let hall = world.hall
        try await hall.admit(to: world.classroom)

        try await hall.move(world.school, below: nil)

        #expect(try await hall.used(world.regions[0]) == 0)
        #expect(try await hall.used(world.country) == 0)
        #expect(try await hall.used(world.school) == 1)
        try await expectInvariants(hall)
    }

    @Test func `asked for again under the same key or another changes nothing more`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        try await hall.admit(to: world.school)

        for key in ["one", "one", "two"] {
            try await hall.move(world.school, below: world.regions[1], key: key)
        }

        #expect(try await hall.used(world.regions[1]) == 1)
        try await expectInvariants(hall)
    }

    @Test func `that was not asked for here is followed without gates, and taken back as well`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        for _ in 0..<2 { try await hall.admit(to: world.classroom) }
        try await hall.setLimit(world.regions[1], members: 1)

        try await hall.organization(world.school, below: world.regions[1])
        #expect(try await hall.used(world.regions[1]) == 2)
        try await expectInvariants(hall)

        try await hall.organization(world.school, below: world.regions[0])
        #expect(try await hall.used(world.regions[0]) == 2)
        #expect(try await hall.used(world.regions[1]) == 0)
        try await expectInvariants(hall)
    }

    @Test func `that is decided and not carried out is taken back by an event of before`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        for _ in 0..<2 { try await hall.admit(to: world.classroom, as: [.student]) }
        try await hall.setLimit(world.regions[0], members: 2)
        try await hall.move(world.school, below: world.regions[1])
        #expect(try await hall.used(world.regions[1]) == 2)

        try await hall.organization(world.school, below: world.regions[0])

        #expect(try await hall.used(world.regions[0]) == 2)
        #expect(try await hall.used(world.regions[0], .students) == 2)
        #expect(try await hall.used(world.regions[1]) == 0)
        // The limits above count again, and those elsewhere no longer.
        try await hall.setLimit(world.regions[1], members: 0)
        #expect(await refusal { try await hall.admit(to: world.classroom) } != nil)
        // What tells of days changes nothing.
        let before = try await hall.ledger(world.country)
        try await hall.tellOfLapse(of: world.school)
        #expect(try await hall.ledger(world.country) == before)
        try await expectInvariants(hall)
    }

    @Test func `waits for what is on its way, so that it does not take the move back`()
        async throws
    {
        let box = Mutex<(hall: Hall, late: OrganizationNode)?>(nil)
        let hall = try Hall(
            tree: TreeBarrier(
                catchUp: {
                    guard let (hall, late) = box.withLock({ $0 }) else { return }
                    try await hall.apply(late)
                }, wait: { _, _ in }))
        let regions = [try await hall.organization(), try await hall.organization()]
        let school = try await hall.organization(below: regions[0])
        try await hall.admit(to: school)
        let late = hall.node(school, below: regions[0], title: "Renamed")
        box.withLock { $0 = (hall, late) }
        defer { box.withLock { $0 = nil } }

        try await hall.move(school, below: regions[1])
        try await hall.apply(late)

        #expect(try await hall.used(regions[1]) == 1)
        try await expectInvariants(hall)
    }

    @Test func `is refused into itself, below what is archived or unknown, and for whom it is not`()
        async throws
    {
        let world = try await Country()
        let hall = world.hall
        let archived = try await hall.organization(archived: true)

        let circle = await refusal { try await hall.move(world.school, below: world.classroom) }
        let itself = await refusal { try await hall.move(world.school, below: world.school) }
        let above = await refusal { try await hall.move(world.school, below: archived) }
        let unknown = await refusal {
            try await hall.move(world.school, below: hall.identifiers.next())
        }
        let absent = await refusal {
            try await hall.move(hall.identifiers.next(), below: nil, dryRun: true)
        }
        let person = await refusal {
            try await hall.platformOwner.moveSubtree(MoveSubtreeRequest(dryRun: true))
        }

        #expect(circle?.code == .invalidArgument)
        #expect(itself?.code == .invalidArgument)
        #expect(above?.reason == "parent_archived")
        #expect(unknown?.code == .unavailable)
        #expect(absent?.code == .unavailable)
        #expect(person?.code == .permissionDenied)
    }

    @Test func `of 1000 organizations and 10000 people is one step`() async throws {
        let world = try await Country()
        let hall = world.hall
        let school = world.school
        let now = hall.clock.now
        let organizations: [OrganizationID] = (0..<1_000).map { _ in hall.identifiers.next() }
        let nodes = organizations.map { hall.node($0, below: school) }
        try await hall.database.write { transaction in
            for node in nodes { try TreeCopy.apply(node, in: transaction) }
        }
        let people: [UserID] = (0..<10_000).map { _ in hall.identifiers.next() }
        try await hall.database.write { transaction in
            for (number, id) in people.enumerated() {
                let user = UserRecord(
                    id: id, email: "\(number)@example.com", name: "Ada", created: now, version: 1)
                try transaction.add(user, passwordHash: nil)
                let membership = MembershipRecord(
                    id: MembershipID(millisecondsSince1970: 1, random: (0, UInt64(number))),
                    organization: organizations[number % 1_000], user: id, roles: .member,
                    state: .active, takesSeat: true, joined: now, version: 1)
                try transaction.keep(MemberRecord(membership: membership, user: user), at: now)
            }
            try transaction.noteChange(of: organizations, .coming)
            try transaction.applyChange(because: .membership, at: now)
        }

        let start = ContinuousClock.now
        try await hall.move(school, below: world.regions[1])
        let duration = start.duration(to: .now)

        #expect(try await hall.used(world.regions[0]) == 0)
        #expect(try await hall.used(world.regions[1]) == 10_000)
        // A tenth of a second of one core's time; other work on the machine must not fail this.
        #expect(duration < .seconds(3))
    }
}
