/// Reads the fields of an encoded message one after the other.
struct WireReader {
    /// The value of a field as it stands on the wire.
    enum Raw {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(Range<Int>)
        case fixed32(UInt32)
        /// A group: skipped, proto3 has none.
        case group
    }

    /// Groups nest in one another at most so deep.
    static let groupDepthMax = 32

    let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// The number and value of the next field; nil at the end.
    mutating func next() throws(MessageFault) -> (number: Int32, value: Raw)? {
        guard !isAtEnd else { return nil }
        let (number, type) = try tag()
        return (number, try raw(type, of: number, depth: 0))
    }

    private mutating func tag() throws(MessageFault) -> (Int32, UInt64) {
        let tag = try varint()
        guard let number = Int32(exactly: tag >> 3), (1...(1 << 29) - 1).contains(number) else {
            throw MessageFault("The bytes hold a field without a legal number.")
        }
        return (number, tag & 7)
    }

    private mutating func raw(
        _ type: UInt64, of number: Int32, depth: Int
    ) throws(MessageFault) -> Raw {
        switch type {
        case 0: return .varint(try varint())
        case 1: return .fixed64(try fixed64())
        case 2: return .bytes(try length())
        case 3:
            try skipGroup(number, depth: depth + 1)
            return .group
        case 5: return .fixed32(try fixed32())
        default: throw MessageFault("The bytes hold a field of no known wire type.")
        }
    }

    private mutating func skipGroup(_ number: Int32, depth: Int) throws(MessageFault) {
        guard depth <= Self.groupDepthMax else {
            throw MessageFault("The bytes nest too deep.")
        }
        while true {
            let (inner, type) = try tag()
            if type == 4 {
                guard inner == number else {
                    throw MessageFault("The bytes end a group that they did not begin.")
                }
                return
            }
            _ = try raw(type, of: inner, depth: depth)
        }
    }

    mutating func varint() throws(MessageFault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { throw Self.truncated }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw MessageFault("The bytes hold a number that is too long.")
    }

    mutating func fixed64() throws(MessageFault) -> UInt64 {
        UInt64(try fixed32()) | UInt64(try fixed32()) << 32
    }

    mutating func fixed32() throws(MessageFault) -> UInt32 {
        guard end - position >= 4 else { throw Self.truncated }
        var value: UInt32 = 0
        for place in 0..<4 { value |= UInt32(bytes[position + place]) << UInt32(8 * place) }
        position += 4
        return value
    }

    private mutating func length() throws(MessageFault) -> Range<Int> {
        let count = try varint()
        guard let count = Int(exactly: count), count <= end - position else {
            throw Self.truncated
        }
        defer { position += count }
        return position..<position + count
    }

    private static let truncated = MessageFault("The bytes end inside a field.")
}

/// Appends the fields of a message.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    /// How a value is laid out.
    enum Layout: UInt64 {
        case varint = 0
        case fixed64 = 1
        case length = 2
        case fixed32 = 5
    }

    mutating func tag(_ number: Int32, _ layout: Layout) {
        varint(UInt64(number) << 3 | layout.rawValue)
    }

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    mutating func fixed32(_ value: UInt32) {
        for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * place))) }
    }

    mutating func fixed64(_ value: UInt64) {
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    mutating func length(_ content: some Collection<UInt8>) {
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }
}
