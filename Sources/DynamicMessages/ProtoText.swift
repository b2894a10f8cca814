internal import Encodings

/// Writes declarations of a schema as .proto files have them.
public struct ProtoText {
    private let schema: Schema
    private var lines: [String] = []
    private var file: String?

    /// A text without declarations.
    public init(_ schema: Schema) {
        self.schema = schema
    }

    /// The declarations so far, in the order in which they were added.
    public var text: String { lines.joined(separator: "\n") }

    /// Adds a service with its methods.
    public mutating func add(_ service: ServiceType) {
        begin(service.file)
        comment(service.comment, "")
        lines.append("service \(Self.last(service.fullName)) {")
        for method in service.methods { add(method, indent: "  ") }
        lines.append("}")
    }

    /// Adds one method of a service.
    public mutating func add(_ method: MethodType, of service: ServiceType) {
        begin(service.file)
        lines.append("service \(Self.last(service.fullName)) {")
        add(method, indent: "  ")
        lines.append("}")
    }

    /// Adds messages and enums with all that they are made of, each once; what is declared in
    /// another message stands in it, and the types of `google.protobuf` are left out.
    ///
    /// - Parameter names: Full names of messages or enums.
    public mutating func add(types names: [String]) {
        for name in outermost(names) {
            if let message = schema.messages[name] {
                begin(message.file)
                add(message, indent: "")
            } else if let type = schema.enums[name] {
                begin(type.file)
                add(type, indent: "")
            }
        }
    }

    /// The types with all that they are made of, those that stand in others left out.
    private func outermost(_ names: [String]) -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        var waiting = Array(names.reversed())
        while let name = waiting.popLast() {
            guard !name.hasPrefix("google.protobuf.") || names.contains(name) else { continue }
            let outer = outer(name)
            guard seen.insert(outer).inserted else { continue }
            found.append(outer)
            waiting += references(of: outer).reversed()
        }
        return found
    }

    /// The message that a type is declared in at last, or the type itself.
    private func outer(_ name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return name }
        let before = String(name[..<dot])
        return schema.messages[before] == nil ? name : outer(before)
    }

    private func references(of name: String) -> [String] {
        guard let message = schema.messages[name] else { return [] }
        let own = message.fields.compactMap { field -> String? in
            switch field.kind {
            case .message(let name), .enumeration(let name): name
            default: nil
            }
        }
        return own + message.nestedMessages.flatMap(references)
    }

    /// Says of which file and package what follows is, when that changes.
    private mutating func begin(_ file: String) {
        if !lines.isEmpty { lines.append("") }
        guard self.file != file else { return }
        self.file = file
        lines.append("// \(file)")
        let package = schema.package(of: file)
        if !package.isEmpty { lines.append("package \(package);") }
        lines.append("")
    }

    private static func last(_ name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    /// A name as it is written in the current file.
    private func short(_ name: String) -> String {
        let package = schema.package(of: file ?? "") + "."
        guard name.hasPrefix(package) else { return name }
        return String(name.dropFirst(package.utf8.count))
    }

    private mutating func comment(_ text: String, _ indent: String) {
        guard !text.isEmpty else { return }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(line.isEmpty ? "\(indent)//" : "\(indent)// \(line)")
        }
    }
}

extension ProtoText {
    private mutating func add(_ method: MethodType, indent: String) {
        comment(method.comment, indent)
        let request = (method.streamsRequests ? "stream " : "") + short(method.request)
        let reply = (method.streamsReplies ? "stream " : "") + short(method.reply)
        let head = "\(indent)rpc \(method.name)(\(request)) returns (\(reply))"
        var options: [String] = []
        if method.isDeprecated { options.append("deprecated = true") }
        if method.idempotency != .unknown {
            options.append("idempotency_level = \(method.idempotency.rawValue)")
        }
        for (field, content) in method.customOptions?.present ?? [] {
            for value in OptionText(schema: schema).values(content, field.kind) {
                options.append("\(field.name) = \(value)")
            }
        }
        guard !options.isEmpty else {
            lines.append(head + ";")
            return
        }
        lines.append(head + " {")
        for option in options { lines.append("\(indent)  option \(option);") }
        lines.append("\(indent)}")
    }

    private mutating func add(_ message: MessageType, indent: String) {
        comment(message.comment, indent)
        let head = "\(indent)message \(Self.last(message.fullName)) {"
        let isEmpty =
            message.fields.isEmpty && message.nestedMessages.isEmpty
            && message.nestedEnums.isEmpty && !message.isDeprecated
        guard !isEmpty else {
            lines.append(head + "}")
            return
        }
        lines.append(head)
        if message.isDeprecated { lines.append("\(indent)  option deprecated = true;") }
        var choice: Int?
        for field in message.fields {
            if let open = choice, open != field.choice { lines.append("\(indent)  }") }
            if let own = field.choice, own != choice {
                lines.append("\(indent)  oneof \(message.choices[own]) {")
            }
            choice = field.choice
            add(field, indent: field.choice == nil ? indent + "  " : indent + "    ")
        }
        if choice != nil { lines.append("\(indent)  }") }
        for name in message.nestedMessages {
            guard let inner = schema.messages[name] else { continue }
            lines.append("")
            add(inner, indent: indent + "  ")
        }
        for name in message.nestedEnums {
            guard let inner = schema.enums[name] else { continue }
            lines.append("")
            add(inner, indent: indent + "  ")
        }
        lines.append("\(indent)}")
    }

    private mutating func add(_ field: Field, indent: String) {
        comment(field.comment, indent)
        let type =
            switch field.shape {
            case .singular: (field.isOptional ? "optional " : "") + name(of: field.kind)
            case .repeated: "repeated " + name(of: field.kind)
            case .map(let key): "map<\(name(of: key)), \(name(of: field.kind))>"
            }
        var options: [String] = []
        if field.isDeprecated { options.append("deprecated = true") }
        if field.jsonName != FieldNames.camelCase(field.name) {
            options.append("json_name = \(OptionText.quoted(field.jsonName))")
        }
        let suffix = options.isEmpty ? "" : " [\(options.joined(separator: ", "))]"
        lines.append("\(indent)\(type) \(field.name) = \(field.number)\(suffix);")
    }

    private func name(of kind: Field.Kind) -> String {
        switch kind {
        case .message(let name), .enumeration(let name): short(name)
        default: "\(kind)"
        }
    }

    private mutating func add(_ type: EnumType, indent: String) {
        comment(type.comment, indent)
        lines.append("\(indent)enum \(Self.last(type.fullName)) {")
        for value in type.values {
            comment(value.comment, indent + "  ")
            let suffix = value.isDeprecated ? " [deprecated = true]" : ""
            lines.append("\(indent)  \(value.name) = \(value.number)\(suffix);")
        }
        lines.append("\(indent)}")
    }
}

/// Writes values of options as .proto files have them.
private struct OptionText {
    let schema: Schema

    func values(_ content: DynamicMessage.Content, _ kind: Field.Kind) -> [String] {
        switch content {
        case .one(let value): [text(value, kind)]
        case .many(let values): values.map { text($0, kind) }
        case .map(let entries):
            entries.sorted { $0.key < $1.key }.map { key, value in
                "{key: \(Self.quoted(key.text)) value: \(text(value, kind))}"
            }
        }
    }

    private func text(_ value: DynamicMessage.Value, _ kind: Field.Kind) -> String {
        switch value {
        case .bool(let value): return "\(value)"
        case .signed(let value): return "\(value)"
        case .unsigned(let value): return "\(value)"
        case .float(let value): return "\(value)"
        case .double(let value): return "\(value)"
        case .string(let value): return Self.quoted(value)
        case .bytes(let value): return Self.quoted(String(decoding: value, as: UTF8.self))
        case .enumeration(let number):
            guard case .enumeration(let name) = kind else { return "\(number)" }
            return schema.enums[name]?.name(of: number) ?? "\(number)"
        case .message(let message):
            let fields = message.present.flatMap { field, content in
                values(content, field.kind).map { "\(field.name): \($0)" }
            }
            return "{\(fields.joined(separator: " "))}"
        }
    }

    /// A text between quotation marks.
    static func quoted(_ text: String) -> String {
        JSONValue.string(text).text()
    }
}
