import Encodings
import Logging
import RPC

/// The first look at every HTTP request: its limits, its identifier, and what answers it.
struct Front: Sendable {
    let limits: Limits
    let api: API
    let pages: Pages
    let assets: Assets
    let contact: Contact
    let accounts: Accounts
    let crossOrigin: CrossOrigin
    let logger: Logger

    /// Answers a request; whatever goes wrong leaves as a problem in JSON.
    func answer(_ request: Incoming) async -> Answer {
        let requestID = RequestIdentifier.of(request)
        var answer: Answer
        do {
            try check(request)
            answer = try await dispatch(request, requestID: requestID)
        } catch let problem as Problem {
            answer = Answer(problem, requestID: requestID)
        } catch {
            logger.error(
                "request failed", metadata: ["request": "\(requestID)", "error": "\(error)"])
            answer = Answer(.internal, requestID: requestID)
        }
        crossOrigin.mark(&answer, to: request)
        answer.fields["X-Request-Id"] = requestID
        answer.fields["X-Content-Type-Options"] = "nosniff"
        logger.info(
            "answered",
            metadata: [
                "verb": "\(request.verb)", "path": "\(request.path.prefix(200))",
                "status": "\(answer.status)", "request": "\(requestID)",
            ])
        return answer
    }

    private func check(_ request: Incoming) throws(Problem) {
        guard request.target.utf8.count <= limits.targetBytesMax else {
            throw .targetTooLong(limits.targetBytesMax)
        }
        guard request.target.utf8.first == UInt8(ascii: "/") else {
            throw .malformed("A request target begins with a slash.")
        }
        guard request.fields.count <= limits.fieldCountMax else {
            throw .headerTooLarge("A header has at most \(limits.fieldCountMax) fields.")
        }
        var total = 0
        for field in request.fields {
            let count = field.name.utf8.count + field.value.utf8.count
            total += count
            guard count <= limits.fieldBytesMax, total <= limits.fieldListBytesMax else {
                throw .headerTooLarge(
                    """
                    A header field has at most \(limits.fieldBytesMax) bytes, a header \
                    \(limits.fieldListBytesMax).
                    """)
            }
            guard !field.name.utf8.contains(UInt8(ascii: "_")) else {
                throw .malformed("The name of a header field holds no underscore.")
            }
        }
    }

    private func dispatch(_ request: Incoming, requestID: String) async throws -> Answer {
        let asked = crossOrigin.preflight(request) { api.routes.verbs(request.path) }
        if let asked { return asked }
        let own = try await page(request, requestID: requestID)
        if let own { return own }
        let known = try await accounts.answer(request, requestID: requestID)
        if let known { return known }
        let verb = request.verb == "HEAD" ? "GET" : request.verb
        switch api.routes.route(verb, request.path) {
        case .found(let match): return try await api.answer(request, match, requestID: requestID)
        case .otherVerbs(let verbs): throw Problem.otherVerbs(verbs)
        case .unknown: return try await accounts.landing(request, requestID: requestID)
        }
    }

    /// The paths that the gateway answers itself, beside everything below ``Assets/prefix``.
    static let pagePaths = [
        "/", "/healthz", "/readyz", Documentation.documentPath, Documentation.pagePath,
        Contact.path, Contact.sentPath,
    ]

    /// The first of the paths that are about people and what they look after.
    static let accountPaths = [Console.path, SignIn.path, SignIn.outPath, SignUp.path]

    /// What the gateway answers itself.
    private func page(_ request: Incoming, requestID: String) async throws -> Answer? {
        let path = String(request.path)
        let isAsset = path.hasPrefix(Assets.prefix)
        guard isAsset || Self.pagePaths.contains(path) else { return nil }
        if path == Contact.path || path == Contact.sentPath {
            return try await contact.answer(request, requestID: requestID)
        }
        guard request.verb == "GET" || request.verb == "HEAD" else {
            throw Problem.otherVerbs(["GET", "HEAD"])
        }
        switch path {
        case "/": return await pages.welcome()
        case "/healthz": return pages.health()
        case "/readyz": return await pages.readiness()
        case Documentation.documentPath: return Documentation.document.answer(to: request)
        case Documentation.pagePath: return Documentation.page.answer(to: request)
        default: return try await assets.answer(request)
        }
    }
}

/// The identifier of a request in answers and logs.
enum RequestIdentifier {
    private static let lengthMax = 64

    /// The identifier that the client sent, if it is harmless; else a new one.
    static func of(_ request: Incoming) -> String {
        legal(request.field("x-request-id"))
    }

    /// The same of a call.
    static func of(_ metadata: Metadata) -> String {
        legal(metadata[text: MetadataKey.requestID])
    }

    private static func legal(_ sent: String?) -> String {
        guard let sent, isLegal(sent) else { return make() }
        return sent
    }

    /// A new identifier: 32 hexadecimal digits.
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        return Hexadecimal.text((0..<16).map { _ in UInt8.random(in: 0 ... .max, using: &random) })
    }

    private static func isLegal(_ text: String) -> Bool {
        (1...lengthMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: ".")
            }
    }
}
