import Encodings
import ServiceKit

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
    /// The schemes of origins, each with the port that browsers leave out.
    private static let schemes: [String: UInt16] = ["https://": 443, "http://": 80]

    /// The origins in a setting, with commas between them.
    ///
    /// - Returns: Nil when a part of it is no origin as browsers send it: a scheme, a host, and a
    ///   port if it is not the scheme's own.
    init?(_ text: String) {
        let parts = text.split(separator: ",").map { String($0).trimmed.lowercased() }
        guard parts.allSatisfy(Self.isOrigin) else { return nil }
        origins = Set(parts)
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let (scheme, ownPort) = schemes.first(where: { text.hasPrefix($0.key) }) else {
            return false
        }
        let rest = text.dropFirst(scheme.count)
        let end =
            rest.hasPrefix("[")
            ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        let host = rest[..<(end ?? rest.endIndex)]
        let port = rest[host.endIndex...]
        return isHost(host) && (port.isEmpty || isPort(port, otherThan: ownPort))
    }

    /// Whether a text is a name, an address, or one of IPv6 in its brackets; a pattern is none.
    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let address = text.dropFirst().dropLast()
            return address.contains(":")
                && address.utf8.allSatisfy { Hexadecimal.isDigit($0) || $0 == UInt8(ascii: ":") }
        }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy(isInName)
        }
    }

    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Whether a text is a colon and a port, spelled as browsers do.
    private static func isPort(_ text: Substring, otherThan ownPort: UInt16) -> Bool {
        let digits = text.dropFirst()
        guard text.hasPrefix(":"), let port = UInt16(digits) else { return false }
        return String(port) == digits && port != ownPort
    }

    /// Whether the path is one that pages of other sites may be let at.
    private static func isOpen(_ request: Incoming) -> Bool {
        request.path.hasPrefix("/v1/") || request.path == Documentation.documentPath
    }

    private func isAllowed(_ request: Incoming) -> Bool {
        request.field("origin").map { origins.contains($0.lowercased()) } ?? false
    }

    /// The answer to a browser that asks before it calls.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - verbs: Finds the verbs that its path has; only called when they are answered.
    /// - Returns: Nil when it is none that asks, or asks for somebody who may not.
    func preflight(_ request: Incoming, verbs: () -> [String]) -> Answer? {
        guard request.verb == "OPTIONS", Self.isOpen(request), isAllowed(request),
            request.field("access-control-request-method") != nil
        else { return nil }
        return Answer(
            status: 204,
            fields: [
                "Access-Control-Allow-Methods": verbs().joined(separator: ", "),
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
