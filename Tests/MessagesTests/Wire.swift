/// Encodes fields by hand, right or wrong.
enum Wire {
    static func number(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func tag(_ field: UInt64, _ type: UInt64) -> [UInt8] {
        number(field << 3 | type)
    }

    static func varint(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        tag(field, 0) + number(value)
    }

    static func fixed64(_ field: UInt64) -> [UInt8] {
        tag(field, 1) + [UInt8](repeating: 1, count: 8)
    }

    static func fixed32(_ field: UInt64) -> [UInt8] {
        tag(field, 5) + [UInt8](repeating: 1, count: 4)
    }

    static func bytes(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        tag(field, 2) + number(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ content: String) -> [UInt8] {
        bytes(field, Array(content.utf8))
    }

    static func message(_ field: UInt64, _ fields: [UInt8]) -> [UInt8] {
        bytes(field, fields)
    }
}
