import SwiftProtobufPluginLibrary

/// The schemas of messages in the JSON of proto3, as OpenAPI 3.1 has them.
struct OpenAPISchemas {
    /// The messages that stand in requests or answers, by their names in the document.
    private var messages: [String: Component] = [:]
    private var enums: [String: EnumDescriptor] = [:]
    private let comments = ModelBuilder()

    private struct Component {
        let message: Descriptor
        /// Fields that are said elsewhere: in the path, or by the gateway.
        var omitted: Set<String> = []
        /// Fields that have to be there.
        var required: Set<String> = []
        var isRequested = false
    }

    /// Adds the body of a request.
    ///
    /// - Returns: The reference to its schema.
    /// - Throws: ``Refusal`` when two routes have the same request with different paths.
    mutating func request(
        _ message: Descriptor, without omitted: Set<String>, requiring required: String?
    ) throws -> JSONDocument {
        let name = Self.name(of: message)
        add(message, isRequested: true)
        let isNew = messages[name]?.omitted.isEmpty == true
        guard isNew || messages[name]?.omitted == omitted else {
            throw Refusal(
                message.fullName, "two routes leave different fields of it to their paths")
        }
        messages[name]?.omitted = omitted
        if let required { messages[name]?.required = [required] }
        return .reference("schemas/\(name)")
    }

    /// Adds a message with all that it holds.
    ///
    /// - Returns: The reference to its schema.
    @discardableResult
    mutating func add(_ message: Descriptor, isRequested: Bool) -> JSONDocument {
        let name = Self.name(of: message)
        let known = messages[name]
        if known == nil || (isRequested && known?.isRequested == false) {
            var component = known ?? Component(message: message)
            component.isRequested = component.isRequested || isRequested
            messages[name] = component
            for field in message.fields { add(field, isRequested: isRequested) }
        }
        return .reference("schemas/\(name)")
    }

    private mutating func add(_ field: FieldDescriptor, isRequested: Bool) {
        if let enumeration = field.enumType { enums[Self.name(of: enumeration)] = enumeration }
        guard let message = field.messageType else { return }
        if field.isMap {
            for part in message.fields { add(part, isRequested: isRequested) }
        } else if Self.wellKnown(message) == nil {
            add(message, isRequested: isRequested)
        }
    }

    /// The schema of a parameter; its enum is added.
    mutating func parameter(_ field: FieldDescriptor) -> JSONDocument {
        if let enumeration = field.enumType { enums[Self.name(of: enumeration)] = enumeration }
        return Self.schema(of: field)
    }

    /// The schemas by their names.
    func components() throws -> [JSONDocument.Member] {
        var all: [JSONDocument.Member] = try messages.map { name, component in
            .init(name: name, value: try schema(of: component))
        }
        for (name, enumeration) in enums {
            guard messages[name] == nil else {
                throw Refusal(enumeration.fullName, "a message has this name, too")
            }
            all.append(.init(name: name, value: schema(of: enumeration)))
        }
        return all.sorted { $0.name < $1.name }
    }

    private func schema(of component: Component) throws -> JSONDocument {
        let fields = component.message.fields.filter { !component.omitted.contains($0.name) }
        var required = component.required.map { JSONDocument.text($0) }
        if !component.isRequested {
            // Answers have every field, also those at their defaults; only what is optional, and
            // messages, may be absent.
            required = fields.filter { $0.isRepeated || !$0.hasPresence && $0.messageType == nil }
                .map { .text($0.nameInJSON) }
        }
        let properties = fields.map { field in
            JSONDocument.Member(
                name: field.nameInJSON,
                value: Self.schema(of: field).adding(["description": text(field)]))
        }
        return .object([
            "type": .text("object"), "description": text(component.message),
            "properties": properties.isEmpty ? nil : .object(properties),
            "required": required.isEmpty ? nil : .list(required),
        ])
    }

    private func schema(of enumeration: EnumDescriptor) -> JSONDocument {
        let values = enumeration.values.compactMap { value -> String? in
            let said = comments.documentation(value).joined(separator: " ")
            return said.isEmpty ? nil : "\(value.name): \(said)"
        }
        let own = comments.documentation(enumeration).joined(separator: " ")
        let texts = (own.isEmpty ? [] : [own]) + values
        return .object([
            "type": .text("string"),
            "description": texts.isEmpty ? nil : .text(texts.joined(separator: "\n\n")),
            "enum": .list(enumeration.values.map { .text($0.name) }),
        ])
    }

    private func text(_ place: some ProvidesSourceCodeLocation) -> JSONDocument? {
        let lines = comments.documentation(place)
        return lines.isEmpty ? nil : .text(lines.joined(separator: " "))
    }

    /// The name of a type in the document: all of them live in one module without prefixes.
    private static func name(of message: Descriptor) -> String {
        String(message.fullName.dropFirst(message.file.package.count + 1))
    }

    private static func name(of enumeration: EnumDescriptor) -> String {
        String(enumeration.fullName.dropFirst(enumeration.file.package.count + 1))
    }

    /// The schema of what stands in a field.
    static func schema(of field: FieldDescriptor) -> JSONDocument {
        if field.isMap, let value = field.messageType.fields.last {
            return .object([
                "type": .text("object"), "additionalProperties": element(value),
            ])
        }
        if field.isRepeated {
            return .object(["type": .text("array"), "items": element(field)])
        }
        return element(field)
    }

    private static func element(_ field: FieldDescriptor) -> JSONDocument {
        if let message = field.messageType {
            return wellKnown(message) ?? .reference("schemas/\(name(of: message))")
        }
        if let enumeration = field.enumType {
            return .reference("schemas/\(name(of: enumeration))")
        }
        // What is optional may be null in a request, which says that it is absent.
        func scalar(_ type: String, _ more: KeyValuePairs<String, JSONDocument?>) -> JSONDocument {
            let isNullable = field.hasPresence && field.realContainingOneof == nil
            let types: JSONDocument = .list([.text(type), .text("null")])
            return JSONDocument.object(["type": isNullable ? types : .text(type)]).adding(more)
        }
        switch field.type {
        case .bool: return scalar("boolean", [:])
        case .double: return scalar("number", ["format": .text("double")])
        case .float: return scalar("number", ["format": .text("float")])
        case .int32, .sint32, .sfixed32: return scalar("integer", ["format": .text("int32")])
        case .uint32, .fixed32:
            return scalar("integer", ["minimum": .number(0), "maximum": .number(4_294_967_295)])
        case .int64, .sint64, .sfixed64: return scalar("string", ["format": .text("int64")])
        case .uint64, .fixed64: return scalar("string", ["format": .text("uint64")])
        case .bytes: return scalar("string", ["contentEncoding": .text("base64")])
        default: return scalar("string", [:])
        }
    }

    /// The schema of a type of `google.protobuf`, whose JSON is its own; nil for any other.
    static func wellKnown(_ message: Descriptor) -> JSONDocument? {
        guard message.file.package == "google.protobuf" else { return nil }
        switch message.name {
        case "Timestamp":
            return .object(["type": .text("string"), "format": .text("date-time")])
        case "Duration":
            return .object([
                "type": .text("string"), "pattern": .text(#"^-?[0-9]+(\.[0-9]+)?s$"#),
            ])
        case "FieldMask":
            return .object([
                "type": .text("string"), "examples": .list([.text("title,trial.validUntil")]),
            ])
        case "Any", "Empty": return .object(["type": .text("object")])
        default: return message.fields.first.map { wrapper(element($0)) }
        }
    }

    /// A scalar that may be absent.
    private static func wrapper(_ scalar: JSONDocument) -> JSONDocument {
        .object(["oneOf": .list([scalar, .object(["type": .text("null")])])])
    }
}
