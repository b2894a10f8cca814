import SwiftProtobufPluginLibrary

/// Prints which fields the messages have that are answered over HTTP, and what stands for those
/// that are at their defaults.
struct ReplyShapes {
    private let messages: [Descriptor]

    init(_ files: [FileDescriptor]) throws {
        var found: [String: Descriptor] = [:]
        var open: [Descriptor] = []
        for method in files.flatMap(\.services).flatMap(\.methods)
        where try !HTTPRule.rules(of: method).isEmpty {
            open.append(method.outputType)
        }
        while let message = open.popLast() {
            guard found.updateValue(message, forKey: message.fullName) == nil else { continue }
            open += message.fields.compactMap(Self.element)
        }
        messages = found.values.sorted { $0.fullName < $1.fullName }
    }

    func print() throws -> String {
        var printer = Printer.swift(
            from: "the messages that are answered over HTTP", imports: ["import Encodings"])
        printer.line()
        printer.line("/// What answers consist of, by the full names of their messages.")
        try printer.block("enum ReplyShapes") { printer in
            printer.line("static let all: [String: [ReplyField]] = [")
            printer.indented { printer in
                for message in messages {
                    printer.line("\"\(message.fullName)\": \(Self.name(message)),")
                }
            }
            printer.line("]")
            for message in messages { try print(message, &printer) }
        }
        return printer.text
    }

    private func print(_ message: Descriptor, _ printer: inout Printer) throws {
        printer.line()
        printer.line("private static let \(Self.name(message)): [ReplyField] = [")
        try printer.indented { printer in
            for field in message.fields {
                let mark = try field.namesFields ? ", namesFields: true" : ""
                printer.line(
                    "ReplyField(name: \"\(field.nameInJSON)\", "
                        + "content: \(Self.content(field))\(mark)),")
            }
        }
        printer.line("]")
    }

    private static func name(_ message: Descriptor) -> String {
        message.fullName.split(separator: ".").enumerated().map { position, part in
            position == 0 ? String(part) : part.prefix(1).uppercased() + part.dropFirst()
        }.joined()
    }

    /// The message that a field holds, if its JSON is an object.
    private static func element(_ field: FieldDescriptor) -> Descriptor? {
        guard let message = field.messageType else { return nil }
        if field.isMap { return message.fields.last.flatMap(element) }
        return message.fullName.hasPrefix("google.protobuf.") ? nil : message
    }

    private static func content(_ field: FieldDescriptor) -> String {
        let of = element(field).map { "\"\($0.fullName)\"" } ?? "nil"
        if field.isMap { return ".map(of: \(of))" }
        if field.isRepeated { return ".list(of: \(of))" }
        if field.messageType != nil { return ".message(\(of))" }
        guard !field.hasPresence else { return ".optional" }
        switch field.type {
        case .string, .bytes: return ".value(.string(\"\"))"
        case .bool: return ".value(.bool(false))"
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: return ".value(.string(\"0\"))"
        case .enum:
            let first = field.enumType?.values.first?.name ?? ""
            return ".value(.string(\"\(first)\"))"
        default: return ".value(.number(\"0\"))"
        }
    }
}
