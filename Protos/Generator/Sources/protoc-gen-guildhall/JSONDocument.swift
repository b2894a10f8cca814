/// A JSON document whose members stay in order.
indirect enum JSONDocument: Sendable, Hashable {
    case bool(Bool)
    case number(Int)
    case text(String)
    case list([JSONDocument])
    case object([Member])

    /// One name of an object with its value.
    struct Member: Sendable, Hashable {
        let name: String
        let value: JSONDocument
    }

    /// An object of members that are there.
    static func object(_ members: KeyValuePairs<String, JSONDocument?>) -> JSONDocument {
        .object(
            members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// The object with further members.
    func adding(_ more: KeyValuePairs<String, JSONDocument?>) -> JSONDocument {
        guard case .object(let members) = self, case .object(let others) = Self.object(more) else {
            return self
        }
        return .object(members + others)
    }

    /// A reference to another part of the document.
    static func reference(_ place: String) -> JSONDocument {
        .object(["$ref": .text("#/components/" + place)])
    }

    /// The document as lines, each level one space deeper.
    func lines(after start: String = "", indent: String = "") -> [String] {
        switch self {
        case .bool(let value): [indent + start + "\(value)"]
        case .number(let value): [indent + start + "\(value)"]
        case .text(let text): [indent + start + Self.quoted(text)]
        case .list(let elements):
            Self.lines(
                of: elements.map { ("", $0) }, within: ("[", "]"), after: start, indent: indent)
        case .object(let members):
            Self.lines(
                of: members.map { (Self.quoted($0.name) + ": ", $0.value) }, within: ("{", "}"),
                after: start, indent: indent)
        }
    }

    private static func lines(
        of parts: [(start: String, value: JSONDocument)], within marks: (String, String),
        after start: String, indent: String
    ) -> [String] {
        guard !parts.isEmpty else { return [indent + start + marks.0 + marks.1] }
        var lines = [indent + start + marks.0]
        for (position, part) in parts.enumerated() {
            lines += part.value.lines(after: part.start, indent: indent + " ")
            if position < parts.count - 1 { lines[lines.count - 1] += "," }
        }
        return lines + [indent + marks.1]
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
