import RPC

/// How a client connects, waits and retries.
public struct RPCClientConfiguration: Sendable, Hashable {
    /// The program and its version, announced to the server.
    public var agent = "guildhall"
    /// How connections are protected.
    public var security = RPCClientSecurity.plaintext
    /// Connections to the target; nil is one per thread.
    public var connectionsMax: Int?
    /// The largest frame accepted.
    public var frameBytesMax = Frame.byteCountHardMax
    /// Credit in bytes for the replies of a stream.
    public var streamWindow = Frame.windowDefault
    /// Above so many bytes not yet taken by the server, streams of requests wait.
    public var writeHighWaterBytes = 64 * 1_024
    /// From looking a name up to a connection.
    public var connectTimeout: Duration = .seconds(2)
    /// From a connection to the server's settings, TLS included.
    public var handshakeTimeout: Duration = .seconds(5)
    /// The pause after a failed attempt to connect: drawn from 0 to this, doubled each time.
    public var backoffBase: Duration = .milliseconds(50)
    /// The doubled pause grows up to this.
    public var backoffMax: Duration = .seconds(1)
    /// Attempts of a call that may be repeated.
    public var attemptsMax = 3
    /// The pause before another attempt: drawn from 0 to this, doubled each time.
    public var retryBase: Duration = .milliseconds(100)
    /// Calls that wait for a connection, or for a place on it.
    public var queueMax = 1_024
    /// A connection with calls and without frames is pinged after this time.
    public var pingInterval: Duration = .seconds(60)
    /// A connection that was pinged is given up when no frame arrives in this time.
    public var pongTimeout: Duration = .seconds(20)

    /// The defaults.
    public init() {}
}
