internal import Logging
internal import RPC
internal import RPCTransport

/// How the calls of a program are protected on their way, as its settings say.
struct TransportSecurity: Sendable {
    enum Mode: String, Sendable, CaseIterable {
        /// On this machine only.
        case plaintext
        case plaintextOnAnyNetwork = "plaintext-on-any-network"
        /// Servers prove who they are.
        case tls
        /// Servers and clients do.
        case mutual
    }

    /// The settings, the same for every program.
    static let keys = [
        ConfigurationKey(
            "tls.mode", .choice(Mode.allCases.map(\.rawValue)), default: Mode.plaintext.rawValue,
            "How calls are protected; plaintext is refused beyond this machine."),
        ConfigurationKey(
            "tls.certificate", .text,
            "The file of the program's certificate and those above it, in PEM."),
        ConfigurationKey(
            "tls.key", .text, "The file of its private key, in PEM, readable by its owner alone."),
        ConfigurationKey(
            "tls.trust", .text, "The file of the authorities that are trusted, in PEM."),
    ]

    private let mode: Mode
    private let credentials: TLSCredentials?

    /// Reads the settings and the files that they name.
    ///
    /// - Throws: `ServiceConfiguration.Fault` when settings do not go together, `TLSFault` when a
    ///   file cannot be used.
    init(_ configuration: ServiceConfiguration, logger: Logger) throws {
        mode = configuration.text("tls.mode").flatMap(Mode.init) ?? .plaintext
        let files = ["tls.certificate", "tls.key", "tls.trust"].map(configuration.text)
        switch mode {
        case .plaintext, .plaintextOnAnyNetwork:
            guard files.allSatisfy({ $0 == nil }) else {
                throw ServiceConfiguration.Fault.usage(
                    "\(configuration.service): certificates are given, but --tls-mode is "
                        + mode.rawValue)
            }
            credentials = nil
        case .tls, .mutual:
            guard let certificate = files[0], let key = files[1], let trust = files[2] else {
                throw ServiceConfiguration.Fault.usage(
                    "\(configuration.service): --tls-mode \(mode.rawValue) needs "
                        + "--tls-certificate, --tls-key and --tls-trust")
            }
            credentials = try TLSCredentials(
                TLSFiles(own: .init(certificate: certificate, key: key), trust: trust),
                logger: logger)
        }
    }

    /// How a service is listened to.
    func server(of service: String) -> RPCServerSecurity {
        switch (mode, credentials) {
        case (.tls, let credentials?): .tls(credentials)
        case (.mutual, let credentials?): .mutualTLS(credentials, PeerTable.policy(of: service))
        case (.plaintextOnAnyNetwork, _): .plaintextOnAnyNetwork
        default: .plaintext
        }
    }

    /// How another service is called: with mutual TLS it must be the service of that name.
    func client(of upstream: String) throws -> RPCClientSecurity {
        switch (mode, credentials) {
        case (.tls, let credentials?): return .tls(credentials)
        case (.mutual, let credentials?):
            let installation = try credentials.ownIdentity.installation
            let expected = try PeerIdentity(installation: installation, name: upstream)
            return .tls(credentials, server: .identity(expected))
        case (.plaintextOnAnyNetwork, _): return .plaintextOnAnyNetwork
        default: return .plaintext
        }
    }
}
