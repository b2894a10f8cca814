import Access
import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Membership

/// Organizations and people that operations are drawn from.
private struct World: Sendable {
    let hall: Hall
    let organizations: [OrganizationID]
    let people: [UserID]

    static let roles: [[Messages.Role]] = [
        [], [.student], [.teacher], [.student, .teacher], [.owner], [.manager], [.owner, .teacher],
    ]

    /// One operation; what the domain refuses is part of the game.
    func step(_ dice: inout SplitMix) async throws {
        let client = hall.platformOwner
        let organization = organizations.randomElement(using: &dice)?.text ?? ""
        let person = people.randomElement(using: &dice)?.text ?? ""
        let roles = Self.roles.randomElement(using: &dice) ?? []
        let number = Int64.random(in: 0...6, using: &dice)
        let choice = Int.random(in: 0..<13, using: &dice)
        let status = await refusal {
            switch choice {
            case 0...4:
                _ = try await client.addMember(
                    AddMemberRequest(organizationID: organization, userID: person, roles: roles))
            case 5:
                _ = try await client.blockMember(
                    BlockMemberRequest(organizationID: organization, userID: person))
            case 6:
                _ = try await client.unblockMember(
                    UnblockMemberRequest(organizationID: organization, userID: person))
            case 7:
                _ = try await client.removeMember(
                    RemoveMemberRequest(organizationID: organization, userID: person))
            case 8...10:
                _ = try await client.updateMember(
                    UpdateMemberRequest(
                        organizationID: organization, userID: person,
                        roles: roles.isEmpty ? [.member] : roles))
            case 11:
                _ = try await client.updateCaps(
                    UpdateCapsRequest(
                        organizationID: organization, members: number + 3, students: number,
                        remove: ["teachers"]))
            default:
                _ = try await client.updateSeats(
                    UpdateSeatsRequest(organizationID: organization, seatCount: number + 2))
            }
        }
        if let status {
            try #require(
                [.failedPrecondition, .notFound, .alreadyExists].contains(status.code),
                "\(status)")
        }
    }
}

@Suite struct `after any sequence of operations from several tasks` {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `places, use and ledger agree with a recount`(seed: UInt64) async throws {
        let hall = try Hall()
        let root = try await hall.organization()
        var organizations = [root]
        for parent in [0, 0, 1, 1, 3, 4] {
            organizations.append(try await hall.organization(below: organizations[parent]))
        }
        var people: [UserID] = []
        for _ in 0..<12 { people.append(try await hall.person()) }
        let world = World(hall: hall, organizations: organizations, people: people)

        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 as Range<UInt64> {
                group.addTask {
                    var dice = SplitMix(seed: seed &* 1_000 &+ task)
                    for _ in 0..<120 { try await world.step(&dice) }
                }
            }
            try await group.waitForAll()
        }

        try await expectInvariants(hall)
        try await expectSeatsWithinSize(hall)
    }

    @Test func `callers at once never fill a limit beyond its number`() async throws {
        let hall = try Hall()
        let root = try await hall.organization()
        var schools: [OrganizationID] = []
        for _ in 0..<4 { schools.append(try await hall.organization(below: root)) }
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: root.text, members: 25))

        let admitted = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<80 {
                let school = schools[number % schools.count]
                group.addTask { await refusal { try await hall.admit(to: school) } == nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }

        #expect(admitted == 25)
        try await expectInvariants(hall)
    }

    private func expectSeatsWithinSize(_ hall: Hall) async throws {
        let over = try await hall.database.read { snapshot in
            try snapshot.rows("SELECT used, cap FROM usage WHERE kind = 0 AND used > cap") {
                (try $0.int64(0), try $0.int64(1))
            }
        }
        #expect(over.isEmpty)
    }
}

@Suite struct `owners of an organization` {
    @Test func `of two who are removed at once exactly one goes`() async throws {
        for _ in 0..<10 {
            let hall = try Hall()
            let school = try await hall.organization()
            let owners = [
                try await hall.admit(to: school, as: [.owner]),
                try await hall.admit(to: school, as: [.owner]),
            ]
            let client = hall.platformOwner

            let outcomes = await withTaskGroup(of: Status?.self) { group in
                group.addTask {
                    await refusal {
                        try await client.removeMember(
                            RemoveMemberRequest(
                                organizationID: school.text, userID: owners[0].text))
                    }
                }
                group.addTask {
                    await refusal {
                        try await client.blockMember(
                            BlockMemberRequest(organizationID: school.text, userID: owners[1].text))
                    }
                }
                return await group.reduce(into: [Status?]()) { $0.append($1) }
            }

            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.compactMap { $0?.reason } == ["last_owner"])
            try await expectInvariants(hall)
        }
    }

    @Test func `a blocked owner is no reason to keep the last active one from nothing`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let first = try await hall.admit(to: school, as: [.owner])
        let second = try await hall.admit(to: school, as: [.owner])
        let client = hall.platformOwner
        _ = try await client.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: first.text))

        let last = await refusal {
            try await client.blockMember(
                BlockMemberRequest(organizationID: school.text, userID: second.text))
        }
        _ = try await client.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: first.text))

        #expect(last?.reason == "last_owner")
        #expect(last?.code == .failedPrecondition)
        try await expectInvariants(hall)
    }

    @Test func `they count as people and take no seat`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let client = hall.platformOwner
        _ = try await client.updateSeats(
            UpdateSeatsRequest(organizationID: school.text, seatCount: 0))
        _ = try await client.updateCaps(
            UpdateCapsRequest(organizationID: school.text, members: 1))

        try await hall.admit(to: school, as: [.owner])
        let second = await refusal { try await hall.admit(to: school, as: [.owner]) }
        let third = await refusal { try await hall.admit(to: school) }

        #expect(second?.gates == ["members_limit_reached"])
        #expect(third?.gates == ["seats_exhausted", "members_limit_reached"])
    }
}
