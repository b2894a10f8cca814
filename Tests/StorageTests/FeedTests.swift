import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct FeedTests {
    private struct Refused: Error {}

    @Test func `events come in the order of their commits, from where one left off`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        for version in 1...5 {
            try await database.write { try $0.publish(aggregate: 1, version: version) }
        }

        let first = try await database.feed.events(after: 0, limit: 3)
        let rest = try await database.feed.events(after: first.last?.sequence ?? 0, limit: 1_000)

        #expect(first.map(\.version) == [1, 2, 3])
        #expect(rest.map(\.version) == [4, 5])
        #expect(database.feed.head() == rest.last?.sequence)
        #expect(rest.last?.body == [5])
        #expect(rest.last?.at == .start)
    }

    @Test func `the feed goes on after a new start`() async throws {
        let files = TemporaryFolder()
        let first = try files.database()
        try await first.write { try $0.publish(aggregate: 1, version: 1) }
        let head = first.feed.head()
        first.close()

        let second = try files.database()
        #expect(second.feed.head() == head)
        try await second.write { try $0.publish(aggregate: 1, version: 2) }

        #expect(try await second.feed.events(after: head, limit: 10).map(\.version) == [2])
    }

    @Test func `who waits is woken by a commit, and not by what is undone`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        async let head = database.feed.waitForEvents(after: 0)
        await #expect(throws: Refused.self) {
            try await database.write { transaction in
                try transaction.publish(aggregate: 1, version: 1)
                throw Refused()
            }
        }
        #expect(database.feed.head() == 0)
        try await database.write { try $0.publish(aggregate: 1, version: 2) }

        #expect(try await head == database.feed.head())
        #expect(try await database.feed.events(after: 0, limit: 10).map(\.version) == [2])
    }

    @Test func `who waits for what is there does not wait`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.publish(aggregate: 1, version: 1) }

        #expect(try await database.feed.waitForEvents(after: 0) == 1)
    }

    @Test func `waiting ends when it is cancelled`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        await withTaskGroup(of: Bool.self) { group in
            for _ in 1...10 {
                group.addTask {
                    do {
                        try await database.feed.waitForEvents(after: 0)
                        return false
                    } catch {
                        return error is CancellationError
                    }
                }
            }
            group.cancelAll()
            for await wasCancelled in group { #expect(wasCancelled) }
        }
    }

    @Test func `compaction drops only what is superseded`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        for version in 1...3 {
            for aggregate in 1...2 {
                try await database.write {
                    try $0.publish(aggregate: UInt8(aggregate), version: version)
                }
            }
        }
        try await database.write { transaction in
            try transaction.publish(
                kind: "seats", aggregate: [1], version: 1, body: [], at: .start)
        }

        let early = try await database.feed.compact(olderThan: .start)
        let dropped = try await database.feed.compact(olderThan: .start.after(days: 1))

        let kept = try await database.feed.events(after: 0, limit: 100)
        #expect(early == 0)
        #expect(dropped == 4)
        #expect(kept.map(\.aggregate) == [[1], [2], [1]])
        #expect(kept.map(\.kind) == ["member", "member", "seats"])
        #expect(kept.map(\.version) == [3, 3, 1])
        #expect(database.feed.head() == 7)
    }

    @Test func `compaction uses an index`() throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let plan = try database.readInline { snapshot in
            try snapshot.rows(
                """
                EXPLAIN QUERY PLAN SELECT 1 FROM storage_event AS later
                WHERE later.aggregate = \([1] as [UInt8]) AND later.kind = \("member")
                    AND later.sequence > \(1)
                """
            ) { try $0.text(3) }
        }

        #expect(plan.count == 1)
        #expect(plan.first?.contains("USING COVERING INDEX storage_event_aggregate") == true)
    }

    @Test func `a consumer's position is kept with what it applied, or not at all`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let incarnation = [UInt8](repeating: 7, count: 16)
        let first = FeedPosition(incarnation: incarnation, sequence: 4)
        let second = FeedPosition(incarnation: incarnation, sequence: 9)
        #expect(try await database.write { try $0.feedPosition(of: "organizations") } == nil)

        try await database.write { transaction in
            try transaction.add(1, "ada")
            try transaction.setFeedPosition(first, of: "organizations")
        }
        await #expect(throws: Refused.self) {
            try await database.write { transaction in
                try transaction.add(2, "bob")
                try transaction.setFeedPosition(second, of: "organizations")
                throw Refused()
            }
        }

        #expect(try await database.write { try $0.feedPosition(of: "organizations") } == first)
        #expect(try await database.write { try $0.feedPosition(of: "partners") } == nil)
        #expect(try database.emails() == ["ada"])
    }
}

extension Transaction {
    func publish(aggregate: UInt8, version: Int) throws {
        try publish(
            kind: "member", aggregate: [aggregate], version: Int64(version),
            body: [UInt8(version)], at: .start)
    }
}
