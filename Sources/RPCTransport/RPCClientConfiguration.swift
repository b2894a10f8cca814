import RPC

/// How a client connects, waits and retries.
public struct RPCClientConfiguration: Sendable {
    /// The program and its version, announced to the server.
    public var agent = "guildhall"
    /// How connections are protected.
    public var security = RPCClientSecurity.plaintext
    /// Whether frames travel compressed to and from servers that want it, too.
    public var compression = RPCCompression.off
    /// Connections to each address; nil is one per thread.
    public var connectionsMax: Int?
    /// Addresses used at a time; of more than this, each client draws its own.
    public var addressesMax = 16
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
    /// So many failures in a row, and an address takes no calls for a while: `UNAVAILABLE` is a
    /// failure, and so are a call that is not answered by its deadline and a connection that is
    /// lost.
    public var ejectionFailures = 5
    /// How long it takes none: drawn from half of this to this, doubled each time.
    public var ejectionBase: Duration = .seconds(1)
    /// The doubled time grows up to this.
    public var ejectionMax: Duration = .seconds(30)
    /// Attempts of a call that may be repeated.
    public var attemptsMax = 3
    /// The pause before another attempt: drawn from 0 to this, doubled each time.
    public var retryBase: Duration = .milliseconds(100)
    /// A server that asks for a longer pause than this wants no further attempt.
    public var retryPauseMax: Duration = Deadline.timeoutMax
    /// Further attempts, hedging included, that may be made in a row.
    public var retryTokensMax = 10
    /// So many calls must succeed before one further attempt more may be made.
    public var successesPerRetryToken = 10
    /// Calls that wait for a connection, or for a place on it, on each thread.
    public var queueMax = 1_024
    /// A connection without frames is pinged after this time, or after the shortest time that the
    /// server tolerates if it is longer.
    public var pingInterval: Duration = .seconds(60)
    /// A connection that was pinged is given up when no frame arrives in this time.
    public var pongTimeout: Duration = .seconds(20)
    /// A connection is replaced after this time, give or take ``connectionAgeJitter``.
    public var connectionAge: Duration = .seconds(1_800)
    /// The part by which ages differ, so that connections are not replaced all at once.
    public var connectionAgeJitter = 0.1
    /// Connections are closed when no call was made for this time; the next call connects again.
    public var idleTimeout: Duration = .seconds(240)
    /// Is told of attempts, retries, ejections and connections, on the client's threads.
    public var observer: (@Sendable (RPCClientEvent) -> Void)?

    /// The defaults.
    public init() {}
}
