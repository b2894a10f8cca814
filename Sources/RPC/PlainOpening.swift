/// The opening of a call as most are sent: the method by its number, no metadata, one message.
///
/// It is what ``Frame/init(decoding:)`` makes of the same bytes, found in a fraction of the time:
/// numbers alone, nothing to count references of.
public struct PlainOpening: Sendable, Hashable {
    /// The call.
    public let call: UInt32
    /// The number of the method; not 0.
    public let number: UInt32
    /// The time the caller waits, in microseconds; 0 when it names none.
    public let timeoutMicroseconds: UInt64
    /// Where the message lies.
    public let message: Range<Int>
    /// Credit for replies; 0 is the value of the settings.
    public let window: UInt32

    /// Reads a frame from the bytes after its length.
    ///
    /// - Returns: Nil for every other frame, malformed ones too: the general decoder says what they
    ///   are.
    @inline(__always)
    public init?(_ bytes: RawSpan) {
        var reader = Reader(end: bytes.byteCount)
        guard reader.byte(bytes) == 0x08 else { return nil }
        let call = reader.varint(bytes)
        guard reader.byte(bytes) == 0x12 else { return nil }
        // A single call, and its opening fills the frame.
        guard reader.varint(bytes) == UInt64(reader.end - reader.offset) else { return nil }
        var (number, timeout, window) = (UInt64(0), UInt64(0), UInt64(0))
        var message = 0..<0
        var seen = 0
        while reader.offset < reader.end {
            let tag = reader.byte(bytes)
            guard tag < 0x40, seen >> tag & 1 == 0 else { return nil }
            seen |= 1 << tag
            switch tag {
            case 0x10: number = reader.varint(bytes)
            case 0x18: timeout = reader.varint(bytes)
            case 0x2A:
                let count = reader.varint(bytes)
                guard count <= UInt64(max(0, reader.end - reader.offset)) else { return nil }
                message = reader.offset..<(reader.offset + Int(count))
                reader.offset += Int(count)
            case 0x30: guard reader.varint(bytes) == 1 else { return nil }
            case 0x38: window = reader.varint(bytes)
            default: return nil
            }
        }
        // Past the end numbers read as too large.
        guard reader.isSound, seen >> 0x2A & 1 == 1, seen >> 0x30 & 1 == 1, number != 0, call != 0,
            max(call, number, window) <= UInt64(UInt32.max)
        else { return nil }
        self.call = UInt32(truncatingIfNeeded: call)
        self.number = UInt32(truncatingIfNeeded: number)
        timeoutMicroseconds = min(timeout, Frame.Opening.timeoutMicrosecondsMax)
        self.message = message
        self.window = UInt32(truncatingIfNeeded: window)
    }

    /// Reads without ever throwing: what is wrong shows at the end.
    private struct Reader {
        var offset = 0
        let end: Int
        private(set) var isSound = true

        init(end: Int) {
            self.end = end
        }

        @inline(__always)
        mutating func byte(_ bytes: RawSpan) -> UInt8 {
            guard offset < end else {
                isSound = false
                return 0xFF
            }
            // Within bounds: `end` is the count of the bytes.
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            offset += 1
            return byte
        }

        /// Numbers of more than nine bytes are left to the general decoder.
        @inline(__always)
        mutating func varint(_ bytes: RawSpan) -> UInt64 {
            var byte = byte(bytes)
            var value = UInt64(byte & 0x7F)
            var shift: UInt64 = 7
            while byte >= 0x80, isSound {
                guard shift < 63 else {
                    isSound = false
                    break
                }
                byte = self.byte(bytes)
                value |= UInt64(byte & 0x7F) &<< shift
                shift += 7
            }
            return value
        }
    }
}
