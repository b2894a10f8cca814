import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Connections that come and go` {
    /// A port on which nothing listens now.
    private func freeAddress() async throws -> RPCAddress {
        try await withServer([]) { _, address in address }
    }

    @Test func `a server that cannot be reached fails the call at once and by name`() async throws {
        let address = try await freeAddress()

        let seen = try await withClient(address) {
            $0.attemptsMax = 1
        } _: { client in
            await status { try await client.bytes(Methods.unary("Once")) }
        }

        #expect(seen?.code == .unavailable)
        #expect(seen?.message.contains("\(address)") == true)
        #expect(seen?.message.contains("phase connect") == true)
        #expect(seen?.message.contains("has not seen the call") == true)
    }

    @Test func `a socket that is not there fails the call at once`() async throws {
        let seen = try await withClient(.unix(path: "/nowhere/guildhall.sock")) {
            $0.attemptsMax = 1
        } _: { client in
            await status { try await client.bytes(Methods.echo) }
        }

        #expect(seen?.code == .unavailable)
        #expect(seen?.message.contains("unix:/nowhere/guildhall.sock") == true)
        #expect(seen?.message.contains("phase connect") == true)
    }

    @Test func `a name that cannot be resolved is said so`() async throws {
        let address = RPCAddress.tcp(host: "no-such-host.invalid", port: 1)

        let seen = try await withClient(address) {
            $0.attemptsMax = 1
            $0.security = .plaintextOnAnyNetwork
        } _: { client in
            await status { try await client.bytes(Methods.echo) }
        }

        #expect(seen?.code == .unavailable)
        #expect(seen?.message.contains("phase resolve") == true)
    }

    @Test func `a call that waits for readiness is answered once the server is there`()
        async throws
    {
        let address = try await freeAddress()

        try await withClient(address) { client in
            let call = Task {
                try await client.bytes(
                    Methods.echo, [5],
                    options: CallOptions(timeout: .seconds(20), waitsForReady: true))
            }
            let refused = await status { try await client.bytes(Methods.unary("Once")) }
            let answered = try await withServer(at: address) { _, _ in try await call.value }

            #expect(refused?.code == .unavailable)
            #expect(answered == [5])
        }
    }

    @Test func `calls go on after the server was restarted`() async throws {
        let address = try await freeAddress()

        try await withClient(address) { client in
            for number in UInt8(0)..<3 {
                let reply = try await withServer(at: address) { _, _ in
                    try await client.bytes(
                        Methods.echo, [number],
                        options: CallOptions(timeout: .seconds(20), waitsForReady: true))
                }
                #expect(reply == [number])
            }
        }
    }

    @Test(arguments: [(Duration.milliseconds(10), 10...200), (.seconds(1_000), 1...2)])
    func `attempts to connect keep their pauses`(
        pause: Duration, attempts: ClosedRange<Int>
    ) async throws {
        let address = try await freeAddress()
        let log = EventLog()

        try await withClient(address) {
            $0.backoffBase = pause
            $0.backoffMax = pause
            $0.observer = log.observer
        } _: { client in
            _ = await status {
                try await client.bytes(
                    Methods.echo,
                    options: CallOptions(timeout: .milliseconds(500), waitsForReady: true))
            }
        }

        // The pauses are drawn from nothing to the longest: about two in twenty milliseconds.
        let count = log.states(of: address).count { $0 == .connecting }
        #expect(attempts.contains(count), "\(count)")
    }

    @Test func `an error says how much of the time went before the last attempt`() async throws {
        let address = try await freeAddress()

        let seen = try await withClient(address) {
            $0.attemptsMax = 2
            $0.retryBase = .milliseconds(1)
        } _: { client in
            await status { try await client.bytes(Methods.safe) }
        }

        let words = try #require(seen?.message)
        #expect(words.contains(/after \d+ ms, \d+ of them in attempt 2\)/), "\(words)")
    }

    @Test(arguments: [
        (MethodDescriptor.Idempotency.safe, false, 3), (.keyed, true, 3), (.keyed, false, 1),
        (.unknown, true, 1),
    ])
    func `only calls that may be repeated are tried again after UNAVAILABLE`(
        idempotency: MethodDescriptor.Idempotency, hasKey: Bool, attempts: Int
    ) async throws {
        let count = Atomic<Int>(0)
        let method = Methods.unary("Flaky", idempotency)
        let failing = RegisteredMethod(
            method,
            .unary { _, _ in
                count.wrappingAdd(1, ordering: .relaxed)
                throw Status(
                    .unavailable, "Not now.", details: [.retryInfo(delay: .milliseconds(1))])
            })
        var options = CallOptions()
        if hasKey { options.metadata[text: MetadataKey.idempotencyKey] = "k" }

        let seen = try await withServerAndClient([failing]) { [options] client in
            await status { try await client.bytes(method, options: options) }
        }

        #expect(seen?.message == "Not now.")
        #expect(count.load(ordering: .relaxed) == attempts)
    }

    @Test(arguments: [(MethodDescriptor.Idempotency.safe, true), (.unknown, false)])
    func `a call whose connection breaks is sent again only if it is safe`(
        idempotency: MethodDescriptor.Idempotency, isAnswered: Bool
    ) async throws {
        let method = Methods.unary("Breaking", idempotency)

        try await withBreakingServer { address in
            try await withClient(address) { client in
                let result = await Result(catching: { try await client.bytes(method, [4]) })
                if isAnswered {
                    let reply = try result.get()
                    #expect(reply == [4])
                } else {
                    let status = #expect(throws: Status.self) { try result.get() }
                    #expect(status?.code == .unavailable)
                    #expect(status?.message.contains("may have seen the call") == true)
                }
            }
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(catching body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
