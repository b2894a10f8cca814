/// A message as its descriptor declares it.
public final class MessageType: Sendable {
    /// The full name, such as `guildhall.organizations.v1.Organization`.
    public let fullName: String
    /// The name of the file that declares it.
    public let file: String
    /// The comment above its declaration; empty when there is none.
    public let comment: String
    /// The fields in the order of their declaration.
    public let fields: [Field]
    /// The names of its choices (`oneof`), by position.
    public let choices: [String]
    /// The full names of the messages declared in it, map entries left out.
    public let nestedMessages: [String]
    /// The full names of the enums declared in it.
    public let nestedEnums: [String]
    /// Whether it is marked as one that should no longer be used.
    public let isDeprecated: Bool

    /// The fields as they stand on the wire.
    let fieldsByNumber: [Field]
    private let positions: [Int32: Int]
    private let names: [String: Int]

    init(
        fullName: String, file: String, comment: String = "", fields: [Field],
        choices: [String] = [], nestedMessages: [String] = [], nestedEnums: [String] = [],
        isDeprecated: Bool = false
    ) {
        self.fullName = fullName
        self.file = file
        self.comment = comment
        self.fields = fields
        self.choices = choices
        self.nestedMessages = nestedMessages
        self.nestedEnums = nestedEnums
        self.isDeprecated = isDeprecated
        fieldsByNumber = fields.sorted { $0.number < $1.number }
        var positions: [Int32: Int] = [:]
        var names: [String: Int] = [:]
        for (position, field) in fields.enumerated() {
            positions[field.number] = position
            // A field's own JSON name wins over another's name in the .proto file.
            if names[field.name] == nil { names[field.name] = position }
        }
        for (position, field) in fields.enumerated() { names[field.jsonName] = position }
        self.positions = positions
        self.names = names
    }

    /// The field with a number; nil when there is none.
    public func field(number: Int32) -> Field? {
        positions[number].map { fields[$0] }
    }

    /// The field with a name, as in JSON or as in the .proto file; nil when there is none.
    public func field(named name: String) -> Field? {
        names[name].map { fields[$0] }
    }
}

/// A field of a message.
public struct Field: Sendable {
    /// What one value of a field is.
    public enum Kind: Sendable, Hashable {
        case double, float, bool, string, bytes
        case int32, int64, uint32, uint64, sint32, sint64
        case fixed32, fixed64, sfixed32, sfixed64
        /// A value of the enum with this full name.
        case enumeration(String)
        /// A message with this full name.
        case message(String)
    }

    /// How many values a field has.
    public enum Shape: Sendable, Hashable {
        /// One, or none.
        case singular
        /// Any number, in order.
        case repeated
        /// Any number, each under a key of its own.
        case map(key: Kind)
    }

    /// The name in the .proto file, such as `parent_id`.
    public let name: String
    /// The name in JSON, such as `parentId`.
    public let jsonName: String
    /// The number on the wire.
    public let number: Int32
    /// What one value is; of a map, the value under a key.
    public let kind: Kind
    /// How many values it has.
    public let shape: Shape
    /// The position of the choice (`oneof`) that it belongs to.
    public let choice: Int?
    /// Whether a value that is the default differs from none.
    public let hasPresence: Bool
    /// Whether it is declared `optional`.
    public let isOptional: Bool
    /// Whether repeated numbers are written together.
    public let isPacked: Bool
    /// Whether it is marked as one that should no longer be used.
    public let isDeprecated: Bool
    /// The comment above its declaration; empty when there is none.
    public let comment: String
}

/// An enum as its descriptor declares it.
public final class EnumType: Sendable {
    /// One value.
    public struct Value: Sendable {
        /// The name in the .proto file and in JSON.
        public let name: String
        /// The number on the wire.
        public let number: Int32
        /// Whether it is marked as one that should no longer be used.
        public let isDeprecated: Bool
        /// The comment above its declaration; empty when there is none.
        public let comment: String
    }

    /// The full name, such as `guildhall.rpc.v1.ServingState`.
    public let fullName: String
    /// The name of the file that declares it.
    public let file: String
    /// The comment above its declaration; empty when there is none.
    public let comment: String
    /// The values in the order of their declaration.
    public let values: [Value]
    private let numbers: [String: Int32]
    private let names: [Int32: String]

    init(fullName: String, file: String, comment: String, values: [Value]) {
        self.fullName = fullName
        self.file = file
        self.comment = comment
        self.values = values
        numbers = Dictionary(
            values.map { ($0.name, $0.number) }, uniquingKeysWith: { first, _ in first })
        names = Dictionary(
            values.map { ($0.number, $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    /// The number of a name; nil when there is none.
    public func number(of name: String) -> Int32? { numbers[name] }

    /// The name of a number, the first declared; nil when there is none.
    public func name(of number: Int32) -> String? { names[number] }
}

/// A service as its descriptor declares it.
public struct ServiceType: Sendable {
    /// The full name, such as `guildhall.rpc.v1.Health`.
    public let fullName: String
    /// The name of the file that declares it.
    public let file: String
    /// The comment above its declaration; empty when there is none.
    public let comment: String
    /// The methods in the order of their declaration.
    public let methods: [MethodType]
}

/// A method of a service.
public struct MethodType: Sendable {
    /// What repeating a call does.
    public enum Idempotency: String, Sendable, Hashable {
        case unknown = "IDEMPOTENCY_UNKNOWN"
        case noSideEffects = "NO_SIDE_EFFECTS"
        case idempotent = "IDEMPOTENT"
    }

    /// The full name of its service.
    public let service: String
    /// The name, such as `Check`.
    public let name: String
    /// The full name of its request.
    public let request: String
    /// The full name of its reply.
    public let reply: String
    /// Whether any number of requests is sent.
    public let streamsRequests: Bool
    /// Whether any number of replies comes.
    public let streamsReplies: Bool
    /// What repeating a call does.
    public let idempotency: Idempotency
    /// Whether it is marked as one that should no longer be used.
    public let isDeprecated: Bool
    /// The comment above its declaration; empty when there is none.
    public let comment: String
    /// Options beyond those of every method, such as `google.api.http`, by name.
    let customOptions: DynamicMessage?

    /// `service/name`, as calls name it.
    public var path: String { "\(service)/\(name)" }
}
