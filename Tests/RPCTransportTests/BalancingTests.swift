import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Several servers` {
    /// Calls from several tasks; the servers that answered, by number.
    private func answers(
        to client: RPCClient, _ method: MethodDescriptor = Methods.unknown, tasks: Int = 8,
        each: Int = 25
    ) async throws -> [UInt8: Int] {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var numbers: [UInt8] = []
                    for _ in 0..<each { numbers += try await client.bytes(method) }
                    return numbers
                }
            }
            var counts: [UInt8: Int] = [:]
            for try await numbers in group {
                for number in numbers { counts[number, default: 0] += 1 }
            }
            return counts
        }
    }

    @Test func `calls spread over all of them`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1), NumberedServer(2)]

        let counts = try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) { client in
                // Calls before all are connected go to those that are.
                _ = try await answers(to: client, each: 5)
                return try await answers(to: client, each: 50)
            }
        }

        #expect(counts.values.reduce(0, +) == 400)
        for number in UInt8(0)..<3 { #expect(counts[number, default: 0] > 60, "\(counts)") }
    }

    @Test func `a slow one gets fewer calls`() async throws {
        let servers = [
            NumberedServer(0, delay: .milliseconds(1)), NumberedServer(1, delay: .milliseconds(20)),
        ]

        let counts = try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) { client in
                try await answers(to: client, tasks: 16, each: 20)
            }
        }

        #expect(counts[1, default: 0] * 3 < counts[0, default: 0], "\(counts)")
    }

    @Test func `a dead one costs no call`() async throws {
        let server = NumberedServer(7)
        let dead = try await deadAddress()

        let counts = try await withServers([server]) { addresses in
            try await withClient(of: RPCTarget([dead] + addresses + [dead])) {
                $0.attemptsMax = 1
            } _: { client in
                try await answers(to: client)
            }
        }

        #expect(counts == [7: 200])
    }

    @Test func `when all are dead the call says so`() async throws {
        let addresses = [try await deadAddress(), try await deadAddress()]

        let seen = try await withClient(of: RPCTarget(addresses)) {
            $0.attemptsMax = 1
        } _: { client in
            await status { try await client.bytes(Methods.unknown) }
        }

        #expect(seen?.code == .unavailable)
        #expect(seen?.message.contains("phase connect") == true)
        #expect(seen?.message.contains("has not seen the call") == true)
    }

    @Test func `of too many addresses a client uses its own few`() async throws {
        let servers = (0..<4).map { NumberedServer(UInt8($0)) }

        let counts = try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.addressesMax = 2
            } _: { client in
                _ = try await answers(to: client, each: 5)
                return try await answers(to: client)
            }
        }

        #expect(counts.count == 2)
    }

    @Test func `a full connection leaves calls to others`() async throws {
        let hanging = HangingMethod()
        let server = NumberedServer(1)

        try await withServer([hanging.method(Methods.safe), hanging.method(Methods.unknown)]) {
            $0.callsPerConnectionMax = 1
        } _: { _, full in
            try await withServers([server]) { addresses in
                try await withClient(of: RPCTarget([full] + addresses)) { client in
                    // Most of the first calls meet the server that hangs.
                    let hung = (0..<4).map { _ in Task { try await client.bytes(Methods.safe) } }
                    await hanging.started.wait()
                    let counts = try await answers(to: client, tasks: 1)
                    #expect(counts == [1: 25])
                    hanging.cancelled.send()
                    for call in hung { _ = try await call.value }
                }
            }
        }
    }

    @Test func `one that answers UNAVAILABLE is left alone`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]
        let log = EventLog()
        servers[0].isUnwell.store(true, ordering: .relaxed)

        try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.ejectionFailures = 3
                $0.ejectionBase = .seconds(20)
                $0.retryBase = .milliseconds(1)
                $0.observer = log.observer
            } _: { client in
                try await until {
                    _ = try await client.bytes(Methods.safe)
                    return log.states(of: addresses[0]).last == .ejected
                }
                let before = servers[0].calls.value
                let counts = try await answers(to: client)

                #expect(before == 3)
                #expect(servers[0].calls.value == before)
                #expect(counts == [1: 200])
            }
        }
    }

    @Test func `one that is well again gets calls again, after one that tries`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]
        let log = EventLog()
        servers[0].isUnwell.store(true, ordering: .relaxed)

        try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.ejectionFailures = 2
                $0.ejectionBase = .milliseconds(5)
                $0.retryBase = .milliseconds(1)
                $0.observer = log.observer
            } _: { client in
                // Ejected twice: the one call that tried has failed.
                try await until {
                    _ = try await client.bytes(Methods.safe)
                    return log.states(of: addresses[0]).count { $0 == .ejected } == 2
                }
                let unwell = servers[0].calls.value
                servers[0].isUnwell.store(false, ordering: .relaxed)
                try await until {
                    _ = try await client.bytes(Methods.safe)
                    return log.states(of: addresses[0]).last == .ready
                }
                let counts = try await answers(to: client)

                #expect(unwell == 3)
                #expect(counts[0, default: 0] > 30)
            }
        }
    }

    @Test func `when most are unwell all are used`() async throws {
        let servers = [NumberedServer(0), NumberedServer(1)]
        for server in servers { server.isUnwell.store(true, ordering: .relaxed) }

        try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.attemptsMax = 1
                $0.ejectionFailures = 1
                $0.ejectionBase = .seconds(20)
            } _: { client in
                for _ in 0..<40 {
                    let seen = await status { try await client.bytes(Methods.unknown) }
                    #expect(seen?.message == "Not now.")
                }
                // The one that still takes calls is gone: the other has to.
                for server in servers { server.isUnwell.store(false, ordering: .relaxed) }
                _ = try await client.bytes(Methods.unknown)
            }
        }
    }
}
