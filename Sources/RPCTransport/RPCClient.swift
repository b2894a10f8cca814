public import Logging
import NIOCore
public import RPC
import Synchronization

/// Carries calls over the network to the servers of a target.
///
/// It connects to all of them when the first call comes, sends each call to the less busy of two
/// drawn at random, and follows the target as servers come and go. Calls that may be repeated are
/// tried at most ``RPCClientConfiguration/attemptsMax`` times within their deadline, elsewhere if
/// there is an elsewhere. A server that fails again and again is left alone for a while.
public final class RPCClient: RPC.Channel {
    /// The connections of one thread; only there are they touched.
    final class Place: Sendable {
        let loop: LoopContext
        private let balancer: NIOLoopBoundBox<ClientBalancer?>

        init(_ loop: LoopContext) {
            self.loop = loop
            balancer = .makeEmptyBox(eventLoop: loop.loop)
        }

        func run(
            _ client: RPCClient, _ body: @escaping @Sendable (ClientBalancer) -> Void
        ) {
            loop.run { body(self.current(client)) }
        }

        /// The balancer, on its thread; made when it is first needed.
        func current(_ client: RPCClient) -> ClientBalancer {
            if let balancer = balancer.value { return balancer }
            let made = ClientBalancer(client.core, loop)
            balancer.value = made
            client.begin(made)
            return made
        }

        /// Tells the thread what was resolved, unless it was never used.
        func apply(_ resolution: Resolution) {
            loop.loop.execute { self.balancer.value?.apply(resolution) }
        }
    }

    private enum Resolving {
        case notBegun
        /// With what was found last.
        case begun(Task<Void, Never>, Resolution?)
        case closed
    }

    /// Where the servers are.
    public var target: RPCTarget { core.target }
    /// The most calls that a server takes on one connection at a time.
    ///
    /// One of the target announced it last; nil before. Calls beyond wait in the client.
    public var callsPerConnectionMax: Int? {
        let announced = core.callsPerConnection.load(ordering: .relaxed)
        return announced == 0 ? nil : announced
    }
    let core: ClientCore
    private let loops: RPCEventLoops
    private let ownsLoops: Bool
    private let places: [Place]
    private let turn = Atomic<Int>(0)
    private let resolving = Mutex(Resolving.notBegun)

    /// A client that has yet to connect.
    ///
    /// - Parameters:
    ///   - target: Where the servers are.
    ///   - configuration: How to connect, wait and retry.
    ///   - loops: The threads; nil starts one of its own, which ``close()`` stops.
    ///   - logger: Hears of connections, at debug.
    public init(
        _ target: RPCTarget, configuration: RPCClientConfiguration = RPCClientConfiguration(),
        loops: RPCEventLoops? = nil,
        logger: Logger = Logger(label: "guildhall.rpc")
    ) {
        core = ClientCore(target, configuration, logger)
        ownsLoops = loops == nil
        let loops = loops ?? RPCEventLoops(threadCount: 1)
        self.loops = loops
        let count = max(1, configuration.connectionsMax ?? loops.loops.count)
        places = (0..<count).map { Place(loops.loops[$0 % loops.loops.count]) }
    }

    /// A client of one server that has yet to connect.
    ///
    /// - Parameters:
    ///   - address: Where the server is.
    ///   - configuration: How to connect, wait and retry.
    ///   - loops: The threads; nil starts one of its own, which ``close()`` stops.
    ///   - logger: Hears of connections, at debug.
    public convenience init(
        _ address: RPCAddress, configuration: RPCClientConfiguration = RPCClientConfiguration(),
        loops: RPCEventLoops? = nil,
        logger: Logger = Logger(label: "guildhall.rpc")
    ) {
        self.init(
            RPCTarget([address]), configuration: configuration, loops: loops, logger: logger)
    }

    /// Closes the connections; calls in flight and later ones fail.
    public func close() async {
        let task: Task<Void, Never>? = resolving.withLock { resolving in
            defer { resolving = .closed }
            guard case .begun(let task, _) = resolving else { return nil }
            return task
        }
        task?.cancel()
        for place in places { place.run(self) { $0.close() } }
        if ownsLoops { await loops.shutDown() }
    }

    /// A connection on the calling thread if it is an event loop, or else the next in turn.
    func place() -> Place {
        if let near = places.first(where: { $0.loop.loop.inEventLoop }) { return near }
        let next = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return places[Int(UInt(bitPattern: next) % UInt(places.count))]
    }

    // MARK: Resolving

    /// Tells a thread's new balancer what was found so far, and begins to look if none has.
    private func begin(_ balancer: ClientBalancer) {
        guard case .resolver(let resolver) = core.target.source else { return }
        let found: Resolution? = resolving.withLock { resolving in
            switch resolving {
            case .notBegun:
                // Its parent is the client, which outlives no close().
                resolving = .begun(Task { await self.follow(resolver) }, nil)
                return nil
            case .begun(_, let found): return found
            case .closed: return nil
            }
        }
        if let found { balancer.apply(found) }
    }

    private func follow(_ resolver: any Resolver) async {
        for await resolution in resolver.resolutions(core.refreshes) {
            guard !Task.isCancelled else { return }
            core.observe(.resolved(resolution))
            resolving.withLock { resolving in
                guard case .begun(let task, _) = resolving else { return }
                resolving = .begun(task, resolution)
                // Within the lock: no thread is told of anything once the client is closed.
                for place in places { place.apply(resolution) }
            }
        }
    }
}
