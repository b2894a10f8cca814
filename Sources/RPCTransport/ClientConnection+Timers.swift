import NIOCore
import RPC

extension ClientConnection {
    /// What may fall due on a connection, under one timer.
    struct Timers {
        enum Due {
            case handshake
            case calls
            case ping
            case pong
            case age
        }

        /// Servers that announce no shortest time between pings tolerate this one.
        private static let pingIntervalMinDefault: Duration = .seconds(10)

        private let configuration: RPCClientConfiguration
        private var timer: DueTimer
        private var handshakeDue: MonotonicInstant?
        private var callDue: MonotonicInstant?
        private var ageDue: MonotonicInstant?
        private var pingInterval: Duration
        private var lastFrames = MonotonicInstant.now
        private var pingSent: MonotonicInstant?

        init(_ loop: any EventLoop, _ configuration: RPCClientConfiguration) {
            self.configuration = configuration
            timer = DueTimer(loop)
            pingInterval = configuration.pingInterval
            handshakeDue = lastFrames.advanced(by: configuration.handshakeTimeout)
        }

        mutating func didShakeHands(
            at now: MonotonicInstant, pingIntervalMin: Duration
        ) {
            handshakeDue = nil
            let tolerated =
                pingIntervalMin == .zero ? Self.pingIntervalMinDefault : pingIntervalMin
            pingInterval = max(configuration.pingInterval, tolerated)
            noteAge(from: now)
        }

        /// The connection is to be replaced when it is of age, counted from an instant.
        mutating func noteAge(from now: MonotonicInstant) {
            let jitter = configuration.connectionAgeJitter
            ageDue = now.advanced(by: configuration.connectionAge.spread(by: jitter))
        }

        mutating func noteFrames(at now: MonotonicInstant) {
            lastFrames = now
            pingSent = nil
        }

        mutating func notePing(at now: MonotonicInstant) { pingSent = now }
        mutating func setCallDue(_ due: MonotonicInstant?) { callDue = due }

        /// Notes the deadline of a call; nearly always the timer is set for something earlier.
        ///
        /// - Returns: Whether it is; otherwise it is to be armed.
        mutating func noteCall(due: MonotonicInstant) -> Bool {
            callDue = min(callDue ?? due, due)
            return timer.isArmed(for: due)
        }

        private var quietDue: MonotonicInstant {
            if let pingSent { return pingSent.advanced(by: configuration.pongTimeout) }
            return lastFrames.advanced(by: pingInterval)
        }

        private var next: MonotonicInstant {
            // Until the handshake nothing else can fall due.
            if let handshakeDue { return handshakeDue }
            var due = quietDue
            if let callDue { due = min(due, callDue) }
            if let ageDue { due = min(due, ageDue) }
            return due
        }

        /// When to look again, unless the timer is set for it.
        var dueUnarmed: MonotonicInstant? {
            let due = next
            return timer.isArmed(for: due) ? nil : due
        }

        /// What has fallen due first, if anything.
        func due(at now: MonotonicInstant) -> Due? {
            if let handshakeDue { return handshakeDue <= now ? .handshake : nil }
            if let callDue, callDue <= now { return .calls }
            if quietDue <= now { return pingSent == nil ? .ping : .pong }
            if let ageDue, ageDue <= now { return .age }
            return nil
        }

        mutating func arm(
            _ due: MonotonicInstant, _ body: @escaping @Sendable () -> Void
        ) {
            timer.arm(due, body)
        }

        mutating func fired() { timer.fired() }
        mutating func cancel() { timer.cancel() }
    }

    func armTimers() {
        guard phase != .closed, let due = timers.dueUnarmed else { return }
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        timers.arm(due) { bound.value.timersFired() }
    }

    private func timersFired() {
        timers.fired()
        let now = MonotonicInstant.now
        while phase != .closed, let due = timers.due(at: now) {
            switch due {
            case .handshake:
                close(Status(.unavailable, "The server did not send its settings in time."))
                return
            case .pong:
                close(Status(.unavailable, "The server does not answer."))
                return
            case .calls: endLateCalls(at: now)
            case .ping:
                timers.notePing(at: now)
                send(.ping(number: 1))
            case .age:
                // Counted anew: should the successor fail to connect, this one stays in use.
                timers.noteAge(from: now)
                link.renew(self)
            }
        }
        armTimers()
    }

    private func endLateCalls(at now: MonotonicInstant) {
        var next: MonotonicInstant?
        for (number, call) in calls.all where !call.deadline.isNever {
            if call.deadline.hasPassed(at: now) {
                calls.remove(number)
                send(.cancel(call: number))
                // A stream that ends by its deadline was answered all the time.
                if call.bytes.received == 0 { link.didMiss(call, over: self) }
                fail(call, .deadlineExceeded, Self.late, .sent)
            } else {
                next = min(next ?? call.deadline.instant, call.deadline.instant)
            }
        }
        timers.setCallDue(next)
        link.balancer.pump()
        closeIfDrained()
    }
}
