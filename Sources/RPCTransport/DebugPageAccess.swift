import NIOHTTP1
import RPC

/// Who may read the page for operators, `GET /debug` in plain HTTP on the server's own port.
///
/// With mutual TLS it is for the peers that may call `guildhall.rpc.v1.Introspection`, and for no
/// other: machine and token do not count then.
public enum DebugPageAccess: Sendable, Hashable {
    /// Nobody: whoever speaks HTTP is cut off.
    case nobody
    /// Whoever is on this machine.
    case local
    /// Whoever is on this machine, and whoever sends the token: `Authorization: Bearer TOKEN`.
    case localOrToken(String)

    /// The service that a peer with a certificate must have been granted.
    static let service = "guildhall.rpc.v1.Introspection"
    private static let scheme = "Bearer "

    /// Whether a peer without a certificate may read the page.
    func includes(_ peer: Peer, _ headers: HTTPHeaders) -> Bool {
        switch self {
        case .nobody: return false
        case .local: return peer.isLocal && Self.isForThisMachine(headers)
        case .localOrToken(let token):
            if peer.isLocal, Self.isForThisMachine(headers) { return true }
            let sent = headers["authorization"]
            guard sent.count == 1, let first = sent.first, first.hasPrefix(Self.scheme),
                !token.isEmpty
            else { return false }
            return Self.isEqual(first.utf8.dropFirst(Self.scheme.utf8.count), token.utf8)
        }
    }

    /// Whether a browser here was not led here by the name of a foreign page.
    private static func isForThisMachine(_ headers: HTTPHeaders) -> Bool {
        let hosts = headers["host"]
        guard hosts.count <= 1, let host = hosts.first else { return hosts.isEmpty }
        // The port does not matter; a number in brackets has colons of its own.
        let name = host.hasSuffix("]") || !host.contains(":") ? "\(host):0" : host
        return (try? RPCAddress(parsing: name))?.isLocal == true
    }

    /// Whether both are the same; takes the same time wherever they differ.
    private static func isEqual(
        _ sent: some Collection<UInt8>, _ token: some Collection<UInt8>
    ) -> Bool {
        guard sent.count == token.count else { return false }
        return zip(sent, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
