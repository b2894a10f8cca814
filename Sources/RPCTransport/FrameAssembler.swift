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

    /// The memory that it keeps from being freed.
    var heldBytes: Int { hasPartialFrame ? buffer.storageCapacity : 0 }

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

    /// Hands on the openings of the usual kind with which what has arrived begins: what ``next()``
    /// and the general decoder make of them costs several times as much.
    ///
    /// - Parameters:
    ///   - isWanted: Whether another is.
    ///   - body: Is handed an opening, and where its message begins in the memory of all of them.
    @inline(__always)
    mutating func takeOpenings(
        while isWanted: () -> Bool, _ body: (PlainOpening, ByteBuffer, _ messageAt: Int) -> Void
    ) {
        let memory = buffer
        let arrived = memory.readableBytesSpan
        let head = Frame.lengthByteCount
        var taken = 0
        while isWanted(), let (opening, byteCount) = opening(in: arrived, at: taken) {
            let frame = memory.readerIndex + taken + head
            taken += head + byteCount
            body(opening, memory, frame + opening.message.lowerBound)
        }
        buffer.moveReaderIndex(forwardBy: taken)
    }

    /// The opening of the usual kind at an offset, with the bytes of its frame; nil when there is
    /// none, or when not all of it has arrived.
    @inline(__always)
    private func opening(
        in arrived: RawSpan, at offset: Int
    ) -> (PlainOpening, byteCount: Int)? {
        let start = offset + Frame.lengthByteCount
        guard arrived.byteCount >= start else { return nil }
        // Within bounds, as was just seen.
        let length = unsafe arrived.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset, as: UInt32.self)
        let count = Int(UInt32(bigEndian: length))
        guard count <= frameBytesMax, count <= arrived.byteCount - start,
            let opening = PlainOpening(arrived.extracting(start..<start + count))
        else { return nil }
        return (opening, count)
    }

    /// Lets go of what was read; keeps a partial frame in memory of about its own size.
    ///
    /// Memory grows with what arrives, never with what a length promises, nor with the buffers into
    /// which a busy connection is read.
    mutating func compact() {
        let rest = buffer.readableBytes
        guard rest > 0 else {
            buffer = ByteBuffer()
            return
        }
        // What is copied has at most four times its size: it is not copied again and again.
        let capacityMax = 4 * rest + 4_096
        guard buffer.readerIndex > 0 || buffer.storageCapacity > capacityMax else { return }
        var kept = ByteBufferAllocator().buffer(capacity: max(2 * rest, 512))
        kept.writeImmutableBuffer(buffer)
        buffer = kept
    }

    /// Lets go of everything.
    mutating func discard() {
        buffer = ByteBuffer()
    }
}
