/// Where the servers of a client are: a list of addresses, or a name that stands for them.
public struct RPCTarget: Sendable, CustomStringConvertible {
    enum Source: Sendable {
        case addresses([RPCAddress])
        case resolver(any Resolver)
    }

    let source: Source
    /// The name that a certificate of the servers must hold, when their addresses do not say it.
    let hostName: String?
    /// The target as it is written in settings.
    public let description: String

    /// Servers at fixed addresses, each as good as the others.
    public init(_ addresses: [RPCAddress]) {
        source = .addresses(addresses)
        hostName = nil
        description = addresses.map(\.description).joined(separator: ",")
    }

    /// Servers whose addresses a resolver finds and follows.
    public init(_ resolver: any Resolver) {
        source = .resolver(resolver)
        hostName = (resolver as? DNSResolver)?.host
        description = resolver.description
    }

    /// Reads `host:port`, `host:port,host:port`, `unix:/path` or `dns:host:port`.
    ///
    /// The first is one server, whichever of its host's addresses answers; the last is a server at
    /// each address of the host, looked up again and again.
    ///
    /// - Throws: ``RPCAddressFault`` when the text is none of these.
    public init(parsing text: String) throws(RPCAddressFault) {
        if text.hasPrefix(Self.dnsPrefix) {
            let address = try RPCAddress(parsing: String(text.dropFirst(Self.dnsPrefix.count)))
            guard case .tcp(let host, let port) = address else {
                throw RPCAddressFault(text: text)
            }
            self.init(DNSResolver(host: host, port: port))
            return
        }
        // The path of a socket may hold a comma.
        if text.hasPrefix("unix:") {
            self.init([try RPCAddress(parsing: text)])
            return
        }
        var addresses: [RPCAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            addresses.append(try RPCAddress(parsing: String(part)))
        }
        self.init(addresses)
    }

    static let dnsPrefix = "dns:"
}
