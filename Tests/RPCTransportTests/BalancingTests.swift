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
        let log = EventLog()

        let counts = try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.observer = log.observer
            } _: { client in
                try await connected(client, log, to: addresses)
                return try await answers(to: client, each: 50)
            }
        }

        #expect(counts.values.reduce(0, +) == 400)
        for number in UInt8(0)..<3 { #expect(counts[number, default: 0] > 60, "\(counts)") }
    }

    @Test func `a slow one gets fewer calls`() async throws {
        let hanging = HangingMethod()
        let server = NumberedServer(1)
        let log = EventLog()
        let slowMethods = [hanging.method(Methods.safe), NumberedServer(0).methods[1]]

        try await withServer(slowMethods) { _, slow in
            try await withServers([server]) { addresses in
                try await withClient(of: RPCTarget([slow] + addresses)) {
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [slow] + addresses)
                    var hung: [Task<[UInt8], any Error>] = []
                    try await until {
                        hung.append(Task { try await client.bytes(Methods.safe) })
                        return hanging.isStarted.load(ordering: .relaxed)
                    }
                    // It has a call in flight and the other has none.
                    try await until { log.ends == hung.count }
                    let counts = try await answers(to: client, tasks: 1)
                    hanging.cancelled.send()
                    for call in hung { _ = try await call.value }

                    #expect(counts == [1: 25])
                }
            }
        }
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
        let log = EventLog()

        let counts = try await withServers(servers) { addresses in
            try await withClient(of: RPCTarget(addresses)) {
                $0.addressesMax = 2
                $0.observer = log.observer
            } _: { client in
                try await connected(client, log, to: addresses, count: 2)
                return try await answers(to: client)
            }
        }

        #expect(counts.count == 2)
    }

    @Test func `a full connection leaves calls to others`() async throws {
        let hanging = HangingMethod()
        let server = NumberedServer(1)
        let log = EventLog()

        try await withServer([hanging.method(Methods.safe), hanging.method(Methods.unknown)]) {
            $0.callsPerConnectionMax = 1
        } _: { _, full in
            try await withServers([server]) { addresses in
                try await withClient(of: RPCTarget([full] + addresses)) {
                    $0.observer = log.observer
                } _: { client in
                    var hung: [Task<[UInt8], any Error>] = []
                    try await until {
                        hung.append(Task { try await client.bytes(Methods.safe) })
                        return hanging.isStarted.load(ordering: .relaxed)
                    }
                    let counts = try await answers(to: client, tasks: 1)
                    #expect(counts == [1: 25])
                    #expect(log.retries == 0)
                    hanging.cancelled.send()
                    for call in hung { _ = try await call.value }
                }
            }
        }
    }

    @Test func `one that is back is found at once when the last other goes`() async throws {
        let gone = try await deadAddress()
        let log = EventLog()

        try await withServer(NumberedServer(0).methods) { last, address in
            try await withClient(of: RPCTarget([gone, address])) {
                $0.attemptsMax = 1
                $0.backoffBase = .seconds(1_000)
                $0.backoffMax = .seconds(1_000)
                $0.observer = log.observer
            } _: { client in
                try await connected(client, log, to: [address])
                try await until { log.states(of: gone).last == .pausing }
                try await withServer(NumberedServer(1).methods, at: gone) { _, _ in
                    last.shutdownGracefully()
                    try await until { log.states(of: address).last != .ready }
                    let number = try await client.bytes(
                        Methods.unknown, options: CallOptions(timeout: .seconds(5)))

                    #expect(number == [1])
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

    @Test(arguments: [Methods.safe, Methods.unknown])
    func `one that takes calls and answers none is left alone`(
        _ method: MethodDescriptor
    ) async throws {
        let log = EventLog()
        let hanging = RegisteredMethod(
            method,
            .unary { payload, _ in
                try await ContinuousClock().sleep(for: .seconds(60))
                return .encoded(payload)
            })

        try await withServer([hanging]) { _, silent in
            try await withServers([NumberedServer(1)]) { addresses in
                try await withClient(of: RPCTarget([silent] + addresses)) {
                    $0.attemptsMax = 1
                    $0.ejectionFailures = 3
                    $0.ejectionBase = .seconds(20)
                    $0.observer = log.observer
                } _: { client in
                    try await connected(client, log, to: [silent] + addresses)
                    try await until {
                        _ = try? await client.bytes(
                            method, options: CallOptions(timeout: .milliseconds(20)))
                        return log.states(of: silent).last == .ejected
                    }
                    let counts = try await answers(to: client, method)

                    #expect(counts == [1: 200])
                }
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

    @Test func `a call that cannot be sent keeps no other from trying`() async throws {
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
                try await until {
                    _ = try await client.bytes(Methods.safe)
                    return log.states(of: addresses[0]).contains(.ejected)
                }
                servers[0].isUnwell.store(false, ordering: .relaxed)
                try await until { log.states(of: addresses[0]).last != .ejected }
                let refused = await status {
                    try await client.bytes(Methods.safe, [UInt8](repeating: 1, count: 200_000))
                }
                try await until {
                    _ = try await client.bytes(Methods.safe)
                    return log.states(of: addresses[0]).last == .ready
                }

                #expect(refused?.rpcReason == .requestTooLarge)
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
