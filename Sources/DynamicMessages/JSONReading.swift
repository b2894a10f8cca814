internal import Encodings

/// Reads JSON documents as messages: the proto3 JSON mapping, strictly.
struct JSONReading {
    let schema: Schema

    /// A document as a message of a type.
    func message(
        _ json: JSONValue, _ type: MessageType, at place: String = "", depth: Int = 1
    ) throws(MessageFault) -> DynamicMessage {
        guard depth <= DynamicMessage.depthMax else {
            throw MessageFault(
                at: place, "The document nests deeper than \(DynamicMessage.depthMax) levels.")
        }
        if let known = WellKnown(type) {
            return try self.known(known, json, type, at: place, depth: depth)
        }
        guard case .object(let members) = json else {
            throw MessageFault(at: place, "A JSON object is expected.")
        }
        return try message(members, type, at: place, depth: depth)
    }

    /// The members of an object as the fields of a message.
    func message(
        _ members: [JSONValue.Member], _ type: MessageType, at place: String, depth: Int
    ) throws(MessageFault) -> DynamicMessage {
        var message = DynamicMessage(type)
        var given: Set<Int32> = []
        var chosen: [Int: String] = [:]
        for member in members {
            let fieldPlace = place.isEmpty ? member.name : "\(place).\(member.name)"
            guard let field = type.field(named: member.name) else {
                throw unknown(member.name, in: type, at: fieldPlace)
            }
            guard given.insert(field.number).inserted else {
                throw MessageFault(at: fieldPlace, "The field is given twice.")
            }
            if member.value == .null, !takesNull(field) { continue }
            if let choice = field.choice {
                if let other = chosen[choice] {
                    throw MessageFault(
                        at: fieldPlace, "\(other) is given too, and only one of them may be.")
                }
                chosen[choice] = member.name
            }
            try set(field, to: member.value, in: &message, at: fieldPlace, depth: depth)
        }
        return message
    }

    private func unknown(
        _ name: String, in type: MessageType, at place: String
    ) -> MessageFault {
        let sentence = "\(type.fullName) has no such field"
        let names = type.fields.flatMap { [$0.jsonName, $0.name] }
        guard let near = NearName.nearest(to: name, among: names) else {
            return MessageFault(at: place, "\(sentence).")
        }
        let known = type.field(named: near)?.jsonName ?? near
        return MessageFault(at: place, "\(sentence); is \(known) meant?")
    }

    /// Whether null is a value of the field and not its absence.
    private func takesNull(_ field: Field) -> Bool {
        switch (field.shape, field.kind) {
        case (.singular, .message(WellKnown.value.rawValue)): true
        case (.singular, .enumeration(WellKnown.nullValue)): true
        default: false
        }
    }

    private func set(
        _ field: Field, to json: JSONValue, in message: inout DynamicMessage, at place: String,
        depth: Int
    ) throws(MessageFault) {
        switch field.shape {
        case .singular:
            let value = try value(json, field.kind, at: place, depth: depth)
            message.set(value, of: field)
        case .repeated:
            guard case .array(let elements) = json else {
                throw MessageFault(at: place, "A JSON array is expected.")
            }
            var values: [DynamicMessage.Value] = []
            for (position, element) in elements.enumerated() {
                values.append(
                    try value(element, field.kind, at: "\(place)[\(position)]", depth: depth))
            }
            if !values.isEmpty { message[field.number] = .many(values) }
        case .map(let keyKind):
            guard case .object(let members) = json else {
                throw MessageFault(at: place, "A JSON object is expected.")
            }
            var entries: [DynamicMessage.MapKey: DynamicMessage.Value] = [:]
            for member in members {
                let entryPlace = "\(place)[\"\(member.name)\"]"
                let key = try key(member.name, keyKind, at: entryPlace)
                guard entries[key] == nil else {
                    throw MessageFault(at: entryPlace, "The key is given twice.")
                }
                entries[key] = try value(member.value, field.kind, at: entryPlace, depth: depth)
            }
            if !entries.isEmpty { message[field.number] = .map(entries) }
        }
    }

    private func key(
        _ name: String, _ kind: Field.Kind, at place: String
    ) throws(MessageFault) -> DynamicMessage.MapKey {
        let json: JSONValue =
            switch (kind, name) {
            case (.bool, "true"): .bool(true)
            case (.bool, "false"): .bool(false)
            default: .string(name)
            }
        guard let key = try value(json, kind, at: place, depth: 1).mapKey else {
            throw MessageFault(at: place, "The map has keys that are no keys.")
        }
        return key
    }

    /// One value of a field.
    func value(
        _ json: JSONValue, _ kind: Field.Kind, at place: String, depth: Int
    ) throws(MessageFault) -> DynamicMessage.Value {
        switch kind {
        case .bool:
            guard case .bool(let value) = json else {
                throw MessageFault(at: place, "true or false is expected.")
            }
            return .bool(value)
        case .string:
            guard case .string(let value) = json else {
                throw MessageFault(at: place, "A text is expected.")
            }
            return .string(value)
        case .bytes:
            guard case .string(let text) = json, let value = Base64.decode(text) else {
                throw MessageFault(at: place, "A text in Base64 is expected.")
            }
            return .bytes(value)
        case .enumeration(let name): return try enumeration(json, name, at: place)
        case .message(let name):
            let type = try schema.known(message: name)
            return .message(try message(json, type, at: place, depth: depth + 1))
        case .double, .float, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32,
            .fixed64, .sfixed32, .sfixed64:
            return try number(json, kind, at: place)
        }
    }

    private func number(
        _ json: JSONValue, _ kind: Field.Kind, at place: String
    ) throws(MessageFault) -> DynamicMessage.Value {
        let text: String
        switch json {
        case .number(let digits): text = digits
        case .string(let digits): text = digits
        default: throw MessageFault(at: place, "A number is expected.")
        }
        let value: DynamicMessage.Value? =
            switch kind {
            case .double: (NumberText.fraction(text) as Double?).map { .double($0) }
            case .float: (NumberText.fraction(text) as Float?).map { .float($0) }
            case .int32, .sint32, .sfixed32:
                NumberText.signed(text, in: Int64(Int32.min)...Int64(Int32.max))
                    .map { .signed($0) }
            case .int64, .sint64, .sfixed64:
                NumberText.signed(text, in: .min ... .max).map { .signed($0) }
            case .uint32, .fixed32:
                NumberText.unsigned(text, max: UInt64(UInt32.max)).map { .unsigned($0) }
            default: NumberText.unsigned(text, max: .max).map { .unsigned($0) }
            }
        guard let value else {
            throw MessageFault(at: place, "\(Self.range(of: kind)) is expected.")
        }
        return value
    }

    private static func range(of kind: Field.Kind) -> String {
        switch kind {
        case .double: "A number of 64 bits"
        case .float: "A number of 32 bits"
        case .int32, .sint32, .sfixed32: "A whole number from \(Int32.min) to \(Int32.max)"
        case .int64, .sint64, .sfixed64: "A whole number from \(Int64.min) to \(Int64.max)"
        case .uint32, .fixed32: "A whole number from 0 to \(UInt32.max)"
        default: "A whole number from 0 to \(UInt64.max)"
        }
    }

    private func enumeration(
        _ json: JSONValue, _ name: String, at place: String
    ) throws(MessageFault) -> DynamicMessage.Value {
        guard let type = schema.enums[name] else {
            throw MessageFault(at: place, "No descriptor declares the enum \(name).")
        }
        switch json {
        case .null where name == WellKnown.nullValue: return .enumeration(0)
        case .number(let text):
            let range = Int64(Int32.min)...Int64(Int32.max)
            if let number = NumberText.signed(text, in: range) {
                return .enumeration(Int32(truncatingIfNeeded: number))
            }
        case .string(let text):
            if let number = type.number(of: text) { return .enumeration(number) }
            if let near = NearName.nearest(to: text, among: type.values.map(\.name)) {
                throw MessageFault(
                    at: place, "\(name) has no value \(text.prefix(100)); is \(near) meant?")
            }
        default: break
        }
        let names = type.values.prefix(20).map(\.name).joined(separator: ", ")
        throw MessageFault(at: place, "A value of \(name) is expected, such as \(names).")
    }
}
