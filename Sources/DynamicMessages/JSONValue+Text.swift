public import Encodings

extension JSONValue {
    /// Arrays and objects nest in one another at most so deep.
    static let depthMax = 200

    /// Reads a document; a name that stands twice in an object is refused.
    ///
    /// - Parameter text: The whole document as UTF-8.
    /// - Throws: ``MessageFault`` that names the byte at which the text is no JSON.
    public init(parsing text: some Sequence<UInt8>) throws(MessageFault) {
        do throws(JSONFault) {
            self = try JSONValue(parsing: text, depthMax: Self.depthMax, allowsNUL: true)
        } catch {
            throw MessageFault(at: error.place, error.sentence)
        }
    }

    /// How a document is laid out.
    public enum Layout: Sendable, Hashable {
        /// In one line.
        case line
        /// A member or element a line, two spaces for each level.
        case indented
    }

    /// The document as text.
    public func text(_ layout: Layout = .line) -> String {
        var output = ""
        write(to: &output, layout, level: 0)
        return output
    }

    private func write(to output: inout String, _ layout: Layout, level: Int) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .number(let text): output += text
        case .string(let text): Self.write(text, to: &output)
        case .array(let elements):
            Self.writeList(elements, "[", "]", to: &output, layout, level: level) {
                element, output in
                element.write(to: &output, layout, level: level + 1)
            }
        case .object(let members):
            Self.writeList(members, "{", "}", to: &output, layout, level: level) {
                member, output in
                Self.write(member.name, to: &output)
                output += layout == .line ? ":" : ": "
                member.value.write(to: &output, layout, level: level + 1)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], _ open: String, _ close: String, to output: inout String,
        _ layout: Layout, level: Int, _ write: (Element, inout String) -> Void
    ) {
        func breakLine(_ level: Int, _ output: inout String) {
            guard layout == .indented, !elements.isEmpty else { return }
            output += "\n" + String(repeating: "  ", count: level)
        }
        output += open
        for (position, element) in elements.enumerated() {
            if position > 0 { output += "," }
            breakLine(level + 1, &output)
            write(element, &output)
        }
        breakLine(level, &output)
        output += close
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            // Control characters, and those that would change how a terminal shows the line.
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || scalar.properties.generalCategory == .format
                || scalar.value == 0x2028 || scalar.value == 0x2029:
                for unit in String(scalar).utf16 { output += escape(unit) }
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
