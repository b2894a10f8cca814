import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Somebody who follows the counts, as Organizations does.
private struct Follower {
    let hall: Hall
    var counts: [String: Int64] = [:]
    var reply = ListMemberCountsReply()

    init(_ hall: Hall) {
        self.hall = hall
    }

    /// Asks once, and keeps what is told.
    mutating func ask() async throws {
        reply = try await hall.service("organizations").listMemberCounts(
            ListMemberCountsRequest(
                afterSequence: reply.sequence, incarnation: reply.incarnation))
        if reply.anew { counts = [:] }
        for count in reply.counts { counts[count.organizationID] = count.members }
    }

    /// Asks until there is nothing more.
    mutating func catchUp() async throws -> Int {
        var parts = 0
        repeat {
            try await ask()
            parts += 1
        } while reply.more
        return parts
    }
}

@Suite struct `counts of members` {
    @Test func `begin anew with all, and then tell the newest of what has changed`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let schools = [
            try await hall.organization(below: district),
            try await hall.organization(below: district),
        ]
        for school in schools { try await hall.admit(to: school, as: [.student]) }
        var follower = Follower(hall)
        #expect(try await follower.catchUp() == 1)
        #expect(follower.reply.anew)
        #expect(
            follower.counts == [
                district.text: 2, schools[0].text: 1, schools[1].text: 1,
            ])

        for _ in 0..<3 { try await hall.admit(to: schools[1]) }
        try await follower.ask()

        #expect(!follower.reply.anew)
        #expect(!follower.reply.more)
        #expect(
            Dictionary(
                uniqueKeysWithValues: follower.reply.counts.map { ($0.organizationID, $0.members) }
            ) == [district.text: 5, schools[1].text: 4])

        let sequence = follower.reply.sequence
        try await follower.ask()
        #expect(follower.reply.counts.isEmpty)
        #expect(follower.reply.sequence == sequence)
    }

    @Test func `follow an archive, where nobody is left`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        for _ in 0..<2 { try await hall.admit(to: school) }
        var follower = Follower(hall)
        _ = try await follower.catchUp()

        try await hall.organization(school, below: district, archived: true)
        try await follower.ask()

        #expect(follower.counts == [district.text: 0, school.text: 0])
    }

    @Test func `go on with what came while the beginning was told, part by part`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        // Limits alone make counts, of nobody.
        let others: [OrganizationID] = (0..<2_100).map { _ in hall.identifiers.next() }
        try await hall.database.write { transaction in
            for other in others { try transaction.setCap(5, of: .members, at: other) }
        }
        try await hall.admit(to: district)
        var follower = Follower(hall)

        try await follower.ask()
        #expect(follower.reply.anew)
        #expect(follower.reply.more)
        #expect(follower.reply.counts.count == 1_000)
        // The district is in the first part, which has been told.
        #expect(follower.counts[district.text] == 1)
        try await hall.admit(to: district)
        let parts = try await follower.catchUp()

        #expect(parts == 3)
        #expect(follower.counts.count == 2_101)
        #expect(follower.counts[district.text] == 2)
    }

    @Test func `of many changes are told a thousand lines at a time`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        try await hall.admit(to: school)
        var follower = Follower(hall)
        _ = try await follower.catchUp()
        let now = hall.clock.now
        try await hall.database.write { transaction in
            for number in 1...1_500 as ClosedRange<Int64> {
                try transaction.append(
                    LedgerLine(
                        organization: school, kind: .members, operation: .take, user: nil,
                        cause: .membership, balanceAfter: number + 1, occurred: now))
            }
        }

        try await follower.ask()
        #expect(follower.reply.more)
        #expect(follower.counts == [school.text: 1_001])
        #expect(try await follower.catchUp() == 1)
        #expect(follower.counts == [school.text: 1_501])
    }

    @Test(arguments: [
        (sequence: 0, bytes: 16, isAnew: true), (sequence: 2, bytes: 16, isAnew: false),
        (sequence: 3, bytes: 16, isAnew: true), (sequence: 2, bytes: 0, isAnew: true),
        (sequence: 2, bytes: 15, isAnew: true), (sequence: 2, bytes: 17, isAnew: true),
    ])
    func `begin anew for whom the position is not known`(
        sequence: Int64, bytes: Int, isAnew: Bool
    ) async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        try await hall.admit(to: school)
        let token = Array((hall.database.incarnation + [1]).prefix(bytes))

        let reply = try await hall.service("organizations").listMemberCounts(
            ListMemberCountsRequest(afterSequence: sequence, incarnation: token))

        #expect(reply.anew == isAnew)
        #expect(reply.counts.map(\.members) == (isAnew ? [1] : []))
        #expect(reply.sequence == 2)
        #expect(reply.incarnation == hall.database.incarnation)
    }

    @Test func `of another database are void`() async throws {
        let hall = try Hall()
        try await hall.admit(to: try await hall.organization())
        let other = try Hall()
        let school = try await other.organization()
        for _ in 0..<3 { try await other.admit(to: school) }
        var follower = Follower(hall)
        _ = try await follower.catchUp()

        var elsewhere = Follower(other)
        elsewhere.counts = follower.counts
        elsewhere.reply = follower.reply
        try await elsewhere.ask()

        #expect(elsewhere.reply.anew)
        #expect(elsewhere.counts == [school.text: 3])
    }

    @Test func `are for Organizations alone`() async throws {
        let hall = try Hall()
        let request = ListMemberCountsRequest()

        let empty = try await hall.service("organizations").listMemberCounts(request)
        let person = await refusal { try await hall.platformOwner.listMemberCounts(request) }
        let partner = await refusal {
            try await hall.service("partners").listMemberCounts(request)
        }
        let negative = await refusal {
            try await hall.service("organizations").listMemberCounts(
                ListMemberCountsRequest(afterSequence: -1))
        }

        #expect(empty.anew)
        #expect(!empty.more)
        #expect(empty.counts.isEmpty)
        #expect(person?.code == .permissionDenied)
        #expect(partner?.code == .permissionDenied)
        #expect(negative?.code == .invalidArgument)
    }
}
