import Logging
import NIOCore
import RPC

extension ServerConnection {
    static let draining = Status(.unavailable, "The server is shutting down.")
    static let aged = Status(
        .unavailable, "The connection has reached its age.",
        details: [RPCReason.connectionAged.detail()])

    static let tooManyPartialFrames = Status(
        .resourceExhausted,
        "The server has no memory for the rest of this frame: too many others are unfinished.")

    /// Says why, and closes: the peer broke the protocol or a limit.
    ///
    /// - Parameters:
    ///   - status: What the peer is told.
    ///   - linger: How long it has to read that; nil is the usual time.
    func fail(_ status: Status, lingering linger: Duration? = nil) {
        guard !isClosed else { return }
        core.logger.debug(
            "connection refused",
            metadata: ["peer": "\(peer)", "code": "\(status.code)", "why": "\(status.message)"])
        leaveHandshake(if: phase.isHandshake)
        guard phase != .securing, phase != .answeringHTTP else {
            // Nothing can be said before TLS stands, nor in frames to who does not know them.
            phase = .closing
            closeNow()
            return
        }
        send(.goaway(Frame.Goaway(lastCall: lastCall, status: status)))
        close(lingering: linger)
    }

    /// Flushes, closes the outgoing half and gives the peer a moment to read.
    ///
    /// - Parameters:
    ///   - time: How long the peer has to take what is on its way to it, before the moment begins;
    ///     nil for one that has no claim to it.
    ///   - linger: How long the moment is; nil is the usual time.
    func close(after time: Duration? = nil, lingering linger: Duration? = nil) {
        guard !isClosed, let context else { return }
        phase = .closing
        abandonCalls()
        assembler.discard()
        countPartialFrame()
        writeOut(context)
        timers.linger(from: .now, after: time ?? .zero, for: linger)
        var isTaken: EventLoopPromise<Void>?
        if time != nil {
            isTaken = context.eventLoop.makePromise()
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            isTaken?.futureResult.whenSuccess { bound.value.lingerOn() }
        }
        context.close(mode: .output, promise: isTaken)
        armTimers()
    }

    /// The peer has taken everything but, perhaps, what its sockets hold.
    private func lingerOn() {
        guard phase == .closing else { return }
        timers.linger(from: .now)
        armTimers()
    }

    func closeNow() {
        context?.close(promise: nil)
    }

    // MARK: Draining

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
        timers.noteGrace(from: .now)
        guard phase == .open else { return }
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
        for (_, call) in calls.all where !call.isAnswered {
            if streamsOnly, !call.isStreaming { continue }
            cutOff(call, status)
        }
        closeIfDrained()
    }

    func closeIfDrained() {
        guard phase == .draining, !isInBurst else { return }
        let unanswered = calls.all.contains { !$0.value.isAnswered }
        guard !unanswered, openCalls == calls.count else { return }
        close(after: limits.unwritableTimeout)
    }

    func scheduleDrainCheck() {
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        loop.context.loop.execute { bound.value.closeIfDrained() }
    }
}
