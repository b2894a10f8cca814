import NIOCore

/// Answers every length-prefixed request with the same reply.
///
/// The least that a server on SwiftNIO can do: one write and one flush for all requests of a read.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let lengthByteCount = 4

    /// With its length before it.
    private let reply: ByteBuffer
    private var requests = ByteBuffer()
    private var replies = ByteBuffer()

    init(reply: ByteBuffer) {
        self.reply = reply
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if requests.readableBytes == 0 {
            requests = bytes
        } else {
            requests.writeImmutableBuffer(bytes)
        }
        while let length = requests.getInteger(at: requests.readerIndex, as: UInt32.self),
            requests.readableBytes >= Self.lengthByteCount + Int(length)
        {
            requests.moveReaderIndex(forwardBy: Self.lengthByteCount + Int(length))
            replies.writeImmutableBuffer(reply)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // An idle connection holds no buffer.
        if requests.readableBytes == 0 { requests = ByteBuffer() }
        guard replies.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(replies), promise: nil)
        // Its memory is used again when the write went through at once.
        replies.clear()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
