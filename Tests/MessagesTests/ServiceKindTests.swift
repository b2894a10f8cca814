import Messages
import RPC
import RPCTesting
import Testing

/// Weighs leaves in every way.
private struct Scales: ScalesService {
    func weigh(_ request: Leaf, _ context: CallContext) async throws -> Int32Value {
        Int32Value(value: request.weight)
    }

    func grow(
        _ request: Int32Value, _ context: CallContext, _ replies: ReplyStream<Leaf>
    ) async throws {
        for weight in 0..<request.value { try await replies.write(Leaf(weight: weight)) }
    }

    func sum(
        _ requests: MessageStream<Leaf>, _ context: CallContext
    ) async throws -> Int32Value {
        try await Int32Value(value: requests.reduce(0) { $0 + $1.weight })
    }

    func follow(
        _ requests: MessageStream<Leaf>, _ context: CallContext,
        _ replies: ReplyStream<Int32Value>
    ) async throws {
        var sum: Int32 = 0
        for try await leaf in requests {
            sum += leaf.weight
            try await replies.write(Int32Value(value: sum))
        }
    }

    func guess(_ request: DeprecatedFormer, _ context: CallContext) async throws -> Empty {
        Empty()
    }
}

/// Weighs leaves without waiting, but for those that stream.
private struct QuickScales: SynchronousScalesService {
    let scales = Scales()

    func weigh(_ request: Leaf, _ context: CallContext) throws -> Int32Value {
        guard request.weight >= 0 else { throw Status(.invalidArgument, "It flies.") }
        return Int32Value(value: request.weight)
    }

    func grow(
        _ request: Int32Value, _ context: CallContext, _ replies: ReplyStream<Leaf>
    ) async throws {
        try await scales.grow(request, context, replies)
    }

    func sum(
        _ requests: MessageStream<Leaf>, _ context: CallContext
    ) async throws -> Int32Value {
        try await scales.sum(requests, context)
    }

    func follow(
        _ requests: MessageStream<Leaf>, _ context: CallContext,
        _ replies: ReplyStream<Int32Value>
    ) async throws {
        try await scales.follow(requests, context, replies)
    }

    func guess(_ request: DeprecatedFormer, _ context: CallContext) throws -> Empty {
        Empty()
    }
}

/// Generated services and clients of every kind of method, within the process.
@Suite struct ServiceKindTests {
    private static let services = [Scales().registeredMethods, QuickScales().registeredMethods]

    private func client(_ methods: [RegisteredMethod]) -> ScalesClient {
        ScalesClient(InProcessChannel(Router(services: [methods])))
    }

    @Test(arguments: services)
    func `one request gets one reply`(methods: [RegisteredMethod]) async throws {
        #expect(try await client(methods).weigh(Leaf(weight: 7)).value == 7)
    }

    @Test(arguments: services)
    func `requests stream and get one reply`(methods: [RegisteredMethod]) async throws {
        let sum = try await client(methods).sum { requests in
            for weight: Int32 in [1, 2, 3] { try await requests.write(Leaf(weight: weight)) }
        }

        #expect(sum.value == 6)
    }

    @Test(arguments: services)
    func `requests and replies stream by turns`(methods: [RegisteredMethod]) async throws {
        let sums = try await client(methods).follow { requests, replies in
            var sums: [Int32] = []
            for weight: Int32 in [1, 2, 3] {
                try await requests.write(Leaf(weight: weight))
                if let sum = try await replies.next() { sums.append(sum.value) }
            }
            try await requests.finish()
            #expect(try await replies.next() == nil)
            return sums
        }

        #expect(sums == [1, 3, 6])
    }

    @Test func `a synchronous handler refuses like any other`() async {
        let client = client(QuickScales().registeredMethods)

        let status = await #expect(throws: Status.self) {
            _ = try await client.weigh(Leaf(weight: -1))
        }

        #expect(status?.code == .invalidArgument)
    }

    @Test func `only the unary methods of the synchronous form are synchronous`() {
        let synchronous = QuickScales().registeredMethods.filter { method in
            if case .synchronous = method.handler { true } else { false }
        }

        #expect(synchronous.map(\.descriptor) == [ScalesMethods.weigh, ScalesMethods.guess])
        #expect(QuickScales().registeredMethods.map(\.descriptor) == ScalesMethods.all)
        #expect(
            ScalesMethods.all.map(\.kind) == [
                .unary, .serverStreaming, .clientStreaming, .bidirectional, .unary,
            ])
    }
}
