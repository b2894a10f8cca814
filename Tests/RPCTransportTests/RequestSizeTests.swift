import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Sizes of requests` {
    private static let ordinary = Methods.unary("Ordinary", .safe)
    private static let bulk = MethodDescriptor(
        service: Methods.service, name: "Bulk", idempotency: .safe, isBulk: true)
    private static let sumBulk = MethodDescriptor(
        service: Methods.service, name: "SumBulk", kind: .clientStreaming, isBulk: true)

    /// Answers with the number of bytes.
    private static func measuring(_ method: MethodDescriptor) -> RegisteredMethod {
        RegisteredMethod(method, .unary { request, _ in .encoded(number(request.byteCount)) })
    }

    private static func summing(_ method: MethodDescriptor) -> RegisteredMethod {
        RegisteredMethod(
            method,
            .clientStreaming { requests, _ in
                var sum = 0
                while let request = try await requests.next() { sum += request.byteCount }
                return .encoded(number(sum))
            })
    }

    private static func number(_ value: Int) -> [UInt8] { Array("\(value)".utf8) }

    private static let methods = [
        measuring(ordinary), measuring(bulk), summing(`Streams of requests`.sum),
        summing(sumBulk),
    ]

    private func stream(_ client: RPCClient, _ method: MethodDescriptor, _ sizes: [Int])
        async throws -> [UInt8]?
    {
        try await client.bidirectional(method, options: CallOptions()) { requests, replies in
            do {
                for size in sizes {
                    try await requests.write(.encoded([UInt8](repeating: 7, count: size)))
                }
                try await requests.finish()
            } catch is CallEnded {}
            return try await replies.next()?.bytes
        }
    }

    @Test(arguments: [(65_536, true), (65_537, false), (1_000_000, false)])
    func `an ordinary method takes 64 KiB`(size: Int, fits: Bool) async throws {
        try await withServerAndClient(Self.methods) { client in
            let request = [UInt8](repeating: 1, count: size)
            if fits {
                let reply = try await client.bytes(Self.ordinary, request)
                #expect(reply == Self.number(size))
            } else {
                let refused = await status { try await client.bytes(Self.ordinary, request) }
                #expect(refused?.code == .resourceExhausted)
                #expect(refused?.message.contains("this method accepts 65536") == true)
                #expect(refused?.reason == "request_too_large")
            }
            // The connection goes on.
            let after = try await client.bytes(Self.ordinary, [1])
            #expect(after == Self.number(1))
        }
    }

    @Test(arguments: [65_537, 1_048_000])
    func `a method that is marked bulk takes as much as a frame`(size: Int) async throws {
        try await withServerAndClient(Self.methods) { client in
            let reply = try await client.bytes(Self.bulk, [UInt8](repeating: 1, count: size))
            #expect(reply == Self.number(size))
        }
    }

    @Test func `each request of a stream is measured by itself`() async throws {
        try await withServerAndClient(Self.methods) { client in
            let method = `Streams of requests`.sum
            let small = try await stream(client, method, [60_000, 60_000, 60_000])
            let large = try await stream(client, Self.sumBulk, [60_000, 200_000, 10])
            let refused = await status {
                try await stream(client, method, [60_000, 70_000, 10, 10, 70_000])
            }
            let after = try await client.bytes(Self.ordinary, [1])

            #expect(small == Self.number(180_000))
            #expect(large == Self.number(260_010))
            #expect(refused?.code == .resourceExhausted)
            #expect(refused?.reason == "request_too_large")
            #expect(after == Self.number(1))
        }
    }

    @Test func `a server's own limit holds for ordinary methods alone`() async throws {
        try await withServerAndClient(Self.methods, limits: { $0.requestBytesMax = 1_000 }) {
            client in
            let request = [UInt8](repeating: 1, count: 1_001)
            let refused = await status { try await client.bytes(Self.ordinary, request) }
            let taken = try await client.bytes(Self.bulk, request)

            #expect(refused?.code == .resourceExhausted)
            #expect(taken == Self.number(1_001))
        }
    }
}
