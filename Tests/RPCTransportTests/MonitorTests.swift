import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `What a server tells of itself` {
    private let failing = RegisteredMethod(
        Methods.unary("Fail"),
        .unary { payload, _ in
            throw Status(.notFound, String(repeating: "x", count: payload.bytes.count))
        })
    private let waiting = RegisteredMethod(
        Methods.unary("Wait", .safe),
        .unary { payload, _ in
            try await ContinuousClock().sleep(for: .milliseconds(20))
            return .encoded(payload)
        })
    private let answering = RegisteredMethod(
        Methods.unary("Now", .safe), .synchronous { payload, _ in .encoded(payload) })

    private func report(
        _ method: MethodDescriptor, of monitor: RPCServerMonitor
    ) async throws -> MethodReport {
        let reports = await monitor.methods()
        return try #require(reports.first { $0.path == method.path })
    }

    @Test func `calls are counted by method and outcome, however they are answered`() async throws {
        let monitor = RPCServerMonitor()
        let methods = [Methods.echoing, failing, waiting, answering, Methods.counting]

        try await withServer(methods, monitor: monitor) { _, address in
            try await withClient(address) { client in
                for method in [Methods.echo, waiting.descriptor, answering.descriptor] {
                    for _ in 0..<3 { _ = try await client.bytes(method, [1]) }
                }
                _ = await status { try await client.bytes(failing.descriptor, [1, 2]) }
                _ = await status { try await client.bytes(Methods.unary("Nowhere")) }
                try await client.serverStreaming(
                    Methods.count, .encoded([UInt8]([2, 0])), options: CallOptions()
                ) { _ in }
                let server = await monitor.server()
                let waited = try await report(waiting.descriptor, of: monitor)
                let failed = try await report(failing.descriptor, of: monitor)
                let streamed = try await report(Methods.count, of: monitor)

                for method in [Methods.echo, waiting.descriptor, answering.descriptor] {
                    let told = try await report(method, of: monitor)
                    #expect(told.begun == 3)
                    #expect(told.succeeded == 3)
                    #expect(told.inFlight == 0)
                    #expect(told.latency.count == 3)
                }
                #expect(waited.latency.sum >= .milliseconds(60))
                #expect(failed.failed == [.notFound: 1])
                #expect(failed.failures.map(\.message) == ["xx"])
                #expect(streamed.succeeded == 1)
                #expect(streamed.latency.count == 0)
                #expect(server.callsBegun == 11)
                #expect(server.callsSucceeded == 10)
                #expect(server.callsFailed == 1)
                #expect(server.callsOfUnknownMethods == 1)
            }
        }
    }

    @Test func `a call in flight is told, and counts as cancelled when its caller goes away`()
        async throws
    {
        let monitor = RPCServerMonitor()
        let hanging = HangingMethod()

        try await withServer([hanging.method()], monitor: monitor) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            let during = try await report(Methods.hang, of: monitor)
            let connections = await monitor.connections()
            await raw.close()
            await hanging.cancelled.wait()
            let after = try await report(Methods.hang, of: monitor)

            #expect(during.inFlight == 1)
            #expect(connections.map(\.callsInFlight) == [1])
            #expect(after.inFlight == 0)
            #expect(after.failed == [.cancelled: 1])
        }
    }

    @Test func `a call whose deadline passes and one that finds no place are failures`()
        async throws
    {
        let monitor = RPCServerMonitor()
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing], monitor: monitor) {
            $0.callsMax = 1
            $0.queueMax = 0
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang, timeout: .milliseconds(50)))
            await hanging.started.wait()
            try await raw.send(.call(3, Methods.echo))
            _ = try await raw.end(of: 1)
            await raw.close()
            let late = try await report(Methods.hang, of: monitor)
            let refused = try await report(Methods.echo, of: monitor)

            #expect(late.failed == [.deadlineExceeded: 1])
            #expect(late.failures.first.map { $0.duration >= .milliseconds(50) } == true)
            #expect(refused.failed == [.resourceExhausted: 1])
        }
    }

    @Test func `slow calls and failures are remembered, the last few of each, newest first`()
        async throws
    {
        let monitor = RPCServerMonitor()

        try await withServer([failing, waiting, answering], monitor: monitor) {
            $0.slowCallTime = .milliseconds(10)
        } _: { _, address in
            try await withClient(address) { client in
                _ = try await client.bytes(waiting.descriptor)
                _ = try await client.bytes(answering.descriptor)
                for count in 1...7 {
                    _ = await status {
                        try await client.bytes(
                            failing.descriptor, [UInt8](repeating: 0, count: 100 * count))
                    }
                }
                let failed = try await report(failing.descriptor, of: monitor)
                let waited = try await report(waiting.descriptor, of: monitor)

                #expect(waited.slow.map(\.code) == [.ok])
                #expect(try await report(answering.descriptor, of: monitor).slow.isEmpty)
                #expect(failed.failed == [.notFound: 7])
                #expect(failed.failures.count == 5)
                #expect(failed.failures.allSatisfy { $0.message.utf8.count == 200 })
                #expect(failed.failures.map(\.age) == failed.failures.map(\.age).sorted())
            }
        }
    }

    @Test func `connections are told with their peers, phases and bytes`() async throws {
        let monitor = RPCServerMonitor()

        try await withServer(monitor: monitor) { _, address in
            let open = try await RawConnection.open(to: address)
            let silent = try await RawConnection(to: address)
            try await silent.send(Array(Frame.preface.prefix(3)))
            try await open.send(.call(1, Methods.echo, [UInt8](repeating: 1, count: 1_000)))
            _ = try await open.end(of: 1)
            var connections = await monitor.connections()
            while connections.last?.bytesReceived != 3 { connections = await monitor.connections() }
            let server = await monitor.server()
            await open.close()
            await silent.close()

            #expect(connections.map(\.phase) == [.open, .handshake])
            #expect(connections.first.map { $0.bytesReceived > 1_000 } == true)
            #expect(connections.first.map { $0.bytesSent > 1_000 } == true)
            #expect(connections.allSatisfy { $0.peer.isLocal })
            #expect(server.connections == 2)
            #expect(server.handshakes == 1)
            #expect(server.agent == "test/1")
            #expect(
                server.limits.contains(.init(name: "handshakeTimeout", value: .time(.seconds(5)))))
            #expect(server.limits.contains(.init(name: "callsMax", value: .count(256))))
        }
        #expect(await monitor.connections().isEmpty)
    }

    @Test func `times fall into fixed buckets that add up`() {
        var histogram = LatencyHistogram()
        histogram.add(.microseconds(10))
        histogram.add(.microseconds(11), count: 97)
        histogram.add(.seconds(60), count: 2)
        var sum = LatencyHistogram()
        sum.add(histogram)
        sum.add(histogram)

        #expect(sum.count == 200)
        #expect(sum.counts.first == 2)
        #expect(sum.counts.last == 4)
        #expect(sum.bound(below: 0.5) == .microseconds(20))
        #expect(sum.bound(below: 0.999) == nil)
        #expect(LatencyHistogram().bound(below: 0.5) == nil)
        #expect(LatencyHistogram.bounds == LatencyHistogram.bounds.sorted())
    }
}
