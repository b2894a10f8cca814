import NIOCore
import NIOPosix
import RPC
import Synchronization

@testable import RPCTransport

/// How a server without any of ours answers a call whose message is given.
typealias PlainAnswer = @Sendable (_ call: UInt32, OutgoingMessage) -> OutgoingFrame

/// Answers calls as it is told, or closes its connection on the first of them.
private final class PlainHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Nil for one that closes its connection.
    private let answer: PlainAnswer?
    private var assembler = FrameAssembler(frameBytesMax: 1 << 20)
    private var hasPreface = false

    init(_ answer: PlainAnswer?) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        assembler.append(unwrapInboundIn(data))
        if !hasPreface {
            guard assembler.take(Frame.preface.count) != nil else { return }
            hasPreface = true
            write(.settings(Frame.Settings()), context)
        }
        do {
            while let bytes = try assembler.next() {
                guard
                    case .open(let call, let opening) = try Frame(
                        decoding: bytes.readableBytesSpan)
                else { continue }
                guard let answer else {
                    context.close(promise: nil)
                    continue
                }
                guard let message = opening.message else { continue }
                write(answer(call, .encoded(BufferPayload(bytes, message))), context)
            }
        } catch {
            context.close(promise: nil)
        }
    }

    private func write(_ frame: OutgoingFrame, _ context: ChannelHandlerContext) {
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(bytes: frame.encoded())), promise: nil)
    }
}

/// Runs a server that breaks its first connection in the middle of a call, and answers the calls of
/// all others with their requests.
func withBreakingServer(_ body: (RPCAddress) async throws -> Void) async throws {
    let connections = Mutex(0)
    try await withPlainServer {
        let number = connections.withLock { count in
            count += 1
            return count
        }
        guard number > 1 else { return nil }
        return { call, message in OutgoingFrame.reply(call: call, message) }
    } _: {
        try await body($0)
    }
}

/// Runs a server that answers as it is told.
///
/// - Parameters:
///   - accept: Called for each connection; nil breaks it in the middle of a call.
///   - body: What is done with the server.
/// - Throws: What the closure throws.
func withPlainServer(
    _ accept: @escaping @Sendable () -> PlainAnswer?, _ body: (RPCAddress) async throws -> Void
) async throws {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(PlainHandler(accept()))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    try await body(RPCAddress(listener.localAddress))
    try await listener.close()
}
