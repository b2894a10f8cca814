public import RPC

/// What a server is and does now, in numbers.
public struct ServerReport: Sendable, Hashable {
    /// The program and its version, as announced to clients.
    public internal(set) var agent = ""
    /// How long ago the server was made.
    public internal(set) var age: Duration = .zero
    /// Whether it takes no further calls.
    public internal(set) var isDraining = false
    /// Threads on which connections are served.
    public internal(set) var threads = 0
    /// Connections there are.
    public internal(set) var connections = 0
    /// Connections whose peers have yet to shake hands.
    public internal(set) var handshakes = 0
    /// Calls of one request and one reply that wait for something.
    public internal(set) var callsSuspended = 0
    /// Streams that are open.
    public internal(set) var streamsOpen = 0
    /// Calls that wait for a place.
    public internal(set) var callsQueued = 0
    /// Calls that named a method that the server has.
    public internal(set) var callsBegun: UInt64 = 0
    /// Calls that were answered with success.
    public internal(set) var callsSucceeded: UInt64 = 0
    /// Calls that were answered with anything else, or not at all.
    public internal(set) var callsFailed: UInt64 = 0
    /// Calls of methods that the server does not have.
    public internal(set) var callsOfUnknownMethods: UInt64 = 0
    /// Its limits.
    public internal(set) var limits: [Limit] = []

    /// A limit with its name in ``RPCServerConfiguration/Limits``.
    public struct Limit: Sendable, Hashable {
        /// The name of the property.
        public let name: String
        /// Its value.
        public let value: Value

        /// The value of a limit.
        public enum Value: Sendable, Hashable {
            /// Bytes, or a number of things.
            case count(Int)
            /// A span of time.
            case time(Duration)
        }
    }
}

/// A connection of a server.
public struct ConnectionReport: Sendable, Hashable {
    /// How far a connection has come.
    public enum Phase: String, Sendable, Hashable {
        /// TLS, the preface or the settings are awaited.
        case handshake
        /// Calls are taken.
        case open
        /// No further calls are taken.
        case draining
        /// The last frame is on its way.
        case closing
    }

    /// Its number in this process; rises from connection to connection.
    public let number: UInt64
    /// Who is at the other end.
    public let peer: Peer
    /// How far it has come.
    public let phase: Phase
    /// How long ago it was accepted.
    public let age: Duration
    /// Calls that were accepted and have not ended.
    public let callsInFlight: Int
    /// Bytes that have arrived, under TLS before encryption.
    public let bytesReceived: UInt64
    /// Bytes that were sent, under TLS before encryption.
    public let bytesSent: UInt64
}

/// The calls of one method since the server was made.
public struct MethodReport: Sendable, Hashable {
    /// A call that has ended.
    public struct Call: Sendable, Hashable {
        /// How long ago it ended.
        public let age: Duration
        /// From the arrival of the call to its answer being written.
        public let duration: Duration
        /// The code that it was answered with.
        public let code: Status.Code
        /// The sentence of its status, cut to 200 bytes.
        public let message: String
    }

    /// How many calls of a method may be suspended at once.
    public struct Concurrency: Sendable, Hashable {
        /// Those that are suspended.
        public let suspended: Int
        /// How many may be now, between ``RPCServerConfiguration/Limits/callsPerMethodMin`` and
        /// ``RPCServerConfiguration/Limits/callsPerMethodMax``.
        public let max: Int
    }

    /// The method, as `package.Service/Method`.
    public let path: String
    /// Calls that arrived.
    public internal(set) var begun: UInt64 = 0
    /// Calls that were answered with success.
    public internal(set) var succeeded: UInt64 = 0
    /// All others that have ended; a caller that went away counts as ``Status/Code/cancelled``.
    public internal(set) var failed: [Status.Code: UInt64] = [:]
    /// The times of calls of one request and one reply that were answered.
    public internal(set) var latency = LatencyHistogram()
    /// Its limit, which moves with the times of its calls; nil for streams and reserved services.
    public internal(set) var concurrency: Concurrency?
    /// The last calls that took longer than ``RPCServerConfiguration/Limits/slowCallTime``, newest
    /// first.
    public internal(set) var slow: [Call] = []
    /// The last calls that failed, newest first.
    public internal(set) var failures: [Call] = []

    /// Calls that have not ended.
    public var inFlight: UInt64 {
        let ended = failed.values.reduce(succeeded, &+)
        return begun > ended ? begun - ended : 0
    }

    /// The full name of the service.
    public var service: Substring { path.prefix { $0 != "/" } }
}

extension MethodReport {
    /// So many calls are reported of those that were slow, and of those that failed.
    static let callsMax = MethodTally.recordedCallsMax

    init(_ tally: MethodTally, at now: MonotonicInstant) {
        path = tally.path
        begun = tally.begun
        succeeded = tally.succeeded
        failed = tally.failed
        latency = tally.latency
        slow = tally.slow.reversed().map { Call($0, at: now) }
        failures = tally.failures.reversed().map { Call($0, at: now) }
    }

    /// Adds the calls of another thread.
    mutating func add(_ other: MethodReport) {
        begun &+= other.begun
        succeeded &+= other.succeeded
        failed.merge(other.failed, uniquingKeysWith: &+)
        latency.add(other.latency)
        concurrency = concurrency ?? other.concurrency
        slow = Self.newest(slow + other.slow)
        failures = Self.newest(failures + other.failures)
    }

    private static func newest(_ calls: [Call]) -> [Call] {
        Array(calls.sorted { $0.age < $1.age }.prefix(callsMax))
    }
}

extension MethodReport.Call {
    init(_ call: EndedCall, at now: MonotonicInstant) {
        self.init(
            age: call.endedAt.duration(to: now), duration: call.duration, code: call.code,
            message: call.message)
    }
}
