import NIOCore
import RPC

/// Whether frames travel compressed; both sides of a connection must want it.
///
/// It spends processor time for bytes: for slow or costly networks. Whoever can see the sizes of
/// frames, TLS or not, and can put text of his own beside a secret in one message, can find the
/// secret out by them; so it is off unless told otherwise.
public enum RPCCompression: Sendable, Hashable {
    /// Nothing is compressed, and nothing that is compressed is taken.
    case off
    /// Frames of more bytes than this are deflated when the other side takes them so.
    case deflate(above: Int = Self.thresholdDefault)

    /// Smaller frames seldom gain anything.
    public static let thresholdDefault = 1_024

    /// Whether compressed frames are taken.
    var isOn: Bool { self != .off }

    /// Above how many bytes frames are deflated for a peer.
    func threshold(for peer: Frame.Settings) -> Int {
        guard case .deflate(let bytes) = self, peer.takesDeflated else { return .max }
        return max(bytes, 0)
    }
}

/// What compresses and inflates on one thread, made when it is first needed.
final class Compressors {
    private var madeDeflater: Deflater?
    private var madeInflater: Inflater?

    var deflater: Deflater? {
        if madeDeflater == nil { madeDeflater = Deflater() }
        return madeDeflater
    }

    var inflater: Inflater? {
        if madeInflater == nil { madeInflater = Inflater() }
        return madeInflater
    }
}

extension LoopContext {
    /// The frame that travels deflated inside another.
    ///
    /// - Parameters:
    ///   - content: Where it lies, in `bytes`.
    ///   - bytes: The frame around it.
    ///   - byteCount: How large it is said to be.
    ///   - frameBytesMax: How large it may be.
    /// - Returns: The frame within, without its length.
    /// - Throws: `INVALID_ARGUMENT` or `RESOURCE_EXHAUSTED` for the peer.
    func inflate(
        _ content: Range<Int>, of bytes: ByteBuffer, byteCount: Int, frameBytesMax: Int
    ) throws(Status) -> ByteBuffer {
        guard let inflater = compressors.value.inflater else { throw Inflater.damaged }
        return try inflater.inflate(
            content, of: bytes, byteCount: byteCount, frameBytesMax: frameBytesMax)
    }
}

extension Outbox {
    /// The bytes around a deflated frame: tags, its size and lengths.
    private static let overhead = 24

    /// Puts the last frame of a buffer in deflated, if that makes it smaller.
    func deflateLast(of buffer: inout ByteBuffer, byteCount: Int) {
        let start = buffer.writerIndex - byteCount - Frame.lengthByteCount
        guard
            let frame = buffer.getSlice(at: start + Frame.lengthByteCount, length: byteCount),
            let deflated = loop.compressors.value.deflater?.deflate(
                frame, shorterThan: byteCount - Self.overhead)
        else { return }
        buffer.moveWriterIndex(to: start)
        let outgoing = OutgoingFrame.deflated(
            byteCount: byteCount, .encoded(BufferPayload(deflated)))
        buffer.writeWithOutputRawSpan(minimumWritableBytes: outgoing.byteCountMax) { output in
            outgoing.encode(into: &output)
        }
    }
}

extension ServerConnection {
    /// So many bytes are inflated before other connections have their turn.
    static let inflatedBytesMax = Frame.byteCountHardMax

    /// Takes the frame that travels inside another.
    func takeDeflated(_ content: Range<Int>, of bytes: ByteBuffer, byteCount: Int) {
        guard core.configuration.compression.isOn else {
            fail(Status(.invalidArgument, "This server takes no compressed frames."))
            return
        }
        do throws(Status) {
            let frame = try loop.context.inflate(
                content, of: bytes, byteCount: byteCount, frameBytesMax: frameBytesMax)
            inflatedBytes += frame.readableBytes
            handle(frame, isInflated: true)
        } catch {
            fail(error)
        }
    }
}
