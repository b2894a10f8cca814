/// Prints the storage of a message with many fields, which its copies share until one changes.
///
/// Such a message is handed from hand to hand as one reference. As a struct it would be hundreds
/// of bytes, with a reference to be counted for each text in it. The fields cannot be copied but by
/// the function for it, so that nothing that only reads them counts anything.
struct SharedFields {
    let message: MessageModel

    /// Messages with more members share their fields.
    static let membersMax = 12

    /// Prints what stands in the message instead of its fields.
    func printStorage(_ members: [MessageMember], _ printer: inout Printer) {
        printer.line("/// The fields, which copies share until one of them changes.")
        printer.line("private(set) var storage: Storage")
        printer.line()
        printer.line("init(_ storage: Storage) { self.storage = storage }")
        for member in members {
            printer.line()
            printProperty(member, &printer)
        }
    }

    private func printProperty(_ member: MessageMember, _ printer: inout Printer) {
        for line in member.documentation { printer.line(line) }
        printer.deprecation(member.deprecation)
        printer.block("public var \(member.name): \(member.type)") { printer in
            printAccessors(member, &printer)
        }
        guard member.storage != member.name else { return }
        printer.line()
        printer.block("var \(member.storage): \(member.type)") { printer in
            printAccessors(member, &printer)
        }
    }

    private func printAccessors(_ member: MessageMember, _ printer: inout Printer) {
        printer.line("get { unsafe storage.fields.\(member.storage) }")
        printer.block("_modify") { printer in
            printer.line("own()")
            printer.line("yield unsafe &storage.fields.\(member.storage)")
        }
    }

    /// Prints the fields and what holds them.
    func printTypes(_ members: [MessageMember], _ printer: inout Printer) {
        printer.line("/// The fields.")
        printer.block("struct Fields: ~Copyable") { printer in
            for member in members {
                printer.line("var \(member.storage): \(member.type) = \(member.initial)")
            }
        }
        printer.line()
        printer.line("/// Holds the fields; they change only while one message alone has them.")
        printer.block("final class Storage: @unchecked Sendable") { printer in
            printer.line("static let initial = Storage(Fields())")
            printer.line()
            printer.line("@exclusivity(unchecked) var fields: Fields")
            printer.line()
            printer.line("init(_ fields: consuming Fields) { unsafe self.fields = fields }")
        }
        printer.line()
        printer.block("private mutating func own()") { printer in
            printer.line("guard !isKnownUniquelyReferenced(&storage) else { return }")
            printer.line("storage = unsafe Storage(storage.fields.copied)")
        }
    }

    /// Prints what the compiler would make of fields in a struct.
    func printConformances(_ members: [MessageMember], _ printer: inout Printer) {
        let type = message.swiftName
        printer.block("extension \(type)") { printer in
            printer.line("/// Whether all fields are equal.")
            printer.block("public static func == (left: \(type), right: \(type)) -> Bool") {
                $0.line("unsafe left.storage === right.storage")
                $0.indented { $0.line("|| left.storage.fields.equals(right.storage.fields)") }
            }
            printer.line()
            printer.line("/// Hashes all fields.")
            printer.block("public func hash(into hasher: inout Hasher)") {
                $0.line("unsafe storage.fields.hash(into: &hasher)")
            }
        }
        printer.line()
        printer.block("extension \(type): CustomReflectable") { printer in
            printer.line("/// The fields, for debuggers and messages of tests.")
            printer.block("public var customMirror: Mirror") { printer in
                let children = members.map { "(\"\($0.plainName)\", self.\($0.storage) as Any)" }
                printer.line("Mirror(self, children: [")
                printer.indented { printer in
                    for child in children { printer.line("\(child),") }
                }
                printer.line("], displayStyle: .struct)")
            }
        }
        printer.line()
        printer.block("extension \(type).Fields") { printer in
            printer.block("var copied: \(type).Fields") { printer in
                printer.line("var copy = \(type).Fields()")
                for member in members {
                    printer.line("copy.\(member.storage) = self.\(member.storage)")
                }
                printer.line("return copy")
            }
            printer.line()
            printer.block("func equals(_ other: borrowing \(type).Fields) -> Bool") { printer in
                for (position, member) in members.enumerated() {
                    let and = position == 0 ? "" : "    && "
                    printer.line("\(and)self.\(member.storage) == other.\(member.storage)")
                }
            }
            printer.line()
            printer.block("func hash(into hasher: inout Hasher)") { printer in
                for member in members { printer.line("hasher.combine(self.\(member.storage))") }
            }
        }
    }
}

/// A field or a oneof as it stands in a Swift struct.
struct MessageMember {
    let name: String
    /// The name of what stores it: another one when it is deprecated.
    let storage: String
    let type: String
    let initial: String
    let documentation: [String]
    let deprecation: Deprecation?

    /// The name without the marks of a keyword.
    var plainName: String { name.filter { $0 != "`" } }

    init(_ member: MemberModel, of message: MessageModel) {
        let comment: [String]
        switch member {
        case .field(let field):
            name = field.swiftName
            storage = field.storageName
            type = field.swiftType
            initial = field.swiftDefault
            comment =
                field.documentation.isEmpty
                ? ["The field `\(field.name)`."] : field.documentation
            deprecation = field.deprecation
        case .oneof(let oneof):
            name = oneof.swiftName
            storage = oneof.swiftName
            type = "\(message.swiftName).\(oneof.swiftType)?"
            initial = "nil"
            comment =
                oneof.documentation.isEmpty
                ? ["One of the fields of `\(oneof.name)`, or none."] : oneof.documentation
            deprecation = nil
        }
        documentation = comment.map { $0.isEmpty ? "///" : "/// \($0)" }
    }
}
