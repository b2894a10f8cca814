import Encodings

/// An answer that is not the one asked for: an HTTP status and a JSON body.
struct Problem: Error, Sendable, Hashable {
    /// One thing that must change before the request can succeed.
    struct Violation: Sendable, Hashable {
        /// The domain's code, such as `members_limit_reached`.
        var code: String
        /// Where: a field of the request, or the identifier of an organization.
        var at: String
        /// What is wrong, in a sentence.
        var message = ""
        /// Further facts, such as `used` and `cap`; whole numbers leave as numbers.
        var facts: [String: String] = [:]
    }

    /// The HTTP status.
    var httpStatus: Int
    /// The domain's code.
    var code: String
    /// A sentence for a person.
    var message: String
    /// What must change.
    var violations: [Violation] = []
    /// Header fields of the answer.
    var fields: [String: String] = [:]
    /// Whether the connection ends with the answer.
    var closesConnection = false
    /// The path at which the decision is explained.
    var explainURL: String?
}

extension Problem {
    /// A request that can be read, with a value that does not fit its place.
    static func invalid(_ place: String, _ sentence: String) -> Problem {
        Problem(
            httpStatus: 422, code: "validation", message: "\(place): \(sentence)",
            violations: [Violation(code: "invalid", at: place, message: sentence)])
    }

    /// A request of which a part cannot be read, at its place.
    static func unreadable(_ place: String, _ sentence: String) -> Problem {
        Problem(
            httpStatus: 400, code: "malformed_message", message: "\(place): \(sentence)",
            violations: [Violation(code: "malformed", at: place, message: sentence)])
    }

    /// The key of a change is none.
    static let badIdempotencyKey = Problem(
        httpStatus: 400, code: "idempotency_key_invalid",
        message: "Idempotency-Key: 1 to 128 visible characters are expected.")

    /// The bearer token, that of a session or an API key, is missing, unknown or expired.
    static let unauthenticated = Problem(
        httpStatus: 401, code: "unauthenticated",
        message: "Sign in and send the token, or send an API key: Authorization: Bearer …",
        fields: ["WWW-Authenticate": #"Bearer realm="guildhall""#])

    /// No route has the path.
    static let noSuchRoute = Problem(
        httpStatus: 404, code: "not_found", message: "There is nothing at this path.")

    /// The path exists for other verbs.
    static func otherVerbs(_ verbs: [String]) -> Problem {
        Problem(
            httpStatus: 405, code: "method_not_allowed",
            message: "This path takes \(verbs.joined(separator: ", ")).",
            fields: ["Allow": verbs.joined(separator: ", ")])
    }

    /// The body is larger than allowed.
    static func bodyTooLarge(_ bytesMax: Int) -> Problem {
        Problem(
            httpStatus: 413, code: "too_large",
            message: "A body has at most \(bytesMax) bytes.", closesConnection: true)
    }

    /// The file that would be answered is larger than allowed.
    static func fileTooLarge(_ bytesMax: Int) -> Problem {
        Problem(
            httpStatus: 413, code: "too_large",
            message: "A file has at most \(bytesMax) bytes; ask for a part of the tree.")
    }

    /// Too many files are under way.
    static let tooManyFiles = Problem(
        httpStatus: 429, code: "busy",
        message: "Too many files are under way. Please try again in a moment.",
        fields: ["Retry-After": "2"])

    /// Too many files of one person are under way.
    static func tooManyFilesOfOne(_ most: Int) -> Problem {
        Problem(
            httpStatus: 429, code: "busy",
            message: "At most \(most) of your files at a time. Please wait for one to end.",
            fields: ["Retry-After": "2"])
    }

    /// One address calls more often than it may without having signed in.
    static func tooManyOpenCalls(retryAfter wait: Duration) -> Problem {
        let (seconds, rest) = wait.components
        let whole = seconds + (rest > 0 ? 1 : 0)
        return Problem(
            httpStatus: 429, code: "busy",
            message: "Too much comes from your address at once. Please try again in \(whole) s.",
            fields: ["Retry-After": "\(whole)"])
    }

    /// What the body says is larger than its method takes.
    static func requestTooLarge(_ sentence: String) -> Problem {
        Problem(httpStatus: 413, code: "too_large", message: sentence)
    }

    /// The request target is longer than allowed.
    static func targetTooLong(_ bytesMax: Int) -> Problem {
        Problem(
            httpStatus: 414, code: "too_large",
            message: "A request target has at most \(bytesMax) bytes.", closesConnection: true)
    }

    /// The body is of a type that the route does not take.
    static func unsupportedType(_ expected: String) -> Problem {
        Problem(
            httpStatus: 415, code: "unsupported_media_type",
            message: "Send the body as \(expected).")
    }

    /// The body is a form where the bytes of a file are expected.
    static let formForFile = Problem(
        httpStatus: 415, code: "unsupported_media_type",
        message: """
            Send the file itself as the body, not a form: curl --data-binary @schools.csv \
            -H 'Content-Type: text/csv'. Other fields are query parameters.
            """)

    /// The header is larger than allowed.
    static func headerTooLarge(_ sentence: String) -> Problem {
        Problem(
            httpStatus: 431, code: "too_large", message: sentence, closesConnection: true)
    }

    /// The request breaks HTTP itself.
    static func malformed(_ sentence: String) -> Problem {
        Problem(
            httpStatus: 400, code: "malformed_message", message: sentence,
            closesConnection: true)
    }

    /// The entity tags of header and body name two versions; a resource has one.
    static let tagsDiffer = Problem(
        httpStatus: 412, code: "version_mismatch",
        message: "If-Match and the etag in the body name different versions.")

    /// A defect of the gateway; what it was stands in the log alone.
    static let `internal` = Problem(
        httpStatus: 500, code: "internal", message: "Something went wrong here.")
}

extension Problem {
    /// The body of the answer.
    func body(requestID: String) -> [UInt8] {
        JSONValue.object([
            .init(name: "code", value: .string(code)),
            .init(name: "message", value: .string(message)),
            .init(name: "violations", value: .array(violations.map(\.json))),
            .init(name: "requestId", value: .string(requestID)),
            .init(name: "explainUrl", value: explainURL.map(JSONValue.string) ?? .null),
        ]).encoded
    }
}

extension Problem.Violation {
    /// The violation as it stands in the body.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "code", value: .string(code)), .init(name: "at", value: .string(at)),
        ]
        if !message.isEmpty { members.append(.init(name: "message", value: .string(message))) }
        for (name, fact) in facts.sorted(by: { $0.key < $1.key }) {
            let value = Int64(fact).map { JSONValue.number(String($0)) } ?? .string(fact)
            members.append(.init(name: FieldName.json(name), value: value))
        }
        return .object(members)
    }
}
