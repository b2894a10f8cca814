public import Logging
import NIOCore
import NIOPosix
public import RPC
import Synchronization

/// Serves the methods of a router on a TCP port or a Unix socket.
///
/// ``run()`` serves until its task is cancelled or ``shutdownGracefully()`` is called; it then
/// drains and returns.
public final class RPCServer: Sendable {
    private enum State {
        case starting([CheckedContinuation<RPCAddress, any Error>])
        case bound(RPCAddress)
        case failed(any Error)
    }

    private let core: ServerCore
    private let ownsLoops: Bool
    private let state = Mutex<State>(.starting([]))
    private let shutdown = Signal()

    /// A server that has yet to run.
    ///
    /// - Parameters:
    ///   - router: The methods to serve.
    ///   - configuration: Where to listen, and the limits.
    ///   - loops: The threads; nil starts two of its own.
    ///   - monitor: Tells what the server does, for services of its own that tell it on.
    ///   - logger: Hears of errors of handlers that nobody foresaw, and of connections, at debug.
    public init(
        router: Router, configuration: RPCServerConfiguration, loops: RPCEventLoops? = nil,
        monitor: RPCServerMonitor? = nil, logger: Logger = Logger(label: "guildhall.rpc")
    ) {
        ownsLoops = loops == nil
        core = ServerCore(
            router: router, configuration: configuration, loops: loops ?? RPCEventLoops(),
            logger: logger)
        monitor?.watch(core)
    }

    /// Where the server listens, with the port it was given; waits until it does.
    ///
    /// - Throws: What kept the server from listening.
    public var boundAddress: RPCAddress {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    switch state {
                    case .starting(let already):
                        state = .starting(already + [continuation])
                    case .bound(let address): continuation.resume(returning: address)
                    case .failed(let error): continuation.resume(throwing: error)
                    }
                }
            }
        }
    }

    /// The connections there are now.
    public var connectionCount: Int { core.admission.connectionCount }

    /// Listens and serves until cancelled or told to shut down, then drains.
    ///
    /// - Throws: When the address cannot be listened on, or not so unprotected.
    public func run() async throws {
        guard let credentials = core.configuration.security.credentials else {
            return try await serve()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await credentials.run() }
            defer { group.cancelAll() }
            try await serve()
        }
    }

    private func serve() async throws {
        let listener: any NIOCore.Channel
        do {
            try core.configuration.security.check(core.configuration.address)
            listener = try await bind()
        } catch {
            settle(.failed(error))
            if ownsLoops { await core.loops.shutDown() }
            throw error
        }
        settle(.bound(RPCAddress(listener.localAddress)))
        await withTaskCancellationHandler {
            await shutdown.wait()
        } onCancel: {
            shutdown.send()
        }
        await drain(listener)
        if ownsLoops { await core.loops.shutDown() }
    }

    /// Begins to drain: no further connections or calls; ``run()`` returns when the calls in flight
    /// have ended or their time is over.
    public func shutdownGracefully() {
        shutdown.send()
    }

    private func settle(_ outcome: State) {
        let waiters: [CheckedContinuation<RPCAddress, any Error>] = state.withLock { state in
            defer { state = outcome }
            guard case .starting(let waiters) = state else { return [] }
            return waiters
        }
        for waiter in waiters {
            switch outcome {
            case .bound(let address): waiter.resume(returning: address)
            case .failed(let error): waiter.resume(throwing: error)
            default: break
            }
        }
    }

    private func bind() async throws -> any NIOCore.Channel {
        let core = core
        let limits = core.configuration.limits
        let bootstrap = ServerBootstrap(group: core.loops.group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.writeLowWaterBytes, high: limits.writeHighWaterBytes)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try core.configuration.security.protect(channel)
                    let context = core.loops.context(of: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHandler(
                        ServerConnection(
                            core, core.serverLoop(on: context), remote: channel.remoteAddress))
                }
            }
        switch core.configuration.address {
        case .tcp(let host, let port):
            return try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: host, port: port).get()
        case .unix(let path):
            return try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true
            ).get()
        }
    }

    private func drain(_ listener: any NIOCore.Channel) async {
        // An error here says that it is closed already.
        try? await listener.close()
        let limits = core.configuration.limits
        let end = MonotonicInstant.now.advanced(by: limits.drainTimeout)
        core.beginDraining()
        core.onEachLoop { loop in
            for connection in loop.connections.values { connection.drain() }
        }
        await pause(until: .now.advanced(by: min(limits.streamDrainTimeout, limits.drainTimeout)))
        core.onEachLoop { loop in
            for connection in loop.connections.values { connection.endCalls(streamsOnly: true) }
        }
        await pause(until: end)
        core.onEachLoop { loop in
            for connection in loop.connections.values { connection.endCalls(streamsOnly: false) }
        }
        await pause(until: .now.advanced(by: .seconds(1)))
        core.onEachLoop { loop in
            for connection in loop.connections.values { connection.closeNow() }
        }
        core.release()
    }

    /// Waits until an instant, or until the last connection has gone.
    private func pause(until end: MonotonicInstant) async {
        let step = Duration.milliseconds(5)
        while core.admission.connectionCount > 0, MonotonicInstant.now < end {
            let loop = core.loops.next().loop
            // The task may be cancelled, which must not cut the drain short: so no Task.sleep.
            let tick = loop.scheduleTask(in: TimeAmount(step)) {}
            try? await tick.futureResult.get()
        }
    }
}
