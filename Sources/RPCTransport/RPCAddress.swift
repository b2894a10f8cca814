import NIOCore

/// Where a server listens or is reached.
public enum RPCAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host, by name or number, and a port; port 0 is any that is free.
    case tcp(host: String, port: Int)
    /// The path of a Unix socket.
    case unix(path: String)

    /// Reads `host:port`, `[v6-address]:port` or `unix:/path`.
    ///
    /// - Throws: ``RPCAddressFault`` when the text is none of these.
    public init(parsing text: String) throws(RPCAddressFault) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty else { throw RPCAddressFault(text: text) }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw RPCAddressFault(text: text) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw RPCAddressFault(text: text) }
        self = .tcp(host: String(host), port: Int(port))
    }

    /// The address as it is written in settings.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The address of a socket.
    init(_ address: SocketAddress?) {
        switch address {
        case .some(let address):
            if let host = address.ipAddress, let port = address.port {
                self = .tcp(host: host, port: port)
            } else {
                self = .unix(path: address.pathname ?? "")
            }
        case nil: self = .unix(path: "")
        }
    }
}

/// A text that is no address.
public struct RPCAddressFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text.
    public let text: String

    /// What is expected instead.
    public var description: String {
        "\"\(text)\" is no address; expected host:port or unix:/path"
    }
}
