import Access
import Messages
import RPC
import RPCTransport
import Storage
import Synchronization
import Testing

@testable import ServiceKit

/// Who follows a feed and is slow holds nothing up, takes no memory of the source, and misses
/// nothing.
@Suite(.timeLimit(.minutes(2))) struct SlowConsumerTests {
    private static let eventCount = 10_000
    private static let bodyBytes = 4_096
    /// What may be under way: the windows of the stream and the buffers of the system.
    private static let bytesUnderWayMax = 16 * 1_024 * 1_024

    /// Closed until somebody opens it.
    private final class Gate: Sendable {
        private let isOpen = Mutex(false)

        func open() { isOpen.withLock { $0 = true } }

        func pass() async throws {
            while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private let installation = Installation()

    @Test func `ten thousand events wait in the database for a consumer that stands still`()
        async throws
    {
        let source = try installation.database("organizations")
        let copy = try installation.database("membership")
        let sent = Mutex(0)
        let feed = FeedServer(source)
        let method = RegisteredMethod(
            OrganizationsMethods.watch,
            .serverStreaming { payload, context, writer in
                let counted = ReplyWriter { reply in
                    try await writer.write(reply)
                    sent.withLock { $0 += 1 }
                }
                try await feed.watch(
                    try WatchRequest(decoding: payload.bytes), context, ReplyStream(counted))
            })
        let server = RPCServer(
            router: try installation.router("organizations", [method]),
            configuration: RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)),
            logger: installation.log.logger)
        let gate = Gate()
        let seen = Mutex<[Int64]>([])

        try await during(server.run) { [installation] in
            guard case .tcp(_, let port) = try await server.boundAddress else {
                throw CancellationError()
            }
            let connection = RPCClient(
                .tcp(host: "127.0.0.1", port: port), logger: installation.log.logger)
            let client = OrganizationsClient(
                connection.intercepted(
                    by: SigningInterceptor(
                        signer: try installation.signer("membership"),
                        audience: "organizations")))
            let consumer = FeedConsumer(
                FeedSource(
                    name: "organizations",
                    watch: { request, options, take in
                        try await client.watch(request, options: options) { reply in
                            try await gate.pass()
                            try await take(reply)
                        }
                    },
                    head: { _, _ in feed.head }),
                into: copy,
                target: FeedTarget(apply: { event, _ in
                    seen.withLock { $0.append(event.sequence) }
                }), logger: installation.log.logger)
            try await during(consumer.run) {
                let late = try await Self.publish(in: source)
                try await Self.untilStill { sent.withLock { $0 } }

                // A reply has at least eleven events of this size.
                let underWay = sent.withLock { $0 } * FeedServer.bytesMax
                #expect(underWay < Self.bytesUnderWayMax, "\(underWay) bytes")
                #expect(late < .seconds(1), "nobody who writes waits for who reads")
                #expect(seen.withLock { $0.isEmpty })
                gate.open()
                try await consumer.waitUntilApplied(
                    source.feed.head(), incarnation: source.incarnation)
            }
            await connection.close()
        }

        #expect(seen.withLock { $0 } == (1...Int64(Self.eventCount)).map { $0 })
        #expect(!installation.log.lines.contains { $0.contains("feed does not go on") })
    }

    /// Publishes the events; answers how long the slowest of the commits took.
    private static func publish(in source: Database) async throws -> Duration {
        let body = [UInt8](repeating: 7, count: bodyBytes)
        let now = WallTime(microseconds: 0)
        var slowest = Duration.zero
        for part in 0..<eventCount / 100 {
            let start = ContinuousClock.now
            try await source.write { transaction in
                for number in 0..<100 {
                    let aggregate = Array("\(part * 100 + number)".utf8)
                    try transaction.publish(
                        kind: "test", aggregate: aggregate, version: 1, body: body, at: now)
                }
            }
            slowest = max(slowest, start.duration(to: .now))
        }
        return slowest
    }

    /// Waits until a number has stayed the same for a while.
    private static func untilStill(_ number: @Sendable () -> Int) async throws {
        var last = -1
        while last != number() {
            last = number()
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
