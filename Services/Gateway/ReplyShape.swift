import Encodings

/// One field of a message that is answered, as JSON has it; the table of them is generated.
struct ReplyField: Sendable {
    /// What stands in a field.
    enum Content: Sendable {
        /// Something that may be absent.
        case optional
        /// Something that is always there: what it is when nothing was said.
        case value(JSONValue)
        /// A message of a type, which may be absent; nil for one whose JSON is no object.
        case message(String?)
        /// A list, of messages of a type.
        case list(of: String?)
        /// Names with values, of messages of a type.
        case map(of: String?)
    }

    let name: String
    let content: Content
    /// Whether it answers names of fields: those are spelled as everywhere in JSON.
    var namesFields = false
}

extension JSONValue {
    /// The JSON of a message with every field that is always there.
    ///
    /// The canonical mapping leaves out what is at its default; clients should not have to know
    /// the defaults.
    func completed(as messageName: String?) -> JSONValue {
        guard let messageName, let fields = ReplyShapes.all[messageName],
            case .object(let members) = self
        else { return self }
        let present = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        return .object(
            fields.compactMap { field in
                field.content.completed(present[field.name]).map { value in
                    Member(
                        name: field.name, value: field.namesFields ? value.inJSONSpelling : value)
                }
            })
    }

    /// Names of fields as JSON spells them.
    private var inJSONSpelling: JSONValue {
        switch self {
        case .string(let path): .string(FieldName.jsonPath(path))
        case .array(let elements): .array(elements.map(\.inJSONSpelling))
        default: self
        }
    }
}

extension ReplyField.Content {
    /// What stands in the field; nil when it is absent.
    fileprivate func completed(_ value: JSONValue?) -> JSONValue? {
        switch self {
        case .optional: return value
        case .value(let fallback): return value ?? fallback
        case .message(let name): return value?.completed(as: name)
        case .list(let name):
            guard case .array(let elements)? = value else { return .array([]) }
            return .array(elements.map { $0.completed(as: name) })
        case .map(let name):
            let members = value?.members ?? []
            return .object(
                members.map { .init(name: $0.name, value: $0.value.completed(as: name)) })
        }
    }
}
