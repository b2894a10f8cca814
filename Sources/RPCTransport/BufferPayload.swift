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

    /// The memory that it keeps from being freed.
    var heldBytes: Int { buffer.storageCapacity }

    /// The message in memory of its own size.
    var copied: BufferPayload { BufferPayload(ByteBuffer(bytes: buffer.readableBytesView)) }

    /// Whether both are slices of the same memory.
    func sharesMemory(with other: BufferPayload) -> Bool {
        unsafe buffer.withVeryUnsafeBytes { mine in
            unsafe other.buffer.withVeryUnsafeBytes { others in
                unsafe mine.baseAddress == others.baseAddress
            }
        }
    }

    func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer.readableBytesSpan)
    }
}
