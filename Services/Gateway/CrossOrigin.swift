/// Which pages of other sites may call the API from a browser (CORS): those that are named, and
/// only with a token that they send themselves.
///
/// Credentials of the browser's own, such as cookies, are never allowed: the API takes none.
struct CrossOrigin: Sendable {
    /// The origins, such as `https://portal.example.org`; each stands for itself alone.
    let origins: Set<String>

    /// What of an answer a page may read beside its body.
    private static let exposed = "Content-Disposition, ETag, Retry-After, X-Request-Id"
    /// The header fields that a page may send.
    private static let accepted = """
        authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, \
        x-request-id
        """
    /// How long a browser need not ask again, in seconds.
    private static let keptForSeconds = 600
    /// What stands in no origin: one is compared as a whole, and is no pattern.
    private static let marks: Set<Character> = ["*", "?", "#", "@", " ", "\\", "\"", "'"]

    /// The origins in a setting, with commas between them.
    ///
    /// - Returns: Nil when a part of it is no origin: one has a scheme and a host, and no path.
    init?(_ text: String) {
        let parts = text.split(separator: ",").map { part in
            part.filter { !$0.isWhitespace }.lowercased()
        }
        let areOrigins = parts.allSatisfy { part in
            let rest = part.trimmingPrefix("https://").trimmingPrefix("http://")
            return rest.count < part.count && !rest.isEmpty && !rest.contains("/")
                && !rest.contains(where: Self.marks.contains)
        }
        guard areOrigins else { return nil }
        origins = Set(parts)
    }

    /// Nobody.
    static let none = CrossOrigin(origins: [])

    private init(origins: Set<String>) {
        self.origins = origins
    }

    /// Whether the path is one that pages of other sites may be let at.
    private static func isOpen(_ request: Incoming) -> Bool {
        request.path.hasPrefix("/v1/") || request.path == Documentation.documentPath
    }

    private func isAllowed(_ request: Incoming) -> Bool {
        request.field("origin").map { origins.contains($0.lowercased()) } ?? false
    }

    /// The answer to a browser that asks before it calls; nil when it is none that asks, or asks
    /// for somebody who may not.
    func preflight(_ request: Incoming, verbs: [String]) -> Answer? {
        guard request.verb == "OPTIONS", Self.isOpen(request), isAllowed(request),
            request.field("access-control-request-method") != nil
        else { return nil }
        return Answer(
            status: 204,
            fields: [
                "Access-Control-Allow-Methods": verbs.joined(separator: ", "),
                "Access-Control-Allow-Headers": Self.accepted,
                "Access-Control-Max-Age": "\(Self.keptForSeconds)",
            ])
    }

    /// Says in an answer that the page that asked may read it.
    func mark(_ answer: inout Answer, to request: Incoming) {
        guard !origins.isEmpty, Self.isOpen(request) else { return }
        // Also where there is no origin: a cache must not hand the answer to who has one.
        answer.fields["Vary"] = "Origin"
        guard isAllowed(request), let origin = request.field("origin") else { return }
        answer.fields["Access-Control-Allow-Origin"] = origin
        answer.fields["Access-Control-Expose-Headers"] = Self.exposed
    }
}
