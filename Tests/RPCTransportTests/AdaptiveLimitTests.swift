import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// The limit of a method as a server with so much capacity would see it, on a clock moved by hand.
private struct Plant {
    var limit: AdaptiveLimit
    /// How long a call takes that waits for nothing, and how many of them proceed at once.
    var latency = Duration.milliseconds(10)
    var capacity = 64
    /// How many calls the callers would have in flight.
    var demand: Int
    var now = MonotonicInstant.now

    init(floor: Int = 8, ceiling: Int = 256, demand: Int) {
        limit = AdaptiveLimit(floor: floor, ceiling: ceiling)
        self.demand = demand
    }

    /// Calls in flight beyond the capacity wait in line, so that each takes longer.
    mutating func run(windows: Int) {
        for _ in 0..<windows {
            let inFlight = min(demand, limit.limit)
            let taken = latency * max(1, Double(inFlight) / Double(capacity))
            var calls = AdaptiveLimit.Sample()
            for _ in 0..<100 { calls.add(taken, inFlight: inFlight) }
            now = now.advanced(by: AdaptiveLimit.windowTime)
            limit.note(calls, at: now)
        }
    }
}

@Suite struct `The adaptive limit of a method` {
    @Test func `a new limit refuses nobody`() {
        #expect(AdaptiveLimit(floor: 8, ceiling: 256).limit == 256)
        #expect(AdaptiveLimit(floor: 8, ceiling: 4).floor == 4)
        #expect(AdaptiveLimit(floor: 0, ceiling: 0).limit == 1)
    }

    @Test func `steady load keeps it up`() {
        var plant = Plant(demand: 200)
        plant.capacity = 256

        plant.run(windows: 1_000)

        #expect(plant.limit.limit == 256)
    }

    @Test func `latency that rises lowers it, and so the latency`() {
        var plant = Plant(demand: 250)
        plant.capacity = 256
        plant.run(windows: 50)

        plant.capacity = 16
        plant.run(windows: 60)

        // Twice the usual time is tolerated: twice the capacity in flight, and the headroom.
        #expect(plant.limit.limit < 80)
        #expect(plant.limit.limit > 32)
    }

    @Test func `it recovers with the latency`() {
        var plant = Plant(demand: 250)
        plant.capacity = 256
        plant.run(windows: 50)
        plant.capacity = 16
        plant.run(windows: 60)
        let low = plant.limit.limit

        plant.capacity = 256
        plant.run(windows: 100)

        #expect(low < 80)
        #expect(plant.limit.limit == 256)
    }

    @Test func `it never falls below the floor nor rises above the ceiling`() {
        var plant = Plant(floor: 8, ceiling: 32, demand: 1_000)
        plant.capacity = 1_000
        plant.run(windows: 20)
        var seen: Set<Int> = []
        for _ in 0..<40 {
            plant.latency = .seconds(5)
            plant.run(windows: 60)
            seen.insert(plant.limit.limit)
            plant.latency = .milliseconds(1)
            plant.run(windows: 60)
            seen.insert(plant.limit.limit)
        }

        #expect(seen.min() == 8)
        #expect(seen.max().map { $0 <= 32 } == true)
    }

    @Test func `slow calls of somebody who is alone change nothing`() {
        var plant = Plant(demand: 3)
        plant.run(windows: 20)

        plant.latency = .seconds(3)
        plant.run(windows: 200)

        #expect(plant.limit.limit == 256)
    }

    @Test func `a time that lasts for a quarter of an hour becomes the usual one`() {
        var plant = Plant(demand: 250)
        plant.capacity = 256
        plant.run(windows: 50)

        plant.latency = .milliseconds(60)
        plant.run(windows: 50)
        let soon = plant.limit.limit
        plant.run(windows: 5 * 15 * 60)

        #expect(soon < 64)
        #expect(plant.limit.limit == 256)
    }

    @Test func `few calls, and calls within a short time, make no window`() {
        var limit = AdaptiveLimit(floor: 1, ceiling: 4)
        let start = MonotonicInstant.now
        var fast = AdaptiveLimit.Sample()
        for _ in 0..<20 { fast.add(.milliseconds(1), inFlight: 4) }
        limit.note(fast, at: start)
        limit.note(fast, at: start.advanced(by: AdaptiveLimit.windowTime / 2))
        let early = limit.usualLatency
        limit.note(fast, at: start.advanced(by: AdaptiveLimit.windowTime))
        let learned = limit.usualLatency
        var few = AdaptiveLimit.Sample()
        for _ in 0..<19 { few.add(.seconds(9), inFlight: 4) }
        limit.note(few, at: start.advanced(by: .seconds(60)))

        #expect(early == 0)
        #expect(learned > 0)
        #expect(limit.usualLatency == learned)
    }
}

@Suite(.timeLimit(.minutes(1))) struct `The adaptive limit in a server` {
    /// Calls that take as long as a test says.
    private final class Pace: Sendable {
        let milliseconds = Atomic<Int>(1)

        var method: RegisteredMethod {
            RegisteredMethod(
                Methods.hang,
                .unary { payload, _ in
                    let time = self.milliseconds.load(ordering: .relaxed)
                    try await ContinuousClock().sleep(for: .milliseconds(time))
                    return .encoded(payload)
                })
        }
    }

    /// Calls again and again from so many tasks, until the test ends; counts refusals by reason.
    private func underLoad(
        _ tasks: Int, on client: RPCClient, _ body: (RefusalCounter) async throws -> Void
    ) async throws {
        let refusals = RefusalCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            _ = try await client.bytes(Methods.hang)
                        } catch let status as Status {
                            refusals.note(status)
                        }
                    }
                }
            }
            try await body(refusals)
            group.cancelAll()
        }
    }

    private final class RefusalCounter: Sendable {
        private let seen = Mutex<[String: Status]>([:])

        func note(_ status: Status) {
            seen.withLock { $0[status.reason ?? ""] = status }
        }

        subscript(reason: String) -> Status? { seen.withLock { $0[reason] } }
    }

    @Test func `calls that get slow under load are held back, others are not`() async throws {
        let pace = Pace()
        let monitor = RPCServerMonitor()
        func limit() async throws -> MethodReport.Concurrency {
            let reports = await monitor.methods()
            return try #require(reports.first { $0.path == Methods.hang.path }?.concurrency)
        }

        try await withServer([pace.method, Methods.echoing], monitor: monitor) {
            $0.callsPerMethodMin = 2
            $0.callsPerMethodMax = 32
            $0.queueTimeMax = .milliseconds(5)
        } _: { _, address in
            try await withClient(address) {
                $0.attemptsMax = 1
            } _: { client in
                try await underLoad(32, on: client) { refusals in
                    // What is usual must be known first.
                    let usual = AdaptiveLimit.windowTime * (2 * AdaptiveLimit.warmUpWindows)
                    try await ContinuousClock().sleep(for: usual)
                    let before = try await limit()
                    pace.milliseconds.store(50, ordering: .relaxed)
                    try await until { try await limit().max < 16 }
                    try await until { refusals["method_busy"] != nil }
                    let other = try await client.bytes(Methods.echo, [1])
                    let refused = refusals["method_busy"]
                    pace.milliseconds.store(1, ordering: .relaxed)
                    try await until { try await limit().max == 32 }

                    #expect(before.max == 32)
                    #expect(other == [1])
                    #expect(refused?.code == .resourceExhausted)
                    #expect(refused?.details.contains(.retryInfo(delay: .milliseconds(50))) == true)
                }
            }
        }
    }

    @Test func `no more calls of a method are suspended than its limit, even of one burst`()
        async throws
    {
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing]) {
            $0.callsPerMethodMax = 2
            $0.queueMax = 1
            $0.queueTimeMax = .milliseconds(50)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, Methods.hang), .call(3, Methods.hang), .call(5, Methods.hang),
                .call(7, Methods.hang), .call(9, Methods.echo, [9]))
            var endings: [UInt32: Frame.Ending] = [:]
            while endings.count < 3, let received = try await raw.next() {
                if case .end(let call, let ending) = received.frame { endings[call] = ending }
            }
            hanging.cancelled.send()
            await raw.close()

            #expect(endings[9]?.status.code == .ok)
            #expect(endings[5]?.status.reason == "method_busy")
            #expect(endings[7]?.status.reason == "method_busy")
        }
    }

    @Test func `a call that waits for its method begins when another of it ends`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) {
            $0.callsPerMethodMax = 1
            $0.queueTimeMax = .seconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang), .call(3, Methods.hang, [3]))
            await hanging.started.wait()
            hanging.cancelled.send()
            let first = try await raw.end(of: 1)
            let second = try await raw.end(of: 3)
            await raw.close()

            #expect(first?.status.code == .ok)
            #expect(second?.status.code == .ok)
        }
    }

    @Test func `streams and reserved services have none`() async {
        let health = MethodDescriptor(service: "guildhall.rpc.v1.Health", name: "Check")
        let methods = ServerMethods(
            Router(services: [
                [
                    Methods.echoing, Methods.counting,
                    RegisteredMethod(health, .unary { payload, _ in .encoded(payload) }),
                ]
            ]), RPCServerConfiguration(address: .unix(path: "/nowhere")))

        #expect(methods.announced.map { $0.limiter != nil } == [true, false, false])
    }
}
