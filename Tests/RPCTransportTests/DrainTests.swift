import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Draining` {
    @Test func `a call in flight ends well, then the server returns`() async throws {
        let hanging = HangingMethod()
        let address = RPCAddress.tcp(host: "127.0.0.1", port: 0)
        let server = RPCServer(
            router: Router(services: [[hanging.method()]]),
            configuration: RPCServerConfiguration(address: address))

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let raw = try await RawConnection.open(to: try await server.boundAddress)
            try await raw.send(.call(1, Methods.hang, [3]))
            await hanging.started.wait()
            server.shutdownGracefully()
            guard case .goaway(let goaway)? = try await raw.next()?.frame else {
                Issue.record("no Goaway")
                return
            }
            hanging.cancelled.send()
            let ending = try await raw.end(of: 1)
            let after = try await raw.next()
            try await group.waitForAll()

            #expect(goaway.lastCall == 1)
            #expect(goaway.status.code == .unavailable)
            #expect(ending?.status.code == .ok)
            #expect(after == nil)
        }
    }

    @Test func `a call after Goaway is not begun`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing]) { server, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            server.shutdownGracefully()
            _ = try await raw.next()
            try await raw.send(.call(3, Methods.echo))
            hanging.cancelled.send()
            var ended: [UInt32] = []
            while let received = try await raw.next() {
                if case .end(let call, _) = received.frame { ended.append(call) }
            }
            #expect(ended == [1])
        }
    }

    @Test func `calls that do not end are ended when the time is over`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) {
            $0.drainTimeout = .milliseconds(30)
        } _: { server, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            server.shutdownGracefully()
            let ending = try await raw.end(of: 1)
            await hanging.cancelled.wait()

            #expect(ending?.status.code == .unavailable)
        }
    }

    @Test func `streams are ended soon`() async throws {
        let hanging = HangingMethod()
        let watching = RegisteredMethod(
            Methods.count, .serverStreaming { _, _, _ in await hanging.hang() })

        try await withServer([watching]) {
            $0.streamDrainTimeout = .milliseconds(10)
        } _: { server, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.count, timeout: nil))
            await hanging.started.wait()
            server.shutdownGracefully()
            let ending = try await raw.end(of: 1)

            #expect(ending?.status.code == .unavailable)
        }
    }

    @Test func `cancelling the task that runs the server drains it`() async throws {
        let server = RPCServer(
            router: Router(services: [[Methods.echoing]]),
            configuration: RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)))

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = try await server.boundAddress
            try await withClient(address) { client in
                _ = try await client.bytes(Methods.echo)
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(server.connectionCount == 0)
    }

    @Test func `a restart under load loses no call`() async throws {
        let slow = RegisteredMethod(
            Methods.unary("Slow"),
            .unary { payload, _ in
                for _ in 0..<20 { await Task.yield() }
                return .encoded(payload)
            })
        let address = try await withServer([]) { _, address in address }
        let load = Load()

        try await withClient(address) { client in
            let callers = (0..<16).map { _ in Task { await load.run(client) } }
            for _ in 0..<5 {
                try await withServer([slow], at: address) { _, _ in
                    await load.answered(atLeast: 200)
                }
            }
            try await withServer([slow], at: address) { _, _ in
                load.end()
                for caller in callers { await caller.value }
            }
        }

        #expect(load.lost == [])
    }

    /// Calls one after the other, and what came of them.
    private final class Load: Sendable {
        private let isOver = Atomic<Bool>(false)
        private let count = Atomic<Int>(0)
        private let failures = Mutex<[Status]>([])

        var lost: [Status] { failures.withLock { $0 } }

        func run(_ client: RPCClient) async {
            let options = CallOptions(timeout: .seconds(20), waitsForReady: true)
            while !isOver.load(ordering: .relaxed) {
                do throws(any Error) {
                    _ = try await client.bytes(Methods.unary("Slow"), options: options)
                    count.wrappingAdd(1, ordering: .relaxed)
                } catch {
                    failures.withLock { $0.append(Status(thrown: error)) }
                }
            }
        }

        func end() { isOver.store(true, ordering: .relaxed) }

        /// Waits until so many further calls were answered.
        func answered(atLeast more: Int) async {
            let goal = count.load(ordering: .relaxed) + more
            while count.load(ordering: .relaxed) < goal { await Task.yield() }
        }
    }

    @Test func `an address in use is an error`() async throws {
        try await withServer([]) { _, address in
            let second = RPCServer(
                router: Router(services: []),
                configuration: RPCServerConfiguration(address: address))
            await #expect(throws: (any Error).self) { try await second.run() }
            await #expect(throws: (any Error).self) { try await second.boundAddress }
        }
    }
}
