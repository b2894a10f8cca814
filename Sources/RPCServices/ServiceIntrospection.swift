internal import FoundationEssentials
public import Messages
public import RPC
public import RPCTransport

/// Tells operators what this server does now: its limits, its connections and its calls.
///
/// It names peers and methods and repeats the sentences of statuses; requests, replies and metadata
/// it does not have. So it answers whoever is on this machine and peers that were granted it; a
/// program may admit others.
public struct ServiceIntrospection: IntrospectionService {
    /// The full name of the service, which decides itself who may call it.
    public static let serviceName = IntrospectionMethods.getServer.service

    private static let pageDefault = 100
    private static let connectionsPageMax = 1_000
    private static let methodsPageMax = 200

    private let monitor: RPCServerMonitor
    private let now: @Sendable () -> Timestamp
    private let admit: @Sendable (CallContext) throws -> Void

    /// Introspection of the server that is made with a monitor.
    ///
    /// - Parameters:
    ///   - monitor: That of the server's configuration.
    ///   - now: What time it is.
    ///   - admit: Asked about callers who are neither on this machine nor peers with an identity;
    ///     throws the refusal.
    public init(
        of monitor: RPCServerMonitor, now: @escaping @Sendable () -> Timestamp = Self.systemTime,
        admit: @escaping @Sendable (CallContext) throws -> Void = Self.refuse
    ) {
        self.monitor = monitor
        self.now = now
        self.admit = admit
    }

    /// The time of this machine.
    public static let systemTime: @Sendable () -> Timestamp = {
        let seconds = Date().timeIntervalSince1970
        return Timestamp(
            seconds: Int64(seconds),
            nanos: Int32((seconds - seconds.rounded(.down)) * 1_000_000_000))
    }

    /// Admits nobody from elsewhere.
    public static let refuse: @Sendable (CallContext) throws -> Void = { _ in
        throw Status(.permissionDenied, "This call is for callers on the same machine.")
    }

    /// Answers what the server is, its limits and its counts.
    public func getServer(
        _ request: GetServerRequest, _ context: CallContext
    ) async throws -> ServerDescription {
        try expect(context)
        return ServerDescription(await monitor.server(), at: now())
    }

    /// Answers a page of the connections there are.
    public func listConnections(
        _ request: ListConnectionsRequest, _ context: CallContext
    ) async throws -> ListConnectionsReply {
        try expect(context)
        let last = try Self.number(request.pageToken)
        let rest = await monitor.connections().filter { $0.number > last }
        let page = rest.prefix(Self.count(request.pageSize, max: Self.connectionsPageMax))
        return ListConnectionsReply(
            connections: page.map { ConnectionDescription($0) },
            nextPageToken: page.count < rest.count ? page.last.map { "\($0.number)" } ?? "" : "")
    }

    /// Answers a page of methods with what has become of their calls.
    public func listMethods(
        _ request: ListMethodsRequest, _ context: CallContext
    ) async throws -> ListMethodsReply {
        try expect(context)
        let rest = await monitor.methods().filter { method in
            method.path > request.pageToken
                && (request.service.isEmpty || method.service == request.service)
        }
        let now = now()
        let page = rest.prefix(Self.count(request.pageSize, max: Self.methodsPageMax))
        return ListMethodsReply(
            methods: page.map { MethodDescription($0, at: now) },
            nextPageToken: page.count < rest.count ? page.last?.path ?? "" : "")
    }

    private func expect(_ context: CallContext) throws {
        // A peer with an identity would not be here without a grant.
        if context.peer.isLocal || context.peer.identity != nil { return }
        try admit(context)
    }

    private static func count(_ pageSize: UInt32, max: Int) -> Int {
        pageSize == 0 ? pageDefault : min(Int(pageSize), max)
    }

    private static func number(_ pageToken: String) throws(Status) -> UInt64 {
        guard !pageToken.isEmpty else { return 0 }
        guard let number = UInt64(pageToken) else {
            let sentence = "This is not a token of this server."
            throw Status(
                .invalidArgument, sentence,
                details: [.badRequest([.init(field: "page_token", description: sentence)])])
        }
        return number
    }
}

extension ServerDescription {
    fileprivate init(_ report: ServerReport, at now: Timestamp) {
        let version = report.agent.split(separator: "/", maxSplits: 1).dropFirst().first
        self.init(
            agent: report.agent, version: version.map(String.init) ?? "",
            startedAt: now.before(report.age),
            uptime: ProtobufDuration(report.age), draining: report.isDraining,
            threads: UInt32(clamping: report.threads),
            connections: UInt32(clamping: report.connections),
            handshakes: UInt32(clamping: report.handshakes),
            callsSuspended: UInt32(clamping: report.callsSuspended),
            streamsOpen: UInt32(clamping: report.streamsOpen),
            callsQueued: UInt32(clamping: report.callsQueued), callsBegun: report.callsBegun,
            callsSucceeded: report.callsSucceeded, callsFailed: report.callsFailed,
            callsOfUnknownMethods: report.callsOfUnknownMethods,
            limits: report.limits.map { ServerLimit($0) })
    }
}

extension ServerLimit {
    fileprivate init(_ limit: ServerReport.Limit) {
        switch limit.value {
        case .count(let count): self.init(name: limit.name, value: .count(Int64(count)))
        case .time(let time):
            self.init(name: limit.name, value: .time(ProtobufDuration(time)))
        }
    }
}

extension ConnectionDescription {
    fileprivate init(_ report: ConnectionReport) {
        self.init(
            number: report.number, peer: report.peer.description,
            identity: report.peer.identity?.description ?? "",
            phase: ConnectionPhase(report.phase), age: ProtobufDuration(report.age),
            callsInFlight: UInt32(clamping: report.callsInFlight),
            bytesReceived: report.bytesReceived, bytesSent: report.bytesSent)
    }
}

extension ConnectionPhase {
    fileprivate init(_ phase: ConnectionReport.Phase) {
        self =
            switch phase {
            case .handshake: .handshake
            case .open: .open
            case .draining: .draining
            case .closing: .closing
            }
    }
}

extension MethodDescription {
    fileprivate init(_ report: MethodReport, at now: Timestamp) {
        let failed = report.failed.sorted { $0.key.rawValue < $1.key.rawValue }
        self.init(
            path: report.path, begun: report.begun, succeeded: report.succeeded,
            failed: failed.map { CodeCount(code: $0.key.rawValue, count: $0.value) },
            inFlight: report.inFlight, latency: LatencyBucket.all(of: report.latency),
            latencySum: ProtobufDuration(report.latency.sum),
            slow: report.slow.map { RecordedCall($0, at: now) },
            failures: report.failures.map { RecordedCall($0, at: now) },
            suspended: UInt32(clamping: report.concurrency?.suspended ?? 0),
            suspendedMax: UInt32(clamping: report.concurrency?.max ?? 0))
    }
}

extension LatencyBucket {
    fileprivate static func all(of histogram: LatencyHistogram) -> [LatencyBucket] {
        histogram.counts.enumerated().filter { $0.element > 0 }.map { position, count in
            let isLast = position == LatencyHistogram.bounds.count
            return LatencyBucket(
                upTo: isLast ? nil : ProtobufDuration(LatencyHistogram.bounds[position]),
                count: count)
        }
    }
}

extension RecordedCall {
    fileprivate init(_ call: MethodReport.Call, at now: Timestamp) {
        self.init(
            endedAt: now.before(call.age),
            duration: ProtobufDuration(call.duration), code: call.code.rawValue,
            message: call.message)
    }
}

extension Timestamp {
    /// The time so long before.
    fileprivate func before(_ age: Duration) -> Timestamp {
        let (seconds, attoseconds) = age.components
        var earlier = Timestamp(
            seconds: self.seconds - seconds, nanos: nanos - Int32(attoseconds / 1_000_000_000))
        if earlier.nanos < 0 {
            earlier.seconds -= 1
            earlier.nanos += 1_000_000_000
        }
        return earlier
    }
}

extension ProtobufDuration {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
