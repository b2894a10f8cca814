/// Where mails are handed to.
public enum MailDestination: Sendable, Hashable {
    /// An SMTP server.
    case server(MailServer)
    /// A folder in which each mail is a file.
    case folder(path: String)

    /// Why a text is no destination, in a part of a sentence.
    public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        /// What is wrong; never the text itself, for there may be a password in it.
        public let description: String
    }

    /// What a destination may look like.
    static let forms = "smtp://[user:password@]host[:port], smtps://… or file:FOLDER"

    /// The destination in a text: `smtp://[user[:password]@]host[:port][?ca=FILE]`, the same with
    /// `smtps`, or `file:FOLDER`.
    ///
    /// In user, password and file `%` with two hexadecimal digits stands for a byte.
    /// - Throws: ``Fault``.
    public init(parsing text: String) throws(Fault) {
        guard !Letter.hasControls(text) else { throw Fault(description: "holds a line break") }
        if text.hasPrefix("file:") {
            let path = String(text.dropFirst("file:".count))
            guard !path.isEmpty else { throw Fault(description: "names no folder") }
            self = .folder(path: path)
        } else if text.hasPrefix("smtp://") {
            self = .server(try MailServer(rest: text.dropFirst("smtp://".count), isTLS: false))
        } else if text.hasPrefix("smtps://") {
            self = .server(try MailServer(rest: text.dropFirst("smtps://".count), isTLS: true))
        } else {
            throw Fault(description: "is none of \(Self.forms)")
        }
    }
}

/// An SMTP server, and how to sign in there.
public struct MailServer: Sendable, Hashable {
    /// Name and password.
    struct SignIn: Sendable, Hashable {
        let user: String
        let password: String
    }

    /// A name or an address; one of IPv6 in brackets.
    let host: String
    let port: Int
    /// Whether the connection begins encrypted; otherwise it becomes so by STARTTLS.
    let isTLS: Bool
    let signIn: SignIn?
    /// The file of certificates that vouch for the server's; nil: those of the machine.
    let authorities: String?

    /// Where mails are handed in unless a port is named (RFC 8314).
    private static let portOfTLS = 465
    private static let portOfSignIn = 587
    private static let standardPort = 25

    fileprivate init(rest: Substring, isTLS: Bool) throws(MailDestination.Fault) {
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        authorities = try halves.count > 1 ? Self.authorities(halves[1]) : nil
        let at = halves[0].lastIndex(of: "@")
        signIn = try at.map { at throws(MailDestination.Fault) in
            try Self.signIn(halves[0][..<at])
        }
        var place = halves[0]
        if let at { place = place[place.index(after: at)...] }
        if place.hasSuffix("/") { place = place.dropLast() }
        self.isTLS = isTLS
        let standard =
            isTLS ? Self.portOfTLS : signIn == nil ? Self.standardPort : Self.portOfSignIn
        (host, port) = try Self.hostAndPort(place, standard: standard)
    }

    /// The address as curl takes it.
    var url: String { "\(isTLS ? "smtps" : "smtp")://\(host):\(port)" }

    private static func authorities(
        _ query: Substring
    ) throws(MailDestination.Fault) -> String {
        guard query.hasPrefix("ca="), let file = decoded(query.dropFirst("ca=".count)),
            !file.isEmpty
        else {
            throw MailDestination.Fault(description: "has a ? that is not followed by ca=FILE")
        }
        return file
    }

    private static func signIn(_ text: Substring) throws(MailDestination.Fault) -> SignIn {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = decoded(parts[0]), let password = decoded(parts.dropFirst().first ?? ""),
            !user.isEmpty
        else {
            throw MailDestination.Fault(
                description: "has no user before the @, or a % without two digits")
        }
        return SignIn(user: user, password: password)
    }

    private static func hostAndPort(
        _ place: Substring, standard: Int
    ) throws(MailDestination.Fault) -> (String, Int) {
        let fault = MailDestination.Fault(description: "names no host, or no port after the :")
        var host = place
        var port = standard
        let end = place.lastIndex(of: "]")
        if let colon = place.lastIndex(of: ":"), end.map({ $0 < colon }) ?? true {
            guard let number = UInt16(place[place.index(after: colon)...]), number > 0 else {
                throw fault
            }
            (host, port) = (place[..<colon], Int(number))
        }
        let isName = host.utf8.allSatisfy(MailAddress.isHostName)
        let isAddress =
            host.hasPrefix("[") && host.hasSuffix("]")
            && host.dropFirst().dropLast().utf8.allSatisfy { byte in
                UInt8(ascii: ":") == byte || UInt8(ascii: ".") == byte
                    || Character(Unicode.Scalar(byte)).isHexDigit
            }
        guard !host.isEmpty, isName || isAddress else { throw fault }
        return (String(host), port)
    }

    /// A text with its bytes in place of `%` and two digits; nil when it holds half of one, or no
    /// UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value >= 0x20
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
