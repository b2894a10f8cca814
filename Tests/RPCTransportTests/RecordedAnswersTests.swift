import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// What a server sends in a session, once it has seen every call of it.
private struct Answers {
    static let refusal = Status(
        .notFound, "There is none.",
        details: [
            .errorInfo(reason: "gone", domain: "test", metadata: ["id": "7"]),
            .retryInfo(delay: .milliseconds(1_500)),
        ], trailingMetadata: metadata)
    static let large = [UInt8](repeating: 5, count: 200)
    static let methods = [
        Methods.unary("Plain"), Methods.count, Methods.unary("Refused"), Methods.unary("Deflated"),
    ]

    private static var metadata: Metadata {
        var metadata = Metadata()
        metadata[text: "cost"] = "3"
        return metadata
    }

    static var settings: [UInt8] {
        var settings = Frame.Settings()
        settings.agent = "test/1"
        settings.incarnation = [1, 2, 3]
        settings.takesDeflated = true
        settings.methods = [1: methods[0].path, 2: methods[1].path]
        return OutgoingFrame.settings(settings).encoded()
    }

    /// The answers to calls with the numbers given, in the order of the methods.
    static func bytes(_ calls: [UInt32]) -> [UInt8] {
        let frames: [OutgoingFrame] = [
            .ping(number: 300),
            .data(call: calls[1], .encoded([1, 1] as [UInt8]), endOfStream: false),
            .reply(call: calls[0], .encoded([9, 8, 7] as [UInt8])),
            .window(call: calls[1], bytes: 1_000),
            Session.deflated(.data(call: calls[1], .encoded(large), endOfStream: false)),
            .pong(number: 1),
            .end(call: calls[2], refusal),
            Session.deflated(.reply(call: calls[3], .encoded(large))),
            .end(call: calls[1], nil),
            .goaway(Frame.Goaway(lastCall: calls.max() ?? 0, status: Status(.ok, "Done."))),
        ]
        return frames.flatMap { $0.encoded() }
    }
}

/// Sends what is recorded in two parts, the second once the first has been read.
private final class RecordedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let position: Int
    private var assembler = FrameAssembler(frameBytesMax: 1 << 20)
    private var hasPreface = false
    private var calls: [String: UInt32] = [:]
    private var sent = 0

    init(splitAt position: Int) {
        self.position = position
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        assembler.append(unwrapInboundIn(data))
        if !hasPreface {
            guard assembler.take(Frame.preface.count) != nil else { return }
            hasPreface = true
            send(Answers.settings, context)
        }
        do {
            while let bytes = try assembler.next() {
                guard
                    case .open(let call, let opening) = try Frame(
                        decoding: bytes.readableBytesSpan)
                else { continue }
                switch opening.method {
                case .path(let path): calls[path] = call
                case .number(let number): calls[Answers.methods[Int(number) - 1].path] = call
                }
                let numbers = Answers.methods.compactMap { calls[$0.path] }
                if numbers.count == Answers.methods.count { send(Answers.bytes(numbers), context) }
            }
        } catch {
            context.close(promise: nil)
        }
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        let split = min(max(position - sent, 0), bytes.count)
        sent += bytes.count
        write(bytes[..<split], context)
        guard split < bytes.count else { return }
        guard split > 0 else { return write(bytes[...], context) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(4)) {
            let (handler, context) = bound.value
            handler.write(bytes[split...], context)
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) {
        guard !bytes.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}

@Suite(.timeLimit(.minutes(2))) struct `Recorded answers` {
    /// What a client makes of the answers.
    private struct Outcome: Equatable {
        var plain: [UInt8] = []
        var stream: [[UInt8]] = []
        var refused: Status?
        var deflated: [UInt8] = []

        static let whole = Outcome(
            plain: [9, 8, 7], stream: [[1, 1], Answers.large], refused: Answers.refusal,
            deflated: Answers.large)
    }

    private func outcome(splitAt position: Int) async throws -> Outcome {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        RecordedHandler(splitAt: position))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome = try await withClient(RPCAddress(listener.localAddress)) {
            $0.connectionsMax = 1
            $0.attemptsMax = 1
            $0.compression = .deflate()
        } _: { client in
            try await Self.outcome(of: client)
        }
        try await listener.close()
        return outcome
    }

    private static func outcome(of client: RPCClient) async throws -> Outcome {
        let methods = Answers.methods
        async let plain = client.bytes(methods[0])
        async let refused = status { try await client.bytes(methods[2]) }
        async let deflated = client.bytes(methods[3])
        let stream = Mutex<[[UInt8]]>([])
        try await client.serverStreaming(
            methods[1], .encoded([UInt8]()), options: CallOptions(timeout: .seconds(20))
        ) { reply in
            let bytes = reply.bytes
            stream.withLock { $0.append(bytes) }
        }
        return Outcome(
            plain: try await plain, stream: stream.withLock { $0 }, refused: await refused,
            deflated: try await deflated)
    }

    @Test func `are understood alike wherever they are split`() async throws {
        let count = Answers.settings.count + Answers.bytes([1, 3, 5, 7]).count
        // So many clients at a time.
        let batch = 16

        for start in stride(from: 0, through: count, by: batch) {
            try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
                for position in start..<min(start + batch, count + 1) {
                    group.addTask { (position, try await outcome(splitAt: position)) }
                }
                for try await (position, found) in group {
                    #expect(found == .whole, "split at \(position)")
                }
            }
        }
    }
}
