/// The bytes of one run, taken from the front.
public struct Input {
    /// What is left.
    public private(set) var rest: ArraySlice<UInt8>

    /// The bytes that libFuzzer made, copied, so that reading past them is found.
    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        rest = unsafe ArraySlice(UnsafeBufferPointer(start: start, count: count))
    }

    /// The next byte; 0 at the end.
    public mutating func byte() -> UInt8 {
        rest.popFirst() ?? 0
    }

    /// So many bytes, or what is left.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// What is left, as an array.
    public var bytes: [UInt8] { Array(rest) }
}
