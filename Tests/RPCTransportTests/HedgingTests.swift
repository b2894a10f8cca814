import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Hedging` {
    /// A server that never answers, and one that does.
    private func withSlowAndFast(
        _ hanging: HangingMethod, tokens: Int = 10,
        _ body: @Sendable (RPCClient, EventLog) async throws -> Void
    ) async throws {
        let log = EventLog()
        try await withServer([hanging.method(Methods.safe), hanging.method(Methods.unknown)]) {
            _, slow in
            try await withServers([NumberedServer(1)]) { addresses in
                try await withClient(of: RPCTarget([slow] + addresses)) {
                    $0.retryTokensMax = tokens
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [slow] + addresses)
                    try await body(client, log)
                }
            }
        }
    }

    /// Calls until one meets the server that never answers.
    private func callUntilSlow(
        _ client: RPCClient, _ hanging: HangingMethod, _ options: CallOptions,
        _ method: MethodDescriptor = Methods.safe
    ) async throws {
        try await until {
            _ = try await client.bytes(method, options: options)
            return hanging.isStarted.load(ordering: .relaxed)
        }
    }

    @Test func `a slow call is answered by another server, and the slow one cancelled`()
        async throws
    {
        let hanging = HangingMethod()

        try await withSlowAndFast(hanging) { client, log in
            try await callUntilSlow(
                client, hanging,
                CallOptions(timeout: .seconds(20), hedgeAfter: .milliseconds(5)))
            await hanging.cancelled.wait()

            #expect(log.hedges >= 1)
        }
    }

    @Test func `it takes from the budget of further attempts`() async throws {
        let hanging = HangingMethod()

        try await withSlowAndFast(hanging, tokens: 0) { client, log in
            let seen = await status {
                try await callUntilSlow(
                    client, hanging,
                    CallOptions(timeout: .milliseconds(50), hedgeAfter: .milliseconds(1)))
            }

            #expect(seen?.code == .deadlineExceeded)
            #expect(log.hedges == 0)
        }
    }

    @Test func `it is one of the attempts that a call may have`() async throws {
        let hanging = HangingMethod()
        let log = EventLog()

        try await withServer([hanging.method(Methods.safe)]) { _, slow in
            try await withServers([NumberedServer(1)]) { addresses in
                try await withClient(of: RPCTarget([slow] + addresses)) {
                    $0.attemptsMax = 1
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [slow] + addresses)
                    let seen = await status {
                        try await callUntilSlow(
                            client, hanging,
                            CallOptions(timeout: .milliseconds(50), hedgeAfter: .milliseconds(1)))
                    }

                    #expect(seen?.code == .deadlineExceeded)
                    #expect(log.hedges == 0)
                }
            }
        }
    }

    @Test func `a call that waits for a place is hedged once it is sent`() async throws {
        let busy = [HangingMethod(), HangingMethod()]
        let slow = [HangingMethod(), HangingMethod()]
        let log = EventLog()
        func methods(_ number: Int) -> [RegisteredMethod] {
            [busy[number].method(Methods.unknown), slow[number].method(Methods.safe)]
        }

        try await withServer(methods(0)) {
            $0.callsPerConnectionMax = 1
        } _: { _, first in
            try await withServer(methods(1)) {
                $0.callsPerConnectionMax = 1
            } _: { _, second in
                try await withClient(of: RPCTarget([first, second])) {
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [first, second])
                    async let blocking = client.bytes(Methods.unknown)
                    async let alike = client.bytes(Methods.unknown)
                    for hanging in busy { await hanging.started.wait() }
                    async let reply = client.bytes(
                        Methods.safe,
                        options: CallOptions(timeout: .seconds(20), hedgeAfter: .milliseconds(1)))
                    // Its time is over many times, and there is nobody to send it to.
                    try await ContinuousClock().sleep(for: .milliseconds(20))
                    #expect(log.hedges == 0)
                    for hanging in busy { hanging.cancelled.send() }
                    for hanging in slow { await hanging.started.wait() }
                    for hanging in slow { hanging.cancelled.send() }
                    _ = try await (blocking, alike, reply)

                    #expect(log.hedges == 1)
                }
            }
        }
    }

    @Test func `calls that may change something are sent once`() async throws {
        let hanging = HangingMethod()

        try await withSlowAndFast(hanging) { client, log in
            let seen = await status {
                try await callUntilSlow(
                    client, hanging,
                    CallOptions(timeout: .milliseconds(50), hedgeAfter: .milliseconds(1)),
                    Methods.unknown)
            }

            #expect(seen?.code == .deadlineExceeded)
            #expect(log.hedges == 0)
        }
    }

    @Test func `the only server is asked once`() async throws {
        let hanging = HangingMethod()
        let log = EventLog()

        try await withServerAndClient(
            [hanging.method(Methods.safe)], configure: { $0.observer = log.observer }
        ) { client in
            async let reply = client.bytes(
                Methods.safe, [3],
                options: CallOptions(timeout: .seconds(20), hedgeAfter: .milliseconds(1)))
            await hanging.started.wait()
            try await ContinuousClock().sleep(for: .milliseconds(10))
            hanging.cancelled.send()

            let answer = try await reply
            #expect(answer == [3])
            #expect(log.hedges == 0)
        }
    }

    @Test func `the caller's cancellation ends both attempts`() async throws {
        let slow = [HangingMethod(), HangingMethod()]
        let log = EventLog()

        try await withServer([slow[0].method(Methods.safe)]) { _, first in
            try await withServer([slow[1].method(Methods.safe)]) { _, second in
                try await withClient(of: RPCTarget([first, second])) {
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [first, second])
                    let call = Task {
                        try await client.bytes(
                            Methods.safe,
                            options: CallOptions(
                                timeout: .seconds(20), hedgeAfter: .milliseconds(20)))
                    }
                    for hanging in slow { await hanging.started.wait() }
                    call.cancel()
                    let seen = await status { try await call.value }
                    for hanging in slow { await hanging.cancelled.wait() }

                    #expect(seen?.code == .cancelled)
                }
            }
        }
    }
}
