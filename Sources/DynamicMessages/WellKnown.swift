internal import Encodings

/// Messages of `google.protobuf` whose JSON is not an object of their fields.
enum WellKnown: String {
    case timestamp = "google.protobuf.Timestamp"
    case duration = "google.protobuf.Duration"
    case fieldMask = "google.protobuf.FieldMask"
    case any = "google.protobuf.Any"
    case structure = "google.protobuf.Struct"
    case value = "google.protobuf.Value"
    case list = "google.protobuf.ListValue"
    case doubleValue = "google.protobuf.DoubleValue"
    case floatValue = "google.protobuf.FloatValue"
    case int64Value = "google.protobuf.Int64Value"
    case uint64Value = "google.protobuf.UInt64Value"
    case int32Value = "google.protobuf.Int32Value"
    case uint32Value = "google.protobuf.UInt32Value"
    case boolValue = "google.protobuf.BoolValue"
    case stringValue = "google.protobuf.StringValue"
    case bytesValue = "google.protobuf.BytesValue"

    /// The enum whose only value is null in JSON.
    static let nullValue = "google.protobuf.NullValue"
    /// The member that names the type of what an `Any` holds.
    static let typeMember = "@type"

    init?(_ type: MessageType) {
        // Nearly every message is none of these, and is told by its package alone.
        guard type.fullName.hasPrefix("google.protobuf.") else { return nil }
        self.init(rawValue: type.fullName)
    }
}

extension JSONReading {
    func known(
        _ known: WellKnown, _ json: JSONValue, _ type: MessageType, at place: String, depth: Int
    ) throws(MessageFault) -> DynamicMessage {
        var message = DynamicMessage(type)
        switch known {
        case .timestamp:
            guard case .string(let text) = json, let instant = TimeText.instant(text) else {
                throw MessageFault(
                    at: place, "An instant such as 2030-01-31T08:00:00Z is expected.")
            }
            message.setTime(instant)
        case .duration:
            guard case .string(let text) = json, let span = TimeText.duration(text) else {
                throw MessageFault(at: place, "A duration such as 3.5s is expected.")
            }
            message.setTime(span)
        case .fieldMask:
            guard case .string(let text) = json, !text.contains("_"), !text.contains(" ") else {
                throw MessageFault(
                    at: place, "Names of fields as in JSON, with commas, are expected.")
            }
            let paths = text.split(separator: ",").map { FieldNames.snakeCase(String($0)) }
            if !paths.isEmpty { message[1] = .many(paths.map { .string($0) }) }
        case .any: try setAny(json, in: &message, at: place, depth: depth)
        case .structure: message[1] = try entries(json, at: place, depth: depth)
        case .list: message[1] = try elements(json, at: place, depth: depth)
        case .value: try setValue(json, in: &message, at: place, depth: depth)
        default:
            // A wrapper is written as the value that it wraps.
            guard let field = type.field(number: 1) else {
                throw MessageFault(at: place, "\(type.fullName) wraps nothing.")
            }
            message.set(try value(json, field.kind, at: place, depth: depth), of: field)
        }
        return message
    }

    private func setAny(
        _ json: JSONValue, in message: inout DynamicMessage, at place: String, depth: Int
    ) throws(MessageFault) {
        guard case .object(let members) = json else {
            throw MessageFault(at: place, "A JSON object is expected.")
        }
        guard !members.isEmpty else { return }
        guard case .string(let url)? = json[WellKnown.typeMember],
            let slash = url.lastIndex(of: "/"),
            let type = schema.messages[String(url[url.index(after: slash)...])]
        else {
            throw MessageFault(
                at: place,
                "@type is expected, such as type.googleapis.com/google.protobuf.Duration, of a "
                    + "message that the server declares.")
        }
        let rest = members.filter { $0.name != WellKnown.typeMember }
        let inner: DynamicMessage
        if WellKnown(type) != nil {
            guard rest.count == 1, rest[0].name == "value" else {
                throw MessageFault(at: place, "value is expected beside @type, and nothing else.")
            }
            inner = try self.message(
                rest[0].value, type, at: "\(place).value", depth: depth + 1)
        } else {
            inner = try self.message(rest, type, at: place, depth: depth + 1)
        }
        message[1] = .one(.string(url))
        let bytes = inner.encoded
        if !bytes.isEmpty { message[2] = .one(.bytes(bytes)) }
    }

    private func entries(
        _ json: JSONValue, at place: String, depth: Int
    ) throws(MessageFault) -> DynamicMessage.Content? {
        guard case .object(let members) = json else {
            throw MessageFault(at: place, "A JSON object is expected.")
        }
        var entries: [DynamicMessage.MapKey: DynamicMessage.Value] = [:]
        for member in members {
            entries[.string(member.name)] = try value(
                member.value, .message(WellKnown.value.rawValue),
                at: "\(place)[\"\(member.name)\"]", depth: depth)
        }
        return entries.isEmpty ? nil : .map(entries)
    }

    private func elements(
        _ json: JSONValue, at place: String, depth: Int
    ) throws(MessageFault) -> DynamicMessage.Content? {
        guard case .array(let elements) = json else {
            throw MessageFault(at: place, "A JSON array is expected.")
        }
        var values: [DynamicMessage.Value] = []
        for (position, element) in elements.enumerated() {
            values.append(
                try value(
                    element, .message(WellKnown.value.rawValue), at: "\(place)[\(position)]",
                    depth: depth))
        }
        return values.isEmpty ? nil : .many(values)
    }

    private func setValue(
        _ json: JSONValue, in message: inout DynamicMessage, at place: String, depth: Int
    ) throws(MessageFault) {
        switch json {
        case .null: message[1] = .one(.enumeration(0))
        case .number(let text):
            guard let number: Double = NumberText.fraction(text) else {
                throw MessageFault(at: place, "The number has more than 64 bits.")
            }
            message[2] = .one(.double(number))
        case .string(let text): message[3] = .one(.string(text))
        case .bool(let value): message[4] = .one(.bool(value))
        case .object:
            message[5] = .one(
                try value(
                    json, .message(WellKnown.structure.rawValue), at: place, depth: depth))
        case .array:
            message[6] = .one(
                try value(json, .message(WellKnown.list.rawValue), at: place, depth: depth))
        }
    }
}

extension JSONWriting {
    func known(
        _ known: WellKnown, _ message: DynamicMessage, depth: Int
    ) throws(MessageFault) -> JSONValue {
        switch known {
        case .timestamp:
            let (seconds, nanoseconds) = message.time
            guard let text = TimeText.text(instant: seconds, nanoseconds) else {
                throw MessageFault("An instant lies outside the years 1 to 9999.")
            }
            return .string(text)
        case .duration:
            let (seconds, nanoseconds) = message.time
            guard let text = TimeText.text(duration: seconds, nanoseconds) else {
                throw MessageFault("A duration is longer than 10,000 years, or malformed.")
            }
            return .string(text)
        case .fieldMask:
            guard case .many(let paths)? = message[1] else { return .string("") }
            let names = paths.compactMap { path in
                if case .string(let path) = path { FieldNames.camelCase(path) } else { nil }
            }
            return .string(names.joined(separator: ","))
        case .any: return try any(message, depth: depth)
        case .structure:
            guard case .map(let entries)? = message[1] else { return .object([]) }
            var members: [JSONValue.Member] = []
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                members.append(
                    JSONValue.Member(
                        name: key.text, value: try self.value(value, .message(""), depth: depth)))
            }
            return .object(members)
        case .list:
            guard case .many(let values)? = message[1] else { return .array([]) }
            var elements: [JSONValue] = []
            for value in values {
                elements.append(try self.value(value, .message(""), depth: depth))
            }
            return .array(elements)
        case .value: return try value(message, depth: depth)
        default:
            guard let field = message.type.field(number: 1), let initial = field.kind.initial
            else { return .null }
            return try value(message.value(1) ?? initial, field.kind, depth: depth)
        }
    }

    private func value(
        _ message: DynamicMessage, depth: Int
    ) throws(MessageFault) -> JSONValue {
        guard let (field, content) = message.present.first, case .one(let value) = content else {
            return .null
        }
        if case .double(let number) = value, !number.isFinite {
            throw MessageFault("A google.protobuf.Value holds a number that JSON has not.")
        }
        return try self.value(value, field.kind, depth: depth)
    }

    /// What an `Any` holds, beside its type; of a type that is not known, its bytes.
    private func any(_ message: DynamicMessage, depth: Int) throws(MessageFault) -> JSONValue {
        let url = message.string(1)
        var bytes: [UInt8] = []
        if case .bytes(let value)? = message.value(2) { bytes = value }
        if url.isEmpty, bytes.isEmpty { return .object([]) }
        let head = JSONValue.Member(name: WellKnown.typeMember, value: .string(url))
        let name = url.split(separator: "/").last.map(String.init) ?? ""
        guard let type = schema.messages[name] else {
            return .object([
                head, JSONValue.Member(name: "value", value: .string(Base64.encode(bytes))),
            ])
        }
        let inner = try DynamicMessage(decoding: bytes, as: type, in: schema)
        guard WellKnown(type) == nil else {
            let value = try self.message(inner, depth: depth + 1)
            return .object([head, JSONValue.Member(name: "value", value: value)])
        }
        return .object([head] + (try members(inner, depth: depth + 1)))
    }
}

extension DynamicMessage {
    /// Seconds and nanoseconds of a timestamp or duration.
    fileprivate var time: (seconds: Int64, nanoseconds: Int64) { (integer(1), integer(2)) }

    fileprivate mutating func setTime(_ time: (seconds: Int64, nanoseconds: Int64)) {
        if time.seconds != 0 { self[1] = .one(.signed(time.seconds)) }
        if time.nanoseconds != 0 { self[2] = .one(.signed(time.nanoseconds)) }
    }
}
