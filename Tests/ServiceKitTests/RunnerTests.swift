import CoreMetrics
import Glibc
import InMemoryTracing
import Logging
import Messages
import MetricsTestKit
import RPC
import RPCTransport
import Storage
import Synchronization
import Testing
import Tracing

@testable import ServiceKit

/// Programs in this process, on real sockets.
@Suite(.timeLimit(.minutes(1))) struct RunnerTests {
    private let installation = Installation()
    private let runner = ServiceRunner(name: "shelf", defaultPort: 0)

    private func run(
        _ arguments: [String] = [],
        _ wire: @Sendable (ServiceEnvironment) async throws -> ServiceParts
    ) async -> ServiceRunner.Exit {
        await runner.run(
            arguments: ["shelf", "--data", installation.folder.path, "--drain-seconds", "1"]
                + arguments,
            environment: ["GUILDHALL_LOG_LEVEL": "error"], wire)
    }

    @Test func `a program serves, drains and leaves its database behind`() async throws {
        let port = try await installation.freePort()
        let seen = Mutex<[String]>([])

        let exit = await run(["--port", "\(port)"]) { environment in
            let shelf = Shelf(
                try environment.openDatabase(migrations: Shelf.migrations),
                clock: environment.clock)
            let visitor = ServiceChild("visitor") {
                let client = RPCClient(
                    .tcp(host: "127.0.0.1", port: port), logger: environment.logger)
                // The visit is over once it serves; then the program ends, and the call with it.
                try? await HealthClient(client).watch(CheckHealthRequest()) { reply in
                    if reply.state == .serving { throw CancellationError() }
                }
                let channel = client.intercepted(
                    by: SigningInterceptor(signer: environment.signer, audience: "shelf"))
                let made: Organization = try await call(
                    channel, Shelf.put, Organization(title: "Atlas"), key: "k1")
                let refused = await status {
                    let _: Organization = try await call(
                        client, Shelf.look, Organization(), key: nil)
                }
                seen.withLock { $0 = [made.title, refused?.reason ?? ""] }
                await client.close()
            }
            return ServiceParts(methods: [shelf.methods], children: [visitor])
        }

        #expect(exit == .success)
        #expect(seen.withLock { $0 } == ["Atlas", "unauthenticated"])
        let database = try installation.database("shelf", Shelf.migrations)
        let titles = try await database.read {
            try $0.rows("SELECT title FROM item") { try $0.text(0) }
        }
        #expect(titles == ["Atlas"])
        database.close()
    }

    @Test func `operators get through when all places are taken`() async throws {
        let port = try await installation.freePort()
        let codes = Mutex<[String: Status.Code]>([:])
        let operators = OperatorMethods.paths.union([
            MailsMethods.listMails.path, SignUpWorkflowsMethods.retryWorkflow.path,
            OrganizationWorkflowsMethods.getWorkflow.path,
        ])
        let ordinary = MethodDescriptor(service: "test.v1.Test", name: "Look", idempotency: .safe)
        let (isHung, hung) = AsyncStream.makeStream(of: Void.self)

        let exit = await run(["--port", "\(port)", "--calls-max", "1"]) { environment in
            _ = try environment.openDatabase(migrations: Shelf.migrations)
            let hang = MethodDescriptor(service: "test.v1.Test", name: "Hang")
            let hanging = RegisteredMethod(
                hang,
                .unary { payload, _ in
                    hung.yield()
                    try await Task.sleep(for: .seconds(60))
                    return .encoded(payload)
                })
            let descriptors = operators.map { path in
                let parts = path.split(separator: "/").map(String.init)
                return MethodDescriptor(service: parts[0], name: parts[1], idempotency: .safe)
            }
            let looking = (descriptors + [ordinary]).map { method in
                RegisteredMethod(method, .unary { payload, _ in .encoded(payload) })
            }
            let visitor = ServiceChild("visitor") {
                let client = RPCClient(
                    .tcp(host: "127.0.0.1", port: port), logger: environment.logger)
                let channel = client.intercepted(
                    by: SigningInterceptor(signer: environment.signer, audience: "shelf"))
                let options = CallOptions(timeout: .seconds(20))
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        // It ends with the visit.
                        _ = try? await channel.unary(
                            hang, .encoded([UInt8]()), options: CallOptions(waitsForReady: true))
                    }
                    for await _ in isHung { break }
                    for method in descriptors + [ordinary] {
                        var code = Status.Code.ok
                        do {
                            _ = try await channel.unary(
                                method, .encoded([UInt8]()), options: options)
                        } catch {
                            code = Status(thrown: error).code
                        }
                        codes.withLock { [code] in $0[method.path] = code }
                    }
                    group.cancelAll()
                }
                await client.close()
            }
            return ServiceParts(methods: [[hanging] + looking], children: [visitor])
        }

        #expect(exit == .success)
        let found = codes.withLock { $0 }
        #expect(found[ordinary.path] == .resourceExhausted)
        #expect(operators.count == 8)
        for path in operators { #expect(found[path] == .ok, "\(path)") }
    }

    @Test(arguments: ["dns:localhost:", "localhost:"])
    func `calls of a program are measured and traced when it has backends`(
        host: String
    ) async throws {
        let port = try await installation.freePort()
        let runner = ServiceRunner(
            name: "shelf", defaultPort: port, upstreams: [Upstream("mirror", defaultPort: 1)])
        let arguments = [
            "shelf", "--data", installation.folder.path, "--mirror", "\(host)\(port)",
        ]
        let (tracer, backend) = (InMemoryTracer(), TestMetrics())

        let exit = await withTracer(tracer) {
            await withMetricsFactory(backend) {
                await runner.run(
                    arguments: arguments, environment: ["GUILDHALL_LOG_LEVEL": "error"]
                ) { environment in
                    let mirror = HealthClient(try environment.plainChannel(to: "mirror"))
                    let visitor = ServiceChild("visitor") {
                        _ = try await mirror.check(
                            CheckHealthRequest(), options: CallOptions(waitsForReady: true))
                    }
                    return ServiceParts(methods: [], children: [visitor])
                }
            }
        }

        #expect(exit == .success)
        let spans = tracer.finishedSpans.sorted { $0.kind == .server && $1.kind == .client }
        #expect(spans.map(\.operationName) == [HealthMethods.check.path, HealthMethods.check.path])
        #expect(spans.first?.parentSpanID == spans.last?.spanID)
        let names = Set(backend.timers.map(\.label))
        #expect(names == ["rpc.client.call.duration", "rpc.server.call.duration"])
    }

    @Test func `a program is ready once its copies have caught up`() async throws {
        let port = try await installation.freePort()
        let early = Mutex<[ServingState]>([])
        let isReady = Mutex(false)
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let life = [UInt8](repeating: 1, count: 16)

        let exit = await run(["--port", "\(port)"]) { environment in
            let source = FeedSource(
                name: "source",
                watch: { _, _, onReply in
                    for await _ in held { break }
                    try await onReply(WatchReply(incarnation: life, headSequence: 0))
                    try await Task.sleep(for: .seconds(60))
                }, head: { _, _ in FeedHead(incarnation: life, sequence: 0) })
            let copy = try Self.copy(of: source, in: environment)
            let visitor = ServiceChild("visitor") {
                let health = HealthClient(try environment.visiting(port))
                for _ in 0..<20 {
                    let reply = try await health.check(
                        CheckHealthRequest(), options: CallOptions(waitsForReady: true))
                    early.withLock { $0.append(reply.state) }
                    try await Task.sleep(for: .milliseconds(10))
                }
                release.yield()
                try await health.untilServing()
                isReady.withLock { $0 = true }
            }
            return ServiceParts(
                methods: [], children: [ServiceChild("copy", copy.run), visitor], copies: [copy])
        }

        #expect(exit == .success)
        #expect(early.withLock { Set($0) } == [.notServing])
        #expect(isReady.withLock { $0 })
    }

    @Test func `a program whose source is down is ready after its time all the same`() async throws
    {
        let port = try await installation.freePort()
        var runner = ServiceRunner(name: "shelf", defaultPort: port)
        runner.copiesTimeMax = .milliseconds(400)
        let begun = ContinuousClock.now
        let waited = Mutex(Duration.zero)

        let exit = await runner.run(
            arguments: ["shelf", "--data", installation.folder.path, "--drain-seconds", "1"],
            environment: ["GUILDHALL_LOG_LEVEL": "error"]
        ) { environment in
            let source = FeedSource(
                name: "source", watch: { _, _, _ in throw Status(.unavailable, "Down.") },
                head: { _, _ in throw Status(.unavailable, "Down.") })
            let copy = try Self.copy(of: source, in: environment)
            let visitor = ServiceChild("visitor") {
                try await HealthClient(try environment.visiting(port)).untilServing()
                waited.withLock { $0 = ContinuousClock.now - begun }
            }
            return ServiceParts(
                methods: [], children: [ServiceChild("copy", copy.run), visitor], copies: [copy])
        }

        #expect(exit == .success)
        #expect(waited.withLock { $0 } >= .milliseconds(400))
    }

    @Test(arguments: [
        ("ready membership 127.0.0.1:7102", []),
        ("ready gateway 127.0.0.1:7100 http://127.0.0.1:8080", []),
        ("ready membership 127.0.0.1:7102 behind organizations", ["organizations"]),
        ("ready partners 127.0.0.1:7103 behind branding,membership", ["branding", "membership"]),
    ])
    func `the line that says ready says what is missing`(line: String, services: [String]) {
        #expect(ReadyLine.servicesBehind(in: line + "\n") == services)
    }

    private static func copy(
        of source: FeedSource, in environment: ServiceEnvironment
    ) throws -> FeedConsumer {
        FeedConsumer(
            source, into: try environment.openDatabase(migrations: Shelf.migrations),
            target: FeedTarget(apply: { _, _ in }), logger: environment.logger)
    }

    @Test func `wrong flags end the program with 64`() async {
        #expect(await run(["--prot", "1"]) { _ in ServiceParts(methods: []) } == .usage)
    }

    @Test func `help ends the program with 0`() async {
        #expect(await run(["--help"]) { _ in ServiceParts(methods: []) } == .success)
    }

    @Test func `a port that is taken ends the program with 69`() async throws {
        let server = RPCServer(
            router: Router(services: []),
            configuration: RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)),
            logger: installation.log.logger)

        let exit = try await during(server.run) {
            guard case .tcp(_, let port) = try await server.boundAddress else {
                throw CancellationError()
            }
            return await run(["--port", "\(port)"]) { _ in ServiceParts(methods: []) }
        }

        #expect(exit == .unavailable)
    }

    @Test func `a database that another has ends the program with 75`() async throws {
        let database = try installation.database("shelf", Shelf.migrations)

        let exit = await run { environment in
            _ = try environment.openDatabase(migrations: Shelf.migrations)
            return ServiceParts(methods: [])
        }

        #expect(exit == .temporary)
        database.close()
    }

    @Test func `a database of a newer program ends this one with 78`() async throws {
        let newer = Migration(
            component: "shelf", number: 2, name: "more",
            sql: "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;")
        try installation.database("shelf", Shelf.migrations + [newer]).close()

        let exit = await run { environment in
            _ = try environment.openDatabase(migrations: Shelf.migrations)
            return ServiceParts(methods: [])
        }

        #expect(exit == .configuration)
    }

    @Test func `work that fails ends the program with 70`() async {
        let exit = await run { _ in
            ServiceParts(
                methods: [], children: [ServiceChild("frail") { throw StorageFault.sql("broken") }])
        }

        #expect(exit == .failure)
    }

    @Test func `a commit whose outcome is unknown ends the program with 75`() async {
        let exit = await run { environment in
            let engine = FailingEngine(path: environment.configuration.databasePath)
            let database = try environment.openDatabase(migrations: Shelf.migrations) {
                $0.engine = engine
            }
            engine.failsCommits.withLock { $0 = true }
            let visitor = ServiceChild("visitor") {
                let fault = await failure { try await database.write { _ in } }
                #expect(fault as? StorageFault == .lost("the disk is gone"))
                // The program ends by itself, and this with it; after a while this ends it.
                try await Task.sleep(for: .seconds(20))
            }
            return ServiceParts(methods: [], children: [visitor])
        }

        #expect(exit == .temporary)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123_456, "2000-02-29T00:00:00.123Z"),
        (1_767_225_599_999_999, "2025-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
    ])
    func `the log tells the day and the time`(microseconds: Int64, text: String) {
        #expect(StandardErrorLog.text(of: WallTime(microseconds: microseconds)) == text)
    }
}

extension ServiceEnvironment {
    /// A client of the program itself.
    fileprivate func visiting(_ port: Int) throws -> RPCClient {
        RPCClient(.tcp(host: "127.0.0.1", port: port), logger: logger)
    }
}

extension HealthClient {
    /// Returns once the program serves.
    fileprivate func untilServing() async throws {
        struct Served: Error {}
        do {
            try await watch(CheckHealthRequest(), options: CallOptions(waitsForReady: true)) {
                if $0.state == .serving { throw Served() }
            }
        } catch is Served {}
    }
}

/// The error that a call ends with; nil if it ends well.
private func failure(of call: () async throws -> Void) async -> (any Error)? {
    do {
        try await call()
        return nil
    } catch {
        return error
    }
}
