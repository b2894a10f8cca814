import Logging
import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// The methods that tests call; requests and replies are plain bytes.
enum Methods {
    static let service = "test.v1.Test"

    static func unary(
        _ name: String, _ idempotency: MethodDescriptor.Idempotency = .unknown
    ) -> MethodDescriptor {
        MethodDescriptor(service: service, name: name, idempotency: idempotency)
    }

    static func stream(_ name: String) -> MethodDescriptor {
        MethodDescriptor(service: service, name: name, kind: .serverStreaming)
    }

    /// Takes large requests, too.
    static let echo = MethodDescriptor(
        service: service, name: "Echo", idempotency: .safe, isBulk: true)
    static let hang = unary("Hang")
    static let count = stream("Count")

    /// Answers with the request.
    static let echoing = RegisteredMethod(echo, .unary { payload, _ in .encoded(payload) })

    /// Answers with the numbers below the request's first byte, each repeated to its second byte
    /// times 256 bytes.
    static let counting = RegisteredMethod(
        count,
        .serverStreaming { payload, _, replies in
            let request = payload.bytes
            for number in 0..<request[0] {
                let size = max(1, Int(request[1]) * 256)
                try await replies.write(.encoded([UInt8](repeating: number, count: size)))
            }
        })
}

/// What a handler that never answers tells a test.
final class HangingMethod: Sendable {
    let started = Signal()
    let isStarted = Atomic<Bool>(false)
    let cancelled = Signal()

    func method(_ descriptor: MethodDescriptor = Methods.hang) -> RegisteredMethod {
        RegisteredMethod(
            descriptor,
            .unary { payload, _ in
                await self.hang()
                return .encoded(payload)
            })
    }

    func hang() async {
        isStarted.store(true, ordering: .relaxed)
        started.send()
        await withTaskCancellationHandler {
            await cancelled.wait()
        } onCancel: {
            cancelled.send()
        }
    }
}

/// Counts from several tasks.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.wrappingAdd(1, ordering: .relaxed) }
}

/// Runs a server on a free port, then a test against it, then drains the server.
func withServer<Result>(
    _ methods: [RegisteredMethod] = [Methods.echoing, Methods.counting],
    at address: RPCAddress = .tcp(host: "127.0.0.1", port: 0),
    security: RPCServerSecurity = .plaintext, monitor: RPCServerMonitor? = nil,
    limits: (inout RPCServerConfiguration.Limits) -> Void = { _ in },
    _ body: (RPCServer, RPCAddress) async throws -> Result
) async throws -> Result {
    try await withServer(
        of: Router(services: [methods]), at: address, monitor: monitor,
        configure: {
            $0.security = security
            limits(&$0.limits)
        }, body)
}

/// Runs a server of a router on a free port, then a test against it, then drains the server.
func withServer<Result>(
    of router: Router, at address: RPCAddress = .tcp(host: "127.0.0.1", port: 0),
    monitor: RPCServerMonitor? = nil, logger: Logger = Logger(label: "test"),
    configure: (inout RPCServerConfiguration) -> Void = { _ in },
    _ body: (RPCServer, RPCAddress) async throws -> Result
) async throws -> Result {
    var configuration = RPCServerConfiguration(address: address, agent: "test/1")
    configure(&configuration)
    let server = RPCServer(
        router: router, configuration: configuration, monitor: monitor, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let address = try await server.boundAddress
        let result = try await body(server, address)
        server.shutdownGracefully()
        try await group.waitForAll()
        return result
    }
}

/// Runs a test with a client, then closes the client.
func withClient<Result>(
    _ address: RPCAddress,
    configure: (inout RPCClientConfiguration) -> Void = { _ in },
    _ body: (RPCClient) async throws -> Result
) async throws -> Result {
    try await withClient(of: RPCTarget([address]), configure: configure, body)
}

/// Runs a server and a client.
func withServerAndClient<Result>(
    _ methods: [RegisteredMethod] = [Methods.echoing, Methods.counting],
    limits: (inout RPCServerConfiguration.Limits) -> Void = { _ in },
    configure: (inout RPCClientConfiguration) -> Void = { _ in },
    _ body: (RPCClient) async throws -> Result
) async throws -> Result {
    try await withServer(methods, limits: limits) { _, address in
        try await withClient(address, configure: configure, body)
    }
}

extension RPCClient {
    func bytes(
        _ method: MethodDescriptor, _ request: [UInt8] = [],
        options: CallOptions = CallOptions(timeout: .seconds(20))
    ) async throws -> [UInt8] {
        try await unary(method, .encoded(request), options: options).bytes
    }
}

/// The status that a call throws.
func status<Result>(
    of call: () async throws -> Result, sourceLocation: SourceLocation = #_sourceLocation
) async -> Status? {
    await #expect(throws: Status.self, sourceLocation: sourceLocation) { try await call() }
}
