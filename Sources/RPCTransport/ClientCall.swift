import NIOCore
import RPC

/// How far an attempt of a call has come.
enum CallPhase: String, Sendable {
    case resolve
    case connect
    /// The address is there, but not protected as it must be, or not who it must be.
    case secure
    case queue
    case sent
    case answered
}

/// Why an attempt of a call failed.
struct AttemptFailure: Error {
    let status: Status
    /// Whether the server certainly has not begun the call.
    let isUnseen: Bool
    /// The server it was sent to, if it was.
    var address: RPCAddress?
}

extension AttemptFailure {
    private static let peerKey = "peer"

    /// What a server answered.
    ///
    /// A limit of the server itself, by `RetryInfo` and its domain in `ErrorInfo`, refuses a call
    /// before it begins. A handler may pass on what another server refused: whoever received that
    /// first has written the peer into it, and so does this.
    init(_ status: Status, from address: RPCAddress) {
        let refusal = Self.refusal(status, by: address)
        self.init(
            status: refusal ?? status, isUnseen: refusal != nil, address: address)
    }

    /// A status that says that the server itself had no place, with the peer written into it.
    private static func refusal(_ status: Status, by address: RPCAddress) -> Status? {
        guard status.code == .resourceExhausted, status.retryDelay != nil else { return nil }
        for (position, detail) in status.details.enumerated() {
            guard case .errorInfo(let reason, RPCReason.domain, var facts) = detail,
                facts[peerKey] == nil
            else { continue }
            facts[peerKey] = "\(address)"
            var marked = status
            marked.details[position] = .errorInfo(
                reason: reason, domain: RPCReason.domain, metadata: facts)
            return marked
        }
        return nil
    }
}

extension Status {
    /// How long the server asks to wait before another attempt.
    var retryDelay: Duration? {
        for detail in details {
            if case .retryInfo(let delay) = detail { return delay }
        }
        return nil
    }
}

/// One attempt of one call, from the caller's side.
///
/// Its state belongs to the event loop of the connection that carries it.
final class ClientCall: Sendable {
    typealias Outcome = Result<Answer, AttemptFailure>

    /// What a server answered to a call that went well.
    struct Answer: Sendable {
        /// Empty when replies stream.
        let reply: BufferPayload
        let trailingMetadata: Metadata
    }

    /// Where replies go.
    enum Sink: Sendable {
        case unary
        /// To two attempts of one call, of which this is one.
        case hedged(HedgedCall)
        /// They stream, and so may the requests.
        case stream(MessageInbox, streamsRequests: Bool)
    }

    private struct State {
        var number: UInt32 = 0
        var isOver = false
        /// Who waits for the reply of a unary call.
        var continuation: CheckedContinuation<Outcome, Never>?
        /// Who waits until a call that streams requests is opened.
        var opening: CheckedContinuation<Opened, Never>?
        /// Where its requests go out once it is.
        var outbox: MessageOutbox?
        /// Without those of its outbox.
        var bytes = RPCClientEvent.Bytes()
    }

    /// A call that streams requests is opened, or has failed before.
    typealias Opened = Result<MessageOutbox.Handle, AttemptFailure>

    let method: MethodDescriptor
    /// The request that goes with the opening; nil when requests stream.
    let request: OutgoingMessage?
    let options: CallOptions
    let deadline: Deadline
    let sink: Sink
    private let attempts: Attempts
    let began = MonotonicInstant.now
    private let state: NIOLoopBoundBox<State>

    init(
        _ method: MethodDescriptor, _ request: OutgoingMessage?, options: CallOptions,
        deadline: Deadline, sink: Sink, loop: LoopContext, _ attempts: Attempts
    ) {
        self.method = method
        self.request = request
        self.options = options
        self.deadline = deadline
        self.sink = sink
        self.attempts = attempts
        state = .makeBoxSendingValue(State(), eventLoop: loop.loop)
    }

    /// The number on its connection; 0 until it is sent.
    var number: UInt32 {
        get { state.value.number }
        set { state.value.number = newValue }
    }

    var isOver: Bool { state.value.isOver }
    /// Where not to send it, if there is an elsewhere.
    var avoided: RPCAddress? { attempts.avoided }

    var streamsRequests: Bool {
        if case .stream(_, let streamsRequests) = sink { streamsRequests } else { false }
    }

    /// Where the requests of an opened call go out, when they stream.
    var outbox: MessageOutbox? { state.value.outbox }

    /// The bytes of its frames so far.
    var bytes: RPCClientEvent.Bytes {
        var bytes = state.value.bytes
        bytes.sent += state.value.outbox?.byteCount ?? 0
        return bytes
    }

    func noteSent(_ byteCount: Int) { state.value.bytes.sent += byteCount }
    func noteReceived(_ byteCount: Int) { state.value.bytes.received += byteCount }

    /// Says who waits until a call that streams requests is opened.
    func setOpening(_ continuation: CheckedContinuation<Opened, Never>) {
        if state.value.isOver {
            continuation.resume(returning: .failure(Self.cancelled))
        } else {
            state.value.opening = continuation
        }
    }

    /// A call that streams requests is opened.
    func didOpen(_ outbox: MessageOutbox) {
        state.value.outbox = outbox
        state.value.opening?.resume(returning: .success(outbox.handle))
        state.value.opening = nil
    }

    /// Says who waits for the reply of a unary call.
    func setContinuation(_ continuation: CheckedContinuation<Outcome, Never>) {
        if state.value.isOver {
            continuation.resume(returning: .failure(Self.cancelled))
        } else {
            state.value.continuation = continuation
        }
    }

    /// A reply of a stream; `byteCount` is the size of its frame.
    ///
    /// - Returns: Whether the server kept within the credit.
    func receive(_ reply: BufferPayload, byteCount: Int) -> Bool {
        guard case .stream(let inbox, _) = sink else { return false }
        noteReceived(byteCount)
        return inbox.append(reply, byteCount: byteCount)
    }

    /// Ends the attempt; only the first end counts.
    func end(_ outcome: Outcome) {
        guard !state.value.isOver else { return }
        state.value.isOver = true
        switch sink {
        case .unary:
            options.noteTrailingMetadata(of: outcome)
            state.value.continuation?.resume(returning: outcome)
            state.value.continuation = nil
        case .hedged(let pair): pair.end(outcome)
        case .stream(let inbox, _):
            options.noteTrailingMetadata(of: outcome)
            switch outcome {
            case .success: inbox.end(nil)
            case .failure(let failure):
                inbox.end(failure, discards: failure.status.code == .cancelled)
                state.value.opening?.resume(returning: .failure(failure))
                state.value.opening = nil
            }
            state.value.outbox?.close(CallEnded())
            state.value.outbox = nil
        }
    }

    static let cancelled = AttemptFailure(
        status: Status(.cancelled, "The call was cancelled."), isUnseen: false)

    /// The attempt as observers are told.
    func attempt(at address: RPCAddress) -> RPCClientEvent.Attempt {
        RPCClientEvent.Attempt(method: method, number: attempts.ordinal, address: address)
    }

    /// A failure that arose on this side: it names the peer, the phase, whether the server can have
    /// seen the call, and where the time went: in this attempt, and in those before with their
    /// pauses.
    func failure(
        _ code: Status.Code, _ why: String, peer: String, phase: CallPhase,
        address: RPCAddress? = nil, reason: RPCReason = .callFailed
    ) -> AttemptFailure {
        let isUnseen = phase != .sent && phase != .answered
        let now = MonotonicInstant.now
        let spent = "\(milliseconds(from: callBegan, to: now)) ms"
        let history =
            attempts.ordinal == 1
            ? "" : ", \(milliseconds(from: began, to: now)) of them in attempt \(attempts.ordinal)"
        let sight = isUnseen ? "has not seen the call" : "may have seen the call"
        return AttemptFailure(
            status: Status(
                code,
                "\(peer): \(why) (\(method.path), phase \(phase.rawValue), the server \(sight), "
                    + "after \(spent)\(history))",
                details: [
                    reason.detail([
                        "peer": peer, "phase": phase.rawValue, "seen": isUnseen ? "no" : "maybe",
                    ])
                ]),
            isUnseen: isUnseen, address: address)
    }

    /// When the first attempt of the call was made.
    var callBegan: MonotonicInstant { attempts.began ?? began }

    private func milliseconds(from start: MonotonicInstant, to end: MonotonicInstant) -> Int {
        Int(start.duration(to: end) / .milliseconds(1))
    }
}

extension CallOptions {
    /// Tells the caller what the server sent at the end of an attempt: the last one counts.
    func noteTrailingMetadata(of outcome: ClientCall.Outcome) {
        guard let trailingMetadata else { return }
        switch outcome {
        case .success(let answer): trailingMetadata.metadata = answer.trailingMetadata
        case .failure(let failure):
            trailingMetadata.metadata = failure.status.trailingMetadata
        }
    }
}
