import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// A server of several, which tells apart which of them answered.
final class NumberedServer: Sendable {
    let number: UInt8
    let calls = Counter()
    /// Whether it answers `UNAVAILABLE`.
    let isUnwell = Atomic<Bool>(false)

    init(_ number: UInt8) {
        self.number = number
    }

    /// Answers with the server's number.
    var methods: [RegisteredMethod] {
        [Methods.safe, Methods.unknown].map { method in
            RegisteredMethod(
                method,
                .unary { _, _ in
                    self.calls.increment()
                    if self.isUnwell.load(ordering: .relaxed) {
                        throw Status(.unavailable, "Not now.")
                    }
                    return .encoded([self.number])
                })
        }
    }
}

extension Methods {
    static let safe = unary("WhoSafe", .safe)
    static let unknown = unary("Who")
    /// No server has it: the call only makes the client connect.
    static let absent = unary("Absent")
}

/// Runs several servers, then a test against them.
func withServers<Result: Sendable>(
    _ servers: [NumberedServer],
    _ body: @Sendable ([RPCAddress]) async throws -> Result
) async throws -> Result {
    try await withServers(servers[...], [], body)
}

private func withServers<Result: Sendable>(
    _ rest: ArraySlice<NumberedServer>, _ addresses: [RPCAddress],
    _ body: @Sendable ([RPCAddress]) async throws -> Result
) async throws -> Result {
    guard let first = rest.first else { return try await body(addresses) }
    return try await withServer(first.methods) { _, address in
        try await withServers(rest.dropFirst(), addresses + [address], body)
    }
}

/// Runs a test with a client of any target, then closes the client.
func withClient<Result>(
    of target: RPCTarget,
    configure: (inout RPCClientConfiguration) -> Void = { _ in },
    _ body: (RPCClient) async throws -> Result
) async throws -> Result {
    var configuration = RPCClientConfiguration()
    // A busy machine must not decide what a test finds.
    configuration.connectTimeout = .seconds(20)
    configuration.handshakeTimeout = .seconds(20)
    configure(&configuration)
    let client = RPCClient(target, configuration: configuration)
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(client))
    } catch {
        result = .failure(error)
    }
    await client.close()
    return try result.get()
}

/// An address at which nothing listens.
func deadAddress() async throws -> RPCAddress {
    try await withServer([]) { _, address in address }
}

/// What a client's observer was told.
final class EventLog: Sendable {
    private let log = Mutex<[RPCClientEvent]>([])

    var events: [RPCClientEvent] { log.withLock { $0 } }

    var observer: @Sendable (RPCClientEvent) -> Void {
        { event in self.log.withLock { $0.append(event) } }
    }

    /// The states that an address went through.
    func states(of address: RPCAddress) -> [RPCAddressState] {
        events.compactMap { event in
            if case .address(address, let state) = event { state } else { nil }
        }
    }

    /// How many attempts that were sent have ended.
    var ends: Int {
        events.count { if case .ended = $0 { true } else { false } }
    }

    /// How many calls were tried again.
    var retries: Int {
        events.count { if case .retrying = $0 { true } else { false } }
    }

    /// How many calls were sent a second time because they were slow.
    var hedges: Int {
        events.count { if case .hedging = $0 { true } else { false } }
    }
}

/// Waits until a client is connected to so many of some servers.
func connected(
    _ client: RPCClient, _ log: EventLog, to addresses: [RPCAddress], count: Int? = nil
) async throws {
    _ = await status { try await client.bytes(Methods.absent) }
    try await until {
        addresses.count { log.states(of: $0).last == .ready } == count ?? addresses.count
    }
}

/// Waits until something holds; the time limit of the suite bounds it.
func until(_ condition: () async throws -> Bool) async throws {
    while !(try await condition()) { try await ContinuousClock().sleep(for: .milliseconds(1)) }
}

extension RPCClient {
    /// Makes calls, several at a time, until the client has connected to an address five times.
    func callUntilReconnected(to address: RPCAddress, _ log: EventLog) async throws {
        try await until {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { _ = try await self.bytes(Methods.unknown) }
                }
                try await group.waitForAll()
            }
            return log.states(of: address).count { $0 == .ready } >= 5
        }
    }
}
