extension Field.Kind {
    /// How one value is laid out on the wire.
    var layout: WireWriter.Layout {
        switch self {
        case .double, .fixed64, .sfixed64: .fixed64
        case .float, .fixed32, .sfixed32: .fixed32
        case .string, .bytes, .message: .length
        case .bool, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .enumeration: .varint
        }
    }

    /// Whether repeated values may be written together.
    var isPackable: Bool { layout != .length }

    /// What a field of this kind holds that was never set; of messages, nil.
    var initial: DynamicMessage.Value? {
        switch self {
        case .double: .double(0)
        case .float: .float(0)
        case .bool: .bool(false)
        case .string: .string("")
        case .bytes: .bytes([])
        case .int32, .int64, .sint32, .sint64, .sfixed32, .sfixed64: .signed(0)
        case .uint32, .uint64, .fixed32, .fixed64: .unsigned(0)
        case .enumeration: .enumeration(0)
        case .message: nil
        }
    }
}

extension DynamicMessage {
    /// Messages nest in one another at most so deep.
    static let depthMax = 100

    /// Reads an encoded message; fields that its type does not have are left out.
    init(
        decoding bytes: [UInt8], as type: MessageType, in schema: Schema
    ) throws(MessageFault) {
        self.init(type)
        try merge(bytes, bytes.startIndex..<bytes.endIndex, in: schema, depth: 1)
    }

    fileprivate mutating func merge(
        _ bytes: [UInt8], _ range: Range<Int>, in schema: Schema, depth: Int
    ) throws(MessageFault) {
        guard depth <= Self.depthMax else {
            throw MessageFault("The message nests deeper than \(Self.depthMax) levels.")
        }
        var reader = WireReader(bytes, range)
        while let (number, raw) = try reader.next() {
            guard let field = type.field(number: number) else { continue }
            try take(raw, of: field, from: bytes, in: schema, depth: depth)
        }
    }

    private mutating func take(
        _ raw: WireReader.Raw, of field: Field, from bytes: [UInt8], in schema: Schema, depth: Int
    ) throws(MessageFault) {
        switch field.shape {
        case .singular:
            var earlier: DynamicMessage?
            if case .message(let message)? = value(field.number) { earlier = message }
            guard
                let value = try Value(
                    raw, field.kind, from: bytes, in: schema, depth: depth, onto: earlier)
            else { return }
            set(value, of: field)
        case .repeated:
            let values = try Self.values(raw, field.kind, from: bytes, in: schema, depth: depth)
            guard !values.isEmpty else { return }
            if case .many(let earlier)? = self[field.number] {
                self[field.number] = .many(earlier + values)
            } else {
                self[field.number] = .many(values)
            }
        case .map(let key):
            guard case .bytes(let range) = raw else { return }
            let entry = try Self.entry(
                key, field.kind, bytes, range, in: schema, depth: depth + 1)
            var entries: [MapKey: Value] = [:]
            if case .map(let earlier)? = self[field.number] { entries = earlier }
            entries[entry.key] = entry.value
            self[field.number] = .map(entries)
        }
    }

    /// Sets a field: the last of a choice wins, and what cannot differ from none is none.
    mutating func set(_ value: Value, of field: Field) {
        if let choice = field.choice {
            for other in type.fields where other.choice == choice { self[other.number] = nil }
        }
        self[field.number] = field.hasPresence || !value.isDefault ? .one(value) : nil
    }

    /// One value, or many that are written together.
    private static func values(
        _ raw: WireReader.Raw, _ kind: Field.Kind, from bytes: [UInt8], in schema: Schema,
        depth: Int
    ) throws(MessageFault) -> [Value] {
        guard case .bytes(let range) = raw, kind.isPackable else {
            return try Value(raw, kind, from: bytes, in: schema, depth: depth, onto: nil)
                .map { [$0] } ?? []
        }
        var reader = WireReader(bytes, range)
        var values: [Value] = []
        while !reader.isAtEnd {
            let raw: WireReader.Raw =
                switch kind.layout {
                case .fixed64: .fixed64(try reader.fixed64())
                case .fixed32: .fixed32(try reader.fixed32())
                case .varint, .length: .varint(try reader.varint())
                }
            if let value = try Value(
                raw, kind, from: bytes, in: schema, depth: depth, onto: nil)
            {
                values.append(value)
            }
        }
        return values
    }

    private static func entry(
        _ keyKind: Field.Kind, _ valueKind: Field.Kind, _ bytes: [UInt8], _ range: Range<Int>,
        in schema: Schema, depth: Int
    ) throws(MessageFault) -> (key: MapKey, value: Value) {
        var key = keyKind.initial
        var value = valueKind.initial
        var reader = WireReader(bytes, range)
        while let (number, raw) = try reader.next() {
            switch number {
            case 1:
                key =
                    try Value(raw, keyKind, from: bytes, in: schema, depth: depth, onto: nil)
                    ?? key
            case 2:
                value =
                    try Value(raw, valueKind, from: bytes, in: schema, depth: depth, onto: nil)
                    ?? value
            default: continue
            }
        }
        if value == nil, case .message(let name) = valueKind {
            value = .message(DynamicMessage(try schema.known(message: name)))
        }
        guard let key = key?.mapKey, let value else {
            throw MessageFault("A map has keys that are no keys.")
        }
        return (key, value)
    }
}

extension DynamicMessage.Value {
    /// Reads one value; nil when it is laid out as another kind is, and so is not of this field.
    fileprivate init?(
        _ raw: WireReader.Raw, _ kind: Field.Kind, from bytes: [UInt8], in schema: Schema,
        depth: Int, onto earlier: DynamicMessage?
    ) throws(MessageFault) {
        switch (raw, kind) {
        case (.varint(let bits), .bool): self = .bool(bits != 0)
        case (.varint(let bits), .int32):
            self = .signed(Int64(Int32(truncatingIfNeeded: bits)))
        case (.varint(let bits), .int64): self = .signed(Int64(bitPattern: bits))
        case (.varint(let bits), .uint32):
            self = .unsigned(UInt64(UInt32(truncatingIfNeeded: bits)))
        case (.varint(let bits), .uint64): self = .unsigned(bits)
        case (.varint(let bits), .sint32):
            let low = UInt32(truncatingIfNeeded: bits)
            self = .signed(Int64(Int32(bitPattern: low >> 1) ^ -Int32(bitPattern: low & 1)))
        case (.varint(let bits), .sint64):
            self = .signed(Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1))
        case (.varint(let bits), .enumeration):
            self = .enumeration(Int32(truncatingIfNeeded: bits))
        case (.fixed32(let bits), .float): self = .float(Float(bitPattern: bits))
        case (.fixed32(let bits), .fixed32): self = .unsigned(UInt64(bits))
        case (.fixed32(let bits), .sfixed32): self = .signed(Int64(Int32(bitPattern: bits)))
        case (.fixed64(let bits), .double): self = .double(Double(bitPattern: bits))
        case (.fixed64(let bits), .fixed64): self = .unsigned(bits)
        case (.fixed64(let bits), .sfixed64): self = .signed(Int64(bitPattern: bits))
        case (.bytes(let range), .string):
            guard let text = String(validating: bytes[range], as: UTF8.self) else {
                throw MessageFault("A text of the message is not UTF-8.")
            }
            self = .string(text)
        case (.bytes(let range), .bytes): self = .bytes(Array(bytes[range]))
        case (.bytes(let range), .message(let name)):
            var message = DynamicMessage(try schema.known(message: name))
            if let earlier { message = earlier }
            try message.merge(bytes, range, in: schema, depth: depth + 1)
            self = .message(message)
        default: return nil
        }
    }
}

extension DynamicMessage {
    /// The encoded message, its fields in the order of their numbers.
    var encoded: [UInt8] {
        var writer = WireWriter()
        for (field, content) in present {
            switch content {
            case .one(let value): writer.field(field.number, field.kind, value)
            case .many(let values) where field.isPacked && field.kind.isPackable:
                var packed = WireWriter()
                for value in values { packed.value(field.kind, value) }
                writer.tag(field.number, .length)
                writer.length(packed.bytes)
            case .many(let values):
                for value in values { writer.field(field.number, field.kind, value) }
            case .map(let entries):
                guard case .map(let keyKind) = field.shape else { continue }
                for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                    var entry = WireWriter()
                    entry.field(1, keyKind, key.value)
                    entry.field(2, field.kind, value)
                    writer.tag(field.number, .length)
                    writer.length(entry.bytes)
                }
            }
        }
        return writer.bytes
    }
}

extension WireWriter {
    fileprivate mutating func field(
        _ number: Int32, _ kind: Field.Kind, _ value: DynamicMessage.Value
    ) {
        tag(number, kind.layout)
        self.value(kind, value)
    }

    fileprivate mutating func value(_ kind: Field.Kind, _ value: DynamicMessage.Value) {
        switch value {
        case .bool(let value): varint(value ? 1 : 0)
        case .signed(let value): signed(kind, value)
        case .unsigned(let value): unsigned(kind, value)
        case .float(let value): fixed32(value.bitPattern)
        case .double(let value): fixed64(value.bitPattern)
        case .string(let value): length(Array(value.utf8))
        case .bytes(let value): length(value)
        case .enumeration(let value): varint(UInt64(bitPattern: Int64(value)))
        case .message(let value): length(value.encoded)
        }
    }

    private mutating func signed(_ kind: Field.Kind, _ value: Int64) {
        switch kind {
        case .sint32, .sint64: varint(UInt64(bitPattern: value << 1 ^ value >> 63))
        case .sfixed32: fixed32(UInt32(truncatingIfNeeded: value))
        case .sfixed64: fixed64(UInt64(bitPattern: value))
        default: varint(UInt64(bitPattern: value))
        }
    }

    private mutating func unsigned(_ kind: Field.Kind, _ value: UInt64) {
        switch kind {
        case .fixed32: fixed32(UInt32(truncatingIfNeeded: value))
        case .fixed64: fixed64(value)
        default: varint(value)
        }
    }
}
