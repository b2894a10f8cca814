/// Prints how each Swift type becomes the struct of protobuf-c and comes back.
struct Bridges {
    let file: FileModel
    /// The module of the C structs.
    let module: String
    /// The module with arena and pre-check when it is another one.
    let support: String?
    private let deprecated = "@available(*, deprecated)"

    private var imports: [String] {
        ["internal import CProtobufC", "internal import \(module)"]
            + (file.messages.isEmpty ? [] : ["public import RPC"])
            + (support.map { ["@testable import \($0)", "internal import C\($0)"] } ?? [])
    }

    func print() -> String {
        var printer = Printer.swift(from: file.protoName, imports: imports)
        for message in file.allMessages {
            printer.line()
            printMessage(message, &printer)
            printer.line()
            printBridge(message, &printer)
            for oneof in message.oneofs where oneof.hasDeprecatedCases {
                printer.line()
                printBound(oneof, of: message, &printer)
            }
        }
        for enumeration in file.partlyDeprecatedEnums {
            printer.line()
            Enums.printBridge(enumeration, &printer)
        }
        return printer.text
    }

    private func printMessage(_ message: MessageModel, _ printer: inout Printer) {
        printer.block("extension \(message.swiftName)") { printer in
            printer.line("/// The full protobuf name.")
            printer.line("public static var messageName: String { \"\(message.fullName)\" }")
            printer.line()
            printer.line("/// Decodes a message after the linear pre-check of its bytes.")
            printer.line("///")
            printer.line("/// - Throws: `DecodingFault` naming what is wrong.")
            printer.block(
                "public init(decoding bytes: RawSpan, limits: DecodingLimits) throws(DecodingFault)"
            ) { printer in
                printer.line("self = try unsafe Codec.decode(bytes, limits)")
            }
            printer.line()
            printer.line("/// The most bytes that `encode(into:)` can append for this value.")
            if message.sharesFields {
                let bound = "unsafe storage.fields.encodedByteCountMax"
                printer.line("public var encodedByteCountMax: Int { \(bound) }")
            } else {
                printBound(message, access: "public ", &printer)
            }
            printer.line()
            printer.line("/// Appends the encoded message.")
            printer.block("public func encode(into output: inout OutputRawSpan)") { printer in
                printer.line("unsafe Codec.append(self, to: &output)")
            }
        }
    }

    private func printBound(
        _ message: MessageModel, access: String, _ printer: inout Printer
    ) {
        let always = message.fields.filter { $0.oneof == nil }.reduce(0) { sum, field in
            guard case .plain = field.cardinality else { return sum }
            return sum + Self.overhead(field)
        }
        let variable = message.members.filter(Self.isVariable)
        guard !variable.isEmpty else {
            printer.line("\(access)var encodedByteCountMax: Int { \(always) }")
            return
        }
        printer.block("\(access)var encodedByteCountMax: Int") { printer in
            printer.line("var bound = \(always)")
            for member in variable {
                switch member {
                case .field(let field): printBound(field, &printer)
                case .oneof(let oneof): printBound(oneof, &printer)
                }
            }
            printer.line("return bound")
        }
    }

    private func printBound(_ field: FieldModel, _ printer: inout Printer) {
        let name = "self.\(field.storageName)"
        let overhead = Self.overhead(field)
        switch field.cardinality {
        case .plain:
            printer.line("bound += \(Self.content(field.value, name) ?? "0")")
        case .optional:
            guard let content = Self.content(field.value, "value") else {
                printer.line("if \(name) != nil { bound += \(overhead) }")
                return
            }
            printer.line("if let value = \(name) { bound += \(overhead) + \(content) }")
        case .repeated:
            guard let content = Self.content(field.value, "value") else {
                guard field.isPacked else {
                    printer.line("bound += \(overhead) * \(name).count")
                    return
                }
                // One tag and length, then the values.
                let each = field.value.encodedBytesMax
                let start = Self.tag(field) + 5
                printer.line("if !\(name).isEmpty { bound += \(start) + \(each) * \(name).count }")
                return
            }
            printer.line("for value in \(name) { bound += \(overhead) + \(content) }")
        case .map(let key, _):
            // An entry is a submessage of two fields whose tags take a byte each.
            let entry = Self.tag(field) + 5 + 2 + key.encodedBytesMax + field.value.encodedBytesMax
            let parts = [Self.content(key, "key"), Self.content(field.value, "value")]
            let pattern = "(\(parts[0] == nil ? "_" : "key"), \(parts[1] == nil ? "_" : "value"))"
            guard parts.contains(where: { $0 != nil }) else {
                printer.line("bound += \(entry) * \(name).count")
                return
            }
            let sum = (["\(entry)"] + parts.compactMap(\.self)).joined(separator: " + ")
            printer.line("for \(pattern) in \(name) { bound += \(sum) }")
        }
    }

    private func printBound(_ oneof: OneofModel, _ printer: inout Printer) {
        guard !oneof.hasDeprecatedCases else {
            printer.line("if let value = self.\(oneof.swiftName) { bound += Codec.bound(value) }")
            return
        }
        printer.line("switch self.\(oneof.swiftName) {")
        printer.line("case nil: break")
        printCases(of: oneof, result: "bound += ", &printer)
        printer.line("}")
    }

    /// Prints the bound of a oneof that is reached through a protocol: see `PartlyDeprecatedOneof`.
    private func printBound(
        _ oneof: OneofModel, of message: MessageModel, _ printer: inout Printer
    ) {
        printer.block(
            "extension \(message.swiftName).\(oneof.swiftType): PartlyDeprecatedOneof"
        ) { printer in
            printer.line("@available(*, deprecated)")
            printer.block("var encodedByteCountMax: Int") { printer in
                printer.line("switch self {")
                printCases(of: oneof, result: "", &printer)
                printer.line("}")
            }
        }
    }

    private func printCases(
        of oneof: OneofModel, result: String, _ printer: inout Printer
    ) {
        for field in oneof.fields {
            let overhead = Self.overhead(field)
            guard let content = Self.content(field.value, "value") else {
                printer.line("case .\(field.swiftName): \(result)\(overhead)")
                continue
            }
            printer.line(
                "case .\(field.swiftName)(let value): \(result)\(overhead) + \(content)")
        }
    }

    private static func isVariable(_ member: MemberModel) -> Bool {
        guard case .field(let field) = member, case .plain = field.cardinality else { return true }
        return content(field.value, "") != nil
    }

    /// The bytes that tag and value take beside the content of what has a length.
    private static func overhead(_ field: FieldModel) -> Int {
        tag(field) + field.value.encodedBytesMax
    }

    private static func tag(_ field: FieldModel) -> Int {
        switch field.number {
        case ..<16: 1
        case ..<2_048: 2
        case ..<262_144: 3
        case ..<33_554_432: 4
        default: 5
        }
    }

    /// The expression for the bytes of the content of what has a length; nil for the rest.
    private static func content(_ value: ValueModel, _ name: String) -> String? {
        switch value {
        case .scalar, .enumeration: nil
        case .text: "\(name).utf8.count"
        case .bytes: "\(name).count"
        case .message: "\(name).encodedByteCountMax"
        }
    }

    private func printBridge(_ message: MessageModel, _ printer: inout Printer) {
        printer.block("extension \(message.swiftName): @unsafe Bridged") { printer in
            printer.line("typealias Lowered = \(message.cType)")
            printer.line()
            printer.block("static var shape: UnsafePointer<message_shape>") { printer in
                printer.line("unsafe \(message.cFunction)__shape()")
            }
            printer.line()
            // Both are called through the protocol, where the mark is not seen.
            let mark = message.namesDeprecatedCases ? deprecated : nil
            if message.sharesFields {
                printShared(message, mark, &printer)
            } else {
                printOwn(message, mark, &printer)
            }
        }
        guard message.sharesFields else { return }
        printer.line()
        printer.block("extension \(message.swiftName).Fields") { printer in
            printBound(message, access: "", &printer)
            printer.line()
            printOwn(message, message.namesDeprecatedCases ? deprecated : nil, &printer)
        }
        printer.line()
        let members = message.members.map { MessageMember($0, of: message) }
        SharedFields(message: message).printConformances(members, &printer)
    }

    private func printOwn(_ message: MessageModel, _ mark: String?, _ printer: inout Printer) {
        if let mark { printer.line(mark) }
        Encoding(message: message).print(&printer)
        printer.line()
        if let mark { printer.line(mark) }
        Lifting(message: message).print(&printer)
    }

    private func printShared(_ message: MessageModel, _ mark: String?, _ printer: inout Printer) {
        if let mark { printer.line(mark) }
        printer.block("func encode(with writer: inout MessageWriter)") {
            $0.line("unsafe storage.fields.encode(with: &writer)")
        }
        printer.line()
        if let mark { printer.line(mark) }
        printer.block("init(lifting lowered: UnsafePointer<\(message.cType)>)") {
            $0.line("self.init(unsafe Storage(Fields(lifting: lowered)))")
        }
    }
}
