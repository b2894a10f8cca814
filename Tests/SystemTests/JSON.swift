import Foundation

/// A JSON value, read by names and positions; what is absent reads as nil.
@dynamicMemberLookup
indirect enum JSON: Sendable, Decodable, CustomStringConvertible {
    case absent
    case flag(Bool)
    case number(Double)
    case text(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .absent
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    subscript(dynamicMember name: String) -> JSON {
        guard case .object(let members) = self else { return .absent }
        return members[name] ?? .absent
    }

    subscript(position: Int) -> JSON {
        items.indices.contains(position) ? items[position] : .absent
    }

    var string: String? {
        guard case .text(let value) = self else { return nil }
        return value
    }

    var boolean: Bool? {
        guard case .flag(let value) = self else { return nil }
        return value
    }

    /// A number; 64-bit integers are strings in proto3 JSON.
    var integer: Int? {
        switch self {
        case .number(let value): Int(exactly: value)
        case .text(let value): Int(value)
        default: nil
        }
    }

    var items: [JSON] {
        guard case .array(let values) = self else { return [] }
        return values
    }

    var description: String {
        switch self {
        case .absent: "absent"
        case .flag(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): "\"\(value)\""
        case .array(let values): "\(values)"
        case .object(let members): "\(members)"
        }
    }
}
