import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Rolling restarts` {
    /// A server on a port of its own that can be restarted.
    private struct Instance {
        let address: RPCAddress
        private var server: RPCServer
        private var running: Task<Void, any Error>

        /// Answers with the request, at once or after having suspended.
        private static let methods = [Methods.safe, Methods.unknown].map { method in
            RegisteredMethod(
                method,
                .unary { payload, _ in
                    for _ in 0..<20 { await Task.yield() }
                    return .encoded(payload)
                })
        }

        init(at address: RPCAddress = .tcp(host: "127.0.0.1", port: 0)) async throws {
            server = RPCServer(
                router: Router(services: [Self.methods]),
                configuration: RPCServerConfiguration(address: address))
            running = Task { [server] in try await server.run() }
            self.address = try await server.boundAddress
        }

        func stop() async throws {
            server.shutdownGracefully()
            try await running.value
        }

        mutating func restart() async throws {
            try await stop()
            self = try await Instance(at: address)
        }
    }

    /// Calls one after the other, of either kind, and what came of them.
    private final class Load: Sendable {
        private let isOver = Atomic<Bool>(false)
        private let failures = Mutex<[Status]>([])
        let answered = Counter()

        var lost: [Status] { failures.withLock { $0 } }

        func run(_ client: RPCClient, _ number: UInt8) async {
            let method = number % 2 == 0 ? Methods.safe : Methods.unknown
            while !isOver.load(ordering: .relaxed) {
                do throws(any Error) {
                    let reply = try await client.bytes(method, [number])
                    #expect(reply == [number])
                    answered.increment()
                } catch {
                    failures.withLock { $0.append(Status(thrown: error)) }
                }
            }
        }

        func end() { isOver.store(true, ordering: .relaxed) }
    }

    @Test(arguments: [1, 2])
    func `two servers restarted in turn under load lose no call`(threads: Int) async throws {
        var instances = [try await Instance(), try await Instance()]
        let loops = RPCEventLoops(threadCount: threads)
        let client = RPCClient(RPCTarget(instances.map(\.address)), loops: loops)
        let load = Load()

        let callers = (0..<24).map { number in
            Task { await load.run(client, UInt8(number)) }
        }
        for round in 0..<8 {
            let goal = load.answered.value + 300
            try await until { load.answered.value >= goal }
            try await instances[round % 2].restart()
        }
        load.end()
        for caller in callers { await caller.value }
        await client.close()
        await loops.shutDown()
        for instance in instances { try await instance.stop() }

        #expect(load.lost == [])
    }
}
