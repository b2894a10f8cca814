internal import CCURL

/// An address of the Internet, as its 4 or 16 bytes.
public struct NetworkAddress: Sendable, Hashable {
    /// The bytes, the most significant first.
    let bytes: [UInt8]

    /// An address of 4 or 16 bytes; nil when there are more or fewer.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// The address in a text, such as `192.0.2.1` or `2001:db8::1`; nil when it is none.
    public init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: Int(WEBHOOK_ADDRESS_BYTES_MAX))
        let count = unsafe bytes.withUnsafeMutableBufferPointer { memory in
            guard let start = memory.baseAddress else { return 0 }
            return unsafe webhook_address(text, start)
        }
        self.init(bytes: Array(bytes.prefix(count)))
    }
}

/// All addresses that begin alike.
public struct Network: Sendable, Hashable {
    private let start: [UInt8]
    private let length: Int

    /// The network in a text, such as `10.0.0.0/8` or `fd00::/8`; nil when it is none.
    ///
    /// An address alone is a network of its own.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkAddress(String(parts[0])) else { return nil }
        let most = 8 * address.bytes.count
        let length = parts.count == 1 ? most : Int(parts[1])
        guard let length, (0...most).contains(length) else { return nil }
        start = address.bytes
        self.length = length
    }

    /// Whether an address is one of it.
    public func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == start.count else { return false }
        let (whole, rest) = length.quotientAndRemainder(dividingBy: 8)
        guard address.bytes.prefix(whole) == start.prefix(whole) else { return false }
        guard rest > 0 else { return true }
        return (address.bytes[whole] ^ start[whole]) >> UInt8(8 - rest) == 0
    }
}

/// Which addresses may be called: those of the public Internet, and what the operator allows.
public struct AddressRules: Sendable, Hashable {
    private let allowed: [Network]

    /// Rules.
    ///
    /// - Parameter allowed: What may be called beside the public Internet.
    public init(allowing allowed: [Network] = []) {
        self.allowed = allowed
    }

    /// Whether an address may be called.
    public func admits(_ address: NetworkAddress) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        if let inner = address.embedded { return admits(inner) }
        if address.bytes.count == 16, !Self.globalUnicast.contains(where: { $0.contains(address) })
        {
            return false
        }
        return !Self.special.contains { $0.contains(address) }
    }

    /// Whether a name may be called, as far as it says by itself where it leads: names that stand
    /// for this machine or for a network of one's own are no part of the public Internet.
    ///
    /// What a name stands for is judged when it is called. Where an operator allows networks, names
    /// of them may be called; those of this machine only where its own addresses may.
    public func admits(name: String) -> Bool {
        let labels = name.lowercased().split(separator: ".").map(String.init)
        guard let last = labels.last else { return false }
        if last == "localhost" {
            return ["127.0.0.1", "::1"].compactMap(NetworkAddress.init).contains(where: admits)
        }
        if !allowed.isEmpty { return true }
        // Names without a dot are looked up in the domain of the machine that asks.
        return labels.count > 1 && !Self.ownDomains.contains(last)
            && labels.suffix(2) != ["home", "arpa"]
    }

    /// Domains that everybody has for themselves (RFC 6762, and what ICANN keeps for it).
    private static let ownDomains: Set<String> = ["local", "internal"]

    /// All that is given to hosts of the public Internet in IPv6.
    private static let globalUnicast = ["2000::/3"].compactMap(Network.init)

    /// What is not of the public Internet, or answers for the machine that asks (RFC 6890, and what
    /// has come since).
    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // Metadata of a cloud at an address that looks public.
        "168.63.129.16/32",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ].compactMap(Network.init)
}

extension NetworkAddress {
    /// The address of IPv4 that one of IPv6 stands for; nil when it stands for itself.
    fileprivate var embedded: NetworkAddress? {
        let isEmbedding = Self.embedding.contains { $0.contains(self) }
        return isEmbedding ? NetworkAddress(bytes: Array(bytes.suffix(4))) : nil
    }

    // Mapped addresses, and those that a translator of the network makes (RFC 6052).
    private static let embedding = ["::ffff:0:0/96", "64:ff9b::/96"].compactMap(Network.init)
}
