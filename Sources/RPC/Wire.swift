/// Reads protobuf fields one after the other within bounds of a view of bytes.
///
/// It holds positions only: the bytes are lent to each call.
struct WireCursor {
    /// More fields that we do not know than this are a broken or hostile sender; a constant of the
    /// protocol, as ``DecodingLimits`` says.
    static let unknownFieldsMax = 16

    /// How a field's value is laid out.
    enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case length = 2
        case fixed32 = 5
    }

    /// The number of a field and the layout of its value, which is one of ``WireType``.
    struct Tag {
        private let bits: UInt64
        private static let typesKnown: UInt64 = 0b100111

        /// Nil when there is no such layout, or the number is out of range.
        @inline(__always)
        init?(bits: UInt64) {
            guard Self.typesKnown >> (bits & 7) & 1 != 0, bits >= 8, bits >> 3 <= 0x1FFF_FFFF
            else { return nil }
            self.bits = bits
        }

        @inline(__always)
        var number: UInt64 { bits >> 3 }

        @inline(__always)
        func has(_ type: WireType) -> Bool { bits & 7 == type.rawValue }
    }

    private(set) var offset: Int
    let end: Int
    private var seen: UInt32 = 0
    private var unknownFields = 0
    private let message: String

    /// A cursor over a range; the name of the message stands in faults.
    init(_ range: Range<Int>, in message: String) {
        offset = range.lowerBound
        end = range.upperBound
        self.message = message
    }

    @inline(never)
    func fault(_ reason: DecodingFault.Reason, _ field: String? = nil) -> DecodingFault {
        DecodingFault(reason, at: field.map { "\(message).\($0)" } ?? message)
    }

    /// The next field, or nil at the end.
    @inline(__always)
    mutating func next(_ bytes: RawSpan) throws(DecodingFault) -> Tag? {
        guard offset < end else { return nil }
        guard let tag = Tag(bits: try varint(bytes)) else { throw fault(.malformed) }
        return tag
    }

    /// Notes that a field that may occur once occurs, with the layout it must have.
    @inline(__always)
    mutating func once(
        _ tag: Tag, _ type: WireType, _ field: String
    ) throws(DecodingFault) {
        try check(tag, type, field)
        let bit = UInt32(1) << UInt32(tag.number & 31)
        guard seen & bit == 0 else { throw fault(.duplicateField, field) }
        seen |= bit
    }

    /// Checks the layout of a field that may repeat.
    @inline(__always)
    func check(_ tag: Tag, _ type: WireType, _ field: String) throws(DecodingFault) {
        guard tag.has(type) else { throw fault(.wrongType, field) }
    }

    @inline(__always)
    mutating func varint(_ bytes: RawSpan) throws(DecodingFault) -> UInt64 {
        guard offset < end else { throw fault(.truncated) }
        // Most numbers take one byte. Within bounds: `end` never exceeds the count of the bytes.
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        if byte < 0x80 {
            offset += 1
            return UInt64(byte)
        }
        return try longVarint(bytes)
    }

    private mutating func longVarint(_ bytes: RawSpan) throws(DecodingFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            // Within bounds: `end` never exceeds the count of the bytes lent.
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            if shift == 63, byte > 1 { throw fault(.malformed) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw fault(.truncated)
    }

    mutating func uint32(_ bytes: RawSpan, _ field: String) throws(DecodingFault) -> UInt32 {
        guard let value = UInt32(exactly: try varint(bytes)) else {
            throw fault(.malformed, field)
        }
        return value
    }

    mutating func bool(_ bytes: RawSpan) throws(DecodingFault) -> Bool {
        try varint(bytes) != 0
    }

    /// Where the bytes of a field with a length lie.
    @inline(__always)
    mutating func range(_ bytes: RawSpan) throws(DecodingFault) -> Range<Int> {
        let length = try varint(bytes)
        guard length <= UInt64(end - offset) else { throw fault(.truncated) }
        let start = offset
        offset += Int(length)
        return start..<offset
    }

    mutating func array(_ bytes: RawSpan) throws(DecodingFault) -> [UInt8] {
        let range = try range(bytes)
        return unsafe bytes.extracting(range).withUnsafeBytes { unsafe [UInt8]($0) }
    }

    mutating func text(_ bytes: RawSpan, _ field: String) throws(DecodingFault) -> String {
        let range = try range(bytes)
        guard !range.isEmpty else { return "" }
        do {
            let span = Span<UInt8>(_bytes: bytes.extracting(range))
            return String(copying: try UTF8Span(validating: span))
        } catch {
            throw fault(.invalidText, field)
        }
    }

    /// Passes over a field that we do not know; a newer sender may send a few.
    mutating func skip(_ tag: Tag, _ bytes: RawSpan) throws(DecodingFault) {
        unknownFields += 1
        guard unknownFields <= WireCursor.unknownFieldsMax else {
            throw fault(.tooManyUnknownFields)
        }
        if tag.has(.varint) {
            _ = try varint(bytes)
        } else if tag.has(.length) {
            _ = try range(bytes)
        } else {
            try advance(by: tag.has(.fixed64) ? 8 : 4)
        }
    }

    private mutating func advance(by count: Int) throws(DecodingFault) {
        guard end - offset >= count else { throw fault(.truncated) }
        offset += count
    }
}

/// Sizes of protobuf fields before they are written.
enum WireSize {
    /// The bytes of a varint.
    static func varint(_ value: UInt64) -> Int {
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    /// The bytes of a varint field with a number below 16; 0 when it has its default.
    static func field(_ value: UInt64) -> Int {
        value == 0 ? 0 : 1 + varint(value)
    }

    /// The bytes of a field with a length and a number below 16.
    static func field(byteCount: Int) -> Int {
        1 + varint(UInt64(byteCount)) + byteCount
    }

    /// The bytes of a field that is left out when empty.
    static func fieldUnlessEmpty(byteCount: Int) -> Int {
        byteCount == 0 ? 0 : field(byteCount: byteCount)
    }
}

extension OutputRawSpan {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(field number: UInt64, varint value: UInt64) {
        guard value != 0 else { return }
        append(varint: number << 3)
        append(varint: value)
    }

    /// A field with a length whose content follows.
    mutating func append(field number: UInt64, byteCount: Int) {
        append(varint: number << 3 | 2)
        append(varint: UInt64(byteCount))
    }

    mutating func append(field number: UInt64, text: String) {
        guard !text.utf8.isEmpty else { return }
        append(field: number, byteCount: text.utf8.count)
        unsafe append(contentsOf: text.utf8Span.span.bytes)
    }

    mutating func append(field number: UInt64, bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        append(field: number, byteCount: bytes.count)
        unsafe append(contentsOf: bytes.span.bytes)
    }

    mutating func append(contentsOf bytes: RawSpan) {
        precondition(freeCapacity >= bytes.byteCount, "the size was computed before")
        unsafe withUnsafeMutableBytes { memory, count in
            unsafe bytes.withUnsafeBytes { source in
                let free = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
                unsafe free.copyMemory(from: source)
            }
            count += bytes.byteCount
        }
    }

    /// Leaves bytes over which a length is written later; until then they hold whatever they held.
    @inline(__always)
    mutating func leave(_ count: Int) {
        precondition(freeCapacity >= count, "the size was computed before")
        unsafe withUnsafeMutableBytes { _, initializedCount in initializedCount += count }
    }

    /// Writes a varint of a fixed width over bytes that were left for it.
    ///
    /// A varint may be longer than need be: the length of a message is written after the message,
    /// which is thus encoded once and in place.
    mutating func patch(varint value: Int, width: Int, at offset: Int) {
        precondition(value < 1 << (7 * width), "the width follows from the upper bound")
        unsafe withUnsafeMutableBytes { memory, _ in
            var left = unsafe LeftBytes(memory, at: offset)
            unsafe left.append(varint: UInt64(value), width: width)
        }
    }

    /// Writes the big-endian length of a frame over the four bytes that were left for it.
    mutating func patch(frameLength: Int, at offset: Int) {
        unsafe withUnsafeMutableBytes { memory, _ in
            var left = unsafe LeftBytes(memory, at: offset)
            unsafe left.append(bigEndian: UInt32(frameLength))
        }
    }
}

/// Writes over bytes that were left for what is known later.
@unsafe struct LeftBytes {
    private let memory: UnsafeMutableRawBufferPointer
    private var position: Int

    init(_ memory: UnsafeMutableRawBufferPointer, at position: Int) {
        unsafe self.memory = memory
        unsafe self.position = position
    }

    @inline(__always)
    mutating func append(byte: UInt8) {
        unsafe memory[position] = byte
        unsafe position += 1
    }

    @inline(__always)
    mutating func append(bigEndian value: UInt32) {
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: position, as: UInt32.self)
        unsafe position += MemoryLayout<UInt32>.size
    }

    /// A varint of a width; it may be longer than need be.
    @inline(__always)
    mutating func append(varint value: UInt64, width: Int) {
        var rest = value
        for _ in 1..<width {
            unsafe append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        unsafe append(byte: UInt8(truncatingIfNeeded: rest))
    }
}

/// Encodes on paths where a copy more does not matter.
func encodedArray(
    byteCountMax: Int, _ body: (inout OutputRawSpan) -> Void
) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: byteCountMax) { memory, count in
        var output = unsafe OutputRawSpan(
            buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
        body(&output)
        count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(memory))
    }
}
