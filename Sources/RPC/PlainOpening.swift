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
        // A single call, and its opening fills the frame.
        guard reader.byte(bytes) == 0x08, let call = reader.varint(bytes),
            reader.byte(bytes) == 0x12, let count = reader.varint(bytes), count == reader.left
        else { return nil }
        var (number, timeout, window) = (UInt64(0), UInt64(0), UInt64(0))
        var message = 0..<0
        var seen = 0
        while let tag = reader.byte(bytes) {
            let bit = 1 &<< Int(tag)
            guard tag < 0x40, seen & bit == 0, let value = reader.varint(bytes) else {
                return nil
            }
            seen |= bit
            switch tag {
            case 0x10: number = value
            case 0x18: timeout = value
            case 0x2A:
                guard let range = reader.range(byteCount: value) else { return nil }
                message = range
            case 0x30: guard value == 1 else { return nil }
            case 0x38: window = value
            default: return nil
            }
        }
        let required = 1 << 0x2A | 1 << 0x30
        guard seen & required == required, number != 0, call != 0,
            call | number | window <= UInt64(UInt32.max)
        else { return nil }
        self.call = UInt32(truncatingIfNeeded: call)
        self.number = UInt32(truncatingIfNeeded: number)
        timeoutMicroseconds = min(timeout, Frame.Opening.timeoutMicrosecondsMax)
        self.message = message
        self.window = UInt32(truncatingIfNeeded: window)
    }

    /// Reads what follows; nil past the end.
    private struct Reader {
        private var offset = 0
        private let end: Int

        init(end: Int) {
            self.end = end
        }

        var left: UInt64 { UInt64(truncatingIfNeeded: end - offset) }

        @inline(__always)
        mutating func byte(_ bytes: RawSpan) -> UInt8? {
            guard offset < end else { return nil }
            // Within bounds: `end` is the count of the bytes.
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            return byte
        }

        /// A number; those of more than nine bytes are left to the general decoder.
        @inline(__always)
        mutating func varint(_ bytes: RawSpan) -> UInt64? {
            guard let first = byte(bytes) else { return nil }
            return first < 0x80 ? UInt64(first) : longVarint(first, bytes)
        }

        @inline(__always)
        private mutating func longVarint(_ first: UInt8, _ bytes: RawSpan) -> UInt64? {
            var value = UInt64(first & 0x7F)
            var shift: UInt64 = 7
            while shift < 63, let byte = byte(bytes) {
                value |= UInt64(byte & 0x7F) &<< shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }

        /// Passes over so many bytes.
        @inline(__always)
        mutating func range(byteCount: UInt64) -> Range<Int>? {
            guard byteCount <= left else { return nil }
            let start = offset
            offset += Int(truncatingIfNeeded: byteCount)
            return start..<offset
        }
    }
}
