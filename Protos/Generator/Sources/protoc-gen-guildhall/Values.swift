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
            let members = message.members.map { MessageMember($0, of: message) }
            if message.sharesFields {
                SharedFields(message: message).printStorage(members, &printer)
            } else {
                for member in members { print(member, &printer) }
            }
            if !members.isEmpty { printer.line() }
            printInitializers(message, members, &printer)
            if message.sharesFields {
                printer.line()
                SharedFields(message: message).printTypes(members, &printer)
            }
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

    private func print(_ member: MessageMember, _ printer: inout Printer) {
        for line in member.documentation { printer.line(line) }
        guard let deprecation = member.deprecation else {
            printer.line("public var \(member.name): \(member.type)")
            return
        }
        printer.deprecation(deprecation)
        printer.block("public var \(member.name): \(member.type)") { printer in
            printer.line("get { self.\(member.storage) }")
            printer.line("set { self.\(member.storage) = newValue }")
        }
        printer.line("var \(member.storage): \(member.type)")
    }

    private func printInitializers(
        _ message: MessageModel, _ members: [MessageMember], _ printer: inout Printer
    ) {
        printer.line("/// A message with every field at its default.")
        printer.block("public init()") { printer in
            if message.sharesFields { return printer.line("storage = Storage.initial") }
            for member in members { printer.line("self.\(member.storage) = \(member.initial)") }
        }
        let current = members.filter { $0.deprecation == nil }
        if !current.isEmpty {
            printer.line()
            printer.line("/// A message with the given fields, the others at their defaults.")
            printInitializer(of: message, members, given: current, &printer)
        }
        guard current.count < members.count else { return }
        printer.line()
        printer.line("/// A message with the given fields, deprecated ones among them.")
        printer.deprecation(members.compactMap(\.deprecation).first)
        printInitializer(of: message, members, given: members, &printer)
    }

    private func printInitializer(
        of message: MessageModel, _ members: [MessageMember], given: [MessageMember],
        _ printer: inout Printer
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
            if message.sharesFields {
                printer.line("var fields = Fields()")
                for member in given {
                    printer.line("fields.\(member.storage) = \(member.name)")
                }
                printer.line("storage = Storage(fields)")
                return
            }
            for member in members {
                let value = names.contains(member.name) ? member.name : member.initial
                printer.line("self.\(member.storage) = \(value)")
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
