import Access
import FoundationEssentials
import Messages
import RPC
import RPCTesting
import Storage
import Synchronization
import Testing
import TreeCopy

@testable import ServiceKit

/// Organizations in small: a database with a feed of nodes, and its Watch.
private final class Source: Sendable {
    let database: Database
    let clock: WallClock

    init(_ database: Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    @discardableResult
    func publish(
        _ id: OrganizationID, title: String, version: Int64 = 1, removed: Bool = false
    ) async throws -> Int64 {
        let now = clock.now()
        let node = OrganizationNode(
            id: id.text, title: title, status: .active, removed: removed, version: version)
        try await database.write { transaction in
            try transaction.publish(
                kind: OrganizationNode.messageName, aggregate: id.bytes, version: version,
                body: node.encoded(), at: now)
        }
        return database.feed.head()
    }

    var methods: [RegisteredMethod] {
        let server = FeedServer(database)
        return [
            RegisteredMethod(
                OrganizationsMethods.watch,
                .serverStreaming { payload, context, writer in
                    try await server.watch(
                        try WatchRequest(decoding: payload.bytes), context, ReplyStream(writer))
                }),
            unary(OrganizationsMethods.getFeedHead) { (request: GetFeedHeadRequest, context) in
                try server.head(request, context)
            },
        ]
    }
}

@Suite(.timeLimit(.minutes(1))) struct FeedTests {
    private let installation = Installation()
    private let identifiers = IdentifierSource(milliseconds: { 1 })
    private let source: Source
    private let copy: Database

    init() throws {
        source = Source(
            try installation.database("organizations"), clock: installation.clock.clock)
        copy = try installation.database("membership", TreeCopy.migrations + Shelf.migrations)
    }

    private func client(from caller: String = "membership") throws -> OrganizationsClient {
        try client(of: source, from: caller)
    }

    private func client(
        of source: Source, from caller: String = "membership"
    ) throws -> OrganizationsClient {
        let router = try installation.router("organizations", source.methods)
        return OrganizationsClient(
            try installation.channel(router, from: caller, to: "organizations"))
    }

    private func consumer(
        of source: Source? = nil,
        applied: @escaping @Sendable (Messages.FeedEvent) throws -> Void = { _ in }
    ) throws -> FeedConsumer {
        consumer(of: FeedSource(try client(of: source ?? self.source)), applied: applied)
    }

    private func consumer(
        of source: FeedSource,
        applied: @escaping @Sendable (Messages.FeedEvent) throws -> Void = { _ in }
    ) -> FeedConsumer {
        FeedConsumer(
            source, into: copy,
            target: FeedTarget(
                apply: { event, transaction in
                    try applied(event)
                    try TreeCopy.apply(event, in: transaction)
                },
                reset: { try TreeCopy.reset(in: $0) },
                caughtUp: { try TreeCopy.finishRebuild(in: $0) },
                isLost: { try TreeCopy.isEmpty(in: $0) }),
            logger: installation.log.logger)
    }

    private func titles() async throws -> [String] {
        try await copy.read { snapshot in
            try snapshot.rows("SELECT title FROM tree_node WHERE removed = 0 ORDER BY id") {
                try $0.text(0)
            }
        }
    }

    @Test func `what was published before and after the start arrives`() async throws {
        try await source.publish(identifiers.next(), title: "Before")
        let consumer = try consumer()

        try await during(consumer.run) {
            let sequence = try await source.publish(identifiers.next(), title: "After")
            try await consumer.waitUntilApplied(
                sequence, incarnation: source.database.incarnation)
        }

        #expect(try await titles() == ["Before", "After"])
    }

    @Test func `an event is applied once, also over restarts`() async throws {
        let seen = Mutex<[Int64]>([])
        for round in 1...3 {
            let consumer = try consumer { event in seen.withLock { $0.append(event.sequence) } }
            try await during(consumer.run) {
                try await source.publish(identifiers.next(), title: "\(round)")
                try await consumer.catchUp(within: .seconds(30))
            }
        }

        #expect(seen.withLock { $0 } == [1, 2, 3])
    }

    @Test func `an event that fails is applied when it comes again`() async throws {
        let failures = Mutex(2)
        let consumer = try consumer { _ in
            try failures.withLock { left in
                guard left > 0 else { return }
                left -= 1
                throw Status(.unavailable, "Not yet.")
            }
        }
        let sequence = try await source.publish(identifiers.next(), title: "Stubborn")

        try await during(consumer.run) {
            try await consumer.waitUntilApplied(
                sequence, incarnation: source.database.incarnation)
        }

        #expect(try await titles() == ["Stubborn"])
    }

    @Test func `a deleted copy is built again from zero`() async throws {
        try await source.publish(identifiers.next(), title: "A")
        try await source.publish(identifiers.next(), title: "B")
        let first = try consumer()
        try await during(first.run) { try await first.catchUp(within: .seconds(30)) }

        _ = try await copy.write { try $0.execute("DELETE FROM tree_node") }
        let second = try consumer()
        try await during(second.run) {
            while try await titles().count < 2 { await Task.yield() }
        }

        #expect(try await titles() == ["A", "B"])
    }

    @Test func `another life of the source begins from zero and drops what is gone`() async throws {
        let kept: OrganizationID = identifiers.next()
        try await source.publish(kept, title: "Kept", version: 7)
        try await source.publish(identifiers.next(), title: "Lost")
        let first = try consumer()
        try await during(first.run) { try await first.catchUp(within: .seconds(30)) }

        let restored = Source(
            try installation.database("restored"), clock: installation.clock.clock)
        let sequence = try await restored.publish(kept, title: "Restored", version: 2)
        let second = try consumer(of: restored)
        try await during(second.run) {
            try await second.waitUntilApplied(
                sequence, incarnation: restored.database.incarnation)
        }

        #expect(try await titles() == ["Restored"])
    }

    @Test(arguments: [true, false])
    func `a source put back to yesterday's file is copied anew`(byHead: Bool) async throws {
        let kept: OrganizationID = identifiers.next()
        let (path, clock) = (installation.folder.path, installation.clock.clock)
        let yesterday = Source(try installation.database("source"), clock: clock)
        try await yesterday.publish(kept, title: "Kept")
        yesterday.database.close()
        try FileManager.default.copyItem(
            atPath: "\(path)/source.db", toPath: "\(path)/yesterday.db")
        let today = Source(try installation.database("source"), clock: clock)
        try await today.publish(kept, title: "Changed", version: 2)
        try await today.publish(identifiers.next(), title: "Lost")
        let first = try consumer(of: today)
        try await during(first.run) { try await first.catchUp(within: .seconds(30)) }
        #expect(try await titles() == ["Changed", "Lost"])

        let back = Source(try installation.database("yesterday"), clock: clock)
        let sequence = try await back.publish(identifiers.next(), title: "New")
        let second = try consumer(of: back)
        try await during(second.run) {
            if byHead {
                try await second.catchUp(within: .seconds(30))
            } else {
                try await second.waitUntilApplied(
                    sequence, incarnation: back.database.incarnation)
            }
        }

        #expect(back.database.incarnation == today.database.incarnation)
        #expect(try await titles() == ["Kept", "New"])
    }

    @Test func `a feed whose connection has reached its age goes on without a word`() async throws {
        let position = try await source.publish(identifiers.next(), title: "Before")
        let lives = Mutex(3)
        let feed = FeedSource(try client(of: source))
        let aging = FeedSource(
            name: feed.name,
            watch: { request, options, take in
                let isLast = lives.withLock { left in
                    left -= 1
                    return left == 0
                }
                guard isLast else {
                    throw Status(
                        .unavailable, "The connection has reached its age.",
                        details: [RPCReason.connectionAged.detail()])
                }
                try await feed.watch(request, options, take)
            },
            head: feed.head)
        let consumer = consumer(of: aging)

        try await during(consumer.run) {
            try await consumer.waitUntilApplied(
                position, incarnation: source.database.incarnation)
        }

        #expect(lives.withLock { $0 } == 0)
        #expect(!installation.log.lines.contains { $0.contains("feed") })
    }

    @Test func `a feed that stands still is in the log, and that it goes on`() async throws {
        let failures = Mutex(3)
        let consumer = try consumer { _ in
            try failures.withLock { left in
                guard left > 0 else { return }
                left -= 1
                throw Status.refusal(.unavailable, "Not yet.")
            }
        }
        try await source.publish(identifiers.next(), title: "Stubborn")

        try await during(consumer.run) { try await consumer.catchUp(within: .seconds(30)) }
        while !installation.log.lines.contains(where: { $0.hasPrefix("info feed goes on") }) {
            await Task.yield()
        }

        let lines = installation.log.lines.filter { $0.contains("feed does not go on") }
        #expect(lines.count { $0.hasPrefix("warning") } == 1)
        #expect(
            lines.first
                == "warning feed does not go on after=0 reason=unavailable: Not yet. "
                + "source=organizations")
    }

    @Test func `a warning is repeated every minute while a feed stands still`() {
        let now = Mutex(ContinuousClock.now)
        let trouble = FeedTrouble(
            source: "organizations", logger: installation.log.logger,
            now: { now.withLock { $0 } })
        for _ in 0..<120 {
            trouble.failed(Status(.unavailable, "Not yet."), at: nil)
            now.withLock { $0 += .seconds(1) }
        }

        #expect(installation.log.lines.count { $0.hasPrefix("warning") } == 2)
    }

    @Test func `who waits for what never comes is told when the time is over`() async throws {
        let consumer = try consumer()
        try await source.publish(identifiers.next(), title: "Unread")

        let refused = await status { try await consumer.catchUp(within: .milliseconds(20)) }

        #expect(refused?.code == .unavailable)
    }

    @Test func `who waits is told when the consumer stops`() async throws {
        let consumer = try consumer()

        async let waiting = status { try await consumer.waitUntilApplied(9, incarnation: [1]) }
        try await withThrowingTaskGroup { group in
            group.addTask { try await consumer.run() }
            group.cancelAll()
            try await group.waitForAll()
        }

        #expect(await waiting?.code == .unavailable)
    }

    @Test func `a long feed comes in bounded replies`() async throws {
        let text = String(repeating: "x", count: 100)
        try await withThrowingTaskGroup { group in
            for _ in 0..<700 {
                group.addTask { try await source.publish(identifiers.next(), title: text) }
            }
            try await group.waitForAll()
        }
        let replies = Mutex<[(count: Int, bytes: Int)]>([])
        let head = source.database.feed.head()

        await #expect(throws: CancellationError.self) {
            try await client().watch(WatchRequest()) { reply in
                replies.withLock { $0.append((reply.events.count, reply.encoded().count)) }
                if reply.events.last?.sequence == head { throw CancellationError() }
            }
        }

        let seen = replies.withLock { $0 }
        #expect(seen.map(\.count).reduce(0, +) == 700)
        #expect(seen.allSatisfy { $0.count <= 256 && $0.bytes <= 64 * 1_024 })
    }

    @Test func `the first reply comes at once though nothing is new`() async throws {
        let seen = Mutex<WatchReply?>(nil)

        await #expect(throws: CancellationError.self) {
            try await client().watch(WatchRequest()) { reply in
                seen.withLock { $0 = reply }
                throw CancellationError()
            }
        }

        let reply = try #require(seen.withLock { $0 })
        #expect(reply.incarnation == source.database.incarnation)
        #expect(reply.events.isEmpty && reply.headSequence == 0)
    }

    @Test func `a stranger does not follow the feed`() async throws {
        let refused = await status {
            try await client(from: "elsewhere").getFeedHead(GetFeedHeadRequest())
        }

        #expect(refused?.code == .permissionDenied)
    }

    @Test func `pauses double to five seconds, and any part of one is taken`() {
        let longest = (0..<9).map { FeedConsumer.pause(after: $0, jitter: 1) }

        #expect(longest[0...2] == [.milliseconds(50), .milliseconds(100), .milliseconds(200)])
        #expect(longest[7...] == [.seconds(5), .seconds(5)])
        #expect(FeedConsumer.pause(after: 3, jitter: 0.25) == .milliseconds(100))
        #expect(FeedConsumer.pause(after: 3, jitter: 0) == .zero)
    }
}
