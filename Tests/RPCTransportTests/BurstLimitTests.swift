import RPC
import Testing

@testable import RPCTransport

/// Limits hold for calls that arrive together: none of them has begun when the last arrives.
@Suite(.timeLimit(.minutes(1))) struct `Limits within one burst` {
    private static let count = 300
    private static let calls = (0..<UInt32(count)).map { 2 * $0 + 1 }

    /// Opens calls with one write of which only so many may be alive; the rest is refused.
    ///
    /// - Returns: The calls that are refused, in order.
    private func refusals(
        _ methods: [MethodDescriptor], places: Int, reason: String = "server_busy",
        limits: (inout RPCServerConfiguration.Limits) -> Void
    ) async throws -> [UInt32] {
        let crowd = Crowd()
        return try await withServer(methods.map { crowd.method($0) }) {
            $0.callsPerConnectionMax = 1_000
            $0.reservedCallsPerConnectionMax = 1_000
            $0.reservedStreamsPerConnectionMax = 1_000
            $0.queueMax = 0
            limits(&$0)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            if methods.count == 1 {
                try await raw.burst(Self.count, of: methods[0])
            } else {
                try await raw.burst(Self.count, of: methods[0], methods[1])
            }
            let refused = try await raw.ends(Self.count - places)
            try await until { crowd.alive == places }
            crowd.letGo()
            let served = try await raw.ends(places)
            await raw.close()

            #expect(crowd.most == places)
            #expect(crowd.begun == places)
            #expect(refused.allSatisfy { $0.status.reason == reason })
            #expect(refused.allSatisfy { $0.status.code == .resourceExhausted })
            #expect(served.allSatisfy { $0.status.code == .ok })
            #expect((refused + served).map(\.call).sorted() == Self.calls, "none is lost")
            return refused.map(\.call)
        }
    }

    @Test func `streams`() async throws {
        let refused = try await refusals([Methods.count], places: 16) { $0.streamsMax = 16 }

        #expect(refused == Array(Self.calls.dropFirst(16)))
    }

    @Test func `reserved calls`() async throws {
        let check = MethodDescriptor(service: "guildhall.rpc.v1.Health", name: "Check")

        let refused = try await refusals([check], places: 16) { $0.reservedCallsMax = 16 }

        #expect(refused == Array(Self.calls.dropFirst(16)))
    }

    @Test func `reserved streams`() async throws {
        let watch = MethodDescriptor(
            service: "guildhall.rpc.v1.Health", name: "Watch", kind: .serverStreaming)

        let refused = try await refusals([watch], places: 5) { $0.reservedStreamsMax = 5 }

        #expect(refused == Array(Self.calls.dropFirst(5)))
    }

    @Test func `calls of two methods`() async throws {
        let refused = try await refusals(
            [Methods.unary("First"), Methods.unary("Second")], places: 10
        ) { $0.callsMax = 10 }

        #expect(refused == Array(Self.calls.dropFirst(10)))
    }

    @Test func `calls of two methods, each with a limit of its own`() async throws {
        let refused = try await refusals(
            [Methods.unary("First"), Methods.unary("Second")], places: 10, reason: "method_busy"
        ) {
            $0.callsPerMethodMin = 5
            $0.callsPerMethodMax = 5
        }

        #expect(refused == Array(Self.calls.dropFirst(10)))
    }

    @Test func `those that may wait do, and begin one after the other`() async throws {
        let crowd = Crowd()

        try await withServer([crowd.method(Methods.hang)]) {
            $0.callsMax = 2
            $0.queueMax = 5
            $0.queueTimeMax = .seconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.burst(10, of: Methods.hang)
            let refused = try await raw.ends(3)
            crowd.letGo()
            let served = try await raw.ends(7)
            await raw.close()

            #expect(refused.map(\.call) == [15, 17, 19])
            #expect(served.map(\.call).sorted() == [1, 3, 5, 7, 9, 11, 13])
            #expect(served.allSatisfy { $0.status.code == .ok })
            #expect(crowd.most == 2)
        }
    }

    /// The handler that a call resumes goes on before anybody has seen that the call has suspended,
    /// and its worker takes the next.
    @Test func `a call that resumes another before it suspends has its place all the same`()
        async throws
    {
        let crowd = Crowd()
        let resumed = Signal()
        let listening = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                try await replies.write(.encoded([UInt8]()))
                await resumed.wait()
            })
        let resuming = RegisteredMethod(
            Methods.unary("Resume"),
            .unary { payload, _ in
                resumed.send()
                await crowd.stay()
                return .encoded(payload)
            })

        try await withServer([listening, resuming, crowd.method(Methods.hang)]) {
            $0.callsMax = 1
            $0.queueMax = 0
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.count))
            _ = try await raw.next()
            try await raw.send(.call(3, resuming.descriptor), .call(5, Methods.hang))
            let ends = try await raw.ends(2)
            crowd.letGo()
            let last = try await raw.ends(1)
            await raw.close()

            #expect(ends.map(\.call).sorted() == [1, 5])
            #expect(ends.first { $0.call == 5 }?.status.reason == "server_busy")
            #expect(last.map(\.call) == [3])
            #expect(crowd.most == 1)
        }
    }

    @Test func `a stream that is cancelled before there is a place for it is forgotten`()
        async throws
    {
        let crowd = Crowd()

        try await withServer([crowd.method(Methods.count), Methods.echoing]) {
            $0.streamsMax = 1
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, Methods.count), .call(3, Methods.count), .call(5, Methods.count),
                .cancel(call: 3), .call(7, Methods.echo))
            let ends = try await raw.ends(2)
            await raw.close()

            #expect(ends.map(\.call) == [5, 7])
            #expect(ends.first?.status.reason == "server_busy")
            #expect(crowd.most == 1)
        }
    }
}
