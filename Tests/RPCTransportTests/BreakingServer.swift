import NIOCore
import NIOPosix
import RPC
import Synchronization

@testable import RPCTransport

/// Answers calls with their requests, but closes its first connection on its first call.
private final class BreakingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let breaks: Bool
    private var assembler = FrameAssembler(frameBytesMax: 1 << 20)
    private var hasPreface = false

    init(breaks: Bool) {
        self.breaks = breaks
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
                if breaks {
                    context.close(promise: nil)
                } else if let message = opening.message {
                    write(.reply(call: call, .encoded(BufferPayload(bytes, message))), context)
                }
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

/// Runs a server that breaks its first connection in the middle of a call.
func withBreakingServer(_ body: (RPCAddress) async throws -> Void) async throws {
    let connections = Mutex(0)
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let isFirst = connections.withLock { count in
                    count += 1
                    return count == 1
                }
                try channel.pipeline.syncOperations.addHandler(BreakingHandler(breaks: isFirst))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    try await body(RPCAddress(listener.localAddress))
    try await listener.close()
}
