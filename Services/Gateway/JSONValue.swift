import Encodings

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
