internal import CMessages
internal import CProtobufC

/// Reads Swift values out of C structs that protobuf-c unpacked after the pre-check.
enum Lift {
    /// The text in C memory.
    static func text(_ data: ProtobufCBinaryData) -> String {
        guard let start = unsafe data.data, unsafe data.len > 0 else { return "" }
        do {
            let span = unsafe Span(_unsafeStart: UnsafePointer(start), count: data.len)
            return String(copying: try UTF8Span(validating: span))
        } catch {
            preconditionFailure("the pre-check let through what is not UTF-8: \(error)")
        }
    }

    /// The bytes in C memory.
    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
    }

    /// The message behind a pointer, or nil.
    static func message<Value: Bridged>(_ lowered: UnsafeMutablePointer<Value.Lowered>?) -> Value? {
        guard let lowered = unsafe lowered else { return nil }
        return unsafe Value(lifting: lowered)
    }

    /// The messages behind an array of pointers.
    static func messages<Value: Bridged>(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Value.Lowered>?>?
    ) -> [Value] {
        guard let pointers = unsafe pointers else { return [] }
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            guard let lowered = unsafe pointers[index] else { continue }
            unsafe values.append(Value(lifting: lowered))
        }
        return values
    }

    /// What a closure makes of each element of a C array.
    static func array<Lowered, Value>(
        _ count: Int, _ array: UnsafeMutablePointer<Lowered>?, _ lift: (Lowered) -> Value
    ) -> [Value] {
        guard let array = unsafe array else { return [] }
        return (0..<count).map { unsafe lift(array[$0]) }
    }

    /// The map that a closure makes of entries; the last of equal keys holds.
    static func entries<Entry, Key: Hashable, Value>(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?,
        _ lift: (UnsafeMutablePointer<Entry>) -> (Key, Value)
    ) -> [Key: Value] {
        guard let pointers = unsafe pointers else { return [:] }
        var map: [Key: Value] = [:]
        map.reserveCapacity(count)
        for index in 0..<count {
            guard let entry = unsafe pointers[index] else { continue }
            let (key, value) = unsafe lift(entry)
            map[key] = value
        }
        return map
    }
}
