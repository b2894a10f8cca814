/// Who a process proved to be with its certificate: `spiffe://<installation>/svc/<name>`.
public struct PeerIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The URI, as it stands in the certificate.
    public let description: String

    /// Longer words stand in no certificate of ours.
    public static let wordBytesMax = 255

    private static let scheme = "spiffe://"
    private static let kind = "svc"

    /// Reads the URI of a certificate.
    ///
    /// - Parameter uri: The text; both words are lower-case letters, digits, `-`, `.` and `_`, and
    ///   begin with a letter or a digit.
    /// - Throws: ``PeerIdentityFault`` when it is no identity.
    public init(parsing uri: String) throws(PeerIdentityFault) {
        guard uri.utf8.starts(with: Self.scheme.utf8) else { throw PeerIdentityFault(text: uri) }
        let words = uri.utf8.dropFirst(Self.scheme.utf8.count)
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard words.count == 3, words[1].elementsEqual(Self.kind.utf8), Self.isWord(words[0]),
            Self.isWord(words[2])
        else { throw PeerIdentityFault(text: uri) }
        description = uri
    }

    /// The identity of a service of an installation.
    ///
    /// - Parameters:
    ///   - installation: The name of the installation, such as `guildhall.example`.
    ///   - name: The name of the service, such as `organizations`.
    /// - Throws: ``PeerIdentityFault`` when one of them is no word.
    public init(installation: String, name: String) throws(PeerIdentityFault) {
        try self.init(parsing: "\(Self.scheme)\(installation)/\(Self.kind)/\(name)")
    }

    /// The name of the installation.
    public var installation: String { words.first.map(String.init) ?? "" }

    /// The name of the service.
    public var name: String { words.last.map(String.init) ?? "" }

    private var words: [Substring] {
        description.dropFirst(Self.scheme.count).split(separator: "/")
    }

    private static func isWord(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, bytes.count <= wordBytesMax, isLetterOrDigit(first) else {
            return false
        }
        return bytes.allSatisfy { isLetterOrDigit($0) || "-._".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

/// A text that is no identity.
public struct PeerIdentityFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text.
    public let text: String

    /// What is expected instead.
    public var description: String {
        "\"\(text.prefix(200))\" is no identity; expected spiffe://<installation>/svc/<name>"
    }
}
