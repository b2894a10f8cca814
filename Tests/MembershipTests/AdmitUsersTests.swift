import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Many people at the one door, each by themselves.
@Suite struct `several people` {
    @Test func `are admitted until a limit is reached in the middle, the others left as they were`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 4)
        try await hall.admit(to: schools[1])
        let people = try await hall.people(6)

        let reply = try await hall.admit(people, to: schools[0])

        #expect(reply.admittedUserIDs == people.prefix(3).map(\.text))
        #expect(reply.refusals.map(\.userID) == people.suffix(3).map(\.text))
        #expect(Set(reply.refusals.compactMap(\.gate?.code)) == ["members_limit_reached"])
        #expect(Set(reply.refusals.compactMap(\.gate?.organizationID)) == [district.text])
        #expect(reply.refusals[0].gate?.used == 4 && reply.refusals[0].gate?.cap == 4)
        for (organization, count) in [(district, 4), (schools[0], 3), (schools[1], 1)] {
            let usage = try await hall.platformOwner.getUsage(
                GetUsageRequest(organizationID: organization.text))
            #expect(usage.people == Int64(count))
        }
        #expect(
            try await hall.ledger(schools[0])
                == (1...3).flatMap {
                    ["seat take \($0) membership", "members take \($0) membership"]
                })
        #expect(
            try await hall.ledger(district).suffix(4)
                == (1...4).map { "members take \($0) membership" })
        let members = try await hall.platformOwner.listMembers(
            ListMembersRequest(organizationID: schools[0].text))
        #expect(members.members.allSatisfy { $0.roles == [.member] && $0.takesSeat })
        #expect(members.totalSize == 3)
        #expect(
            try await hall.unaffiliated(of: "example.com") == people.suffix(3).map(\.text))
        try await expectInvariants(hall)
    }

    @Test func `are admitted once, and answered the same, however often the call arrives`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 2)
        let people = try await hall.people(3)
        let first = try await hall.admit(people, to: schools[0], key: "k")
        let head = try await hall.database.read { try $0.ledgerHead() }

        // There is room now, and time has passed: the answer stays.
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: 10))
        hall.clock.advance(by: .seconds(60))
        let second = try await hall.admit(people, to: schools[0], key: "k")

        #expect(first.encoded() == second.encoded())
        #expect(first.admittedUserIDs.count == 2 && first.refusals.count == 1)
        #expect(try await hall.database.read { try $0.ledgerHead() } == head)
        let other = await refusal {
            try await hall.admit(people.dropLast(), to: schools[0], key: "k")
        }
        #expect(other?.reason == "idempotency_mismatch")
        let third = try await hall.admit(people, to: schools[0], key: "l")
        #expect(third.admittedUserIDs == [people[2].text] && third.refusals.isEmpty)
        try await expectInvariants(hall)
    }

    @Test func `who belong to an organization by now are passed over, and who is not there`()
        async throws
    {
        let (hall, _, schools) = try await district(limit: 100)
        let people = try await hall.people(5)
        try await hall.admit(people[0], to: schools[0])
        try await hall.admit(people[1], to: schools[1])
        let owner = hall.platformOwner
        try await hall.admit(people[2], to: schools[0])
        _ = try await owner.blockMember(
            BlockMemberRequest(organizationID: schools[0].text, userID: people[2].text))
        try await hall.admit(people[3], to: schools[0])
        let removed = try await owner.removeMember(
            RemoveMemberRequest(organizationID: schools[0].text, userID: people[3].text))
        let unknown: UserID = hall.identifiers.next()

        let reply = try await hall.admit(people + [unknown], to: schools[0])

        #expect(reply.admittedUserIDs == [people[3].text, people[4].text])
        #expect(reply.refusals.isEmpty)
        let back = try await owner.getMember(
            GetMemberRequest(organizationID: schools[0].text, userID: people[3].text))
        #expect(back.version == removed.version + 1)
        #expect(try await hall.state(of: people[1], in: schools[1]) == .active)
        #expect(try await hall.state(of: people[2], in: schools[0]) == .blocked)
        try await expectInvariants(hall)
    }

    @Test func `are refused one by one where seats are gone or the organization is paused`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 100)
        _ = try await hall.platformOwner.updateSeats(
            UpdateSeatsRequest(organizationID: schools[0].text, seatCount: 1))
        let people = try await hall.people(3)
        let seats = try await hall.admit(people, to: schools[0])
        try await hall.organization(schools[1], below: district, status: .inactive)
        let paused = try await hall.admit(people, to: schools[1])

        #expect(seats.admittedUserIDs == [people[0].text])
        #expect(seats.refusals.compactMap(\.gate?.code) == ["seats_exhausted", "seats_exhausted"])
        #expect(paused.admittedUserIDs.isEmpty)
        #expect(paused.refusals.map(\.userID) == people.dropFirst().map(\.text))
        #expect(paused.refusals.compactMap(\.gate?.code) == ["org_not_active", "org_not_active"])
        #expect(paused.refusals[0].gate?.organizationID == schools[1].text)
        try await expectInvariants(hall)
    }

    @Test func `are at most five hundred, each once, and asked for by Organizations alone`()
        async throws
    {
        let (hall, _, schools) = try await district(limit: 1_000)
        let people = try await hall.people(500)
        let school = schools[0]

        for wrong in [[], [people[0], people[0]], people + [hall.identifiers.next()]] {
            let refused = await refusal { try await hall.admit(wrong, to: school) }
            #expect(refused?.reason == "validation", "\(wrong.count)")
        }
        let request = AdmitUsersRequest(
            organizationID: school.text, userIDs: people.map(\.text))
        for other in [hall.platformOwner, hall.service("partners"), hall.service("gateway")] {
            let refused = await refusal { try await other.admitUsers(request) }
            #expect(refused?.code == .permissionDenied)
        }
        let unknown = await refusal {
            try await hall.admit([people[0]], to: hall.identifiers.next())
        }
        #expect(unknown?.code == .notFound)
        #expect(try await hall.unaffiliated(of: "example.com").count == 500)

        let reply = try await hall.admit(people, to: school)
        #expect(reply.admittedUserIDs == people.map(\.text))
        #expect(try await hall.unaffiliated(of: "example.com").isEmpty)
        let usage = try await hall.platformOwner.getUsage(
            GetUsageRequest(organizationID: school.text))
        #expect(usage.people == 500 && usage.seats?.used == 500)
        try await expectInvariants(hall)
    }

    @Test func `are never too many, whoever else comes in at the same time`() async throws {
        let (hall, district, schools) = try await district(limit: 30)
        let people = try await hall.people(40)
        let others = try await hall.people(40)

        try await withThrowingTaskGroup { group in
            for part in 0..<4 {
                group.addTask {
                    _ = try await hall.admit(
                        Array(people[(part * 10)..<(part * 10 + 10)]), to: schools[part % 2])
                }
            }
            for (index, person) in others.enumerated() {
                group.addTask {
                    _ = await refusal { try await hall.admit(person, to: schools[index % 2]) }
                }
            }
            try await group.waitForAll()
        }

        let usage = try await hall.platformOwner.getUsage(
            GetUsageRequest(organizationID: district.text))
        #expect(usage.people == 30)
        #expect(try await hall.unaffiliated(of: "example.com").count == 50)
        try await expectInvariants(hall)
    }

    /// A district with a limit and two schools.
    private func district(
        limit: Int64
    ) async throws -> (hall: Hall, district: OrganizationID, schools: [OrganizationID]) {
        let hall = try Hall()
        let district = try await hall.organization(title: "District")
        let schools = [
            try await hall.organization(below: district),
            try await hall.organization(below: district),
        ]
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: limit))
        return (hall, district, schools)
    }
}

extension Hall {
    /// People with verified addresses who belong nowhere.
    fileprivate func people(_ count: Int) async throws -> [UserID] {
        var people: [UserID] = []
        for _ in 0..<count { people.append(try await person()) }
        return people
    }

    /// Admits people as Organizations does.
    fileprivate func admit(
        _ people: [UserID], to organization: OrganizationID, key: String? = nil
    ) async throws -> AdmitUsersReply {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return try await service("organizations").admitUsers(
            AdmitUsersRequest(organizationID: organization.text, userIDs: people.map(\.text)),
            options: options)
    }
}
