internal import Encodings

/// Writes messages as JSON documents: the proto3 JSON mapping.
struct JSONWriting {
    let schema: Schema
    let options: JSONOptions

    /// A message as a document.
    func message(_ message: DynamicMessage, depth: Int) throws(MessageFault) -> JSONValue {
        guard depth <= DynamicMessage.depthMax else {
            throw MessageFault("The message nests deeper than \(DynamicMessage.depthMax) levels.")
        }
        if let known = WellKnown(message.type) {
            return try self.known(known, message, depth: depth)
        }
        return .object(try members(message, depth: depth))
    }

    /// The fields of a message as the members of an object.
    func members(
        _ message: DynamicMessage, depth: Int
    ) throws(MessageFault) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for field in message.type.fieldsByNumber {
            if let content = message[field.number] {
                members.append(
                    JSONValue.Member(
                        name: field.jsonName, value: try json(content, field, depth: depth)))
            } else if options.writesDefaults, let json = absent(field) {
                members.append(JSONValue.Member(name: field.jsonName, value: json))
            }
        }
        return members
    }

    /// What stands for a field that was not set; nil when its absence means something.
    private func absent(_ field: Field) -> JSONValue? {
        switch field.shape {
        case .repeated: return .array([])
        case .map: return .object([])
        case .singular:
            guard !field.hasPresence, let initial = field.kind.initial else { return nil }
            // What a field holds that was never set has a spelling in every kind.
            return try? value(initial, field.kind, depth: 1)
        }
    }

    private func json(
        _ content: DynamicMessage.Content, _ field: Field, depth: Int
    ) throws(MessageFault) -> JSONValue {
        switch content {
        case .one(let value): return try self.value(value, field.kind, depth: depth)
        case .many(let values):
            var elements: [JSONValue] = []
            for value in values {
                elements.append(try self.value(value, field.kind, depth: depth))
            }
            return .array(elements)
        case .map(let entries):
            var members: [JSONValue.Member] = []
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                members.append(
                    JSONValue.Member(
                        name: key.text, value: try self.value(value, field.kind, depth: depth)))
            }
            return .object(members)
        }
    }

    /// One value of a field.
    func value(
        _ value: DynamicMessage.Value, _ kind: Field.Kind, depth: Int
    ) throws(MessageFault) -> JSONValue {
        switch value {
        case .bool(let value): return .bool(value)
        // Numbers of 64 bits are texts: many readers of JSON have numbers of 53 bits.
        case .signed(let value):
            return kind.isWide ? .string("\(value)") : .number("\(value)")
        case .unsigned(let value):
            return kind.isWide ? .string("\(value)") : .number("\(value)")
        case .float(let value): return NumberText.json(value)
        case .double(let value): return NumberText.json(value)
        case .string(let value): return .string(value)
        case .bytes(let value): return .string(Base64.encode(value))
        case .enumeration(let number):
            guard case .enumeration(let name) = kind, name != WellKnown.nullValue else {
                return .null
            }
            guard let valueName = schema.enums[name]?.name(of: number) else {
                return .number("\(number)")
            }
            return .string(valueName)
        case .message(let message): return try self.message(message, depth: depth + 1)
        }
    }
}

extension Field.Kind {
    /// Whether it is a whole number of 64 bits.
    fileprivate var isWide: Bool {
        switch self {
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: true
        default: false
        }
    }
}
