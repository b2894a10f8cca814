import Access
import Encodings
import RPC
import SwiftProtobuf

/// A route of the HTTP API and the call that serves it; the table of them is generated.
struct Route: Sendable {
    /// The HTTP method, in capitals.
    let verb: String
    /// The path with fields of the request in braces.
    let template: String
    /// What the body fills: nothing when empty, the request when `*`, else a field.
    let body: String
    /// Whether that field takes the body's bytes as they are.
    let bodyIsBytes: Bool
    /// The call.
    let method: MethodDescriptor
    /// The request, by which JSON is read.
    let request: any SwiftProtobuf.Message.Type
    /// The reply, by which JSON is written.
    let reply: any SwiftProtobuf.Message.Type
    /// The status of an answer: 201 when something was made, 202 when it is still to be done.
    var status = 200
    /// Whether the call needs no principal.
    var isOpen = false
    /// The field that the body of a `PUT` is about.
    ///
    /// What is left out is at its default, so that a body without it would switch off, or take
    /// away, what nobody spoke of.
    var replacedField: ReplacedField?
    /// The call that says whether a file would be taken.
    var check: MethodDescriptor?
    /// The field that the gateway fills with the token of the session, by its name in JSON.
    var sessionTokenField: String?
    /// The path of the field that names the organization at which a refusal is explained, in JSON.
    var explanationPlace: String?
}

/// What the body of an HTTP request is.
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
}

/// A route that explains refusals; the table of them is generated.
struct Explanation: Sendable {
    /// The codes of the refusals.
    let codes: Set<String>
    /// The methods that are refused; empty: any.
    var methods: Set<MethodDescriptor> = []
    /// The path, with the organization in question in braces, if it names one.
    let template: String

    /// Finds the path at which a refusal is explained.
    ///
    /// - Parameters:
    ///   - problem: The refusal.
    ///   - route: The route of the call that was refused.
    ///   - place: The organization in question, as the request names it.
    /// - Returns: The path; nil when nothing explains the refusal.
    static func path(
        of problem: Problem, calling route: Route, at place: String?
    ) -> String? {
        for explanation in Routes.explanations
        where explanation.codes.contains(problem.code)
            && (explanation.methods.isEmpty || explanation.methods.contains(route.method))
        {
            // Without a place, the one that the refusal names.
            let named = problem.violations.first { $0.code == problem.code }?.at
            let places = [place, named].compactMap { $0 }
            if let path = explanation.path(at: places.first { !$0.isEmpty }) { return path }
        }
        return nil
    }

    private func path(at place: String?) -> String? {
        let segments = PathTemplate(template).segments.map { segment -> String? in
            switch segment {
            case .literal(let text): return text
            case .variable(_, let verb):
                // What is no identifier would be another path.
                guard let place, let id = OrganizationID(text: place) else { return nil }
                return id.text + (verb.map { ":" + $0 } ?? "")
            }
        }
        let known = segments.compactMap { $0 }
        return known.count == segments.count ? "/" + known.joined(separator: "/") : nil
    }
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
