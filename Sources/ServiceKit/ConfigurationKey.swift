internal import RPCTransport

/// A setting: a flag, and an environment variable of the same name.
public struct ConfigurationKey: Sendable, Hashable {
    /// What a setting may hold.
    public enum Kind: Sendable, Hashable {
        /// Any text.
        case text
        /// A whole number in a range.
        case integer(ClosedRange<Int>)
        /// `true` or `false`; the flag alone is `true`.
        case toggle
        /// One of some words.
        case choice([String])
        /// `host:port`, several of them, `dns:host:port` or `unix:/path`.
        case target
        /// Visible ASCII characters, so many at least, that nobody guesses.
        case token(bytesMin: Int)
    }

    /// The name, in parts: `http.port` is `--http-port` and `GUILDHALL_HTTP_PORT`.
    public let name: String
    /// What it may hold.
    public let kind: Kind
    /// What holds when it is not set, as text; nil when nothing does.
    public let defaultText: String?
    /// What it is for, in a sentence.
    public let summary: String
    /// Whether its value is never shown.
    public let isSecret: Bool

    /// A setting.
    public init(
        _ name: String, _ kind: Kind = .text, default defaultText: String? = nil,
        isSecret: Bool = false, _ summary: String
    ) {
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.summary = summary
        self.isSecret = isSecret
    }

    /// The flag, such as `--http-port`.
    public var flag: String { "--" + String(name.map { $0 == "." ? "-" : $0 }) }

    /// The environment variable, such as `GUILDHALL_HTTP_PORT`.
    public var variable: String {
        "GUILDHALL_" + String(name.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// Says what is wrong with a value; nil when nothing is.
    func complaint(about value: String) -> String? {
        switch kind {
        case .text: nil
        case .integer(let range):
            if let number = Int(value), range.contains(number) {
                nil
            } else {
                "a whole number from \(range.lowerBound) to \(range.upperBound)"
            }
        case .toggle: ["true", "false"].contains(value) ? nil : "true or false"
        case .choice(let words):
            words.contains(value) ? nil : "one of " + words.joined(separator: ", ")
        case .target: Self.isTarget(value) ? nil : Self.targetForms
        case .token(let bytesMin):
            value.utf8.count >= bytesMin && value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                ? nil : "at least \(bytesMin) visible ASCII characters"
        }
    }

    private static let targetForms =
        "host:port, several of them with commas between, dns:host:port or unix:/path"

    private static func isTarget(_ value: String) -> Bool {
        do {
            _ = try RPCTarget(parsing: value)
            return true
        } catch {
            return false
        }
    }
}

/// Another service that this one calls.
public struct Upstream: Sendable, Hashable {
    /// Its name, such as `organizations`; the setting with its address has the same.
    public let name: String
    /// The port on this machine when nothing else is set.
    public let defaultPort: Int

    /// A service.
    public init(_ name: String, defaultPort: Int) {
        self.name = name
        self.defaultPort = defaultPort
    }

    /// Organizations.
    public static let organizations = Upstream("organizations", defaultPort: 7101)
    /// Membership.
    public static let membership = Upstream("membership", defaultPort: 7102)
    /// Partners.
    public static let partners = Upstream("partners", defaultPort: 7103)
    /// Branding.
    public static let branding = Upstream("branding", defaultPort: 7104)

    var key: ConfigurationKey {
        ConfigurationKey(
            name, .target, default: "127.0.0.1:\(defaultPort)",
            "Where \(name) listens: host:port, several with commas, dns:host:port or unix:/path.")
    }
}
