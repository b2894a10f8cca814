/// Prints the Swift types of enums.
enum Enums {
    static func print(_ enumeration: EnumModel, _ printer: inout Printer) {
        let mayNameAll = !enumeration.hasDeprecatedCases
        printer.documentation(
            enumeration.documentation, orElse: "The enum `\(enumeration.fullName)`.")
        printer.block("public enum \(enumeration.simpleName): Sendable, Hashable") { printer in
            printCases(enumeration, &printer)
            printer.line()
            printer.line("/// The value with a number.")
            guard !mayNameAll else {
                printSwitchOfNumber(enumeration, "public init(rawValue: Int32)", &printer)
                printer.line()
                printer.line("/// The number on the wire.")
                printSwitchOfCase(enumeration, "public var rawValue: Int32", &printer)
                return
            }
            printer.line("public init(rawValue: Int32) { self = Codec.value(rawValue) }")
            printer.line()
            printer.line("/// The number on the wire.")
            printer.line("public var rawValue: Int32 { Codec.number(of: self) }")
        }
        printer.alias(of: enumeration.simpleName, enumeration.deprecation, enumeration.fullName)
    }

    /// Prints how a partly deprecated enum is reached through a protocol.
    static func printBridge(_ enumeration: EnumModel, _ printer: inout Printer) {
        printer.block("extension \(enumeration.swiftName): PartlyDeprecatedEnum") { printer in
            printer.line("@available(*, deprecated)")
            printSwitchOfNumber(enumeration, "init(wireNumber rawValue: Int32)", &printer)
            printer.line()
            printer.line("@available(*, deprecated)")
            printSwitchOfCase(enumeration, "var wireNumber: Int32", &printer)
        }
    }

    private static func printCases(_ enumeration: EnumModel, _ printer: inout Printer) {
        for value in enumeration.cases {
            printer.documentation(value.documentation, orElse: "`\(value.protoName)`.")
            printer.deprecation(value.deprecation)
            printer.line("case \(value.swiftName)")
        }
        printer.line("/// A number that this version does not know; make it by `init(rawValue:)`.")
        printer.line("case unrecognized(Int32)")
    }

    private static func printSwitchOfNumber(
        _ enumeration: EnumModel, _ declaration: String, _ printer: inout Printer
    ) {
        printer.block(declaration) { printer in
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
    }

    private static func printSwitchOfCase(
        _ enumeration: EnumModel, _ declaration: String, _ printer: inout Printer
    ) {
        printer.block(declaration) { printer in
            printer.line("switch self {")
            for value in enumeration.cases {
                printer.line("case .\(value.swiftName): \(value.number)")
            }
            printer.line("case .unrecognized(let rawValue): rawValue")
            printer.line("}")
        }
    }
}
