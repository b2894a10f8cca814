import RPC

/// How a server listens, and its limits.
public struct RPCServerConfiguration: Sendable {
    /// Where to listen.
    public var address: RPCAddress
    /// How connections are protected.
    public var security = RPCServerSecurity.plaintext
    /// The program and its version, announced to clients: `guildhall-organizations/1.0`.
    public var agent: String
    /// Announced to clients; made at random with the database.
    public var incarnation: [UInt8]
    /// The limits.
    public var limits: Limits
    /// Services whose calls pass when all places are taken: health and introspection.
    public var reservedServices: Set<String>
    /// Further methods whose calls do, by their paths: `package.Service/Method`.
    public var reservedMethods: Set<String> = []

    /// Whether frames travel compressed to and from clients that want it, too.
    public var compression = RPCCompression.off
    /// Who may read the page for operators, `GET /debug`.
    public var debugPage = DebugPageAccess.local

    /// A configuration with default limits.
    public init(address: RPCAddress, agent: String = "guildhall", incarnation: [UInt8] = []) {
        self.address = address
        self.agent = agent
        self.incarnation = incarnation
        limits = Limits()
        reservedServices = Self.servicesOfEveryServer
    }

    /// Health and introspection, which anybody may ask for.
    static let servicesOfEveryServer: Set<String> = [
        "guildhall.rpc.v1.Health", "guildhall.rpc.v1.Introspection",
    ]

    /// Whether the calls of a method have places of their own.
    func reserves(_ method: MethodDescriptor) -> Bool {
        reservedServices.contains(method.service) || reservedMethods.contains(method.path)
    }

    /// What a server gives to its peers at most.
    ///
    /// What one message may hold is no part of it: ``DecodingLimits`` says why.
    public struct Limits: Sendable, Hashable {
        /// The largest frame in bytes; more is refused by its length alone.
        ///
        /// It holds once a client has sent its settings, and where a method is marked bulk. Frames
        /// have at most ``requestBytesMax`` and ``frameHeadBytesMax`` before and elsewhere.
        public var frameBytesMax = Frame.byteCountHardMax
        /// The bytes of a frame beside a request: the method, the metadata, the deadline.
        public var frameHeadBytesMax = 16 * 1_024
        /// The memory in bytes for frames that have begun to arrive, or that wait until their peers
        /// take the replies to others, of all connections; whoever needs more is closed.
        ///
        /// Counted is the memory that they hold, which is of about their size. What a connection
        /// needs for a small frame is not counted: ``partialFrameBytesUncounted``.
        public var partialFrameBytesMax = 64 * 1_024 * 1_024
        /// The memory in bytes that each connection has for such frames in any case, so that large
        /// frames of others do not end calls of the usual size.
        public var partialFrameBytesUncounted = 4 * 1_024
        /// The largest request in bytes of a method that is not marked bulk; a larger one is
        /// refused, and the connection goes on.
        public var requestBytesMax = 64 * 1_024
        /// Credit in bytes for the requests of a call that streams them.
        public var requestWindow = Frame.windowDefault
        /// Calls in flight on a connection.
        public var callsPerConnectionMax = 64
        /// Calls in flight in the process.
        public var callsMax = 256
        /// Suspended calls of one method, unless their times let it be more: see
        /// ``callsPerMethodMax``.
        public var callsPerMethodMin = 8
        /// Suspended calls of one method, unless their times say that fewer get as much done.
        ///
        /// The limit of each method of one request and one reply moves between these two with the
        /// times of its calls; ``MethodReport/concurrency`` tells where it is. Never more than
        /// ``callsMax``. The limit is fixed when both are the same.
        public var callsPerMethodMax = 256
        /// Streams open in the process; they may stay for ever and have places of their own.
        public var streamsMax = 256
        /// Calls of one request and one reply in flight of reserved services and methods; and,
        /// apart from them, streams open of those beside health and introspection.
        public var reservedCallsMax = 16
        /// Of these on one connection.
        public var reservedCallsPerConnectionMax = 8
        /// Streams open of health and introspection: those who watch a server.
        public var reservedStreamsMax = 64
        /// Of these on one connection.
        public var reservedStreamsPerConnectionMax = 4
        /// Calls that wait for a place.
        public var queueMax = 128
        /// The time a call waits for a place.
        public var queueTimeMax: Duration = .milliseconds(100)
        /// Connections.
        public var connectionsMax = 1_024
        /// Connections of one address that have not shaken hands.
        public var handshakesPerAddressMax = 16
        /// Connections of one peer that proved who it is with its certificate.
        public var connectionsPerIdentityMax = 64
        /// From accepting a connection to the client's settings, TLS included.
        public var handshakeTimeout: Duration = .seconds(5)
        /// From a frame's first byte to its last.
        public var frameTimeout: Duration = .seconds(10)
        /// A connection without calls and frames is closed after this time.
        public var idleTimeout: Duration = .seconds(300)
        /// A connection with calls and without frames is pinged after this time.
        public var pingInterval: Duration = .seconds(60)
        /// A connection that was pinged is closed when no frame arrives in this time.
        public var pongTimeout: Duration = .seconds(20)
        /// Pings of the client that come sooner than this close the connection: see
        /// ``peerPingsTooSoonMax``.
        public var peerPingIntervalMin: Duration = .seconds(10)
        /// So many of them do.
        public var peerPingsTooSoonMax = 2
        /// Cancellations on a connection within ``cancelsPeriod``; more close it.
        public var cancelsMax = 200
        /// The time over which cancellations are counted.
        public var cancelsPeriod: Duration = .seconds(30)
        /// A connection that cannot be written to for this time is closed.
        public var unwritableTimeout: Duration = .seconds(30)
        /// After its last frame a connection stays so long for its peer to read why it is closed.
        ///
        /// It is a part of the times after which connections are closed, at most half of each: so
        /// a peer that does not keep to them is gone when they are over.
        public var lingerTime: Duration = .seconds(1)
        /// A connection is drained after this time, give or take ``connectionAgeJitter``.
        ///
        /// Its client connects anew, to whatever servers there are by then.
        public var connectionAge: Duration = .seconds(1_800)
        /// The part by which ages differ, so that clients do not come back all at once.
        public var connectionAgeJitter = 0.1
        /// Calls in flight may take this time once their connection is of age.
        public var connectionGrace: Duration = .seconds(30)
        /// Above so many bytes not yet taken by the peer its frames are not read.
        public var writeHighWaterBytes = 64 * 1_024
        /// Below so many bytes they are read again.
        public var writeLowWaterBytes = 32 * 1_024
        /// Calls in flight may take this time once the server drains.
        public var drainTimeout: Duration = .seconds(10)
        /// Streams may take this time once the server drains.
        public var streamDrainTimeout: Duration = .milliseconds(250)
        /// The deadline of unary calls that name none.
        public var timeoutDefault: Duration = Deadline.timeoutDefault
        /// The latest deadline of unary calls.
        public var timeoutMax: Duration = Deadline.timeoutMax
        /// The last calls that took longer are remembered, for ``RPCServerMonitor``.
        public var slowCallTime: Duration = .milliseconds(500)
        /// What a caller is told to wait when a limit is reached.
        public var retryDelay: Duration = .milliseconds(50)

        /// The default limits.
        public init() {}
    }
}
