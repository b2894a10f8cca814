import NIOCore
import RPC

extension ServerConnection {
    /// What may fall due on a connection, under one timer.
    struct Timers {
        private let limits: RPCServerConfiguration.Limits
        private var timer: DueTimer
        private var handshakeDue: MonotonicInstant?
        private var frameDue: MonotonicInstant?
        private var callDue: MonotonicInstant?
        private var unwritableDue: MonotonicInstant?
        private var lingerDue: MonotonicInstant?
        private var ageDue: MonotonicInstant?
        private var graceDue: MonotonicInstant?
        private var lastFrames: MonotonicInstant
        private var pingSent: MonotonicInstant?
        private var lastPing: MonotonicInstant?
        private var pingsTooSoon = 0

        init(
            _ loop: any EventLoop, _ limits: RPCServerConfiguration.Limits,
            now: MonotonicInstant
        ) {
            self.limits = limits
            timer = DueTimer(loop)
            lastFrames = now
            handshakeDue = now.advanced(by: limits.handshakeTimeout)
        }

        /// From now on the peer can be told that its time is over, within that time.
        mutating func leaveTimeToTell() {
            handshakeDue = handshakeDue?.advanced(
                by: .zero - linger(within: limits.handshakeTimeout))
        }

        /// How long a peer that has not kept to a time has to read why it is closed.
        private func linger(within timeout: Duration) -> Duration {
            min(limits.lingerTime, timeout / 2)
        }

        /// When a connection is told that a time is over, to be gone by its end.
        private func due(_ timeout: Duration, from now: MonotonicInstant) -> MonotonicInstant {
            now.advanced(by: timeout - linger(within: timeout))
        }

        mutating func endHandshake(at now: MonotonicInstant) {
            handshakeDue = nil
            ageDue = now.advanced(by: limits.connectionAge.spread(by: limits.connectionAgeJitter))
        }

        /// The connection is to be closed once its calls have had some time.
        mutating func noteGrace(from now: MonotonicInstant) {
            graceDue = now.advanced(by: limits.connectionGrace)
        }

        mutating func setCallDue(_ due: MonotonicInstant?) { callDue = due }
        mutating func noteWritable() { unwritableDue = nil }
        mutating func cancel() { timer.cancel() }
        mutating func fired() { timer.fired() }

        mutating func noteCall(due: MonotonicInstant) {
            callDue = min(callDue ?? due, due)
        }

        mutating func noteFrames(at now: MonotonicInstant, partial: Bool) {
            lastFrames = now
            pingSent = nil
            if !partial {
                frameDue = nil
            } else if frameDue == nil {
                frameDue = due(limits.frameTimeout, from: now)
            }
        }

        /// A frame has ended: what follows it is another.
        mutating func noteWholeFrame() { frameDue = nil }

        mutating func noteUnwritable(at now: MonotonicInstant) {
            if unwritableDue == nil {
                unwritableDue = now.advanced(by: limits.unwritableTimeout)
            }
        }

        mutating func linger(
            from now: MonotonicInstant, after time: Duration = .zero, for linger: Duration? = nil
        ) {
            let due = now.advanced(by: time + (linger ?? limits.lingerTime))
            self = Timers(lingering: self, until: due)
        }

        private init(lingering old: Timers, until due: MonotonicInstant) {
            self = old
            handshakeDue = nil
            frameDue = nil
            callDue = nil
            unwritableDue = nil
            ageDue = nil
            graceDue = nil
            lingerDue = due
        }

        mutating func acceptsPing(at now: MonotonicInstant) -> Bool {
            if let lastPing, lastPing.duration(to: now) < limits.peerPingIntervalMin {
                pingsTooSoon += 1
            }
            lastPing = now
            return pingsTooSoon < limits.peerPingsTooSoonMax
        }

        /// When the timer must fire, if it is not set for then or earlier.
        func dueUnarmed(hasCalls: Bool) -> MonotonicInstant? {
            var due = lingerDue ?? handshakeDue ?? quietDue(hasCalls: hasCalls)
            for candidate in [frameDue, callDue, unwritableDue, ageDue, graceDue] {
                if let candidate { due = min(due, candidate) }
            }
            return timer.isArmed(for: due) ? nil : due
        }

        mutating func arm(
            _ due: MonotonicInstant, _ body: @escaping @Sendable () -> Void
        ) {
            timer.arm(due, body)
        }

        private func quietDue(hasCalls: Bool) -> MonotonicInstant {
            guard hasCalls else { return lastFrames.advanced(by: limits.idleTimeout) }
            if let pingSent { return due(limits.pongTimeout, from: pingSent) }
            return lastFrames.advanced(by: limits.pingInterval)
        }

        /// What has fallen due.
        enum Due {
            case linger
            case failure(Status, lingering: Duration? = nil)
            case calls
            case age
            case grace
            case ping
            case idle
        }

        mutating func due(at now: MonotonicInstant, hasCalls: Bool) -> Due? {
            if let lingerDue { return lingerDue <= now ? .linger : nil }
            if let handshakeDue, handshakeDue <= now {
                return .failure(
                    Status(.deadlineExceeded, "The handshake took too long."),
                    lingering: linger(within: limits.handshakeTimeout))
            }
            if let frameDue, frameDue <= now {
                return .failure(
                    Status(.deadlineExceeded, "A frame took too long to arrive."),
                    lingering: linger(within: limits.frameTimeout))
            }
            if let unwritableDue, unwritableDue <= now {
                return .failure(
                    Status(.resourceExhausted, "The peer did not take what was sent."))
            }
            if let callDue, callDue <= now { return .calls }
            if let graceDue, graceDue <= now {
                self.graceDue = nil
                return .grace
            }
            if let ageDue, ageDue <= now {
                self.ageDue = nil
                return .age
            }
            guard handshakeDue == nil, quietDue(hasCalls: hasCalls) <= now else { return nil }
            guard hasCalls else { return .idle }
            guard pingSent == nil else {
                return .failure(
                    Status(.unavailable, "The peer does not answer."),
                    lingering: linger(within: limits.pongTimeout))
            }
            pingSent = now
            return .ping
        }
    }

    /// How often a client may cancel.
    struct CancelRate {
        private let limits: RPCServerConfiguration.Limits
        private var periodStart: MonotonicInstant?
        private var count = 0

        init(_ limits: RPCServerConfiguration.Limits) {
            self.limits = limits
        }

        mutating func accepts(at now: MonotonicInstant) -> Bool {
            if let periodStart, periodStart.duration(to: now) < limits.cancelsPeriod {
                count += 1
            } else {
                periodStart = now
                count = 1
            }
            return count <= limits.cancelsMax
        }
    }

    func armTimers() {
        guard phase != .closed, let due = timers.dueUnarmed(hasCalls: openCalls > 0) else {
            return
        }
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        timers.arm(due) { bound.value.timersFired() }
    }

    private func timersFired() {
        timers.fired()
        let now = MonotonicInstant.now
        while let due = timers.due(at: now, hasCalls: openCalls > 0) {
            switch due {
            case .linger:
                closeNow()
                return
            case .failure(let status, let linger):
                fail(status, lingering: linger)
                // Whoever does not read must not keep the connection by not reading.
                if phase == .closing, !hasRoom { closeNow() }
                return
            case .calls: endLateCalls(at: now)
            case .age: retire()
            case .grace: endCalls(streamsOnly: false, telling: Self.aged)
            case .ping: send(.ping(number: 1))
            case .idle:
                fail(Status(.ok, "The connection was idle."))
                return
            }
        }
        armTimers()
    }
}
