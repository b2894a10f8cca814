import Messages
import RPC
import RPCServices
import RPCTesting
import ServiceKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct HealthTests {
    private let installation = Installation()
    private let health = ServiceHealth()
    private let client: HealthClient

    init() throws {
        client = HealthClient(
            InProcessChannel(try installation.router("shelf", health.registeredMethods)))
    }

    @Test func `health is answered without a principal`() async throws {
        #expect(try await client.check(CheckHealthRequest()).state == .notServing)

        health.set(serving: true)

        #expect(try await client.check(CheckHealthRequest()).state == .serving)
    }

    @Test func `a watcher hears the state at once and of each change`() async throws {
        let seen = Mutex<[ServingState]>([])

        await #expect(throws: CancellationError.self) {
            try await client.watch(CheckHealthRequest()) { reply in
                let count = seen.withLock { states in
                    states.append(reply.state)
                    return states.count
                }
                if count == 3 { throw CancellationError() }
                health.set(serving: reply.state == .notServing)
            }
        }

        #expect(seen.withLock { $0 } == [.notServing, .serving, .notServing])
    }
}

@Suite struct LoggingTests {
    private let installation = Installation()

    private func lines(_ method: MethodDescriptor, key: String? = nil) async throws -> [String] {
        let shelf = Shelf(
            try installation.database("shelf", Shelf.migrations), clock: installation.clock.clock)
        let channel = try installation.channel(
            try installation.router("shelf", shelf.methods), from: "partners", to: "shelf")
        var metadata = Metadata()
        metadata[text: MetadataKey.requestID] = "r-7"
        _ = await status {
            let _: Organization = try await call(
                channel, method, Organization(title: "Atlas"), key: key, metadata: metadata)
        }
        return installation.log.lines
    }

    @Test func `a change is one line with method, status, time and request`() async throws {
        let lines = try await lines(Shelf.put, key: "k1")

        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.hasPrefix("info call method=guildhall.test.v1.Shelf/Put microseconds="))
        #expect(line.hasSuffix(" request=r-7 status=ok"))
        #expect(!line.contains("Atlas"))
    }

    @Test func `a read that succeeds is logged at debug`() async throws {
        #expect(try await lines(Shelf.look).first?.hasPrefix("debug call") == true)
    }

    @Test func `a refusal is logged with its reason`() async throws {
        let line = try #require(try await lines(Shelf.put).first)

        #expect(line.contains("reason=idempotency_key_required"))
        #expect(line.contains("status=invalidArgument"))
    }
}
