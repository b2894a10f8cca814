/// Prints the Swift types of messages and enums.
struct Values {
    let file: FileModel
    let imports: [String]

    func print() -> String {
        var printer = Printer.swift(from: file.protoName, imports: imports)
        for message in file.messages {
            printer.line()
            print(message, &printer)
        }
        for enumeration in file.enums {
            printer.line()
            print(enumeration, &printer)
        }
        return printer.text
    }

    private func print(_ message: MessageModel, _ printer: inout Printer) {
        printer.documentation(message.documentation, orElse: "The message `\(message.fullName)`.")
        printer.block("public struct \(message.simpleName): Message") { printer in
            for member in message.members { print(member, of: message, &printer) }
            if !message.members.isEmpty { printer.line() }
            printInitializers(message, &printer)
            for oneof in message.oneofs {
                printer.line()
                print(oneof, of: message, &printer)
            }
            for nested in message.messages {
                printer.line()
                print(nested, &printer)
            }
            for nested in message.enums {
                printer.line()
                print(nested, &printer)
            }
        }
    }

    private func print(
        _ member: MemberModel, of message: MessageModel, _ printer: inout Printer
    ) {
        switch member {
        case .field(let field):
            printer.documentation(field.documentation, orElse: "The field `\(field.name)`.")
            printer.line("public var \(field.swiftName): \(field.swiftType)")
        case .oneof(let oneof):
            printer.documentation(
                oneof.documentation, orElse: "One of the fields of `\(oneof.name)`, or none.")
            printer.line("public var \(oneof.swiftName): \(message.swiftName).\(oneof.swiftType)?")
        }
    }

    private func printInitializers(_ message: MessageModel, _ printer: inout Printer) {
        let members = message.members.map { member in
            switch member {
            case .field(let field): (field.swiftName, field.swiftType, field.swiftDefault)
            case .oneof(let oneof):
                (oneof.swiftName, "\(message.swiftName).\(oneof.swiftType)?", "nil")
            }
        }
        printer.line("/// A message with every field at its default.")
        printer.block("public init()") { printer in
            for (name, _, initial) in members { printer.line("self.\(name) = \(initial)") }
        }
        guard !members.isEmpty else { return }
        printer.line()
        printer.line("/// A message with the given fields, the others at their defaults.")
        printer.line("public init(")
        printer.indented { printer in
            for (position, (name, type, initial)) in members.enumerated() {
                let comma = position + 1 < members.count ? "," : ""
                printer.line("\(name): \(type) = \(initial)\(comma)")
            }
        }
        printer.block(")") { printer in
            for (name, _, _) in members { printer.line("self.\(name) = \(name)") }
        }
    }

    private func print(_ oneof: OneofModel, of message: MessageModel, _ printer: inout Printer) {
        printer.line("/// The fields of `\(oneof.name)`, of which a message holds one at most.")
        printer.block("public enum \(oneof.swiftType): Sendable, Hashable") { printer in
            for field in oneof.fields {
                printer.documentation(field.documentation, orElse: "The field `\(field.name)`.")
                printer.line("case \(field.swiftName)(\(field.swiftType))")
            }
        }
    }

    private func print(_ enumeration: EnumModel, _ printer: inout Printer) {
        printer.documentation(
            enumeration.documentation, orElse: "The enum `\(enumeration.fullName)`.")
        printer.block("public enum \(enumeration.simpleName): Sendable, Hashable") { printer in
            for value in enumeration.cases {
                printer.documentation(value.documentation, orElse: "`\(value.protoName)`.")
                printer.line("case \(value.swiftName)")
            }
            printer.line(
                "/// A number that this version does not know; make it by `init(rawValue:)`.")
            printer.line("case unrecognized(Int32)")
            printer.line()
            printer.line("/// The value with a number.")
            printer.block("public init(rawValue: Int32)") { printer in
                printer.line("self =")
                printer.indented { printer in
                    printer.line("switch rawValue {")
                    for value in enumeration.cases {
                        printer.line("case \(value.number): .\(value.swiftName)")
                    }
                    printer.line("default: .unrecognized(rawValue)")
                    printer.line("}")
                }
            }
            printer.line()
            printer.line("/// The number on the wire.")
            printer.line("public var rawValue: Int32 {")
            printer.indented { printer in
                printer.line("switch self {")
                for value in enumeration.cases {
                    printer.line("case .\(value.swiftName): \(value.number)")
                }
                printer.line("case .unrecognized(let rawValue): rawValue")
                printer.line("}")
            }
            printer.line("}")
        }
    }
}
