import Glibc

/// An address of the Internet, as its 4 or 16 bytes.
struct NetworkAddress: Sendable, Hashable {
    /// The bytes, the most significant first; those of IPv4 also where it is written as IPv6.
    let bytes: [UInt8]

    private static let mappedStart: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]

    /// The address in a text, such as `192.0.2.1` or `2001:db8::1`; nil when it is none.
    init?(_ text: some StringProtocol) {
        // A link is named behind a percent sign where an address holds on one alone.
        let name = String(text.prefix { $0 != "%" })
        guard !name.utf8.contains(0),
            let bytes = Self.bytes(of: name, AF_INET, count: 4)
                ?? Self.bytes(of: name, AF_INET6, count: 16)
        else { return nil }
        let isMapped = bytes.count == 16 && bytes.starts(with: Self.mappedStart)
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func bytes(of text: String, _ family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isOne = unsafe bytes.withUnsafeMutableBytes { memory in
            unsafe inet_pton(family, text, memory.baseAddress) == 1
        }
        return isOne ? bytes : nil
    }

    /// The address in a hop of `X-Forwarded-For`, which some proxies write with a port; nil when
    /// it is none.
    init?(hop: some StringProtocol) {
        let text = String(hop).filter { $0 != " " && $0 != "\t" }
        if text.hasPrefix("[") {
            self.init(text.dropFirst().prefix { $0 != "]" })
        } else if text.contains(".") {
            self.init(text.contains("::") ? text[...] : text.prefix { $0 != ":" })
        } else {
            self.init(text)
        }
    }
}

/// All addresses that begin alike.
struct Network: Sendable, Hashable {
    private let start: [UInt8]
    private let length: Int

    /// The network in a text, such as `10.0.0.0/8` or `fd00::/8`; nil when it is none.
    ///
    /// An address alone is a network of its own.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkAddress(parts[0]) else { return nil }
        let most = 8 * address.bytes.count
        let length = parts.count == 1 ? most : Int(parts[1])
        guard let length, (0...most).contains(length) else { return nil }
        start = address.bytes
        self.length = length
    }

    /// Whether an address is one of it.
    func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == start.count else { return false }
        let (whole, rest) = length.quotientAndRemainder(dividingBy: 8)
        guard address.bytes.prefix(whole) == start.prefix(whole) else { return false }
        guard rest > 0 else { return true }
        return (address.bytes[whole] ^ start[whole]) >> UInt8(8 - rest) == 0
    }
}

/// The proxies in front of the gateway, whose word counts about who called them.
struct TrustedProxies: Sendable, Hashable {
    /// Nobody's word counts: who is connected calls.
    static let none = TrustedProxies(networks: [])

    private let networks: [Network]

    private init(networks: [Network]) {
        self.networks = networks
    }

    /// Addresses and networks with commas between them; nil when one is none.
    init?(_ text: String) {
        let names = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { String($0).filter { $0 != " " } }
        guard names != [""] else {
            self = .none
            return
        }
        let networks = names.compactMap { Network($0) }
        guard networks.count == names.count else { return nil }
        self.networks = networks
    }

    private func contains(_ address: NetworkAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// Where a request comes from: who is connected, unless it is one of these proxies.
    ///
    /// Then it is the last hop of `X-Forwarded-For` that is none of them: what stands before it
    /// anybody may have written.
    ///
    /// - Returns: Nil when nothing says so.
    func client(of request: Incoming) -> NetworkAddress? {
        guard var client = request.peer.flatMap({ NetworkAddress($0) }) else { return nil }
        let hops = request.fields.filter { $0.name == "x-forwarded-for" }
            .flatMap { $0.value.split(separator: ",", omittingEmptySubsequences: false) }
        for hop in hops.reversed() {
            // A hop that is no address says nothing: the proxy that has written it calls.
            guard contains(client), let before = NetworkAddress(hop: hop) else { break }
            client = before
        }
        return client
    }
}
