import RPC

/// What the body of an HTTP request is.
///
/// The routes themselves are generated.
enum RouteBody: Sendable, Hashable {
    /// There is none; every field of the request may be a query parameter.
    case none
    /// The request itself, as JSON.
    case whole
    /// One field of the request, as JSON.
    case message(field: String)
    /// One field of the request: the bytes as they are.
    case bytes(field: String)

    /// The field in its JSON spelling, if it is one.
    var field: String? {
        switch self {
        case .none, .whole: nil
        case .message(let field), .bytes(let field): FieldName.json(field)
        }
    }

    /// Whether it is the bytes of a file.
    var isBytes: Bool {
        if case .bytes = self { true } else { false }
    }

    /// Whether it is JSON.
    var isJSON: Bool {
        switch self {
        case .whole, .message: true
        case .none, .bytes: false
        }
    }
}

extension Route {
    /// What the body is.
    var content: RouteBody {
        switch body {
        case "": .none
        case "*": .whole
        default: bodyIsBytes ? .bytes(field: body) : .message(field: body)
        }
    }

    /// Whether the route makes something: the answer is 201.
    var creates: Bool {
        verb == "POST" && (method.name.hasPrefix("Create") || Self.creators.contains(method.name))
    }

    /// Methods that make something though their name does not begin with Create.
    private static let creators: Set<String> = ["AddMember", "SignIn"]

    /// The field that the body of a `PUT` is about.
    ///
    /// What is left out is at its default, so that a body without it would switch off, or take
    /// away, what nobody spoke of.
    var replacedField: ReplacedField? {
        verb == "PUT" ? Self.replacedFields[method.name] : nil
    }

    private static let replacedFields: [String: ReplacedField] = [
        "SetContactReceivers": ReplacedField(name: "receivers"),
        "SetDistributorDiscount": ReplacedField(name: "basisPoints"),
        // Null takes the discount away.
        "SetMemberDiscount": ReplacedField(name: "basisPoints", mayBeNull: true),
        "SetWhiteLabel": ReplacedField(name: "enabled"),
    ]
}

/// A field that has to be in a body.
struct ReplacedField: Sendable, Hashable {
    /// Its name in JSON.
    let name: String
    /// Whether null says something.
    var mayBeNull = false

    /// Whether a body says something of it.
    func isSaid(in document: JSONValue) -> Bool {
        document.members.contains { member in
            FieldName.json(member.name) == name && (mayBeNull || member.value != .null)
        }
    }
}
