import NIOCore
import NIOSSL
import RPC

/// What the files of credentials held when they were read.
struct TLSMaterial: Sendable {
    /// The protocol that TLS agrees on; a server of another protocol cannot be mistaken for ours.
    static let applicationProtocol = "ghrpc/1"
    /// What a server agrees on beside it, for the page for operators.
    static let httpProtocol = "http/1.1"
    /// How long the other side may take to confirm the end of a connection.
    static let closeTimeMax: TimeAmount = .seconds(1)

    /// The certificate with those that lead to its authority, and its key.
    let own: (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey)?
    /// The authorities that are trusted; nil are those of the system.
    let trust: [NIOSSLCertificate]?
    /// Who the certificate says this process is, when it says so.
    let identity: PeerIdentity?
    /// When the certificate ends, in seconds since 1970.
    let endsAtSeconds: Int?

    /// Reads the files.
    init(_ files: TLSFiles) throws(TLSFault) {
        own = try files.own.map { own throws(TLSFault) in
            (try Self.certificates(own.certificate), try Self.key(own.key))
        }
        trust = try files.trust.map(Self.certificates)
        identity = own?.chain.first.flatMap { leaf in
            // A certificate without an identity serves plain TLS.
            try? PeerIdentity(of: leaf)
        }
        endsAtSeconds = own?.chain.first.map { Int($0.notValidAfter) }
    }

    private static func certificates(_ path: String) throws(TLSFault) -> [NIOSSLCertificate] {
        let bytes = try TLSFile.read(path)
        let found: [NIOSSLCertificate]
        do {
            found = try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw TLSFault("\(path) holds no certificates in PEM")
        }
        guard !found.isEmpty else { throw TLSFault("\(path) holds no certificates in PEM") }
        return found
    }

    private static func key(_ path: String) throws(TLSFault) -> NIOSSLPrivateKey {
        let bytes = try TLSFile.read(path, isSecret: true)
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSFault("\(path) holds no private key in PEM")
        }
    }

    /// What connections of a kind are made from.
    func context(for role: TLSCredentials.Role) throws(TLSFault) -> NIOSSLContext {
        let configuration = try configuration(for: role)
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSFault("certificate and key do not go together, or are not usable: \(error)")
        }
    }

    private func configuration(
        for role: TLSCredentials.Role
    ) throws(TLSFault) -> TLSConfiguration {
        var configuration: TLSConfiguration
        switch role {
        case .server, .serverOfKnownClients:
            guard let own else { throw TLSFault("a server needs a certificate and its key") }
            configuration = .makeServerConfiguration(
                certificateChain: own.chain.map { .certificate($0) },
                privateKey: .privateKey(own.key)
            )
            if role == .serverOfKnownClients {
                guard let trust else {
                    throw TLSFault("mutual TLS needs a file with the trusted authorities")
                }
                configuration.trustRoots = .certificates(trust)
                configuration.certificateVerification = .noHostnameVerification
            }
        case .clientOfNamedServer, .clientOfKnownServer:
            configuration = .makeClientConfiguration()
            configuration.trustRoots = trust.map { .certificates($0) } ?? .default
            configuration.certificateVerification =
                role == .clientOfNamedServer ? .fullVerification : .noHostnameVerification
            if let own {
                configuration.certificateChain = own.chain.map { .certificate($0) }
                configuration.privateKey = .privateKey(own.key)
            }
        }
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        configuration.applicationProtocols = [Self.applicationProtocol]
        if role.isServer { configuration.applicationProtocols.append(Self.httpProtocol) }
        configuration.shutdownTimeout = Self.closeTimeMax
        return configuration
    }
}

extension PeerIdentity {
    /// The identity in a certificate: its only name that is a URI.
    init(of certificate: NIOSSLCertificate) throws(TLSFault) {
        let names = certificate._subjectAlternativeNames().filter { $0.nameType == .uri }
        guard names.count == 1, let name = names.first else {
            throw TLSFault(
                "the certificate has \(names.count) URIs; expected one, "
                    + "spiffe://<installation>/svc/<name>")
        }
        do {
            try self.init(parsing: String(decoding: name.contents, as: UTF8.self))
        } catch {
            throw TLSFault("the certificate's URI \(error)")
        }
    }
}
