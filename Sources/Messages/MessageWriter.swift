internal import RPC

/// Writes the fields of one message into memory, one after the other, in one pass.
///
/// Nothing is written past the end of the memory: a bound that was too small ends the program. The
/// length of a submessage is known once it is written; a byte is left for it, and what is longer
/// moves up. So the bytes are those of every other encoder.
@unsafe struct MessageWriter {
    /// Where the next byte goes.
    private(set) var position: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    /// A writer into the free part of memory.
    init(_ memory: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer) {
        unsafe position = memory
        unsafe self.end = end
    }

    // MARK: Fields that are left out at their default; a tag has the number and the wire type

    @inline(__always)
    mutating func add(_ tag: UInt32, varint value: UInt64) {
        if value != 0 { unsafe put(tag, varint: value) }
    }

    @inline(__always)
    mutating func add(_ tag: UInt32, fixed32 value: UInt32) {
        if value != 0 { unsafe put(tag, fixed32: value) }
    }

    @inline(__always)
    mutating func add(_ tag: UInt32, fixed64 value: UInt64) {
        if value != 0 { unsafe put(tag, fixed64: value) }
    }

    @inline(__always)
    mutating func add(_ tag: UInt32, text value: String) {
        if !value.utf8.isEmpty { unsafe put(tag, text: value) }
    }

    @inline(__always)
    mutating func add(_ tag: UInt32, bytes value: [UInt8]) {
        if !value.isEmpty { unsafe put(tag, bytes: value) }
    }

    // MARK: Fields that are written in any case

    @inline(__always)
    mutating func put(_ tag: UInt32, varint value: UInt64) {
        unsafe varint(UInt64(tag))
        unsafe varint(value)
    }

    @inline(__always)
    mutating func put(_ tag: UInt32, fixed32 value: UInt32) {
        unsafe varint(UInt64(tag))
        unsafe fixed32(value)
    }

    @inline(__always)
    mutating func put(_ tag: UInt32, fixed64 value: UInt64) {
        unsafe varint(UInt64(tag))
        unsafe fixed64(value)
    }

    @inline(__always)
    mutating func put(_ tag: UInt32, text value: String) {
        unsafe varint(UInt64(tag))
        unsafe text(value)
    }

    @inline(__always)
    mutating func put(_ tag: UInt32, bytes value: [UInt8]) {
        unsafe varint(UInt64(tag))
        unsafe value.withUnsafeBufferPointer { unsafe content($0) }
    }

    @inline(__always)
    mutating func put(_ tag: UInt32, message value: some Bridged) {
        let content = unsafe open(tag)
        unsafe value.encode(with: &self)
        unsafe close(content)
    }

    /// Writes each message of a repeated field.
    @inline(__always)
    mutating func put<Value: Bridged>(_ tag: UInt32, messages values: [Value]) {
        // Through a span, so that no element is copied, which would count references up and down.
        let elements = values.span
        for index in elements.indices { unsafe put(tag, message: elements[index]) }
    }

    // MARK: Fields whose length follows from what is written

    /// Begins a field with a length.
    ///
    /// - Returns: Where its content begins, for ``close(_:)``.
    @inline(__always)
    mutating func open(_ tag: UInt32) -> UnsafeMutableRawPointer {
        unsafe varint(UInt64(tag))
        unsafe byte(0)
        return unsafe position
    }

    /// Ends a field with a length: everything since its content began is in it.
    @inline(__always)
    mutating func close(_ content: UnsafeMutableRawPointer) {
        let count = unsafe position - content
        if count < 0x80 {
            unsafe (content - 1).storeBytes(of: UInt8(count), as: UInt8.self)
        } else {
            unsafe closeLong(content, count)
        }
    }

    @inline(never)
    private mutating func closeLong(_ content: UnsafeMutableRawPointer, _ count: Int) {
        let width = (70 - count.leadingZeroBitCount) / 7
        unsafe check(width - 1)
        unsafe (content + width - 1).copyMemory(from: content, byteCount: count)
        unsafe position = content - 1
        unsafe varint(UInt64(count))
        unsafe position += count
    }

    // MARK: Values

    /// Writes a number; tags, which the compiler knows, are a constant of one or two bytes.
    @inline(__always)
    mutating func varint(_ value: UInt64) {
        if value < 0x80 {
            unsafe byte(UInt8(truncatingIfNeeded: value))
        } else if value < 0x4000 {
            unsafe check(2)
            let bytes = UInt16(truncatingIfNeeded: value & 0x7F | 0x80 | (value >> 7) << 8)
            unsafe position.storeBytes(of: bytes.littleEndian, as: UInt16.self)
            unsafe position += 2
        } else {
            unsafe longVarint(value)
        }
    }

    @inline(never)
    private mutating func longVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            unsafe byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        unsafe byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func fixed32(_ value: UInt32) {
        unsafe check(4)
        unsafe position.storeBytes(of: value.littleEndian, as: UInt32.self)
        unsafe position += 4
    }

    @inline(__always)
    mutating func fixed64(_ value: UInt64) {
        unsafe check(8)
        unsafe position.storeBytes(of: value.littleEndian, as: UInt64.self)
        unsafe position += 8
    }

    /// Small numbers for small values of either sign.
    @inline(__always)
    static func zigzag(_ value: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: (value << 1) ^ (value >> 31)))
    }

    /// Small numbers for small values of either sign.
    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    /// Texts are many: one function for all of them keeps the code of messages small.
    @inline(never)
    private mutating func text(_ value: String) {
        let isContiguous: ()? = unsafe value.utf8.withContiguousStorageIfAvailable {
            unsafe content($0)
        }
        guard isContiguous == nil else { return }
        unsafe Array(value.utf8).withUnsafeBufferPointer { unsafe content($0) }
    }

    @inline(__always)
    private mutating func content(_ source: UnsafeBufferPointer<UInt8>) {
        unsafe varint(UInt64(truncatingIfNeeded: source.count))
        guard let start = source.baseAddress else { return }
        unsafe check(source.count)
        unsafe position.copyMemory(from: start, byteCount: source.count)
        unsafe position += source.count
    }

    @inline(__always)
    private mutating func byte(_ value: UInt8) {
        unsafe check(1)
        unsafe position.storeBytes(of: value, as: UInt8.self)
        unsafe position += 1
    }

    @inline(__always)
    private func check(_ count: Int) {
        precondition(unsafe count <= end - position, "the bound of a message is too small")
    }
}
