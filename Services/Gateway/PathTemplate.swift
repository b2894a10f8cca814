/// The path of a route, such as `/v1/organizations/{organization.id}/members/{user_id}:block`.
struct PathTemplate: Sendable, Hashable {
    /// What a segment of a path must be.
    enum Segment: Sendable, Hashable {
        /// The same text, colons included.
        case literal(String)
        /// Any text without a colon, followed by `:verb` if there is a verb.
        case variable(field: String, verb: String?)
    }

    /// The segments between the slashes.
    let segments: [Segment]

    /// The template in a text; a text that is none is a defect of the route table.
    init(_ text: String) {
        precondition(text.utf8.first == UInt8(ascii: "/"), "a path begins with a slash: \(text)")
        segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            Self.segment(String($0))
        }
    }

    /// The fields that the variables name, in order.
    var fields: [String] {
        segments.compactMap { segment in
            if case .variable(let field, _) = segment { field } else { nil }
        }
    }

    private static func segment(_ text: String) -> Segment {
        guard text.hasPrefix("{"), let end = text.firstIndex(of: "}") else {
            precondition(!text.isEmpty && !text.contains("{"), "not a segment: \(text)")
            return .literal(text)
        }
        let field = String(text[text.index(after: text.startIndex)..<end])
        let rest = text[text.index(after: end)...]
        precondition(!field.isEmpty && !field.contains("="), "not a variable: \(text)")
        precondition(rest.isEmpty || rest.hasPrefix(":"), "not a verb: \(text)")
        return .variable(field: field, verb: rest.isEmpty ? nil : String(rest.dropFirst()))
    }
}

/// Percent-encoding as in RFC 3986.
enum PercentEncoding {
    /// The text that a part of a request target stands for.
    ///
    /// - Parameters:
    ///   - text: The part as it was sent.
    ///   - plusIsSpace: Whether `+` stands for a space, as in a query.
    /// - Returns: Nil when an escape is cut short, stands for NUL, or the result is not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next(), let low = rest.next(),
                    let first = Character(Unicode.Scalar(high)).hexDigitValue,
                    let second = Character(Unicode.Scalar(low)).hexDigitValue,
                    first + second > 0
                else { return nil }
                result.append(UInt8(first << 4 | second))
            case UInt8(ascii: "+") where plusIsSpace: result.append(UInt8(ascii: " "))
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }
}
