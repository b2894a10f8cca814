import NIOCore
import NIOSSL
import NIOTLS
import RPC

extension RPCServerSecurity {
    /// Puts the protection in front of a new connection.
    func protect(_ channel: any NIOCore.Channel) throws {
        let context: NIOSSLContext
        switch self {
        case .plaintext, .plaintextOnAnyNetwork: return
        case .tls(let credentials): context = try credentials.context(for: .server)
        case .mutualTLS(let credentials, _):
            context = try credentials.context(for: .serverOfKnownClients)
        }
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }
}

extension ServerCore {
    /// Whether whoever connects from an address is on this machine.
    func isLocal(_ remote: SocketAddress?) -> Bool {
        if case .unix = configuration.address { return true }
        return remote.map { RPCAddress($0).isLocal } ?? false
    }
}

extension ServerConnection {
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if phase == .securing, case .handshakeCompleted(let name)? = event as? TLSUserEvent {
            phase = .awaitingPreface
            timers.leaveTimeToTell()
            armTimers()
            do throws(Status) {
                try secured(context, name)
                if name == TLSMaterial.httpProtocol { beginHTTP(context) }
            } catch {
                fail(error)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// TLS stands: the peer is who its certificate says.
    private func secured(_ context: ChannelHandlerContext, _ name: String?) throws(Status) {
        guard name == TLSMaterial.applicationProtocol || name == TLSMaterial.httpProtocol else {
            throw Status(
                .invalidArgument,
                "This server speaks \(TLSMaterial.applicationProtocol), agreed on by TLS (ALPN).")
        }
        guard case .mutualTLS(let credentials, let policy) = core.configuration.security else {
            return
        }
        let identity: PeerIdentity
        do throws(TLSFault) {
            identity = try Self.identity(of: context.peerCertificate, at: WallSeconds.now)
            let own = try credentials.ownIdentity
            guard identity.installation == own.installation else {
                throw TLSFault("\(identity) is not of the installation \(own.installation)")
            }
        } catch {
            throw Status(.unauthenticated, "TLS handshake: \(error).")
        }
        if let refusal = core.admission.enter(identity) { throw refusal }
        peer = Peer(peer.description, identity: identity, isLocal: peer.isLocal)
        grants = policy.grants(of: identity)
    }

    /// What an error of the connection means.
    func words(for error: any Error, _ context: ChannelHandlerContext) -> String {
        guard core.configuration.security.credentials != nil else { return "\(error)" }
        return TLSFault(error, showing: context.peerCertificate, at: WallSeconds.now).description
    }

    private static func identity(
        of certificate: NIOSSLCertificate?, at now: Int
    ) throws(TLSFault) -> PeerIdentity {
        guard let certificate else { throw TLSFault("the client showed no certificate") }
        // A resumed session is not verified again.
        guard certificate.notValidAfter >= now else {
            throw TLSFault("the certificate of the client has expired")
        }
        return try PeerIdentity(of: certificate)
    }

    /// Refuses a method that the peer was not granted.
    func authorize(_ method: MethodDescriptor) throws(Status) {
        guard let grants, !grants.include(method) else { return }
        throw Status(
            .permissionDenied,
            "The peer \(peer.identity?.name ?? "?") may not call \(method.path).",
            details: [RPCReason.peerNotGranted.detail()])
    }
}
