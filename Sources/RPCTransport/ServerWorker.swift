import NIOCore
import RPC

/// A task that runs handlers, with the call that it is at.
final class ServerWorker {
    /// How a handler ended.
    private enum Outcome {
        case reply(OutgoingMessage)
        case end(Status?)
    }

    private let loop: ServerLoop
    private var connection: ServerConnection?
    private(set) var call: UInt32 = 0
    private(set) var deadline = Deadline.never
    private(set) var lane = Admission.Lane.unary
    private(set) var stream: MessageOutbox?
    private var requests: MessageInbox?
    /// Set once a handler has suspended; the task then ends with this call.
    private var task: Task<Void, Never>?
    /// Whether the caller has its answer or wants none.
    private(set) var isAnswered = false
    private(set) var isFinished = false

    init(_ loop: ServerLoop) {
        self.loop = loop
    }

    /// Runs ready calls until there is none, or one has suspended and ended.
    static func work(_ bound: NIOLoopBound<ServerWorker>) async {
        while let call = bound.value.begin() {
            let outcome = await run(call, bound)
            guard bound.value.end(outcome) else { break }
        }
        bound.value.isFinished = true
    }

    private func begin() -> AcceptedCall? {
        guard let accepted = loop.next() else { return nil }
        connection = accepted.connection
        call = accepted.call
        deadline = accepted.deadline
        lane = accepted.lane
        isAnswered = accepted.connection.isClosed
        requests = accepted.requests
        switch accepted.method.handler {
        case .serverStreaming, .bidirectional:
            stream = MessageOutbox(
                accepted.connection, loop.context, call: call, credit: Int(accepted.window))
        case .unary, .synchronous, .clientStreaming: break
        }
        return accepted
    }

    private static func run(
        _ accepted: AcceptedCall, _ bound: NIOLoopBound<ServerWorker>
    ) async -> Outcome {
        guard !bound.value.isAnswered else { return .end(nil) }
        guard !accepted.deadline.hasPassed() else { return .end(ServerConnection.late) }
        let context = CallContext(
            method: accepted.method.descriptor, metadata: accepted.metadata,
            deadline: accepted.deadline, peer: accepted.connection.peer)
        do {
            let reply =
                if accepted.deadline.isNever {
                    try await answer(accepted, context, bound)
                } else {
                    try await Deadline.$current.withValue(accepted.deadline) {
                        try await answer(accepted, context, bound)
                    }
                }
            return reply.map { .reply($0) } ?? .end(nil)
        } catch {
            return .end(Status(thrown: error))
        }
    }

    /// Runs the handler; nil when its replies have been streamed.
    private static func answer(
        _ accepted: AcceptedCall, _ context: CallContext, _ bound: NIOLoopBound<ServerWorker>
    ) async throws -> OutgoingMessage? {
        switch accepted.method.handler {
        case .unary(let handler): return try await handler(accepted.payload, context)
        case .synchronous(let handler): return try handler(accepted.payload, context)
        case .serverStreaming(let handler):
            guard let replies = bound.value.replies else { return nil }
            try await handler(accepted.payload, context, replies)
            return nil
        case .clientStreaming(let handler):
            guard let reader = bound.value.reader else { return nil }
            return try await handler(reader, context)
        case .bidirectional(let handler):
            guard let reader = bound.value.reader, let replies = bound.value.replies else {
                return nil
            }
            try await handler(reader, context, replies)
            return nil
        }
    }

    /// Whether messages of the call stream, either way.
    var isStreaming: Bool { stream != nil || requests != nil }

    private var replies: ReplyWriter? { stream.map { ReplyWriter($0.handle.send) } }

    private var reader: MessageReader? {
        guard let requests, let connection else { return nil }
        return connection.reader(of: requests, call)
    }

    /// Answers the call; false when this task has suspended and takes no further call.
    private func end(_ outcome: Outcome) -> Bool {
        guard let connection else { return false }
        closeStreams()
        if !isAnswered {
            switch outcome {
            case .reply(let message): connection.answer(call, message)
            case .end(let status): connection.end(call, status)
            }
        }
        let hasSuspended = task != nil
        if hasSuspended { loop.giveBack(lane) }
        connection.didEnd(call, wasSuspended: hasSuspended)
        self.connection = nil
        stream = nil
        requests = nil
        return !hasSuspended
    }

    /// The handler has suspended: from now on its call is in flight beside others.
    func didSuspend(_ task: Task<Void, Never>) {
        self.task = task
        loop.core.admission.take(lane)
        connection?.didSuspend(self)
        if isAnswered { task.cancel() }
    }

    /// Cancels the handler; its outcome is of no interest any more.
    func cancel() {
        isAnswered = true
        closeStreams()
        task?.cancel()
    }

    private func closeStreams() {
        stream?.close()
        requests?.end(CancellationError(), discards: true)
    }
}
