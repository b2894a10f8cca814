import NIOCore
import NIOSSL
import NIOTLS
import RPC

/// Keeps a client's connection back until TLS stands and the server has proved who it is, and says
/// in words why it does not.
final class TLSClientGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let expected: PeerIdentity?
    private let timeout: Duration
    private var timer: Scheduled<Void>?
    private var isOpen = false

    init(expecting expected: PeerIdentity?, within timeout: Duration) {
        self.expected = expected
        self.timeout = timeout
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            let (gate, context) = bound.value
            gate.refuse(context, TLSFault("TLS handshake: it took longer than \(gate.timeout)"))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent, !isOpen {
            do throws(TLSFault) {
                try check(context, name)
                isOpen = true
                timer?.cancel()
                context.fireChannelActive()
            } catch {
                refuse(context, error)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func check(
        _ context: ChannelHandlerContext, _ name: String?
    ) throws(TLSFault) {
        guard name == TLSMaterial.applicationProtocol else {
            throw TLSFault(
                "TLS handshake: the server does not speak \(TLSMaterial.applicationProtocol)")
        }
        guard let expected else { return }
        guard let certificate = context.peerCertificate else {
            throw TLSFault("TLS handshake: the server showed no certificate")
        }
        let found = try PeerIdentity(of: certificate)
        guard found == expected else {
            throw TLSFault("TLS handshake: the server is \(found), expected \(expected)")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // That the connection was lost is said when it goes.
        if isOpen, case NIOSSLError.uncleanShutdown? = error as? NIOSSLError { return }
        context.fireErrorCaught(
            TLSFault(error, showing: context.peerCertificate, at: WallSeconds.now))
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func refuse(_ context: ChannelHandlerContext, _ fault: TLSFault) {
        guard !isOpen else { return }
        timer?.cancel()
        context.fireErrorCaught(fault)
        context.close(promise: nil)
    }
}

extension ChannelHandlerContext {
    /// What the other side has shown.
    var peerCertificate: NIOSSLCertificate? {
        // Without TLS there is none.
        try? pipeline.syncOperations.nioSSL_peerCertificate()
    }
}

extension RPCClientSecurity {
    /// Puts the protection in front of a new connection to an address that was checked.
    ///
    /// - Parameters:
    ///   - channel: The connection, still without handlers.
    ///   - target: Where it leads.
    ///   - timeout: How long the handshake may take.
    /// - Throws: ``TLSFault`` when the certificates cannot be used.
    func protect(
        _ channel: any NIOCore.Channel, to target: RPCAddress, within timeout: Duration
    ) throws {
        guard case .tls(let credentials, let server) = self else { return }
        let handler = try NIOSSLClientHandler(
            context: try credentials.context(for: server.role),
            serverHostname: server.hostName(at: target))
        var expected: PeerIdentity?
        if case .identity(let identity) = server { expected = identity }
        try channel.pipeline.syncOperations.addHandlers(
            handler, TLSClientGate(expecting: expected, within: timeout))
    }
}

extension RPCClientSecurity.ExpectedServer {
    /// The name in the certificate; nil when it is a number, or an identity is looked for.
    fileprivate func hostName(at target: RPCAddress) -> String? {
        let name: String
        switch (self, target) {
        case (.identity, _), (.host, .unix): return nil
        case (.name(let given), _): name = given
        case (.host, .tcp(let host, _)): name = host
        }
        let isNumber = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return isNumber ? nil : name
    }
}
