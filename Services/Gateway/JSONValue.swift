/// A JSON document as a tree; numbers stay as they are written, members stay in order.
indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One name of an object with its value.
    struct Member: Sendable, Hashable {
        var name: String
        var value: JSONValue
    }

    /// An empty object.
    static let emptyObject = JSONValue.object([])

    /// The members of an object; none for any other value.
    var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    /// The value of a member of an object.
    subscript(name: String) -> JSONValue? {
        members.first { $0.name == name }?.value
    }

    /// The document as UTF-8 text.
    var encoded: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .number(let text): output += text.utf8
        case .string(let text): Self.write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (position, member) in members.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): output += #"\""#.utf8
            case UInt8(ascii: "\\"): output += #"\\"#.utf8
            case 0x0A: output += #"\n"#.utf8
            case 0x0D: output += #"\r"#.utf8
            case 0x09: output += #"\t"#.utf8
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                output += #"\u00"#.utf8
                if digits.utf8.count == 1 { output.append(UInt8(ascii: "0")) }
                output += digits.utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

extension JSONValue {
    /// The document with a value put at a path of names; objects on the way are made.
    ///
    /// - Returns: Nil when another value stands on the way or at the place itself.
    func setting(_ value: JSONValue, at path: ArraySlice<String>) -> JSONValue? {
        guard let name = path.first else {
            return self == .null || self == value ? value : nil
        }
        guard case .object(var members) = self == .null ? .emptyObject : self else { return nil }
        let position = members.firstIndex { FieldName.json($0.name) == name }
        let before = position.map { members[$0].value } ?? .null
        guard let after = before.setting(value, at: path.dropFirst()) else { return nil }
        if let position {
            members[position].value = after
        } else {
            members.append(Member(name: name, value: after))
        }
        return .object(members)
    }
}

/// The two spellings of a field: `page_size` in a .proto file, `pageSize` in JSON.
enum FieldName {
    /// The lowerCamelCase spelling of a path such as `trial.valid_until` or `lines[1].product_id`.
    static func jsonPath(_ path: String) -> String {
        path.split(separator: ".", omittingEmptySubsequences: false)
            .map { json(String($0)) }.joined(separator: ".")
    }

    /// Where a field of a request stands in what the client sent.
    ///
    /// - Parameters:
    ///   - path: The path in the request, as JSON spells it.
    ///   - field: The field of the request that the body fills; nil when the body is the request.
    /// - Returns: The path in the body.
    static func path(_ path: String, inBody field: String?) -> String {
        guard let field, path.hasPrefix("\(field).") else { return path }
        return String(path.dropFirst(field.count + 1))
    }

    /// The lowerCamelCase spelling of the paths of an update mask, with commas between.
    static func jsonMask(_ mask: String) -> String {
        mask.split(separator: ",", omittingEmptySubsequences: false)
            .map { jsonPath(String($0.drop { $0 == " " })) }.joined(separator: ",")
    }

    /// The lowerCamelCase spelling.
    static func json(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return name }
        var result = ""
        var capital = false
        for character in name {
            if character == "_" {
                capital = true
            } else {
                result += capital ? character.uppercased() : String(character)
                capital = false
            }
        }
        return result
    }
}
