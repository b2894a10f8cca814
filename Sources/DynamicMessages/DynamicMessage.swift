/// A message whose type is known by its descriptor alone.
struct DynamicMessage: Sendable {
    /// What a field holds.
    enum Content: Sendable {
        case one(Value)
        case many([Value])
        case map([MapKey: Value])
    }

    /// One value.
    indirect enum Value: Sendable {
        case bool(Bool)
        case signed(Int64)
        case unsigned(UInt64)
        case float(Float)
        case double(Double)
        case string(String)
        case bytes([UInt8])
        case enumeration(Int32)
        case message(DynamicMessage)
    }

    /// A key of a map.
    enum MapKey: Sendable, Hashable {
        case bool(Bool)
        case signed(Int64)
        case unsigned(UInt64)
        case string(String)
    }

    let type: MessageType
    private(set) var contents: [Int32: Content] = [:]

    init(_ type: MessageType) {
        self.type = type
    }

    subscript(number: Int32) -> Content? {
        get { contents[number] }
        set { contents[number] = newValue }
    }

    /// The fields that hold something, by number.
    var present: [(field: Field, content: Content)] {
        type.fieldsByNumber.compactMap { field in
            contents[field.number].map { (field, $0) }
        }
    }
}

extension DynamicMessage {
    /// The only value of a field; nil when it holds none.
    func value(_ number: Int32) -> Value? {
        guard case .one(let value) = contents[number] else { return nil }
        return value
    }

    /// A whole number; 0 when the field holds none.
    func integer(_ number: Int32) -> Int64 {
        guard case .signed(let value) = value(number) else { return 0 }
        return value
    }

    /// A text; empty when the field holds none.
    func string(_ number: Int32) -> String {
        guard case .string(let value) = value(number) else { return "" }
        return value
    }
}

extension DynamicMessage.Value {
    /// Whether it is what a field holds that was never set.
    var isDefault: Bool {
        switch self {
        case .bool(let value): !value
        case .signed(let value): value == 0
        case .unsigned(let value): value == 0
        // Minus zero is not the default: its bits differ.
        case .float(let value): value.bitPattern == 0
        case .double(let value): value.bitPattern == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .enumeration(let value): value == 0
        case .message: false
        }
    }

    /// The value as a key of a map.
    var mapKey: DynamicMessage.MapKey? {
        switch self {
        case .bool(let value): .bool(value)
        case .signed(let value): .signed(value)
        case .unsigned(let value): .unsigned(value)
        case .string(let value): .string(value)
        case .float, .double, .bytes, .enumeration, .message: nil
        }
    }
}

extension DynamicMessage.MapKey: Comparable {
    /// The key as a value.
    var value: DynamicMessage.Value {
        switch self {
        case .bool(let value): .bool(value)
        case .signed(let value): .signed(value)
        case .unsigned(let value): .unsigned(value)
        case .string(let value): .string(value)
        }
    }

    /// The key as the name of a member in JSON.
    var text: String {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .signed(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .string(let value): value
        }
    }

    /// Orders keys of one map; those of one map are all of one kind.
    static func < (left: DynamicMessage.MapKey, right: DynamicMessage.MapKey) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): !left && right
        case (.signed(let left), .signed(let right)): left < right
        case (.unsigned(let left), .unsigned(let right)): left < right
        default: left.text < right.text
        }
    }
}
