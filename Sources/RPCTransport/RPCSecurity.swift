import NIOCore
public import RPC

/// How a server's connections are protected.
public enum RPCServerSecurity: Sendable {
    /// Nothing protects them: on loopback addresses and Unix sockets only.
    case plaintext
    /// Nothing protects them, on any address: whoever is on the network reads, changes and forges
    /// calls.
    case plaintextOnAnyNetwork
    /// TLS 1.3: clients know the server, the server does not know its clients.
    case tls(TLSCredentials)
    /// TLS 1.3, and each side proves who it is: a client calls what the policy grants to it.
    case mutualTLS(TLSCredentials, PeerPolicy)

    /// The files behind it.
    var credentials: TLSCredentials? {
        switch self {
        case .plaintext, .plaintextOnAnyNetwork: nil
        case .tls(let credentials), .mutualTLS(let credentials, _): credentials
        }
    }

    /// What a peer may call that has not proved who it is; nil is everything.
    var grantsWithoutIdentity: PeerPolicy.Grants? {
        if case .mutualTLS = self { PeerPolicy.Grants(names: []) } else { nil }
    }

    /// Whether a server can listen at an address so protected.
    ///
    /// - Parameter address: Where it listens.
    /// - Throws: ``TLSFault`` that says why not.
    public func check(_ address: RPCAddress) throws(TLSFault) {
        switch self {
        case .plaintext: try address.checkPlaintext()
        case .plaintextOnAnyNetwork: break
        case .tls(let credentials): _ = try credentials.context(for: .server)
        case .mutualTLS(let credentials, _):
            _ = try credentials.context(for: .serverOfKnownClients)
            _ = try credentials.ownIdentity
        }
    }
}

/// How a client's connections are protected.
public enum RPCClientSecurity: Sendable, Hashable {
    /// Nothing protects them: to loopback addresses and Unix sockets only.
    case plaintext
    /// Nothing protects them, on any network: whoever is on it reads, changes and forges calls.
    case plaintextOnAnyNetwork
    /// TLS 1.3 to a server that proves who it is; the client does so too when its credentials hold
    /// a certificate.
    case tls(TLSCredentials, server: ExpectedServer = .host)

    /// Who the server must prove to be.
    public enum ExpectedServer: Sendable, Hashable {
        /// The host of its address, or the one behind `dns:`: a name, or a number, in its
        /// certificate.
        case host
        /// Another name in its certificate.
        case name(String)
        /// The service in its certificate; its address does not matter.
        case identity(PeerIdentity)
    }

    /// Whether a client can connect to the servers of a target so protected, as far as that is
    /// known before a name is looked up.
    ///
    /// - Parameter target: Where the servers are.
    /// - Throws: ``TLSFault`` that says why not.
    public func check(_ target: RPCTarget) throws(TLSFault) {
        switch target.source {
        case .addresses(let addresses): for address in addresses { try check(address) }
        case .resolver:
            guard case .tls(let credentials, let server) = self else { return }
            _ = try credentials.context(for: server.role)
        }
    }

    /// Whether a client can connect to an address so protected.
    ///
    /// - Parameter address: Where the server is.
    /// - Throws: ``TLSFault`` that says why not.
    public func check(_ address: RPCAddress) throws(TLSFault) {
        switch self {
        case .plaintext: try address.checkPlaintext()
        case .plaintextOnAnyNetwork: break
        case .tls(let credentials, let server):
            _ = try credentials.context(for: server.role)
            if case .host = server, case .unix = address {
                throw TLSFault("\(address) has no host that a certificate could name")
            }
        }
    }
}

extension RPCClientSecurity.ExpectedServer {
    var role: TLSCredentials.Role {
        switch self {
        case .host, .name: .clientOfNamedServer
        case .identity: .clientOfKnownServer
        }
    }
}

extension RPCAddress {
    /// Whether what is sent there stays on this machine.
    var isLocal: Bool {
        switch self {
        case .unix: return true
        case .tcp(let host, _):
            if host == "localhost" { return true }
            // A name is no number: it may lead anywhere.
            guard let number = (try? SocketAddress(ipAddress: host, port: 0))?.ipAddress else {
                return false
            }
            let isMapped = number.hasPrefix("::ffff:127.")
            return number == "::1" || isMapped || number.hasPrefix("127.")
        }
    }

    fileprivate func checkPlaintext() throws(TLSFault) {
        guard !isLocal else { return }
        throw TLSFault(
            "plaintext is for loopback addresses and Unix sockets; \(self) is neither: use TLS, or "
                + "allow plaintext on any network by name")
    }
}
