/// A time-ordered identifier (UUIDv7) of one kind of thing; other kinds are other types.
///
/// It is kept as 16 bytes in databases and shown as lower-case `8-4-4-4-12` text.
public struct Identifier<Kind>: Sendable, Hashable, Comparable, LosslessStringConvertible {
    /// The first eight bytes, most significant first.
    public let high: UInt64
    /// The last eight bytes, most significant first.
    public let low: UInt64

    /// The identifier with the given halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 7 identifier of an instant.
    ///
    /// - Parameters:
    ///   - milliseconds: The instant; its lower 48 bits count.
    ///   - random: The lower 12 bits of the first and the lower 62 bits of the second count.
    public init(millisecondsSince1970 milliseconds: UInt64, random: (UInt64, UInt64)) {
        let version: UInt64 = 0x7000
        let variant: UInt64 = 0x8000_0000_0000_0000
        high = (milliseconds << 16) | version | (random.0 & 0x0FFF)
        low = variant | (random.1 & 0x3FFF_FFFF_FFFF_FFFF)
    }

    /// The identifier in its 16 bytes; nil when there are more or fewer.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            high = (high << 8) | UInt64(bytes[index])
            low = (low << 8) | UInt64(bytes[index + 8])
        }
        self.init(high: high, low: low)
    }

    /// The identifier in its text, in either case; nil when the text is anything else.
    public init?(text: String) {
        let utf8 = text.utf8
        guard utf8.count == 36 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var position = 0
        for byte in utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let nibble = Self.nibble(byte) else { return nil }
                halves.0 = (halves.0 << 4) | (halves.1 >> 60)
                halves.1 = (halves.1 << 4) | nibble
            }
            position += 1
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// The identifier in its text, as ``init(text:)``.
    public init?(_ description: String) {
        self.init(text: description)
    }

    /// The 16 bytes, most significant first.
    public var bytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 16) { memory, count in
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                unsafe memory[index] = UInt8(truncatingIfNeeded: high >> shift)
                unsafe memory[index + 8] = UInt8(truncatingIfNeeded: low >> shift)
            }
            count = 16
        }
    }

    /// The text, such as `018f3c5e-7a10-7c3b-9d52-0242ac120002`.
    public var text: String {
        unsafe String(unsafeUninitializedCapacity: 36) { memory in
            var position = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    unsafe memory[position] = UInt8(ascii: "-")
                    position += 1
                }
                let half = index < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (index % 16))) & 15
                unsafe memory[position] =
                    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
                position += 1
            }
            return position
        }
    }

    /// The text.
    public var description: String { text }

    /// The instant at which a version 7 identifier was made, in milliseconds.
    public var millisecondsSince1970: UInt64 { high >> 16 }

    /// Orders by the bytes, which is by time of making.
    @inlinable
    public static func < (left: Identifier, right: Identifier) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    private static func nibble(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
