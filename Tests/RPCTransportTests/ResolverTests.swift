import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// Finds what a test says.
private struct ScriptedResolver: Resolver {
    let source = AsyncStream<Resolution>.makeStream()
    var description: String { "scripted" }

    func resolutions(_ requests: RefreshRequests) -> AsyncStream<Resolution> { source.stream }

    func say(_ addresses: RPCAddress...) { source.continuation.yield(.addresses(addresses)) }
}

@Suite(.timeLimit(.minutes(1))) struct `Targets by name` {
    @Test func `servers that join get calls, and the others keep their connections`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]
        let resolver = ScriptedResolver()
        let log = EventLog()

        try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(resolver)) {
                $0.observer = log.observer
            } _: { client in
                resolver.say(addresses[0])
                let first = try await client.bytes(Methods.unknown)
                resolver.say(addresses[0], addresses[1])
                try await until { try await client.bytes(Methods.unknown) == [1] }

                #expect(first == [0])
                #expect(log.states(of: addresses[0]) == [.connecting, .ready])
            }
        }
    }

    @Test func `servers that leave get no further calls, and those in flight end well`()
        async throws
    {
        let hanging = HangingMethod()
        let server = NumberedServer(1)
        let resolver = ScriptedResolver()
        let log = EventLog()

        try await withServer([hanging.method(), NumberedServer(0).methods[1]]) { old, address in
            try await withServers([server]) { addresses in
                try await withClient(of: RPCTarget(resolver)) {
                    $0.observer = log.observer
                } _: { client in
                    resolver.say(address)
                    async let hung = client.bytes(Methods.hang, [9])
                    await hanging.started.wait()
                    resolver.say(addresses[0])
                    try await until { log.states(of: addresses[0]).last == .ready }
                    for _ in 0..<20 {
                        let number = try await client.bytes(Methods.unknown)
                        #expect(number == [1])
                    }
                    hanging.cancelled.send()
                    let answer = try await hung
                    #expect(answer == [9])
                    try await until { old.connectionCount == 0 }
                }
            }
        }
    }

    @Test func `a target of one server by its host's name`() async throws {
        try await withServer { _, address in
            guard case .tcp(_, let port) = address else { return }
            let target = try RPCTarget(parsing: "dns:localhost:\(port)")

            let reply = try await withClient(of: target) { try await $0.bytes(Methods.echo, [6]) }

            #expect(reply == [6])
        }
    }

    @Test func `names are looked up again from time to time`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]

        try await withServers(servers) { addresses in
            let hasMoved = Atomic<Bool>(false)
            let resolver = DNSResolver(
                host: "servers", port: 1, interval: .milliseconds(10), pauseMin: .milliseconds(1)
            ) { _, _ in
                .addresses([addresses[hasMoved.load(ordering: .relaxed) ? 1 : 0]])
            }
            try await withClient(of: RPCTarget(resolver)) { client in
                let first = try await client.bytes(Methods.unknown)
                hasMoved.store(true, ordering: .relaxed)
                try await until { try await client.bytes(Methods.unknown) == [1] }

                #expect(first == [0])
            }
        }
    }

    @Test func `names are looked up again when a connection fails`() async throws {
        let server = NumberedServer(1)
        let dead = try await deadAddress()

        try await withServers([server]) { addresses in
            let looks = Counter()
            let resolver = DNSResolver(
                host: "servers", port: 1, interval: .seconds(1_000), pauseMin: .milliseconds(1)
            ) { _, _ in
                looks.increment()
                return .addresses(looks.value == 1 ? [dead] : addresses)
            }
            try await withClient(of: RPCTarget(resolver)) { client in
                let reply = try await client.bytes(
                    Methods.unknown,
                    options: CallOptions(timeout: .seconds(20), waitsForReady: true))

                #expect(reply == [1])
                #expect(looks.value >= 2)
            }
        }
    }

    @Test func `what cannot be resolved is said so, and looked up again for those who wait`()
        async throws
    {
        let server = NumberedServer(1)

        try await withServers([server]) { addresses in
            let isThere = Atomic<Bool>(false)
            let resolver = DNSResolver(
                host: "servers", port: 1, interval: .seconds(1_000), pauseMin: .milliseconds(1)
            ) { _, _ in
                isThere.load(ordering: .relaxed) ? .addresses(addresses) : .failed("no such name")
            }
            try await withClient(of: RPCTarget(resolver)) {
                $0.attemptsMax = 1
            } _: { client in
                let seen = await status { try await client.bytes(Methods.unknown) }
                isThere.store(true, ordering: .relaxed)
                let reply = try await client.bytes(
                    Methods.unknown,
                    options: CallOptions(timeout: .seconds(20), waitsForReady: true))

                #expect(seen?.code == .unavailable)
                #expect(seen?.message.contains("dns:servers:1: no such name") == true)
                #expect(seen?.message.contains("phase resolve") == true)
                #expect(reply == [1])
            }
        }
    }

    @Test func `a look-up finds every address once, or says why not`() async throws {
        guard case .addresses(let addresses) = await DNSResolver.lookUp("localhost", port: 7) else {
            Issue.record("localhost is not known")
            return
        }
        let unknown = await DNSResolver.lookUp("no-such-host.invalid", port: 7)

        #expect(addresses.contains(.tcp(host: "127.0.0.1", port: 7)))
        #expect(Set(addresses).count == addresses.count)
        guard case .failed = unknown else {
            Issue.record("\(unknown)")
            return
        }
    }

    @Test(arguments: [
        "a:1", "a:1,b:2", "unix:/run/a,b", "dns:a:1", "[::1]:1,127.0.0.1:2", "dns:[::1]:1",
    ])
    func `targets are read as they are written`(text: String) throws {
        #expect(try RPCTarget(parsing: text).description == text)
    }

    @Test(arguments: ["", "a", "a:1,", ",a:1", "dns:", "dns:a", "dns:unix:/a", "a:1,b"])
    func `what is no target is refused`(text: String) {
        #expect(throws: RPCAddressFault.self) { try RPCTarget(parsing: text) }
    }
}
