/// Prints the Swift types of messages.
struct Values {
    let file: FileModel
    /// The module with arena and pre-check when it is another one.
    let support: String?

    private var imports: [String] {
        var imports = file.messages.isEmpty ? [] : ["public import RPC"]
        guard let support else { return imports }
        let access = file.messagesUseWellKnown ? "public import" : "import"
        if !file.partlyDeprecatedEnums.isEmpty {
            // For the internal functions by which deprecated values are reached.
            imports.append("@testable \(access) \(support)")
        } else if file.messagesUseWellKnown {
            imports.append("\(access) \(support)")
        }
        return imports
    }

    func print() -> String {
        var printer = Printer.swift(from: file.protoName, imports: imports)
        for message in file.messages {
            printer.line()
            print(message, &printer)
        }
        for enumeration in file.enums {
            printer.line()
            Enums.print(enumeration, &printer)
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
                Enums.print(nested, &printer)
            }
        }
        printer.alias(of: message.simpleName, message.deprecation, message.fullName)
    }

    private func print(
        _ member: MemberModel, of message: MessageModel, _ printer: inout Printer
    ) {
        switch member {
        case .field(let field):
            printer.documentation(field.documentation, orElse: "The field `\(field.name)`.")
            guard let deprecation = field.deprecation else {
                printer.line("public var \(field.swiftName): \(field.swiftType)")
                return
            }
            printer.deprecation(deprecation)
            printer.block("public var \(field.swiftName): \(field.swiftType)") { printer in
                printer.line("get { self.\(field.storageName) }")
                printer.line("set { self.\(field.storageName) = newValue }")
            }
            printer.line("var \(field.storageName): \(field.swiftType)")
        case .oneof(let oneof):
            printer.documentation(
                oneof.documentation, orElse: "One of the fields of `\(oneof.name)`, or none.")
            printer.line("public var \(oneof.swiftName): \(message.swiftName).\(oneof.swiftType)?")
        }
    }

    private func printInitializers(_ message: MessageModel, _ printer: inout Printer) {
        let members = message.members.map { Member($0, of: message) }
        printer.line("/// A message with every field at its default.")
        printer.block("public init()") { printer in
            for member in members { printer.line("self.\(member.storage) = \(member.initial)") }
        }
        let current = members.filter { $0.deprecation == nil }
        if !current.isEmpty {
            printer.line()
            printer.line("/// A message with the given fields, the others at their defaults.")
            printInitializer(of: members, given: current, &printer)
        }
        guard current.count < members.count else { return }
        printer.line()
        printer.line("/// A message with the given fields, deprecated ones among them.")
        printer.deprecation(members.compactMap(\.deprecation).first)
        printInitializer(of: members, given: members, &printer)
    }

    private func printInitializer(
        of members: [Member], given: [Member], _ printer: inout Printer
    ) {
        printer.line("public init(")
        printer.indented { printer in
            for (position, member) in given.enumerated() {
                let comma = position + 1 < given.count ? "," : ""
                printer.line("\(member.name): \(member.type) = \(member.initial)\(comma)")
            }
        }
        let names = Set(given.map(\.name))
        printer.block(")") { printer in
            for member in members {
                let value = names.contains(member.name) ? member.name : member.initial
                printer.line("self.\(member.storage) = \(value)")
            }
        }
    }

    /// What an initializer sets.
    private struct Member {
        let name: String
        let storage: String
        let type: String
        let initial: String
        let deprecation: Deprecation?

        init(_ member: MemberModel, of message: MessageModel) {
            switch member {
            case .field(let field):
                name = field.swiftName
                storage = field.storageName
                type = field.swiftType
                initial = field.swiftDefault
                deprecation = field.deprecation
            case .oneof(let oneof):
                name = oneof.swiftName
                storage = oneof.swiftName
                type = "\(message.swiftName).\(oneof.swiftType)?"
                initial = "nil"
                deprecation = nil
            }
        }
    }

    private func print(_ oneof: OneofModel, of message: MessageModel, _ printer: inout Printer) {
        printer.line("/// The fields of `\(oneof.name)`, of which a message holds one at most.")
        printer.block("public enum \(oneof.swiftType): Sendable, Hashable") { printer in
            for field in oneof.fields {
                printer.documentation(field.documentation, orElse: "The field `\(field.name)`.")
                printer.deprecation(field.deprecation)
                printer.line("case \(field.swiftName)(\(field.swiftType))")
            }
        }
    }
}
