/// Prints the method that writes a Swift value in the encoding of protobuf.
struct Encoding {
    let message: MessageModel

    func print(_ printer: inout Printer) {
        printer.block("func encode(with writer: inout MessageWriter)") { printer in
            for run in runs {
                if let oneof = run.oneof {
                    print(run.fields, of: message.oneofs[oneof], &printer)
                } else {
                    for field in run.fields { print(field, &printer) }
                }
            }
        }
    }

    /// Fields that follow each other by number and belong to the same oneof, or to none.
    private struct Run {
        let oneof: Int?
        var fields: [FieldModel]
    }

    /// The fields in the order of their numbers, as every encoder writes them.
    private var runs: [Run] {
        var runs: [Run] = []
        for field in message.fields.sorted(by: { $0.number < $1.number }) {
            if let last = runs.last, last.oneof == field.oneof {
                runs[runs.count - 1].fields.append(field)
            } else {
                runs.append(Run(oneof: field.oneof, fields: [field]))
            }
        }
        return runs
    }

    private func print(_ field: FieldModel, _ printer: inout Printer) {
        let name = "self.\(field.storageName)"
        let tag = Self.tag(field.number, field.value.wireType)
        switch field.cardinality {
        case .plain: printer.line("unsafe writer.add(\(tag), \(Self.argument(field.value, name)))")
        case .optional:
            let put = "unsafe writer.put(\(tag), \(Self.argument(field.value, "value")))"
            printer.line("if let value = \(name) { \(put) }")
        case .repeated:
            if case .message = field.value {
                printer.line("unsafe writer.put(\(tag), messages: \(name))")
                return
            }
            guard field.isPacked else {
                let put = "unsafe writer.put(\(tag), \(Self.argument(field.value, "value")))"
                printer.line("for value in \(name) { \(put) }")
                return
            }
            printer.block("if !\(name).isEmpty") { printer in
                let tag = Self.tag(field.number, .length)
                printer.line("let content = unsafe writer.open(\(tag))")
                let (kind, value) = Self.written(field.value, "value")
                printer.line("for value in \(name) { unsafe writer.\(kind)(\(value)) }")
                printer.line("unsafe writer.close(content)")
            }
        case .map(let key, _):
            // In the order of the keys, so that equal values have equal bytes.
            let order = key.isTruth ? "!$0.key && $1.key" : "$0.key < $1.key"
            printer.block("for (key, value) in \(name).sorted(by: { \(order) })") { printer in
                printer.line("let entry = unsafe writer.open(\(Self.tag(field.number, .length)))")
                for (number, part, name) in [(1, key, "key"), (2, field.value, "value")] {
                    let tag = Self.tag(Int32(number), part.wireType)
                    printer.line("unsafe writer.put(\(tag), \(Self.argument(part, name)))")
                }
                printer.line("unsafe writer.close(entry)")
            }
        }
    }

    private func print(_ fields: [FieldModel], of oneof: OneofModel, _ printer: inout Printer) {
        printer.line("switch self.\(oneof.swiftName) {")
        for field in fields {
            let tag = Self.tag(field.number, field.value.wireType)
            let put = "unsafe writer.put(\(tag), \(Self.argument(field.value, "value")))"
            printer.line("case .\(field.swiftName)(let value): \(put)")
        }
        printer.line(fields.count == oneof.fields.count ? "case nil: break" : "default: break")
        printer.line("}")
    }

    private static func tag(_ number: Int32, _ type: WireType) -> UInt32 {
        UInt32(number) << 3 | type.rawValue
    }

    private static func argument(_ value: ValueModel, _ name: String) -> String {
        let (label, expression) = written(value, name)
        return "\(label): \(expression)"
    }

    /// How a value is written: the writer's word for it, and the expression.
    private static func written(_ value: ValueModel, _ name: String) -> (String, String) {
        switch value {
        case .text: ("text", name)
        case .bytes: ("bytes", name)
        case .message: ("message", name)
        case .enumeration: ("varint", "UInt64(bitPattern: Int64(\(name).rawValue))")
        case .scalar(let scalar):
            switch scalar {
            case .bool: ("varint", "\(name) ? 1 : 0")
            case .int32: ("varint", "UInt64(bitPattern: Int64(\(name)))")
            case .int64: ("varint", "UInt64(bitPattern: \(name))")
            case .uint32: ("varint", "UInt64(\(name))")
            case .uint64: ("varint", name)
            case .sint32, .sint64: ("varint", "MessageWriter.zigzag(\(name))")
            case .fixed32: ("fixed32", name)
            case .sfixed32: ("fixed32", "UInt32(bitPattern: \(name))")
            case .float: ("fixed32", "\(name).bitPattern")
            case .fixed64: ("fixed64", name)
            case .sfixed64: ("fixed64", "UInt64(bitPattern: \(name))")
            case .double: ("fixed64", "\(name).bitPattern")
            }
        }
    }
}

/// The layout of a value on the wire.
enum WireType: UInt32 {
    case varint = 0
    case fixed64 = 1
    case length = 2
    case fixed32 = 5
}

extension ValueModel {
    fileprivate var isTruth: Bool {
        if case .scalar(.bool) = self { true } else { false }
    }

    fileprivate var wireType: WireType {
        switch self {
        case .text, .bytes, .message: .length
        case .scalar(.fixed32), .scalar(.sfixed32), .scalar(.float): .fixed32
        case .scalar(.fixed64), .scalar(.sfixed64), .scalar(.double): .fixed64
        case .scalar, .enumeration: .varint
        }
    }
}
