import NIOCore
import RPC
import Synchronization

/// How far an attempt of a call has come.
enum CallPhase: String, Sendable {
    case resolve
    case connect
    case queue
    case sent
    case answered
}

/// Why an attempt of a call failed.
struct AttemptFailure: Error {
    let status: Status
    /// Whether the server certainly has not begun the call.
    let isUnseen: Bool
}

/// One attempt of one call, from the caller's side.
///
/// Its state belongs to the event loop of the connection that carries it.
final class ClientCall: Sendable {
    typealias Outcome = Result<BufferPayload, AttemptFailure>

    /// Where replies go.
    enum Sink: Sendable {
        case unary
        case stream(ReplyInbox)
    }

    private struct State: Sendable {
        var number: UInt32 = 0
        var isOver = false
        var continuation: CheckedContinuation<Outcome, Never>?
    }

    let method: MethodDescriptor
    let request: OutgoingMessage
    let options: CallOptions
    let deadline: Deadline
    let sink: Sink
    let began = ContinuousClock.now
    private let state: NIOLoopBoundBox<State>

    init(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        deadline: Deadline, sink: Sink, loop: LoopContext
    ) {
        self.method = method
        self.request = request
        self.options = options
        self.deadline = deadline
        self.sink = sink
        state = .makeBoxSendingValue(State(), eventLoop: loop.loop)
    }

    /// The number on its connection; 0 until it is sent.
    var number: UInt32 {
        get { state.value.number }
        set { state.value.number = newValue }
    }

    var isOver: Bool { state.value.isOver }

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
        guard case .stream(let inbox) = sink else { return false }
        return inbox.append(reply, byteCount: byteCount)
    }

    /// Ends the attempt; only the first end counts.
    func end(_ outcome: Outcome) {
        guard !state.value.isOver else { return }
        state.value.isOver = true
        switch sink {
        case .unary:
            state.value.continuation?.resume(returning: outcome)
            state.value.continuation = nil
        case .stream(let inbox):
            switch outcome {
            case .success: inbox.end(nil)
            case .failure(let failure): inbox.end(failure)
            }
        }
    }

    static let cancelled = AttemptFailure(
        status: Status(.cancelled, "The call was cancelled."), isUnseen: false)

    /// A failure that arose on this side: it names the peer, the phase, whether the server can have
    /// seen the call, and the time spent.
    func failure(
        _ code: Status.Code, _ why: String, peer: RPCAddress, phase: CallPhase
    ) -> AttemptFailure {
        let isUnseen = phase != .sent && phase != .answered
        let spent = began.duration(to: .now) / Duration.milliseconds(1)
        let sight = isUnseen ? "has not seen the call" : "may have seen the call"
        return AttemptFailure(
            status: Status(
                code,
                "\(peer): \(why) (\(method.path), phase \(phase.rawValue), the server \(sight), "
                    + "after \(Int(spent)) ms)",
                details: [
                    .errorInfo(
                        reason: "rpc_failed", domain: "guildhall.rpc",
                        metadata: [
                            "peer": "\(peer)", "phase": phase.rawValue,
                            "seen": isUnseen ? "no" : "maybe",
                        ])
                ]),
            isUnseen: isUnseen)
    }
}

/// The replies of a stream between the connection and the caller.
final class ReplyInbox: Sendable {
    private struct Reply {
        let payload: BufferPayload
        let byteCount: Int
    }

    private struct State {
        var replies: [Reply] = []
        var head = 0
        var byteCount = 0
        var consumed = 0
        var end: Result<Void, AttemptFailure>?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let window: Int
    private let byteCountMax: Int
    private let state = Mutex(State())

    init(_ configuration: RPCClientConfiguration) {
        window = Int(configuration.streamWindow)
        byteCountMax = window + configuration.frameBytesMax
    }

    func append(_ payload: BufferPayload, byteCount: Int) -> Bool {
        let (isWithin, reader) = state.withLock { state in
            state.byteCount += byteCount
            state.replies.append(Reply(payload: payload, byteCount: byteCount))
            defer { state.reader = nil }
            return (state.byteCount <= byteCountMax, state.reader)
        }
        reader?.resume()
        return isWithin
    }

    func end(_ failure: AttemptFailure?) {
        let reader = state.withLock { state in
            state.end = failure.map { .failure($0) } ?? .success(())
            if failure?.status.code == .cancelled { state.head = state.replies.count }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// The next reply; nil when the stream has ended well.
    func next() async throws(AttemptFailure) -> BufferPayload? {
        while true {
            let found = state.withLock { Self.take(&$0) }
            switch found {
            case .success(let payload?): return payload
            case .success(nil): return nil
            case .failure(let failure): throw failure
            case nil: break
            }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.head < state.replies.count || state.end != nil { return true }
                    state.reader = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    private static func take(_ state: inout State) -> Result<BufferPayload?, AttemptFailure>? {
        guard state.head < state.replies.count else {
            return state.end?.map { nil }
        }
        let reply = state.replies[state.head]
        state.head += 1
        state.byteCount -= reply.byteCount
        state.consumed += reply.byteCount
        if state.head == state.replies.count {
            state.replies.removeAll(keepingCapacity: state.replies.capacity <= 64)
            state.head = 0
        }
        return .success(reply.payload)
    }

    /// The credit to give to the server for replies that were consumed; 0 while it is small.
    func creditToGive() -> Int {
        state.withLock { state in
            guard state.consumed >= window / 2 else { return 0 }
            defer { state.consumed = 0 }
            return state.consumed
        }
    }
}
