/// The cookie by which a browser goes on being signed in.
///
/// Scripts cannot read it, forms of other sites do not carry it, and over HTTPS no neighbour of the
/// gateway can set it (`__Host-`). The API knows nothing of it.
struct SessionCookie: Sendable {
    /// The longest token.
    private static let bytesMax = 512

    /// Whether browsers reach the gateway over HTTPS.
    let isSecure: Bool

    /// The cookie of a gateway.
    ///
    /// - Parameter publicURL: Where browsers reach it.
    init(publicURL: String) {
        isSecure = publicURL.lowercased().hasPrefix("https://")
    }

    /// Its name.
    var name: String { isSecure ? "__Host-guildhall-session" : "guildhall-session" }

    /// The token of the session that a request carries; nil when it carries none.
    func token(in request: Incoming) -> String? {
        for field in request.fields where field.name == "cookie" {
            for pair in field.value.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, String(parts[0]).trimmed == name else { continue }
                let token = String(parts[1]).trimmed
                return Self.isToken(token) ? token : nil
            }
        }
        return nil
    }

    /// Keeps a token until the browser is closed, or forgets what was kept.
    func field(_ token: String?) -> String {
        let value = token.flatMap { Self.isToken($0) ? $0 : nil } ?? ""
        let age = value.isEmpty ? "; Max-Age=0" : ""
        return "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")\(age)"
    }

    /// Whether a text is a token as it can stand in a cookie.
    private static func isToken(_ text: String) -> Bool {
        (1...bytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && !"\",;\\".utf8.contains($0)
            }
    }
}
