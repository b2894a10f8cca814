import NIOCore
import RPC

/// Cuts what arrives on a connection into frames, without copying those that arrive whole.
struct FrameAssembler {
    /// Why what arrived cannot be cut into frames.
    enum Fault: Error, Hashable {
        case empty
        case tooLarge(byteCount: Int, max: Int)
    }

    /// Larger frames are refused when their length has arrived, before they are buffered.
    var frameBytesMax: Int
    private var buffer = ByteBuffer()

    init(frameBytesMax: Int) {
        self.frameBytesMax = frameBytesMax
    }

    /// Whether a frame has begun to arrive and not ended.
    var hasPartialFrame: Bool { buffer.readableBytes > 0 }

    /// Takes bytes over.
    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// Takes over what another has.
    mutating func append(all other: inout FrameAssembler) {
        guard other.hasPartialFrame else { return }
        append(other.buffer)
        other.discard()
    }

    /// The next bytes if so many have arrived; they need no length before them.
    mutating func take(_ count: Int) -> ByteBuffer? {
        buffer.readSlice(length: count)
    }

    /// All that has arrived.
    mutating func takeAll() -> ByteBuffer? {
        buffer.readSlice(length: buffer.readableBytes)
    }

    /// The first bytes that have arrived.
    func prefix(_ count: Int) -> ByteBuffer {
        buffer.getSlice(at: buffer.readerIndex, length: min(count, buffer.readableBytes))
            ?? ByteBuffer()
    }

    /// Whether TLS refuses what it was sent: as the length of a frame it would be far too large.
    var beginsWithTLSAlert: Bool {
        buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == 0x1503
    }

    /// The next whole frame, without its length.
    mutating func next() throws(Fault) -> ByteBuffer? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else {
            return nil
        }
        let count = Int(length)
        guard count > 0 else { throw .empty }
        guard count <= frameBytesMax else {
            throw .tooLarge(byteCount: count, max: frameBytesMax)
        }
        guard buffer.readableBytes >= Frame.lengthByteCount + count else { return nil }
        buffer.moveReaderIndex(forwardBy: Frame.lengthByteCount)
        return buffer.readSlice(length: count)
    }

    /// The next frame with its message, when it has arrived whole and is an opening of the usual
    /// kind; what ``next()`` and the general decoder make of it costs twice as much.
    @inline(__always)
    mutating func nextOpening() -> (opening: PlainOpening, message: ByteBuffer)? {
        guard let (opening, byteCount) = firstOpening,
            let message = buffer.getSlice(
                at: buffer.readerIndex + Frame.lengthByteCount + opening.message.lowerBound,
                length: opening.message.count)
        else { return nil }
        buffer.moveReaderIndex(forwardBy: Frame.lengthByteCount + byteCount)
        return (opening, message)
    }

    /// The opening of the usual kind that has arrived, with the bytes of its frame.
    @inline(__always)
    private var firstOpening: (PlainOpening, byteCount: Int)? {
        let arrived = buffer.readableBytesSpan
        let head = Frame.lengthByteCount
        guard arrived.byteCount >= head else { return nil }
        // Within bounds, as was just seen.
        let length = unsafe arrived.unsafeLoadUnaligned(as: UInt32.self)
        let count = Int(UInt32(bigEndian: length))
        guard count <= frameBytesMax, count <= arrived.byteCount - head,
            let opening = PlainOpening(arrived.extracting(head..<head + count))
        else { return nil }
        return (opening, count)
    }

    /// Lets go of what was read; keeps a partial frame in memory of its own size.
    ///
    /// Memory grows with what arrives, never with what a length promises.
    mutating func compact() {
        let rest = buffer.readableBytes
        guard rest > 0 else {
            buffer = ByteBuffer()
            return
        }
        guard buffer.readerIndex > 0 else { return }
        var kept = ByteBufferAllocator().buffer(capacity: max(2 * rest, 512))
        kept.writeImmutableBuffer(buffer)
        buffer = kept
    }

    /// Lets go of everything.
    mutating func discard() {
        buffer = ByteBuffer()
    }
}
