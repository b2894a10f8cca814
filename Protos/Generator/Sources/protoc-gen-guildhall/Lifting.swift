/// Prints the initializer that reads a Swift value out of the struct of protobuf-c.
struct Lifting {
    let message: MessageModel

    func print(_ printer: inout Printer) {
        printer.block("init(lifting lowered: UnsafePointer<\(message.cType)>)") { printer in
            // Every member is assigned exactly once: no default is made and thrown away.
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
        let source = "lowered.pointee.\(Self.escaped(field.cName))"
        let count = "lowered.pointee.n_\(field.cName)"
        switch field.cardinality {
        case .plain:
            guard field.isFloatingInC else {
                printer.line("\(name) = unsafe \(lifted(field.value, source))")
                return
            }
            let presence = "lowered.pointee.\(field.cPresence).rawValue == \(field.number)"
            printer.line("\(name) = unsafe \(presence) ? \(source) : 0")
        case .optional:
            if case .message = field.value {
                printer.line("\(name) = unsafe Lift.message(\(source))")
                return
            }
            let presence = "lowered.pointee.\(field.cPresence).rawValue == \(field.number)"
            printer.line("\(name) = unsafe \(presence)")
            printer.indented { printer in
                printer.line("? \(lifted(field.value, source)) : nil")
            }
        case .repeated:
            if case .message = field.value {
                printer.line("\(name) = unsafe Lift.messages(\(count), \(source))")
                return
            }
            let each = lifted(field.value, "$0")
            let mark = field.value.isPointerInC ? "unsafe " : ""
            printer.line("\(name) = unsafe Lift.array(\(count), \(source)) { \(mark)\(each) }")
        case .map(let key, _):
            var value = lifted(field.value, "entry.pointee.value", orEmpty: true)
            if field.value.isFloating {
                value = "entry.pointee._value_case.rawValue == 2 ? \(value) : 0"
            }
            printer.line("\(name) = unsafe Lift.entries(\(count), \(source)) { entry in")
            printer.indented { printer in
                printer.line("unsafe (\(lifted(key, "entry.pointee.key")), \(value))")
            }
            printer.line("}")
        }
    }

    private func print(_ oneof: OneofModel, _ printer: inout Printer) {
        printer.line("self.\(oneof.swiftName) =")
        printer.indented { printer in
            printer.line("switch unsafe lowered.pointee.\(oneof.cCase).rawValue {")
            for field in oneof.fields {
                let source = "lowered.pointee.\(Self.escaped(field.cName))"
                let value = lifted(field.value, source, orEmpty: true)
                printer.line("case \(field.number): .\(field.swiftName)(unsafe \(value))")
            }
            printer.line("default: nil")
            printer.line("}")
        }
    }

    /// The expression for a value; a submessage is an optional, or else empty when it is absent.
    private func lifted(
        _ value: ValueModel, _ source: String, orEmpty: Bool = false
    ) -> String {
        switch value {
        case .scalar(.bool): "\(source) != 0"
        case .scalar: source
        case .text: "Lift.text(\(source))"
        case .bytes: "Lift.bytes(\(source))"
        case .enumeration(let swiftName, _, _):
            "\(swiftName)(rawValue: .init(truncatingIfNeeded: \(source).rawValue))"
        case .message: "Lift.message(\(source))" + (orEmpty ? " ?? .init()" : "")
        }
    }

    /// Swift reads members by these names only in backticks.
    private static func escaped(_ cName: String) -> String {
        ["init", "self"].contains(cName) ? "`\(cName)`" : cName
    }
}
