/// Where clients reach the HTTP API and its pages: links lead there.
public struct PublicAddress: Sendable, Hashable {
    /// The most bytes of one.
    public static let bytesMax = 500

    /// What names of hosts consist of.
    private static let nameBytes = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.".utf8)

    /// Without a slash at its end.
    public let text: String

    /// The address in a text: `http` or `https`, a host, and maybe a port and a path; nil when it
    /// is anything else, or has a query or a fragment.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.utf8.contains(UInt8(ascii: "?")), !text.utf8.contains(UInt8(ascii: "#")),
            let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) })
        else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        guard Self.isAuthority(authority) else { return nil }
        self.text = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// Whether text is a host, by name or number, with or without a port.
    private static func isAuthority(_ text: Substring) -> Bool {
        var host = text
        // The colons of a number of IPv6 stand in brackets.
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let port = text[text.index(after: colon)...]
            guard port.allSatisfy(\.isWholeNumber), UInt16(port) != nil else { return false }
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let number = host.dropFirst().dropLast()
            return !number.isEmpty && number.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return !host.isEmpty && host.utf8.allSatisfy { nameBytes.contains($0) }
    }
}
