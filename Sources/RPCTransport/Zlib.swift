import CZlib
import NIOCore
import RPC

/// Compresses frames on one thread, each by itself; holds 256 KiB.
///
/// Nothing of a frame is left for the next: what one caller sends says nothing of another's.
@safe final class Deflater {
    /// Fast: it runs on the thread that serves connections.
    static let levelDefault: Int32 = 1

    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when there is no memory; the level is from 1, fast, to 9, small.
    init?(level: Int32 = Deflater.levelDefault) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe rpc_deflate_init(stream, level) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Compresses bytes; nil when the result is not shorter than a bound.
    func deflate(_ bytes: ByteBuffer, shorterThan byteCountMax: Int) -> ByteBuffer? {
        guard byteCountMax > 0, unsafe deflateReset(stream) == Z_OK else { return nil }
        var output = ByteBufferAllocator().buffer(capacity: byteCountMax)
        let count: Int? = unsafe bytes.withUnsafeReadableBytes { input in
            unsafe output.withUnsafeMutableWritableBytes { room in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<byteCountMax])
                unsafe stream.lend(input, room)
                guard unsafe CZlib.deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return unsafe room.count - Int(stream.pointee.avail_out)
            }
        }
        guard let count else { return nil }
        output.moveWriterIndex(to: count)
        return output
    }
}

/// Inflates frames on one thread; holds 40 KiB.
@safe final class Inflater {
    /// No deflated bytes hold more than this many times their number.
    static let ratioMax = 1_032

    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when there is no memory.
    init?() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe rpc_inflate_init(stream) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    static let damaged = Status(
        .invalidArgument, "A compressed frame does not hold what it says.")

    /// The frame that travels deflated inside another: see ``LoopContext``.
    func inflate(
        _ content: Range<Int>, of bytes: ByteBuffer, byteCount: Int, frameBytesMax: Int
    ) throws(Status) -> ByteBuffer {
        guard byteCount <= frameBytesMax else {
            throw Status(
                .resourceExhausted,
                "A compressed frame has \(byteCount) bytes; this side accepts \(frameBytesMax).")
        }
        guard
            let deflated = bytes.getSlice(
                at: bytes.readerIndex + content.lowerBound, length: content.count),
            let whole = inflate(deflated, byteCount: byteCount)
        else { throw Self.damaged }
        return whole
    }

    /// Inflates bytes that say how many they hold; nil when they hold fewer, more, or are damaged.
    ///
    /// No byte is written beyond those promised, and no memory is taken for a promise that so few
    /// bytes cannot keep.
    func inflate(_ bytes: ByteBuffer, byteCount: Int) -> ByteBuffer? {
        guard byteCount > 0, byteCount <= Self.ratioMax * bytes.readableBytes,
            unsafe inflateReset(stream) == Z_OK
        else { return nil }
        var output = ByteBufferAllocator().buffer(capacity: byteCount)
        let isWhole = unsafe bytes.withUnsafeReadableBytes { input in
            unsafe output.withUnsafeMutableWritableBytes { room in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<byteCount])
                unsafe stream.lend(input, room)
                let end = unsafe CZlib.inflate(stream, Z_FINISH)
                let rest = unsafe (stream.pointee.avail_in, stream.pointee.avail_out)
                return end == Z_STREAM_END && rest == (0, 0)
            }
        }
        guard isWhole else { return nil }
        output.moveWriterIndex(to: byteCount)
        return output
    }
}

extension UnsafeMutablePointer<z_stream> {
    /// Lends memory to a stream for one call; it is not touched after that.
    fileprivate func lend(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) {
        let input = unsafe UnsafeMutableRawBufferPointer(mutating: input)
        unsafe pointee.next_in = input.baseAddress?.assumingMemoryBound(to: Bytef.self)
        unsafe pointee.avail_in = UInt32(input.count)
        unsafe pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
        unsafe pointee.avail_out = UInt32(output.count)
    }
}
