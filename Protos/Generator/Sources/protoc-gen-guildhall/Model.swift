/// A message as the emitters see it.
struct MessageModel {
    /// The full protobuf name.
    let fullName: String
    /// The Swift type, with those it is nested in.
    let swiftName: String
    let documentation: [String]
    let deprecation: Deprecation?
    let fields: [FieldModel]
    let oneofs: [OneofModel]
    let messages: [MessageModel]
    let enums: [EnumModel]
    /// Map entries have a C struct and a shape but no Swift type.
    let entries: [MessageModel]

    var simpleName: String { swiftName.split(separator: ".").last.map(String.init) ?? swiftName }
    /// The declared name, when it is an alias because the type is deprecated.
    var alias: String? { deprecation.map { _ in Deprecation.alias(of: simpleName) } }
    var cType: String { Names.cType(fullName) }
    var cFunction: String { Names.cFunction(fullName) }
    /// What stands in the Swift struct, in the order of the .proto file.
    var members: [MemberModel] {
        var members: [MemberModel] = []
        for field in fields {
            guard let index = field.oneof else {
                members.append(.field(field))
                continue
            }
            if oneofs[index].fields.first?.number == field.number {
                members.append(.oneof(oneofs[index]))
            }
        }
        return members
    }
    /// Whether copies of it share its fields: see ``SharedFields``.
    var sharesFields: Bool { members.count > SharedFields.membersMax }
    /// This message and those within it.
    var all: [MessageModel] { [self] + messages.flatMap(\.all) }
    /// Its enums and those of the messages within it.
    var allEnums: [EnumModel] { enums + messages.flatMap(\.allEnums) }
    /// Whether the code that chooses among a oneof's fields has to name a deprecated one.
    var namesDeprecatedCases: Bool { oneofs.contains(where: \.hasDeprecatedCases) }
}

enum MemberModel {
    case field(FieldModel)
    case oneof(OneofModel)
}

struct OneofModel {
    let name: String
    let documentation: [String]
    let fields: [FieldModel]

    var swiftName: String { Names.escaped(Names.lowerCamel(name)) }
    var swiftType: String { Names.upperCamel(name) }
    var cCase: String { "\(Names.cField(name))_case" }
    var hasDeprecatedCases: Bool { fields.contains { $0.deprecation != nil } }
}

struct FieldModel {
    let name: String
    let number: Int32
    let documentation: [String]
    let deprecation: Deprecation?
    let value: ValueModel
    let cardinality: Cardinality
    /// The position of the real oneof it belongs to.
    let oneof: Int?
    /// Whether repeated numbers stand in one field; else each has a tag of its own.
    let isPacked: Bool
    /// Whether it is marked `optional`: protoc-c sees a oneof with one member.
    let isMarkedOptional: Bool
    /// Whether protoc-c sees such a oneof, though it is not marked: descriptor-filter says why.
    var isFloatingInC: Bool {
        guard case .plain = cardinality else { return false }
        return oneof == nil && value.isFloating
    }

    enum Cardinality {
        /// Absent when at its default.
        case plain
        /// Present or not: `optional`, or a submessage.
        case optional
        case repeated
        /// A map whose values are `value`; `entry` is the message of its entries.
        case map(key: ValueModel, entry: String)
    }

    var plainName: String { Names.lowerCamel(name) }
    var swiftName: String { Names.escaped(plainName) }
    /// The stored property: another one than the property when that is deprecated.
    var storageName: String { deprecation == nil ? swiftName : "\(plainName)Storage" }
    var cName: String { Names.cField(name) }
    /// protoc-c's member that tells whether a field marked `optional` is present.
    var cPresence: String { "_\(name.lowercased())_case" }

    var swiftType: String {
        switch cardinality {
        case .plain: value.swiftType
        case .optional: "\(value.swiftType)?"
        case .repeated: "[\(value.swiftType)]"
        case .map(let key, _): "[\(key.swiftType): \(value.swiftType)]"
        }
    }

    var swiftDefault: String {
        switch cardinality {
        case .plain: value.swiftDefault
        case .optional: "nil"
        case .repeated: "[]"
        case .map: "[:]"
        }
    }
}

/// The type of a field, or of the elements of a repeated one.
enum ValueModel {
    case scalar(Scalar)
    case text
    case bytes
    case enumeration(swiftName: String, fullName: String, initial: String)
    case message(swiftName: String, fullName: String)

    enum Scalar: String {
        case int32, sint32, sfixed32, int64, sint64, sfixed64
        case uint32, fixed32, uint64, fixed64, bool, float, double
    }

    var swiftType: String {
        switch self {
        case .scalar(.int32), .scalar(.sint32), .scalar(.sfixed32): "Int32"
        case .scalar(.int64), .scalar(.sint64), .scalar(.sfixed64): "Int64"
        case .scalar(.uint32), .scalar(.fixed32): "UInt32"
        case .scalar(.uint64), .scalar(.fixed64): "UInt64"
        case .scalar(.bool): "Bool"
        case .scalar(.float): "Float"
        case .scalar(.double): "Double"
        case .text: "String"
        case .bytes: "[UInt8]"
        case .enumeration(let swiftName, _, _): swiftName
        case .message(let swiftName, _): swiftName
        }
    }

    var swiftDefault: String {
        switch self {
        case .scalar(.bool): "false"
        case .scalar: "0"
        case .text: "\"\""
        case .bytes: "[]"
        case .enumeration(_, _, let initial): initial
        case .message(let swiftName, _): "\(swiftName)()"
        }
    }

    /// Whether the C value holds a pointer, so that Swift calls every use of it unsafe.
    var isPointerInC: Bool {
        switch self {
        case .text, .bytes, .message: true
        case .scalar, .enumeration: false
        }
    }

    /// Whether the value has a negative zero, which is not the default, but is for protobuf-c.
    var isFloating: Bool {
        switch self {
        case .scalar(.float), .scalar(.double): true
        default: false
        }
    }

    /// The most bytes of one value after its tag, without the content of what has a length.
    var encodedBytesMax: Int {
        switch self {
        case .scalar(.bool): 1
        case .scalar(.uint32), .scalar(.sint32): 5
        case .scalar(.fixed32), .scalar(.sfixed32), .scalar(.float): 4
        case .scalar(.fixed64), .scalar(.sfixed64), .scalar(.double): 8
        case .scalar, .enumeration: 10
        case .text, .bytes, .message: 5
        }
    }

    /// The kind in the C tables of the pre-check.
    var shapeKind: String {
        switch self {
        case .scalar(.int32), .enumeration: "MESSAGE_KIND_INT32"
        case .scalar(.uint32), .scalar(.sint32): "MESSAGE_KIND_UINT32"
        case .scalar(.fixed32), .scalar(.sfixed32), .scalar(.float): "MESSAGE_KIND_FIXED32"
        case .scalar(.fixed64), .scalar(.sfixed64), .scalar(.double): "MESSAGE_KIND_FIXED64"
        case .scalar: "MESSAGE_KIND_VARINT"
        case .text: "MESSAGE_KIND_TEXT"
        case .bytes: "MESSAGE_KIND_BYTES"
        case .message: "MESSAGE_KIND_MESSAGE"
        }
    }
}

struct EnumModel {
    let fullName: String
    let swiftName: String
    let documentation: [String]
    let deprecation: Deprecation?
    let cases: [Case]

    struct Case {
        let protoName: String
        /// Escaped.
        let swiftName: String
        let number: Int32
        let documentation: [String]
        let deprecation: Deprecation?
    }

    var hasDeprecatedCases: Bool { cases.contains { $0.deprecation != nil } }
    var simpleName: String { swiftName.split(separator: ".").last.map(String.init) ?? swiftName }
    /// The declared name, when it is an alias because the type is deprecated.
    var alias: String? { deprecation.map { _ in Deprecation.alias(of: simpleName) } }
}

struct ServiceModel {
    let fullName: String
    let name: String
    let documentation: [String]
    let deprecation: Deprecation?
    let methods: [Method]

    var hasUnaryMethods: Bool { methods.contains { $0.kind == .unary } }

    struct Method {
        let name: String
        let documentation: [String]
        let deprecation: Deprecation?
        let request: String
        let reply: String
        let kind: Kind
        /// A case of `MethodDescriptor.Idempotency`.
        let idempotency: String
        /// Whether its requests may be large.
        let isBulk: Bool

        var swiftName: String { Names.escaped(Names.lowerFirst(name)) }
    }

    /// The cases of `MethodDescriptor.Kind`.
    enum Kind: String {
        case unary, serverStreaming, clientStreaming, bidirectional

        var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }
        var streamsReplies: Bool { self == .serverStreaming || self == .bidirectional }
    }
}

/// One .proto file.
struct FileModel {
    let protoName: String
    /// The start of the names of the Swift files.
    let swiftName: String
    let messages: [MessageModel]
    let enums: [EnumModel]
    let services: [ServiceModel]
    /// Whether messages have fields of types of `google.protobuf`, which are in another file.
    let messagesUseWellKnown: Bool
    /// Whether methods have requests or replies of such types.
    let servicesUseWellKnown: Bool

    var isWellKnown: Bool { protoName.hasPrefix("google/protobuf/") }
    var cHeader: String { protoName.replacing(".proto", with: ".pb-c.h") }
    var allMessages: [MessageModel] { messages.flatMap(\.all) }
    var partlyDeprecatedEnums: [EnumModel] {
        (enums + messages.flatMap(\.allEnums)).filter(\.hasDeprecatedCases)
    }
}

/// The mark `deprecated = true`.
struct Deprecation {
    /// What to do instead, or at least that it is so.
    let sentence: String

    /// Begins the name of a deprecated type, of which the declared name is but an alias.
    ///
    /// The alias is what is marked: generated code names the type without a warning.
    static let typePrefix = "Deprecated"

    static func alias(of typeName: String) -> String {
        String(typeName.dropFirst(typePrefix.count))
    }

    /// The attribute in Swift.
    var attribute: String {
        let quoted = sentence.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "@available(*, deprecated, message: \"\(quoted)\")"
    }
}

/// Why a .proto file is not accepted.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ place: String, _ sentence: String) {
        description = "\(place): \(sentence)"
    }
}
