/// What travels between a process that reads or writes spreadsheets and the one that asked for it:
/// frames of a kind, a length and contents, all numbers with their lowest byte first.
struct Frame {
    /// What a frame holds.
    enum Kind: UInt8 {
        /// The process is what it should be.
        case hello = 1
        /// Rows.
        case rows
        /// Bytes of a file.
        case bytes
        /// What is to be written: the format, the sheet and its columns.
        case sheet
        /// All is done.
        case end
        /// The work has failed.
        case fault
    }

    /// The bytes of a kind and a length.
    static let headBytes = 5
    /// Rows are sent once there are so many bytes of them.
    static let rowsBytes = 64 * 1024
    /// The largest frame: rows just below the bytes above, and one of the longest cells.
    static let bytesMax = 16 * 1024 * 1024

    let kind: Kind
    var contents: ByteReader

    /// The bytes of a frame.
    static func encode(_ kind: Kind, _ write: (inout ByteWriter) -> Void = { _ in }) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(kind.rawValue)
        writer.write(UInt32(0))
        write(&writer)
        writer.setLength()
        return writer.bytes
    }
}

/// What the other process sends is not what it may send.
struct MalformedFrame: Error {}

/// Writes numbers and texts one after the other.
struct ByteWriter {
    fileprivate(set) var bytes: [UInt8] = []

    mutating func write(_ number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func write(_ number: Double) { write(number.bitPattern) }

    mutating func write(_ text: String) {
        write(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ optional: String?) {
        write(UInt8(optional == nil ? 0 : 1))
        if let optional { write(optional) }
    }

    mutating func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    /// Puts the length of a frame's contents where it belongs.
    fileprivate mutating func setLength() {
        let length = UInt32(bytes.count - Frame.headBytes)
        for index in 0..<4 { bytes[1 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    }
}

/// Reads numbers and texts one after the other, and trusts none of them.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        (self.bytes, index) = (bytes, bytes.startIndex)
    }

    var isAtEnd: Bool { index == bytes.endIndex }

    /// The bytes that have not been read.
    var rest: ArraySlice<UInt8> { bytes[index...] }

    private mutating func next(_ count: Int) throws(MalformedFrame) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - index else { throw MalformedFrame() }
        defer { index += count }
        return bytes[index..<index + count]
    }

    mutating func read<Number: FixedWidthInteger>() throws(MalformedFrame) -> Number {
        var number: Number = 0
        var shift = 0
        for byte in try next(MemoryLayout<Number>.size) {
            number |= Number(truncatingIfNeeded: byte) << shift
            shift += 8
        }
        return number
    }

    mutating func read() throws(MalformedFrame) -> Double {
        Double(bitPattern: try read())
    }

    mutating func read() throws(MalformedFrame) -> String {
        let count: UInt32 = try read()
        return String(decoding: try next(Int(count)), as: UTF8.self)
    }

    mutating func read() throws(MalformedFrame) -> String? {
        let isThere: UInt8 = try read()
        guard isThere != 0 else { return nil }
        let text: String = try read()
        return text
    }
}

/// Puts frames together from the pieces in which bytes arrive.
struct FrameAssembler {
    private var bytes: [UInt8] = []
    private var start = 0

    mutating func append(_ piece: some Collection<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: piece)
    }

    /// The next whole frame; nil until it is there.
    mutating func next() throws(MalformedFrame) -> Frame? {
        guard bytes.count - start >= Frame.headBytes else { return nil }
        var head = ByteReader(bytes[start..<start + Frame.headBytes])
        guard let kind = Frame.Kind(rawValue: try head.read()) else { throw MalformedFrame() }
        let length: UInt32 = try head.read()
        guard length <= Frame.bytesMax else { throw MalformedFrame() }
        let end = start + Frame.headBytes + Int(length)
        guard bytes.count >= end else { return nil }
        defer { start = end }
        return Frame(kind: kind, contents: ByteReader(bytes[start + Frame.headBytes..<end]))
    }
}
