import NIOCore
import RPC

/// Collects outgoing frames of a connection: many frames, one write and one flush.
final class Outbox {
    let loop: LoopContext
    var buffer = ByteBuffer()
    /// The largest frame that the peer accepts.
    var peerFrameBytesMax = Frame.byteCountDefault

    /// Frames of more bytes travel deflated.
    var deflatesAbove = Int.max

    init(_ loop: LoopContext) {
        self.loop = loop
    }

    /// How many bytes wait for the flush.
    var byteCount: Int { buffer.readableBytes }

    /// Packs a frame at the end.
    ///
    /// - Returns: The bytes of the frame after its length, or nil when they are more than the peer
    ///   accepts: nothing is appended then.
    func append(_ frame: OutgoingFrame) -> Int? {
        append(byteCountMax: frame.byteCountMax) { frame.encode(into: &$0) }
    }

    /// Packs the end of a call with one reply at the end.
    ///
    /// - Returns: As ``append(_:)``.
    func append(reply: OutgoingMessage, of call: UInt32) -> Int? {
        let bound = reply.encodedByteCountMax
        return append(byteCountMax: OutgoingFrame.replyOverhead + bound) { output in
            OutgoingFrame.encode(reply: reply, byteCountMax: bound, of: call, into: &output)
        }
    }

    @inline(__always)
    private func append(
        byteCountMax: Int, _ encode: (inout OutputRawSpan) -> Void
    ) -> Int? {
        if buffer.capacity == 0 { buffer = loop.takeBuffer() }
        let count = Self.append(
            to: &buffer, byteCountMax: byteCountMax, peerFrameBytesMax: peerFrameBytesMax, encode)
        if let count, count > deflatesAbove { deflateLast(byteCount: count) }
        return count
    }

    /// One access to the buffer for all that is done with it.
    @inline(__always)
    private static func append(
        to buffer: inout ByteBuffer, byteCountMax: Int, peerFrameBytesMax: Int,
        _ encode: (inout OutputRawSpan) -> Void
    ) -> Int? {
        let start = buffer.writerIndex
        buffer.writeWithOutputRawSpan(minimumWritableBytes: byteCountMax) { output in
            encode(&output)
        }
        let count = buffer.writerIndex - start - Frame.lengthByteCount
        guard count <= peerFrameBytesMax else {
            buffer.moveWriterIndex(to: start)
            return nil
        }
        return count
    }

    /// What was collected, to be written and flushed; nil when there is nothing.
    ///
    /// Writing may call back into the connection, so that it is not done in here.
    func take() -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// Takes a buffer back that was written.
    func giveBack(_ buffer: consuming ByteBuffer) {
        loop.giveBack(buffer)
    }
}
