import NIOCore
import RPC

/// A message as a slice of the buffer it was read into.
struct BufferPayload: Payload {
    let buffer: ByteBuffer

    init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    /// The message at a range of a frame's bytes.
    init(_ frame: ByteBuffer, _ range: Range<Int>) {
        buffer =
            frame.getSlice(at: frame.readerIndex + range.lowerBound, length: range.count)
            ?? ByteBuffer()
    }

    var byteCount: Int { buffer.readableBytes }

    func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer.readableBytesSpan)
    }
}
