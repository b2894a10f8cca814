internal import Crypto
internal import Encodings

/// The secret that calls of one receiver are signed with.
public struct WebhookSecret: Sendable, Hashable {
    /// How many bytes a new one has.
    public static let byteCount = 32
    /// How many bytes one may have, as Standard Webhooks says.
    private static let lengths = 24...64
    private static let prefix = "whsec_"

    /// The bytes.
    public let bytes: [UInt8]

    /// A new one, that nobody guesses.
    public init() {
        var generator = SystemRandomNumberGenerator()
        bytes = (0..<Self.byteCount).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    }

    /// One that is stored; nil when it has another length.
    public init?(_ bytes: [UInt8]) {
        guard Self.lengths.contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// As receivers are told it: `whsec_` and the bytes in Base64.
    public var text: String { Self.prefix + Base64.encode(bytes) }
}

/// One call of a receiver, signed as Standard Webhooks says.
public struct WebhookCall: Sendable, Hashable {
    /// Tells it from every other call; the same whenever it is sent again.
    public let id: String
    /// Where it goes.
    public let url: String
    /// JSON.
    public let body: [UInt8]
    /// When it is sent, in seconds since 1970: receivers refuse what is old.
    public let seconds: Int64
    /// What it is signed with.
    public let secret: WebhookSecret

    /// A call.
    public init(id: String, url: String, body: [UInt8], seconds: Int64, secret: WebhookSecret) {
        (self.id, self.url, self.body) = (id, url, body)
        (self.seconds, self.secret) = (seconds, secret)
    }

    /// The signature: of identifier, time and body, with dots between.
    public var signature: String {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let code = HMAC<SHA256>.authenticationCode(
            for: signed, using: SymmetricKey(data: secret.bytes))
        return "v1,\(Base64.encode(Array(code)))"
    }

    /// The lines of the request beside those that HTTP itself needs.
    var headers: [String] {
        [
            "content-type: application/json",
            "user-agent: Guildhall-Hooks/1",
            "webhook-id: \(id)",
            "webhook-timestamp: \(seconds)",
            "webhook-signature: \(signature)",
            "accept:",
            // The body goes at once.
            "expect:",
        ]
    }
}

/// What has become of a call.
public enum WebhookOutcome: Sendable, Hashable {
    /// The receiver has answered with an HTTP status, and perhaps with how long to wait before
    /// it is called again (`Retry-After`).
    case answered(Int, retryAfter: Duration? = nil)
    /// There was no answer, for a reason.
    case unanswered(String)
    /// The program ends.
    case cancelled
}
