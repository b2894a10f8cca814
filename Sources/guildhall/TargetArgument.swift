import ArgumentParser
import Logging
import RPC
import RPCTransport

/// The servers to call.
struct TargetArgument: ExpressibleByArgument, Sendable {
    /// How a target is written.
    static let form = "host:port|dns:host:port|unix:path"

    let target: RPCTarget

    init(_ address: RPCAddress) {
        target = RPCTarget([address])
    }

    init?(argument: String) {
        // The parser says which text is no target, and what is one.
        guard let target = try? RPCTarget(parsing: argument) else { return nil }
        self.target = target
    }

    var defaultValueDescription: String { target.description }

    /// A client of the servers that keeps one connection to each.
    ///
    /// - Throws: `ValidationError` when it must not be called unprotected, or cannot be protected.
    func client(
        loops: RPCEventLoops, _ security: RPCClientSecurity, callers: Int = 1
    ) throws -> RPCClient {
        do {
            try security.check(target)
        } catch {
            throw ValidationError(error.description)
        }
        var configuration = RPCClientConfiguration()
        configuration.agent = "guildhall"
        configuration.connectionsMax = 1
        configuration.queueMax = max(configuration.queueMax, callers)
        configuration.security = security
        return RPCClient(
            target, configuration: configuration, loops: loops,
            logger: Logger(label: "guildhall") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// How calls of the command line are protected: the flags of the services, and who must answer.
struct ProtectionOptions: ParsableArguments {
    @Flag(help: "Calls over TLS. (implied by the flags below)")
    var tls = false
    @Option(
        help: ArgumentHelp(
            "The authorities that are trusted, in PEM. (default: those of the system)",
            valueName: "file"))
    var tlsTrust: String?
    @Option(
        help: ArgumentHelp("The certificate to show, for mutual TLS, in PEM.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("Its private key, in PEM, mode 600.", valueName: "file"))
    var tlsKey: String?
    @Option(
        help: ArgumentHelp(
            "Who must answer: a name in the server's certificate, or with mutual TLS a service, "
                + "spiffe://INSTALLATION/svc/NAME. (default: the target's host)",
            valueName: "name"))
    var tlsServer: ServerArgument?
    @Flag(help: "Calls unprotected over any network: whoever is on it reads and changes calls.")
    var plaintextOnAnyNetwork = false

    private var wantsTLS: Bool {
        tls || tlsTrust != nil || tlsCertificate != nil || tlsKey != nil || tlsServer != nil
    }

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        guard !(wantsTLS && plaintextOnAnyNetwork) else {
            throw ValidationError("--plaintext-on-any-network is the opposite of TLS.")
        }
    }

    /// The same for a client.
    ///
    /// - Throws: `ValidationError` when a file cannot be used.
    func security() throws -> RPCClientSecurity {
        guard wantsTLS else { return plaintextOnAnyNetwork ? .plaintextOnAnyNetwork : .plaintext }
        var own: TLSFiles.Own?
        if let tlsCertificate, let tlsKey {
            own = TLSFiles.Own(certificate: tlsCertificate, key: tlsKey)
        }
        do {
            // Read once: no command outlives its certificates.
            let credentials = try TLSCredentials(TLSFiles(own: own, trust: tlsTrust))
            return .tls(credentials, server: tlsServer?.expected ?? .host)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

/// Who a server must prove to be.
struct ServerArgument: ExpressibleByArgument, Sendable {
    let expected: RPCClientSecurity.ExpectedServer

    init?(argument: String) {
        guard argument.hasPrefix("spiffe:") else {
            expected = .name(argument)
            return
        }
        // The parser says which text is no identity.
        guard let identity = try? PeerIdentity(parsing: argument) else { return nil }
        expected = .identity(identity)
    }
}
