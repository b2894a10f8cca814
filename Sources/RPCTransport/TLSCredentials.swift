public import Logging
import NIOSSL
public import RPC
import Synchronization

/// Where a process has its certificates, in PEM.
public struct TLSFiles: Sendable, Hashable {
    /// The files of a certificate.
    public struct Own: Sendable, Hashable {
        /// The certificate, and after it those that lead to its authority.
        public let certificate: String
        /// Its private key; open to its owner alone.
        public let key: String

        /// The files of a certificate.
        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// What this process proves itself with; nil for a client that need not.
    public let own: Own?
    /// The authorities whose certificates are trusted; nil for those of the system.
    public let trust: String?

    /// The files.
    public init(own: Own? = nil, trust: String? = nil) {
        self.own = own
        self.trust = trust
    }

    var paths: [String] { [own?.certificate, own?.key, trust].compactMap { $0 } }
}

/// The certificates of a process, read from files and read again when those change.
///
/// Connections made after a change use what is new; those there are go on. A change that cannot be
/// used is logged, and what was read before stays.
///
/// A server watches the files of its credentials while it runs. **A process that has only clients
/// must call ``run()`` itself**, in a task beside its work: else it goes on with what it read when
/// it was started, also when that has ended.
public final class TLSCredentials: Sendable {
    /// What connections are made for.
    enum Role: Sendable, Hashable {
        case server
        /// Only clients that prove who they are.
        case serverOfKnownClients
        /// The certificate must hold the name or number of the host.
        case clientOfNamedServer
        /// The certificate must hold an identity, which is looked at when it is verified.
        case clientOfKnownServer

        var isServer: Bool { self == .server || self == .serverOfKnownClients }
    }

    private struct State {
        var material: TLSMaterial
        var stamps: [TLSFile.Stamp?]
        var contexts: [Role: NIOSSLContext] = [:]
        var lastComplaint: String?
        var endIsNear = false
    }

    /// The files are looked at so often.
    public static let pollIntervalDefault: Duration = .seconds(10)
    /// A certificate that ends within this time and was not renewed is complained about.
    public static let endWarningTime: Duration = .seconds(7 * 86_400)

    private let files: TLSFiles
    private let pollInterval: Duration
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads certificates.
    ///
    /// - Parameters:
    ///   - files: Where they are.
    ///   - pollInterval: How often the files are looked at.
    ///   - logger: Hears of new certificates, and of those that cannot be used.
    /// - Throws: ``TLSFault`` when a file cannot be read or used.
    public init(
        _ files: TLSFiles, pollInterval: Duration = TLSCredentials.pollIntervalDefault,
        logger: Logger = Logger(label: "guildhall.rpc")
    ) throws(TLSFault) {
        self.files = files
        self.pollInterval = pollInterval
        self.logger = logger
        let stamps = files.paths.map { TLSFile.Stamp($0) }
        state = Mutex(State(material: try TLSMaterial(files), stamps: stamps))
    }

    /// Looks at the files from time to time until cancelled; a server does so by itself.
    public func run() async {
        while true {
            warnOfEnd(at: WallSeconds.now)
            do {
                try await ContinuousClock().sleep(for: pollInterval)
            } catch {
                return
            }
            reloadIfChanged()
        }
    }

    /// Reads the files again, changed or not.
    ///
    /// - Throws: ``TLSFault`` when they cannot be used; what was read before stays.
    public func reload() throws(TLSFault) {
        // Looked at first: a change while they are read is found the next time.
        let stamps = files.paths.map { TLSFile.Stamp($0) }
        let material = try TLSMaterial(files)
        let roles = state.withLock { Array($0.contexts.keys) }
        var contexts: [Role: NIOSSLContext] = [:]
        for role in roles { contexts[role] = try material.context(for: role) }
        let before = state.withLock(\.material.identity)
        guard material.identity == before else {
            throw TLSFault(
                "the new certificate is for \(Self.text(material.identity)); this process is "
                    + "\(Self.text(before)) until it is started again")
        }
        state.withLock { state in
            state = State(material: material, stamps: stamps, contexts: contexts)
        }
        logger.debug(
            "certificates read", metadata: ["endsAtSeconds": "\(material.endsAtSeconds ?? 0)"])
    }

    /// Who this process proves to be.
    ///
    /// - Throws: ``TLSFault`` when its certificate names no identity.
    public var ownIdentity: PeerIdentity {
        get throws(TLSFault) {
            guard let identity = state.withLock(\.material.identity) else {
                throw TLSFault(
                    "the certificate names no identity, spiffe://<installation>/svc/<name>")
            }
            return identity
        }
    }

    /// What a new connection is made from.
    func context(for role: Role) throws(TLSFault) -> NIOSSLContext {
        try state.withLock { state throws(TLSFault) in
            if let known = state.contexts[role] { return known }
            let made = try state.material.context(for: role)
            state.contexts[role] = made
            return made
        }
    }

    private func reloadIfChanged() {
        let stamps = files.paths.map { TLSFile.Stamp($0) }
        guard stamps != state.withLock(\.stamps) else { return }
        do {
            try reload()
        } catch {
            // Tried again each time, since certificate and key change one after the other; said
            // once.
            let isNew = state.withLock { state in
                defer { state.lastComplaint = error.description }
                return state.lastComplaint != error.description
            }
            guard isNew else { return }
            logger.warning(
                "new certificates cannot be used, the old ones stay", metadata: ["why": "\(error)"])
        }
    }

    private func warnOfEnd(at now: Int) {
        let limit = Int(Self.endWarningTime.components.seconds)
        let end: Int? = state.withLock { state in
            guard !state.endIsNear, let end = state.material.endsAtSeconds, end - now < limit else {
                return nil
            }
            state.endIsNear = true
            return end
        }
        guard let end else { return }
        logger.warning("the certificate ends soon", metadata: ["endsInSeconds": "\(end - now)"])
    }

    private static func text(_ identity: PeerIdentity?) -> String {
        identity?.description ?? "without identity"
    }
}

extension TLSCredentials: Hashable {
    /// Whether both are the same object.
    public static func == (left: TLSCredentials, right: TLSCredentials) -> Bool { left === right }

    /// Hashes which object it is.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
