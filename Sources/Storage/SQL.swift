/// One SQL statement, or a part of one, with the values bound to its placeholders.
///
/// Its text comes from literals of the program alone: `\( )` binds a value, embeds another
/// ``SQL`` or lists values, and never splices text.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// The most values of a statement: what every engine takes.
    public static let valuesMax = 255

    /// The literals and placeholders in order.
    let key: SQLKey
    /// The values in the order of the placeholders.
    public let values: [SQLValue]

    /// A statement without values.
    public init(stringLiteral value: StaticString) {
        key = SQLKey(parts: [.literal(value)])
        values = []
    }

    /// A statement with values.
    public init(stringInterpolation: StringInterpolation) {
        key = SQLKey(parts: stringInterpolation.parts)
        values = stringInterpolation.values
    }

    /// The text with a `?` for each value.
    public var text: String { key.text }

    /// Collects the literals and values of a statement.
    public struct StringInterpolation: StringInterpolationProtocol {
        /// Literals of the program; no text made at run time can take their place.
        public typealias StringLiteralType = StaticString

        @usableFromInline var parts: [SQLPart] = []
        @usableFromInline var values: [SQLValue] = []

        /// An empty statement.
        public init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(2 * interpolationCount + 1)
            values.reserveCapacity(interpolationCount)
        }

        /// Appends text of the program.
        @inlinable
        public mutating func appendLiteral(_ literal: StaticString) {
            guard literal.utf8CodeUnitCount > 0 else { return }
            parts.append(.literal(literal))
        }

        /// Binds a value.
        @inlinable
        public mutating func appendInterpolation(_ value: some SQLBindable) {
            parts.append(.placeholder)
            values.append(value.sqlValue)
        }

        /// Binds a value, or NULL.
        @inlinable
        public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) {
            parts.append(.placeholder)
            values.append(value.sqlValue)
        }

        /// Embeds a part of a statement with its values.
        public mutating func appendInterpolation(_ sql: SQL) {
            parts.append(contentsOf: sql.key.parts)
            values.append(contentsOf: sql.values)
        }

        /// Binds the values of a list, for `IN (\(list: …))`; an empty list matches nothing.
        public mutating func appendInterpolation(list: [some SQLBindable]) {
            guard !list.isEmpty else {
                parts.append(.literal("SELECT NULL WHERE 1 = 0"))
                return
            }
            for (index, value) in list.enumerated() {
                if index > 0 { parts.append(.literal(", ")) }
                parts.append(.placeholder)
                values.append(value.sqlValue)
            }
        }
    }
}

/// A piece of a statement's text.
@usableFromInline enum SQLPart: Sendable {
    case literal(StaticString)
    case placeholder
}

/// A statement's text without the work of putting it together: equal keys have equal text.
///
/// Literals are told apart by where they lie in the program.
struct SQLKey: Hashable, Sendable {
    let parts: [SQLPart]

    static func == (left: SQLKey, right: SQLKey) -> Bool {
        guard left.parts.count == right.parts.count else { return false }
        for index in left.parts.indices {
            switch (left.parts[index], right.parts[index]) {
            case (.literal(let one), .literal(let other)):
                guard unsafe one.utf8Start == other.utf8Start,
                    one.utf8CodeUnitCount == other.utf8CodeUnitCount
                else { return false }
            case (.placeholder, .placeholder): continue
            default: return false
            }
        }
        return true
    }

    // The ends and the number of the parts tell nearly all statements apart; one number costs the
    // hasher a third of what three do.
    func hash(into hasher: inout Hasher) {
        var ends = UInt(bitPattern: parts.count)
        if case .literal(let literal)? = parts.first {
            unsafe ends &+= UInt(bitPattern: literal.utf8Start)
        }
        if case .literal(let literal)? = parts.last {
            unsafe ends = (ends << 32 | ends >> 32) &+ UInt(bitPattern: literal.utf8Start)
        }
        hasher.combine(ends)
    }

    var text: String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal.description
            case .placeholder: text += "?"
            }
        }
        return text
    }
}
