import NIOCore
import RPC

extension ServerConnection {
    static let draining = Status(.unavailable, "The server is shutting down.")
    static let aged = Status(.unavailable, "The connection has reached its age.")

    /// The server stops: tells the client to go elsewhere; calls in flight may end.
    func drain() {
        guard phase == .open else {
            if phase != .draining { fail(Self.draining) }
            return
        }
        leave(Self.draining, within: limits.drainTimeout)
    }

    /// The connection has been there for long: calls in flight may end, others go elsewhere.
    ///
    /// So the client's calls find their way to servers that came later.
    func retire() {
        guard phase == .open else { return }
        timers.noteGrace(from: .now)
        leave(Self.aged, within: limits.connectionGrace)
    }

    private func leave(_ status: Status, within time: Duration) {
        phase = .draining
        send(.goaway(Frame.Goaway(lastCall: lastCall, status: status, drain: time)))
        closeIfDrained()
    }

    /// The client has said that it sends no further calls.
    func stopTaking() {
        if phase == .open { phase = .draining }
        closeIfDrained()
    }

    /// Ends what is still in flight: streams first, everything at the end of the drain time.
    func endCalls(streamsOnly: Bool, telling status: Status = ServerConnection.draining) {
        for (number, call) in calls.all where !call.isAnswered {
            if streamsOnly, !call.isStreaming { continue }
            call.cancel(telling: status)
            end(number, status)
        }
        closeIfDrained()
    }

    func closeIfDrained() {
        guard phase == .draining, !isInBurst else { return }
        let unanswered = calls.all.contains { !$0.value.isAnswered }
        guard !unanswered, openCalls == calls.count else { return }
        close()
    }

    func scheduleDrainCheck() {
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        loop.context.loop.execute { bound.value.closeIfDrained() }
    }
}
