internal import CCURL

/// Where calls go, as the program that sends them reads it.
public struct WebhookURL: Sendable, Hashable {
    /// Why a text is no such address.
    public enum Fault: Error, Sendable, Hashable {
        /// It is longer than ``WebhookURL/charactersMax``.
        case tooLong
        /// It is no address, or holds more than visible ASCII.
        case malformed
        /// It is neither https nor, where that is allowed, http.
        case scheme
        /// It names a user.
        case user
        /// It has a fragment, which nobody sends.
        case fragment
        /// Nothing may be called at its address.
        case address
    }

    /// The most characters.
    public static let charactersMax = 2_000

    /// The address as it was written.
    public let text: String

    /// The address in a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - allowsPlaintext: Whether http may be used.
    ///   - rules: Which addresses may be called; what a name stands for is judged when it is
    ///     called.
    /// - Throws: ``Fault``.
    public init(
        parsing text: String, allowsPlaintext: Bool, rules: AddressRules
    ) throws(Fault) {
        guard text.utf8.count <= Self.charactersMax else { throw .tooLong }
        let isPlain = text.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\\")
        }
        guard isPlain, let parts = Parts(text) else { throw .malformed }
        let schemes = allowsPlaintext ? ["https", "http"] : ["https"]
        guard schemes.contains(parts.scheme) else { throw .scheme }
        guard !parts.hasUser else { throw .user }
        guard !text.utf8.contains(UInt8(ascii: "#")) else { throw .fragment }
        // Curl passes over slashes too many or too few; others would call another host.
        let rest = text.utf8.dropFirst(parts.scheme.utf8.count)
        guard rest.starts(with: "://".utf8), rest.dropFirst(3).first != UInt8(ascii: "/"),
            !parts.host.isEmpty
        else { throw .malformed }
        // A dot at the end says that a name is whole.
        let host = parts.host.hasSuffix(".") ? String(parts.host.dropLast()) : parts.host
        let isAdmitted = NetworkAddress(host).map(rules.admits) ?? rules.admits(name: host)
        guard isAdmitted else { throw .address }
        self.text = text
    }
}

/// What curl finds in an address.
private struct Parts {
    let scheme: String
    /// A name, or an address of the Internet without brackets.
    let host: String
    let hasUser: Bool

    init?(_ text: String) {
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        guard unsafe curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK else { return nil }
        func part(_ part: CURLUPart) -> String? {
            var found: UnsafeMutablePointer<CChar>?
            guard unsafe curl_url_get(handle, part, &found, 0) == CURLUE_OK else { return nil }
            guard let found = unsafe found else { return nil }
            defer { unsafe curl_free(found) }
            return unsafe String(cString: found)
        }
        guard let scheme = part(CURLUPART_SCHEME), let host = part(CURLUPART_HOST) else {
            return nil
        }
        self.scheme = scheme
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        hasUser = part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil
    }
}
