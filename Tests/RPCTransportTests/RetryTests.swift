import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Further attempts` {
    /// A method that always fails, and how often it was called.
    private func failing(
        _ method: MethodDescriptor, _ status: Status
    ) -> (method: RegisteredMethod, calls: Counter) {
        let calls = Counter()
        let registered = RegisteredMethod(
            method,
            .unary { _, _ in
                calls.increment()
                throw status
            })
        return (registered, calls)
    }

    @Test func `another attempt goes to another server`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]
        servers[0].isUnwell.store(true, ordering: .relaxed)

        try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.attemptsMax = 2
                $0.retryBase = .zero
                $0.retryTokensMax = 100
                $0.ejectionFailures = .max
            } _: { client in
                // Both connections are there.
                try await until {
                    _ = try? await client.bytes(Methods.safe)
                    return servers.allSatisfy { $0.calls.value > 0 }
                }
                for _ in 0..<40 {
                    let number = try await client.bytes(Methods.safe)
                    #expect(number == [1])
                }
            }
        }
    }

    @Test func `they are bounded by a budget that successes refill`() async throws {
        let (method, calls) = failing(Methods.safe, Status(.unavailable, "Not now."))

        try await withServerAndClient(
            [method, Methods.echoing],
            configure: {
                $0.retryTokensMax = 3
                $0.successesPerRetryToken = 5
                $0.retryBase = .zero
            }
        ) { client in
            for _ in 0..<6 { _ = await status { try await client.bytes(Methods.safe) } }
            let spent = calls.value
            for _ in 0..<5 { _ = try await client.bytes(Methods.echo) }
            for _ in 0..<2 { _ = await status { try await client.bytes(Methods.safe) } }

            #expect(spent == 6 + 3)
            #expect(calls.value == spent + 2 + 1)
        }
    }

    @Test func `the server says when`() async throws {
        let pause = Duration.milliseconds(20)
        let (method, calls) = failing(
            Methods.safe, Status(.unavailable, "Not now.", details: [.retryInfo(delay: pause)]))

        try await withServerAndClient([method]) { client in
            let began = ContinuousClock.now
            _ = await status { try await client.bytes(Methods.safe) }

            #expect(calls.value == 3)
            #expect(began.duration(to: .now) >= pause + pause)
        }
    }

    @Test func `the server says never`() async throws {
        let (method, calls) = failing(
            Methods.safe, Status(.unavailable, "Never.", details: [.retryNever]))

        try await withServerAndClient([method]) { client in
            let seen = await status { try await client.bytes(Methods.safe) }

            #expect(seen?.message == "Never.")
            #expect(calls.value == 1)
        }
    }

    @Test func `none begins when it would come after the deadline`() async throws {
        let (method, calls) = failing(
            Methods.safe,
            Status(.unavailable, "Not now.", details: [.retryInfo(delay: .milliseconds(800))]))

        try await withServerAndClient([method]) { client in
            let timeout = Duration.milliseconds(700)
            let began = ContinuousClock.now
            let seen = await status {
                try await client.bytes(Methods.safe, options: CallOptions(timeout: timeout))
            }

            #expect(seen?.code == .unavailable)
            #expect(calls.value == 1)
            #expect(began.duration(to: .now) < timeout)
        }
    }

    @Test func `the deadline holds over all attempts`() async throws {
        let hanging = HangingMethod()
        let calls = Counter()
        let method = RegisteredMethod(
            Methods.safe,
            .unary { payload, context in
                calls.increment()
                if calls.value == 1 { throw Status(.unavailable, "Not now.") }
                await hanging.hang()
                return .encoded(payload)
            })

        try await withServerAndClient([method], configure: { $0.retryBase = .zero }) { client in
            // Connecting is not to take from the time.
            _ = await status { try await client.bytes(Methods.absent) }
            let began = ContinuousClock.now
            let seen = await status {
                try await client.bytes(
                    Methods.safe, options: CallOptions(timeout: .milliseconds(200)))
            }

            #expect(seen?.code == .deadlineExceeded)
            #expect(began.duration(to: .now) < .seconds(5))
        }
    }

    @Test func `a call that a server had no place for goes elsewhere, whatever it does`()
        async throws
    {
        let hanging = HangingMethod()
        let server = NumberedServer(1)
        let log = EventLog()

        try await withServer([hanging.method(), server.methods[1]]) {
            $0.callsMax = 1
            $0.queueMax = 0
            $0.retryDelay = .milliseconds(1)
        } _: { _, full in
            let raw = try await RawConnection.open(to: full)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            try await withServers([server]) { addresses in
                try await withClient(of: RPCTarget([full] + addresses)) {
                    $0.observer = log.observer
                } _: { client in
                    try await until {
                        let number = try await client.bytes(Methods.unknown)
                        #expect(number == [1])
                        return log.retries == 3
                    }
                }
            }
            hanging.cancelled.send()
            await raw.close()
        }
    }

    @Test(arguments: [
        // A handler's own limit: who knows what it has done before.
        Status(.resourceExhausted, "Too many.", details: [.retryInfo(delay: .zero)]),
        // What another server refused, passed on by a handler.
        Status(
            .resourceExhausted, "No place.",
            details: [
                .errorInfo(
                    reason: "server_busy", domain: "guildhall.rpc", metadata: ["peer": "there"]),
                .retryInfo(delay: .zero),
            ]),
    ])
    func `a handler that refuses is not asked again`(refusal: Status) async throws {
        let (method, calls) = failing(Methods.unknown, refusal)

        try await withServerAndClient([method]) { client in
            let seen = await status { try await client.bytes(Methods.unknown) }

            #expect(seen == refusal)
            #expect(calls.value == 1)
        }
    }

    @Test func `a refusal that is passed on tells of its first server`() {
        let address = RPCAddress.tcp(host: "10.0.0.1", port: 1)
        let refusal = Status(
            .resourceExhausted, "No place.",
            details: [
                .errorInfo(reason: "server_busy", domain: "guildhall.rpc", metadata: [:]),
                .retryInfo(delay: .milliseconds(50)),
            ])

        let first = AttemptFailure(refusal, from: address)
        let passedOn = AttemptFailure(first.status, from: .tcp(host: "10.0.0.2", port: 1))

        #expect(first.isUnseen)
        #expect(first.status.details.contains(.retryInfo(delay: .milliseconds(50))))
        #expect(!passedOn.isUnseen)
        #expect(passedOn.status == first.status)
    }

    @Test func `the pause grows, and is drawn from zero on`() {
        let policy = RetryPolicy(RPCClientConfiguration())
        func pause(_ ordinal: Int, _ luck: Double, _ remaining: Duration = .seconds(2)) -> Duration?
        {
            policy.pause(
                after: AttemptFailure(status: Status(.unavailable, ""), isUnseen: true),
                ordinal: ordinal, isRepeatable: false, luck: luck, remaining: remaining)
        }

        #expect(pause(1, 0) == .zero)
        #expect(pause(1, 1) == .milliseconds(100))
        #expect(pause(2, 1) == .milliseconds(200))
        #expect(pause(3, 0) == nil)
        #expect(pause(2, 1, .milliseconds(150)) == nil)
        #expect(pause(2, 0.5, .milliseconds(150)) == .milliseconds(75))
    }

    @Test func `a pause that the server names is kept, and drawn apart beyond it`() {
        let policy = RetryPolicy(RPCClientConfiguration())
        func pause(
            _ named: Duration, _ luck: Double, _ remaining: Duration = .seconds(60)
        ) -> Duration? {
            policy.pause(
                after: AttemptFailure(
                    status: Status(
                        .resourceExhausted, "No place.", details: [.retryInfo(delay: named)]),
                    isUnseen: true),
                ordinal: 1, isRepeatable: false, luck: luck, remaining: remaining)
        }

        #expect(pause(.milliseconds(50), 0) == .milliseconds(50))
        #expect(pause(.milliseconds(50), 1) == .milliseconds(75))
        #expect(pause(.milliseconds(50), 1, .milliseconds(60)) == .milliseconds(55))
        #expect(pause(.milliseconds(50), 0, .milliseconds(50)) == nil)
        #expect(pause(policy.pauseMax, 1) == policy.pauseMax)
        #expect(pause(policy.pauseMax + .milliseconds(1), 0) == nil)
    }
}
