/// Prints the method that fills the struct of protobuf-c from a Swift value.
struct Lowering {
    let message: MessageModel

    func print(_ printer: inout Printer) {
        printer.block(
            "func lower(into lowered: UnsafeMutablePointer<\(message.cType)>, _ arena: Arena)"
        ) { printer in
            printer.line("unsafe \(message.cFunction)__init(lowered)")
            for member in message.members {
                switch member {
                case .field(let field): print(field, &printer)
                case .oneof(let oneof): print(oneof, &printer)
                }
            }
        }
    }

    private func print(_ field: FieldModel, _ printer: inout Printer) {
        let name = "self.\(field.storageName)"
        let target = "lowered.pointee.\(Self.escaped(field.cName))"
        switch field.cardinality {
        case .plain:
            guard field.isFloatingInC else {
                printer.line("unsafe \(target) = \(Self.lowered(field.value, name))")
                return
            }
            printer.block("if \(name).bitPattern != 0") { printer in
                let presence = "lowered.pointee.\(field.cPresence)"
                printer.line("unsafe \(presence) = .init(rawValue: \(field.number))")
                printer.line("unsafe \(target) = \(name)")
            }
        case .optional:
            printer.block("if let value = \(name)") { printer in
                if field.isMarkedOptional {
                    let presence = "lowered.pointee.\(field.cPresence)"
                    printer.line("unsafe \(presence) = .init(rawValue: \(field.number))")
                }
                printer.line("unsafe \(target) = \(Self.lowered(field.value, "value"))")
            }
        case .repeated:
            printer.line("unsafe lowered.pointee.n_\(field.cName) = \(name).count")
            if case .message = field.value {
                printer.line("unsafe \(target) = arena.messages(\(name))")
                return
            }
            let each = Self.lowered(field.value, "$0")
            let mark = field.value.isPointerInC ? "unsafe " : ""
            printer.line("unsafe \(target) = arena.array(\(name)) { \(mark)\(each) }")
        case .map(let key, let entry):
            printer.line("unsafe lowered.pointee.n_\(field.cName) = \(name).count")
            printer.line("unsafe \(target) = arena.entries(\(name)) {")
            printer.indented { printer in
                printer.line(
                    "(entry: UnsafeMutablePointer<\(Names.cType(entry))>, key, value) in")
                printer.line("unsafe \(Names.cFunction(entry))__init(entry)")
                printer.line("unsafe entry.pointee.key = \(Self.lowered(key, "key"))")
                let lowered = Self.lowered(field.value, "value")
                if field.value.isFloating {
                    printer.line("unsafe entry.pointee._value_case = .init(rawValue: 2)")
                }
                printer.line("unsafe entry.pointee.value = \(lowered)")
            }
            printer.line("}")
        }
    }

    private func print(_ oneof: OneofModel, _ printer: inout Printer) {
        printer.line("switch self.\(oneof.swiftName) {")
        printer.line("case nil: break")
        for field in oneof.fields {
            printer.line("case .\(field.swiftName)(let value):")
            printer.indented { printer in
                let target = "lowered.pointee.\(Self.escaped(field.cName))"
                printer.line(
                    "unsafe lowered.pointee.\(oneof.cCase) = .init(rawValue: \(field.number))")
                let lowered = Self.lowered(field.value, "value")
                printer.line("unsafe \(target) = \(lowered)")
            }
        }
        printer.line("}")
    }

    static func lowered(_ value: ValueModel, _ name: String) -> String {
        switch value {
        case .scalar(.bool): "\(name) ? 1 : 0"
        case .scalar: name
        case .text: "arena.text(\(name))"
        case .bytes: "arena.bytes(\(name))"
        case .enumeration(_, let fullName, _):
            "\(Names.cType(fullName))(rawValue: .init(truncatingIfNeeded: \(name).rawValue))"
        case .message: "arena.message(\(name))"
        }
    }

    /// Swift reads members by these names only in backticks.
    static func escaped(_ cName: String) -> String {
        ["init", "self"].contains(cName) ? "`\(cName)`" : cName
    }
}
