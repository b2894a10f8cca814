import Logging
import NIOCore
import NIOPosix
import RPC

/// One place for a connection to the target, with the calls that wait for it.
///
/// It connects when calls come, and again when the connection was lost. It lives on its event loop.
final class ClientLink {
    private enum State {
        case idle
        case connecting
        /// The last attempt failed; the next begins when the pause is over.
        case pausing
        case ready(ClientConnection)
        case closed
    }

    let target: RPCAddress
    let configuration: RPCClientConfiguration
    let loop: LoopContext
    private let logger: Logger
    private var state = State.idle
    private var waiting: [ClientCall] = []
    private var failures = 0
    private var notBefore = ContinuousClock.now
    private var timer: DueTimer

    init(
        _ target: RPCAddress, _ configuration: RPCClientConfiguration, _ loop: LoopContext,
        _ logger: Logger
    ) {
        self.target = target
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
        timer = DueTimer(loop.loop)
    }

    // MARK: Calls

    func enqueue(_ call: ClientCall) {
        guard !call.isOver else { return }
        if waiting.isEmpty, case .ready(let connection) = state, connection.hasPlace {
            connection.start(call)
            return
        }
        guard waiting.count < configuration.queueMax else {
            fail(call, .resourceExhausted, "\(waiting.count) calls wait already", .queue)
            return
        }
        if case .closed = state {
            fail(call, .unavailable, "the client is closed", .queue)
            return
        }
        waiting.append(call)
        if case .idle = state { connect() }
        armTimer()
    }

    /// The caller no longer wants the call.
    func cancel(_ call: ClientCall) {
        guard !call.isOver else { return }
        if call.number == 0 {
            waiting.removeAll { $0 === call }
        } else {
            for connection in connections { connection.cancel(call) }
        }
        call.end(.failure(ClientCall.cancelled))
        pump()
    }

    func giveCredit(_ bytes: Int, to call: ClientCall) {
        for connection in connections { connection.giveCredit(bytes, to: call) }
    }

    /// Sends what waits, as far as there are places.
    func pump() {
        while let first = waiting.first, case .ready(let connection) = state, connection.hasPlace {
            waiting.removeFirst()
            if !first.isOver { connection.start(first) }
        }
        if !waiting.isEmpty, case .idle = state { connect() }
    }

    func late(_ call: ClientCall, _ phase: CallPhase) -> AttemptFailure {
        call.failure(.deadlineExceeded, "the deadline has passed", peer: target, phase: phase)
    }

    private func fail(_ call: ClientCall, _ code: Status.Code, _ why: String, _ phase: CallPhase) {
        call.end(.failure(call.failure(code, why, peer: target, phase: phase)))
    }

    // MARK: Connections

    /// Every connection that still carries calls: the one in use and those that drain.
    private var connections: [ClientConnection] = []

    private func connect() {
        guard notBefore <= .now else {
            state = .pausing
            armTimer()
            return
        }
        do throws(TLSFault) {
            try configuration.security.check(target)
        } catch {
            pause("\(error)", .secure)
            return
        }
        state = .connecting
        let connection = ClientConnection(self)
        let bound = NIOLoopBound(connection, eventLoop: loop.loop)
        let link = NIOLoopBound(self, eventLoop: loop.loop)
        let bootstrap = ClientBootstrap(group: loop.loop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { [target, configuration] channel in
                channel.eventLoop.makeCompletedFuture {
                    try configuration.security.protect(
                        channel, to: target, within: configuration.handshakeTimeout)
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        let attempt =
            switch target {
            case .tcp(let host, let port):
                bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connections.append(connection)
        attempt.whenFailure { error in
            link.value.connections.removeAll { $0 === bound.value }
            link.value.didFailToConnect(error)
        }
    }

    private func didFailToConnect(_ error: any Error) {
        var phase = CallPhase.connect
        var why = "\(error)"
        if let error = error as? NIOConnectionError {
            if error.connectionErrors.isEmpty {
                phase = .resolve
            } else {
                why = error.connectionErrors.map { "\($0.error)" }.joined(separator: "; ")
            }
        }
        pause(why, phase)
    }

    /// An attempt has failed: calls that do not wait hear of it; the next attempt comes later.
    private func pause(_ why: String, _ phase: CallPhase) {
        if case .closed = state { return }
        failures += 1
        let doubled = configuration.backoffBase * (1 << min(failures - 1, 10))
        let pause = Duration.random(upTo: min(doubled, configuration.backoffMax))
        notBefore = .now.advanced(by: pause)
        logger.debug(
            "not connected",
            metadata: ["target": "\(target)", "phase": "\(phase)", "why": "\(why)"])
        let refused = waiting.filter { !$0.options.waitsForReady }
        waiting.removeAll { !$0.options.waitsForReady }
        state = waiting.isEmpty ? .idle : .pausing
        for call in refused { fail(call, .unavailable, why, phase) }
        armTimer()
    }

    func didBecomeReady(_ connection: ClientConnection) {
        if case .closed = state {
            connection.close(Status(.cancelled, "The client is closed."))
            return
        }
        state = .ready(connection)
        pump()
    }

    /// The server answered a call: the connection is a good one.
    func didHear() { failures = 0 }

    /// The connection takes no further calls; it goes once those in flight have ended.
    func didDrain(_ connection: ClientConnection) {
        guard case .ready(let current) = state, current === connection else { return }
        state = .idle
        pump()
    }

    func didClose(_ connection: ClientConnection, wasReady: Bool, why: String) {
        connections.removeAll { $0 === connection }
        switch state {
        case .connecting where !wasReady: pause(why, connection.phaseOfFailure)
        case .ready(let current) where current === connection:
            state = .idle
            if failures > 0 { notBefore = .now.advanced(by: configuration.backoffBase) }
            failures += 1
            pump()
        default: break
        }
    }

    func close() {
        state = .closed
        timer.cancel()
        let rest = waiting
        waiting = []
        for call in rest { fail(call, .unavailable, "the client was closed", .queue) }
        for connection in connections {
            connection.close(Status(.cancelled, "The client is closed."))
        }
    }

    // MARK: Timers

    private func armTimer() {
        var due = waiting.filter { !$0.deadline.isNever }.map(\.deadline.instant).min()
        if case .pausing = state { due = min(due ?? notBefore, notBefore) }
        guard let due, !timer.isArmed(for: due) else { return }
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        timer.arm(due) { bound.value.timerFired() }
    }

    private func timerFired() {
        timer.fired()
        let now = ContinuousClock.now
        let overdue = waiting.filter { $0.deadline.hasPassed(at: now) }
        if !overdue.isEmpty { waiting.removeAll { $0.deadline.hasPassed(at: now) } }
        let phase: CallPhase
        if case .ready = state { phase = .queue } else { phase = .connect }
        for call in overdue { call.end(.failure(late(call, phase))) }
        if case .pausing = state, notBefore <= now {
            state = .idle
            pump()
        }
        armTimer()
    }
}

extension Duration {
    /// Full jitter: anything from zero to a bound.
    static func random(upTo bound: Duration) -> Duration {
        bound * Double.random(in: 0...1)
    }
}
