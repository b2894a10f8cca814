import Logging
import NIOCore
import NIOPosix
import RPC

/// One address of the target as one thread sees it, with the connection to it.
///
/// It lives on its event loop. While the target is in use it sees to it that there is a connection,
/// and takes the address out of use for a while when it fails again and again.
final class ClientLink {
    enum State {
        /// No connection is wanted.
        case idle
        case connecting(ClientConnection)
        /// The last attempt to connect failed; the next begins then.
        case pausing(until: MonotonicInstant)
        case ready(ClientConnection)
        /// It answers, but failed too often: it takes no calls until then.
        case ejected(ClientConnection, until: MonotonicInstant)
        /// One call finds out whether it is well again.
        case probing(ClientConnection, by: ClientCall?)
        /// The address has gone, or the client is closed; calls in flight may end.
        case closed
    }

    let address: RPCAddress
    let balancer: ClientBalancer
    let core: ClientCore
    let configuration: RPCClientConfiguration
    let loop: LoopContext
    private(set) var state = State.idle
    /// Every connection there is: the one in use, its successor, and those that drain.
    private(set) var connections: [ClientConnection] = []
    /// Takes the place of the one in use once it is ready.
    private var successor: ClientConnection?
    /// In a row: attempts to connect, lost connections and `UNAVAILABLE`.
    private var failures = 0
    /// In a row, beside them: calls that were not answered in time.
    ///
    /// They say nothing of whether a connection can be had.
    private var misses = 0
    private var ejections = 0
    private var notBefore = MonotonicInstant.now
    private var timer: DueTimer

    init(_ address: RPCAddress, _ balancer: ClientBalancer) {
        self.address = address
        self.balancer = balancer
        core = balancer.core
        configuration = core.configuration
        loop = balancer.loop
        timer = DueTimer(loop.loop)
    }

    /// The connection of this state, if any.
    private var current: ClientConnection? {
        switch state {
        case .idle, .pausing, .closed: nil
        case .connecting(let connection), .ready(let connection), .ejected(let connection, _),
            .probing(let connection, _):
            connection
        }
    }

    /// Whether the address is out of order, as far as is known.
    var isFailing: Bool {
        switch state {
        case .pausing, .ejected, .probing: true
        case .connecting: failures > 0
        case .idle, .ready, .closed: false
        }
    }

    private func move(to state: State) {
        self.state = state
        core.observe(.address(address, state.publicState))
        balancer.linkDidChange()
    }

    // MARK: Connecting

    /// Connects, or begins the pause before, unless that has begun.
    func connect() {
        guard case .idle = state else { return }
        guard notBefore <= .now else {
            move(to: .pausing(until: notBefore))
            armTimer(notBefore)
            return
        }
        attempt()
    }

    /// Cuts a pause short: no other address takes calls.
    func hurry() {
        guard case .pausing = state else { return }
        notBefore = .now
        attempt()
    }

    /// Replaces the connection by a new one, which takes over once it is ready.
    func renew(_ old: ClientConnection) {
        guard case .ready(let connection) = state, connection === old, successor == nil else {
            return
        }
        let next = ClientConnection(self)
        successor = next
        open(next)
    }

    private func attempt() {
        let connection = ClientConnection(self)
        // Noted before, for the attempt may fail at once.
        move(to: .connecting(connection))
        open(connection)
    }

    private func open(_ connection: ClientConnection) {
        connections.append(connection)
        let bound = NIOLoopBound(connection, eventLoop: loop.loop)
        let link = NIOLoopBound(self, eventLoop: loop.loop)
        do throws(TLSFault) {
            try configuration.security.check(address)
        } catch {
            loop.loop.execute { link.value.didFailToConnect(bound.value, error) }
            return
        }
        let bootstrap = ClientBootstrap(group: loop.loop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { [address, configuration] channel in
                channel.eventLoop.makeCompletedFuture {
                    try configuration.security.protect(
                        channel, to: address, within: configuration.handshakeTimeout)
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        let attempt =
            switch address {
            case .tcp(let host, let port):
                bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        attempt.whenFailure { error in link.value.didFailToConnect(bound.value, error) }
    }

    private func didFailToConnect(_ connection: ClientConnection, _ error: any Error) {
        var phase = error is TLSFault ? CallPhase.secure : .connect
        var why = "\(error)"
        if let error = error as? NIOConnectionError {
            if error.connectionErrors.isEmpty {
                phase = .resolve
            } else {
                why = error.connectionErrors.map { "\($0.error)" }.joined(separator: "; ")
            }
        }
        connections.removeAll { $0 === connection }
        connectionFailed(connection, why, phase)
    }

    /// An attempt has failed: the next comes later.
    private func connectionFailed(
        _ connection: ClientConnection, _ why: String, _ phase: CallPhase
    ) {
        if successor === connection {
            successor = nil
            return
        }
        guard case .connecting(let attempted) = state, attempted === connection else { return }
        failures += 1
        backOff()
        core.logger.debug(
            "not connected",
            metadata: ["address": "\(address)", "phase": "\(phase)", "why": "\(why)"])
        move(to: .pausing(until: notBefore))
        armTimer(notBefore)
        balancer.linkDidFail(self, why, phase)
    }

    private func backOff() {
        let bound = Duration.doubled(
            configuration.backoffBase, times: failures - 1, max: configuration.backoffMax)
        notBefore = .now.advanced(by: .random(upTo: bound))
    }

    func didBecomeReady(_ connection: ClientConnection) {
        if successor === connection {
            successor = nil
            let old = current
            move(to: .ready(connection))
            old?.retire()
        } else if case .connecting(let expected) = state, expected === connection {
            move(to: .ready(connection))
        } else {
            connection.retire()
        }
    }

    // MARK: Calls

    /// The connection, if it may be given any call; with `all`, even if it is ejected.
    func connectionForCalls(_ all: Bool) -> ClientConnection? {
        switch state {
        case .ready(let connection): connection
        case .ejected(let connection, _), .probing(let connection, _): all ? connection : nil
        case .idle, .connecting, .pausing, .closed: nil
        }
    }

    /// The connection, if it waits for the one call that finds out whether it is well.
    var connectionForProbe: ClientConnection? {
        guard case .probing(let connection, by: nil) = state, connection.hasPlace else {
            return nil
        }
        return connection
    }

    func probe(by call: ClientCall) {
        guard case .probing(let connection, by: nil) = state else { return }
        // The balancer knows.
        state = .probing(connection, by: call)
    }

    /// The server answered a call: the address is well unless it said `UNAVAILABLE`, or that the
    /// time was over.
    func didAnswer(_ call: ClientCall, _ code: Status.Code, over connection: ClientConnection) {
        switch code {
        case .unavailable:
            failures += 1
            return didFail(call, over: connection)
        case .deadlineExceeded: return didMiss(call, over: connection)
        default: break
        }
        guard failures + misses > 0 else { return }
        failures = 0
        misses = 0
        ejections = 0
        switch state {
        case .ejected(let current, _) where current === connection,
            .probing(let current, _) where current === connection:
            move(to: .ready(connection))
        default: break
        }
    }

    /// The caller gave a call up, which says nothing of the address.
    func didAbandon(_ call: ClientCall) {
        guard case .probing(let connection, .some(let probe)) = state, probe === call else {
            return
        }
        move(to: .probing(connection, by: nil))
    }

    /// The deadline of a call has passed without an answer: a server that takes calls and answers
    /// none is as bad as one that refuses them.
    func didMiss(_ call: ClientCall, over connection: ClientConnection) {
        misses += 1
        didFail(call, over: connection)
    }

    private func didFail(_ call: ClientCall, over connection: ClientConnection) {
        switch state {
        case .ready(let current) where current === connection:
            guard failures + misses >= configuration.ejectionFailures, balancer.mayEject else {
                return
            }
            eject(connection)
        case .probing(let current, .some(let probe)) where current === connection && probe === call:
            eject(connection)
        default: break
        }
    }

    private func eject(_ connection: ClientConnection) {
        ejections += 1
        let bound = Duration.doubled(
            configuration.ejectionBase, times: ejections - 1, max: configuration.ejectionMax)
        let until = MonotonicInstant.now.advanced(by: bound * Double.random(in: 0.5...1))
        move(to: .ejected(connection, until: until))
        armTimer(until)
    }

    // MARK: Ends

    /// The connection takes no further calls; it goes once those in flight have ended.
    func didDrain(_ connection: ClientConnection) {
        guard current === connection else { return }
        core.refreshes.request()
        replaceCurrent()
    }

    func didClose(_ connection: ClientConnection, wasReady: Bool, why: String) {
        connections.removeAll { $0 === connection }
        guard current === connection, wasReady else {
            connectionFailed(connection, why, connection.phaseOfFailure)
            balancer.linkDidEmpty(self)
            return
        }
        failures += 1
        // The first loss may be an accident; a server that drops every connection is given time.
        if failures > 1 { backOff() }
        core.refreshes.request()
        replaceCurrent()
    }

    private func replaceCurrent() {
        if let next = successor {
            successor = nil
            move(to: .connecting(next))
            return
        }
        move(to: .idle)
        if balancer.isActive { connect() }
    }

    /// No connection is wanted until ``connect()``.
    func rest() { leave(for: .idle) }

    /// The address is not to be used any more; calls in flight may end.
    func retire() { leave(for: .closed) }

    private func leave(for state: State) {
        let leaving = [current, successor].compactMap { $0 }
        successor = nil
        timer.cancel()
        move(to: state)
        for connection in leaving { connection.retire() }
    }

    /// Ends everything.
    func close() {
        timer.cancel()
        successor = nil
        move(to: .closed)
        for connection in connections {
            connection.close(Status(.cancelled, "The client is closed."))
        }
    }

    // MARK: Timers

    private func armTimer(_ due: MonotonicInstant) {
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        timer.arm(due) { bound.value.timerFired() }
    }

    private func timerFired() {
        timer.fired()
        let now = MonotonicInstant.now
        switch state {
        case .pausing(let until):
            guard until <= now else { return armTimer(until) }
            attempt()
        case .ejected(let connection, let until):
            guard until <= now else { return armTimer(until) }
            move(to: .probing(connection, by: nil))
        default: break
        }
    }
}

extension ClientLink.State {
    /// The state as observers are told.
    var publicState: RPCAddressState {
        switch self {
        case .idle: .idle
        case .connecting: .connecting
        case .pausing: .pausing
        case .ready: .ready
        case .ejected: .ejected
        case .probing: .probing
        case .closed: .closed
        }
    }
}
