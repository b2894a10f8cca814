import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Types that an older program gave to organizations, and told nobody.
struct TypeTellingTests {
    private let file = OldDatabase()
    private let type = OrganizationTypeID(high: 9, low: 9)
    private let clock = WallClock { WallTime(microseconds: 1_767_312_000_000_000) }

    private static func id(_ number: Int) -> OrganizationID {
        OrganizationID(high: 1, low: UInt64(number))
    }

    /// An older database with organizations of a type.
    private func fill(_ count: Int) async throws {
        let old = try file.open(before: "told-types-waiting-calls")
        try await old.write { [now = file.now, type] transaction in
            for number in 1...count {
                try transaction.addSchool(
                    "School \(number)", number: Int64(number), id: Self.id(number), at: now)
                try transaction.execute(
                    """
                    UPDATE organization SET type_id = \(type), recency = \(number)
                    WHERE number = \(number)
                    """)
            }
        }
        old.close()
    }

    private func tell(_ database: Database) async throws -> Int {
        try await Upkeep(database: database, limits: Limits())
            .tellTypes(clock: clock, batchPause: .zero)
    }

    private func nodes(of database: Database) async throws -> [OrganizationNode] {
        try await database.feed.events(after: 0, limit: 1_000).map { event in
            try OrganizationNode(decoding: event.body)
        }
    }

    @Test func `each is told again once, as it is, with its type`() async throws {
        let old = try file.open(before: "told-types-waiting-calls")
        let batch = ArchiveBatchID(high: 2, low: 2)
        try await old.write { [now = file.now, type] transaction in
            for number in 1...6 {
                try transaction.addSchool(
                    "School \(number)", number: Int64(number), id: Self.id(number), at: now)
            }
            for statement: SQL in [
                // The fifth has no type, the sixth is gone for good, the fourth never was there.
                "UPDATE organization SET recency = number",
                "UPDATE organization SET type_id = \(type) WHERE number <> 5",
                "UPDATE organization SET parent = 1, depth = 2, version = 7 WHERE number = 2",
                """
                UPDATE organization SET standing = 3, archived_micros = \(now),
                    archived_by = 'test', archive_batch = \(batch) WHERE number = 3
                """,
                "UPDATE organization SET standing = 4 WHERE number = 4",
                "UPDATE organization SET standing = 5 WHERE number = 6",
            ] { try transaction.execute(statement) }
        }
        old.close()

        let database = try file.open()
        let before = try await database.read { try Self.changes($0) }
        let told = [try await tell(database), try await tell(database)]
        let nodes = try await nodes(of: database)
        let after = try await database.read { try Self.changes($0) }
        database.close()

        #expect(told == [3, 0])
        #expect(nodes.map(\.id) == [1, 2, 3].map { Self.id($0).text })
        #expect(nodes.map(\.typeID) == Array(repeating: type.text, count: 3))
        #expect(nodes.map(\.version) == [2, 8, 2])
        #expect(nodes.map(\.parentID) == ["", Self.id(1).text, ""])
        #expect(nodes.map(\.archived) == [false, false, true])
        #expect(nodes.allSatisfy { !$0.removed })
        #expect(after == before, "their place among changes is where it was")
    }

    /// When organizations were changed last, and in which order.
    private static func changes(_ snapshot: Snapshot) throws -> [[Int64]] {
        try snapshot.rows(
            "SELECT number, updated_micros, recency FROM organization ORDER BY number LIMIT 10"
        ) { [try $0.int64(0), try $0.int64(1), try $0.int64(2)] }
    }

    @Test func `they are told in batches, and a stop between two loses and repeats none`()
        async throws
    {
        try await fill(450)

        let first = try file.open()
        let batch = try await first.write { transaction in
            try transaction.tellTypes(
                after: 0, atMost: Upkeep.typesAtOnce, at: WallTime(microseconds: 0))
        }
        let left = try await first.read { try $0.hasUntoldTypes() }
        first.close()
        let second = try file.open()
        let rest = try await tell(second)
        let nodes = try await nodes(of: second)
        let isMore = try await second.read { try $0.hasUntoldTypes() }
        second.close()

        #expect(batch == TypeTelling(told: 200, next: 200) && left)
        #expect(rest == 250 && !isMore)
        #expect(nodes.map(\.id) == (1...450).map { Self.id($0).text })
        #expect(nodes.allSatisfy { $0.version == 2 && $0.typeID == type.text })
    }

    @Test func `what a change has told since is not told again`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let (school, other) = (
            try await owner.create("School"), try await owner.create("Other")
        )
        try await installation.noteUntoldTypes()
        _ = try await owner.update(school, paths: ["title"]) { $0.title = "New" }
        let count = try await installation.nodes().count

        let told = try await installation.upkeep().tellTypes(clock: installation.clock.clock)

        let nodes = try await installation.nodes()
        #expect(told == 1 && nodes.count == count + 1)
        #expect(nodes.last?.id == other.id && nodes.last?.version == 2)
        #expect(try await owner.get(other).etag == "v2")
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `they are told while the program runs, at once when it starts`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        try await installation.noteUntoldTypes()
        let upkeep = installation.upkeep()
        #expect(upkeep.typesPause == .seconds(30))
        let start = ContinuousClock.now

        let work = Task { [clock = installation.clock.clock] in
            try await upkeep.run(clock: clock, logger: Logger(label: "test"))
        }
        var nodes = try await installation.nodes()
        while nodes.count < 2 {
            try #require(start.duration(to: .now) < .seconds(20))
            try await Task.sleep(for: .milliseconds(20))
            nodes = try await installation.nodes()
        }
        work.cancel()
        _ = await work.result

        #expect(nodes.map(\.id) == [school.id, school.id] && nodes.map(\.version) == [1, 2])
    }

    @Test func `one whose tree is closed by a move is told once it is open`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        try await installation.noteUntoldTypes()
        let workflow: WorkflowID = installation.identifiers.next()
        let now = installation.clock.now
        try await installation.database.write { transaction in
            try transaction.insert(
                RelocationRecord(
                    workflow: workflow, number: 2, place: 0, titleKey: "x", sourceRoot: 1,
                    targetRoot: 1, begun: now))
        }
        let upkeep = installation.upkeep()

        let during = try await upkeep.tellTypes(clock: installation.clock.clock)
        let left = try await installation.database.read { try $0.hasUntoldTypes() }
        try await installation.database.write { try $0.endRelocation(workflow) }
        let afterwards = try await upkeep.tellTypes(clock: installation.clock.clock)

        #expect(during == 1 && left && afterwards == 2)
        let told = try await installation.nodes().suffix(3).map(\.id)
        #expect(told == [two.id, chain[0].id, chain[1].id])
        let isMore = try await installation.database.read { try $0.hasUntoldTypes() }
        #expect(!isMore)
    }

    @Test func `every change of a type is told, and whatever else changes says it as well`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let types = OrganizationTypesClient(
            try installation.channel([Access.Grant(.platformOwner)]))
        let first = try await types.createOrganizationType(.init(name: "First"))
        let second = try await types.createOrganizationType(.init(name: "Second"))
        let target = try await owner.create("Target")
        let head = installation.database.feed.head()

        var school = try await owner.createOrganization(
            CreateOrganizationRequest(
                title: "School", category: .academicK12, country: "US", typeID: first.id))
        school = try await owner.update(school, paths: ["type_id"]) { $0.typeID = second.id }
        school = try await owner.update(school, paths: ["title"]) { $0.title = "New" }
        _ = try await owner.moveOrganization(.init(id: school.id, newParentID: target.id))
        _ = try await owner.delete(school)
        _ = try await owner.restoreOrganization(.init(id: school.id))
        school = try await owner.update(try await owner.get(school), paths: ["type_id"]) {
            $0.typeID = ""
        }
        _ = try await owner.deactivateOrganization(.init(id: school.id))

        let told = try await installation.database.feed.events(after: head, limit: 100)
            .filter { $0.kind == OrganizationNode.messageName }
            .map { try OrganizationNode(decoding: $0.body) }
        #expect(
            told.map(\.typeID) == [
                first.id, second.id, second.id, second.id, second.id, second.id, "", "",
            ])
        #expect(Set(told.map(\.id)) == [school.id])
    }
}

extension Installation {
    /// As if an older program had told of every organization without its type.
    fileprivate func noteUntoldTypes() async throws {
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO type_untold (number, version) SELECT number, version FROM organization"
            )
        }
    }
}
