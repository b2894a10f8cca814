internal import Encodings

/// Numbers as JSON spells them.
enum NumberText {
    /// A number is written with at most so many characters.
    static let lengthMax = 400

    /// Whether a text is a number of JSON, without space around it.
    static func isNumber(_ text: String) -> Bool {
        guard text.utf8.count <= lengthMax else { return false }
        // What JSON has no spelling for, such as hexadecimal digits, is no number here either.
        guard case .number(let parsed)? = try? JSONValue(parsing: text.utf8) else { return false }
        return parsed == text
    }

    /// The whole number that a text spells, also as `1.0` or `1e3`; nil when it is not whole or
    /// has more than 64 bits.
    static func integer(_ text: String) -> (isNegative: Bool, magnitude: UInt64)? {
        guard isNumber(text) else { return nil }
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split { $0 == "e" || $0 == "E" }
        let digits = parts[0].split(separator: ".", maxSplits: 1)
        let fraction = digits.count > 1 ? String(digits[1]) : ""
        guard var exponent = Int(parts.count > 1 ? parts[1] : "0") else { return nil }
        guard abs(exponent) <= lengthMax else { return nil }
        exponent -= fraction.utf8.count
        var significant = (String(digits[0]) + fraction).drop { $0 == "0" }
        guard !significant.isEmpty else { return (isNegative, 0) }
        while exponent < 0, significant.hasSuffix("0") {
            significant.removeLast()
            exponent += 1
        }
        guard exponent >= 0, significant.utf8.count + exponent <= 20 else { return nil }
        guard let magnitude = UInt64(significant + String(repeating: "0", count: exponent)) else {
            return nil
        }
        return (isNegative, magnitude)
    }

    /// The signed whole number that a text spells, within bounds.
    static func signed(_ text: String, in bounds: ClosedRange<Int64>) -> Int64? {
        guard let (isNegative, magnitude) = integer(text) else { return nil }
        let value: Int64
        if isNegative {
            guard magnitude <= Int64.min.magnitude else { return nil }
            value = Int64(truncatingIfNeeded: 0 &- magnitude)
        } else {
            guard let positive = Int64(exactly: magnitude) else { return nil }
            value = positive
        }
        return bounds.contains(value) ? value : nil
    }

    /// The whole number without sign that a text spells, within a bound.
    static func unsigned(_ text: String, max: UInt64) -> UInt64? {
        guard let (isNegative, magnitude) = integer(text) else { return nil }
        guard magnitude <= max, !isNegative || magnitude == 0 else { return nil }
        return magnitude
    }

    /// A binary fraction in JSON: a number, or the name of what is none.
    static func json<Value: BinaryFloatingPoint & CustomStringConvertible>(
        _ value: Value
    ) -> JSONValue {
        if value.isNaN { return .string("NaN") }
        if value.isInfinite { return .string(value < 0 ? "-Infinity" : "Infinity") }
        // The shortest digits that are read back as the same value.
        let text = value.description
        // Minus zero keeps its point: without it many readers take it for the whole number 0.
        let isWhole = text.hasSuffix(".0") && text != "-0.0"
        return .number(isWhole ? String(text.dropLast(2)) : text)
    }

    /// The binary fraction that a text of JSON spells; nil when it spells none or one too large.
    static func fraction<Value: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: String
    ) -> Value? {
        switch text {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default:
            guard isNumber(text), let value = Value(text), value.isFinite else { return nil }
            return value
        }
    }
}
