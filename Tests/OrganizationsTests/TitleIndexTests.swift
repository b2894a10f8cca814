import Access
import Messages
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Organizations

/// What a search of everything counts, and the pieces that its index lies in.
struct TitleIndexTests {
    @Test func `a hundred that have a part are counted, and of more only so many are promised`()
        async throws
    {
        let owner = try Installation().platformOwner()
        for number in 1...100 { _ = try await owner.create("School \(number)") }
        _ = try await owner.create("College")

        let hundred = try await owner.search("school", size: 30)
        _ = try await owner.create("School 101")
        let more = try await owner.search("school", size: 30)

        let titles = (1...100).map { "School \($0)" }
        #expect(
            hundred.flatMap(\.organizations).map(\.title) == titles.reversed())
        #expect(hundred.map(\.organizations.count) == [30, 30, 30, 10])
        #expect(hundred.allSatisfy { $0.totalSize == 100 && !$0.totalIsMinimum })
        #expect(
            more.flatMap(\.organizations).map(\.title) == ["School 101"] + titles.reversed())
        #expect(more.map(\.totalSize) == [31, 31, 31, 11])
        #expect(more.allSatisfy { $0.totalIsMinimum })
    }

    @Test func `pieces are joined after a thousand changes, and not before`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let upkeep = installation.upkeep()
        for number in 1...12 { _ = try await owner.create("School \(number)") }
        func pieces() async throws -> Int {
            try await installation.database.read { try $0.countPartPieces() }
        }

        let before = try await pieces()
        let soon = try await upkeep.joinParts(changedSince: 12 - 999)
        let soonPieces = try await pieces()
        let late = try await upkeep.joinParts(changedSince: 12 - 1_000)

        #expect(soon == 12 - 999 && late == 12)
        #expect(before > 1 && soonPieces == before)
        #expect(try await pieces() == 1)
    }

    @Test func `pieces of the index are joined in steps, between which searches find the same`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        // Titles with few letters in common, so that the index is larger than a step writes.
        var random = SplitMix(seed: 1)
        let titles = (1...60).map { number in
            let letters = (0..<100).map { _ in
                Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random)))
            }
            return "District \(number) \(String(letters))"
        }
        for title in titles { _ = try await owner.create(title) }
        let database = installation.database
        let before = try await database.read { try $0.countPartPieces() }

        var steps = 0
        while try await database.write({ [steps] transaction in
            try transaction.joinParts(pages: 1, begins: steps == 0)
        }) {
            steps += 1
            try #require(steps < 1_000)
            // Others write meanwhile.
            _ = try await owner.create("College \(steps)")
            let found = try await owner.search("district", size: 100)
            #expect(found.flatMap(\.organizations).map(\.title) == titles.reversed())
        }
        try await installation.upkeep().joinParts()

        #expect(before > 1)
        #expect(steps > 1)
        #expect(try await database.read { try $0.countPartPieces() } == 1)
        let found = try await owner.search("district", size: 100)
        #expect(found.flatMap(\.organizations).map(\.title) == titles.reversed())
        #expect(try await installation.findings() == [])
    }
}

extension OrganizationsClient {
    fileprivate func search(_ part: String, size: Int32) async throws -> [ListOrganizationsReply] {
        try await pages(below: nil, size: size, orderBy: "") { request in
            request.subtree = true
            request.q = part
        }
    }
}

extension Reading {
    /// In how many pieces the index of parts lies.
    fileprivate func countPartPieces() throws -> Int {
        try row("SELECT count(DISTINCT segid) FROM organization_part_idx") { try $0.int(0) } ?? 0
    }
}
