import NIOCore
import RPC

/// Collects outgoing frames of a connection: many frames, one write and one flush.
final class Outbox {
    let loop: LoopContext
    /// Taken out while something is done with it, and only ever read or replaced: an access that
    /// changes it in place would have to be watched for overlaps while the program runs.
    private var buffer: ByteBuffer?
    /// The largest frame that the peer accepts.
    var peerFrameBytesMax = Frame.byteCountDefault
    /// Frames of more bytes travel deflated.
    var deflatesAbove = Int.max

    init(_ loop: LoopContext) {
        self.loop = loop
    }

    /// How many bytes wait for the flush.
    var byteCount: Int { buffer?.readableBytes ?? 0 }

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
        var open = buffer ?? loop.takeBuffer()
        buffer = nil
        let start = open.writerIndex
        open.writeWithOutputRawSpan(minimumWritableBytes: byteCountMax) { output in
            encode(&output)
        }
        let count = open.writerIndex - start - Frame.lengthByteCount
        let isAccepted = count <= peerFrameBytesMax
        if !isAccepted { open.moveWriterIndex(to: start) }
        if isAccepted, count > deflatesAbove { deflateLast(of: &open, byteCount: count) }
        buffer = consume open
        return isAccepted ? count : nil
    }

    /// What was collected, to be written and flushed; nil when there is nothing.
    ///
    /// Writing may call back into the connection, so that it is not done in here.
    func take() -> ByteBuffer? {
        guard byteCount > 0 else { return nil }
        let full = buffer
        buffer = nil
        return full
    }

    /// Takes a buffer back that was written.
    func giveBack(_ buffer: consuming ByteBuffer) {
        loop.giveBack(buffer)
    }
}
