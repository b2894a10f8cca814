import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The fields of an encoded message, by the order in which they stand.
///
/// Extensions of options are read by hand: a few are not worth their generated code.
struct WireFields {
    /// Fields that have a length.
    private(set) var fields: [(number: Int, bytes: [UInt8])] = []
    /// Fields that are varints.
    private(set) var numbers: [(number: Int, value: UInt64)] = []

    /// The extensions among the options of a method.
    init(of method: MethodDescriptor) throws {
        try self.init(Array(method.options.unknownFields.data), of: method.fullName)
    }

    /// The extensions among the options of a field.
    init(of field: FieldDescriptor) throws {
        try self.init(Array(field.options.unknownFields.data), of: field.fullName)
    }

    /// The texts of an extension, in their order.
    func texts(_ number: Int) -> [String] {
        fields.filter { $0.number == number }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Whether an extension is `true`.
    func isSet(_ number: Int) -> Bool {
        numbers.last { $0.number == number }.map { $0.value != 0 } ?? false
    }

    /// The fields of a message in the options of a method, which is named when it is refused.
    init(_ bytes: [UInt8], of method: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let tag = Self.varint(&rest), let number = Int(exactly: tag >> 3),
                let value = Self.value(of: tag & 7, &rest)
            else { throw Refusal(method, "its options are malformed") }
            switch value {
            case .bytes(let bytes): fields.append((number, bytes))
            case .number(let value): numbers.append((number, value))
            case .other: break
            }
        }
    }

    private enum Value {
        case number(UInt64)
        case bytes([UInt8])
        /// Of a type that no option of interest has.
        case other
    }

    private static func value(of wireType: UInt64, _ bytes: inout ArraySlice<UInt8>) -> Value? {
        switch wireType {
        case 0: return varint(&bytes).map { .number($0) }
        case 1, 5:
            let count = wireType == 1 ? 8 : 4
            guard count <= bytes.count else { return nil }
            bytes = bytes.dropFirst(count)
            return .other
        case 2:
            guard let count = varint(&bytes), count <= bytes.count else { return nil }
            defer { bytes = bytes.dropFirst(Int(count)) }
            return .bytes(Array(bytes.prefix(Int(count))))
        // The start and the end of a group; what stands between them is passed like other fields.
        case 3, 4: return .other
        default: return nil
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
