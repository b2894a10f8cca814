import RPC
import RPCTesting
import Synchronization
import Testing

@Suite struct `The channel within the process` {
    private let echo = MethodDescriptor(service: "test.v1.Echo", name: "Echo")
    private let count = MethodDescriptor(
        service: "test.v1.Echo", name: "Count", kind: .serverStreaming)

    private func channel(_ methods: RegisteredMethod...) -> InProcessChannel {
        InProcessChannel(Router(services: [methods]))
    }

    @Test func `a unary call is answered`() async throws {
        let channel = channel(
            RegisteredMethod(echo, .unary { payload, _ in .encoded(payload) }))

        let reply = try await channel.unary(echo, .encoded([1, 2, 3]), options: CallOptions())

        #expect(reply.bytes == [1, 2, 3])
    }

    @Test func `metadata and the deadline reach the handler, and its own calls inherit it`()
        async throws
    {
        let channel = channel(
            RegisteredMethod(
                echo,
                .unary { _, context in
                    #expect(Deadline.current == context.deadline)
                    return .encoded(Array((context.metadata[text: "k"] ?? "").utf8))
                }))
        var options = CallOptions(timeout: .seconds(5))
        options.metadata[text: "k"] = "v"

        let reply = try await channel.unary(echo, .encoded([UInt8]()), options: options)

        #expect(reply.bytes == Array("v".utf8))
    }

    @Test func `a handler that outlives the deadline is cancelled`() async throws {
        let wasCancelled = Mutex(false)
        let channel = channel(
            RegisteredMethod(
                echo,
                .unary { payload, _ in
                    try await withTaskCancellationHandler {
                        try await ContinuousClock().sleep(for: .seconds(60))
                    } onCancel: {
                        wasCancelled.withLock { $0 = true }
                    }
                    return .encoded(payload)
                }))

        let status = await #expect(throws: Status.self) {
            try await channel.unary(
                echo, .encoded([UInt8]()), options: CallOptions(timeout: .milliseconds(5)))
        }

        #expect(status?.code == .deadlineExceeded)
        #expect(wasCancelled.withLock { $0 })
    }

    @Test func `replies stream in order and the consumer's error ends the call`() async throws {
        struct Enough: Error {}
        let channel = channel(
            RegisteredMethod(
                count,
                .serverStreaming { _, _, replies in
                    for number in UInt8(0)... { try await replies.write(.encoded([number])) }
                }))
        let seen = Mutex<[UInt8]>([])

        await #expect(throws: Enough.self) {
            try await channel.serverStreaming(
                count, .encoded([UInt8]()), options: CallOptions()
            ) { reply in
                seen.withLock { $0 += reply.bytes }
                if reply.bytes == [3] { throw Enough() }
            }
        }

        #expect(seen.withLock { $0 } == [0, 1, 2, 3])
    }

    @Test func `an unknown method and a method of another kind are unimplemented`() async throws {
        let channel = channel(
            RegisteredMethod(count, .serverStreaming { _, _, _ in }))

        for method in [echo, count] {
            let status = await #expect(throws: Status.self) {
                try await channel.unary(method, .encoded([UInt8]()), options: CallOptions())
            }
            #expect(status?.code == .unimplemented)
        }
    }

    @Test func `an unexpected error leaves with a fixed sentence`() async throws {
        struct Secret: Error {}
        let channel = channel(RegisteredMethod(echo, .unary { _, _ in throw Secret() }))

        let status = await #expect(throws: Status.self) {
            try await channel.unary(echo, .encoded([UInt8]()), options: CallOptions())
        }

        #expect(status == Status(.internal, "The server failed."))
    }

    @Test func `trailing metadata come with replies, errors and the end of streams`() async throws {
        let channel = channel(
            RegisteredMethod(
                echo,
                .synchronous { payload, context in
                    context.trailingMetadata[text: "cost"] = "3"
                    if payload.byteCount == 0 { throw Status(.notFound, "No.") }
                    return .encoded(payload)
                }),
            RegisteredMethod(
                count,
                .serverStreaming { _, context, replies in
                    try await replies.write(.encoded([1] as [UInt8]))
                    context.trailingMetadata[text: "cost"] = "4"
                }))
        let (answered, streamed) = (TrailingMetadata(), TrailingMetadata())

        _ = try await channel.unary(
            echo, .encoded([1]), options: CallOptions(trailingMetadata: answered))
        let refused = await #expect(throws: Status.self) {
            try await channel.unary(echo, .encoded([UInt8]()), options: CallOptions())
        }
        try await channel.serverStreaming(
            count, .encoded([UInt8]()), options: CallOptions(trailingMetadata: streamed)
        ) { _ in }

        #expect(answered[text: "cost"] == "3")
        #expect(refused?.trailingMetadata[text: "cost"] == "3")
        #expect(streamed[text: "cost"] == "4")
    }

    @Test func `trailing metadata that may not be sent end the call`() async throws {
        let channel = channel(
            RegisteredMethod(
                echo,
                .unary { payload, context in
                    context.trailingMetadata[text: MetadataKey.authorization] = "Bearer 7"
                    return .encoded(payload)
                }))
        let trailing = TrailingMetadata()

        let refused = await #expect(throws: Status.self) {
            try await channel.unary(
                echo, .encoded([1]), options: CallOptions(trailingMetadata: trailing))
        }

        #expect(refused?.rpcReason == .trailingMetadataRefused)
        #expect(trailing.isEmpty)
    }
}
