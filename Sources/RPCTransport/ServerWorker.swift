import NIOCore
import RPC

/// A task that runs handlers, one after the other; it waits when there is no call.
///
/// It lives on its event loop, and handlers run there: none of them costs a task or a change of
/// thread. While a handler is suspended its worker is, too, and another runs the next calls.
final class ServerWorker {
    /// How a handler ended.
    enum Outcome {
        case reply(OutgoingMessage)
        case end(Status?)
    }

    private enum State {
        /// Waits for calls.
        case idle(CheckedContinuation<Void, Never>)
        case running
        /// Its task has ended or is about to: there were enough others, or it was cancelled.
        case retired
    }

    private let loop: ServerLoop
    private var state = State.running
    private var task: Task<Void, Never>?
    /// It was woken and nobody will see whether the handlers that it runs suspend.
    private var countsAtOnce = false
    /// The call whose handler runs or is suspended.
    private(set) var call: ServerCall?
    /// Those of its handler.
    private let trailingMetadata = TrailingMetadataSlot()

    init(_ loop: ServerLoop) {
        self.loop = loop
    }

    /// Begins to take calls; they run once the loop's executor gets to it.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        task = Task.immediate(executorPreference: loop.context.executor) {
            await ServerWorker.work(bound)
        }
    }

    /// Goes on to take calls.
    func wake() {
        guard case .idle(let continuation) = state else { return }
        state = .running
        continuation.resume()
    }

    /// Lets the task of an idle worker end.
    func retire() {
        guard case .idle(let continuation) = state else { return }
        state = .retired
        continuation.resume()
    }

    /// Notes that the handler has suspended, or will count as if it had.
    func didSuspend() {
        guard let call else {
            if case .running = state { countsAtOnce = true }
            return
        }
        guard !call.hasSuspended, let task else { return }
        loop.core.admission.take(call.lane)
        call.method.limiter?.take()
        call.didSuspend(task)
        call.connection.didSuspend(call)
    }

    private static func work(_ bound: NIOLoopBound<ServerWorker>) async {
        let worker = bound.value
        while true {
            while let call = worker.begin() {
                await work(worker, from: call)
                if case .retired = worker.state { return }
            }
            worker.countsAtOnce = false
            guard worker.loop.keeps(worker) else { return worker.state = .retired }
            await withCheckedContinuation { continuation in
                bound.value.state = .idle(continuation)
            }
            if case .retired = worker.state { return }
        }
    }

    /// Runs a call and those after it that have the same deadline, or nearly: the calls that their
    /// handlers make inherit it, and to bind it once for all of them is much of their cost.
    @inline(__always)
    private static func work(_ worker: ServerWorker, from first: ServerCall) async {
        await inheriting(first.deadline) {
            var next: ServerCall? = first
            while let call = next {
                let context = call.context(worker.trailingMetadata.next())
                worker.end(call, await run(call, context), context.trailingMetadata)
                if call.hasSuspended, Task.isCancelled { return worker.state = .retired }
                next = worker.begin(sharing: first.deadline)
            }
        }
    }

    @inline(__always)
    private static func inheriting(_ deadline: Deadline, _ body: () async -> Void) async {
        if deadline.isNever { return await body() }
        await Deadline.$current.withValue(deadline, operation: body)
    }

    private func begin(sharing deadline: Deadline? = nil) -> ServerCall? {
        call = loop.next(sharing: deadline)
        if countsAtOnce { didSuspend() }
        return call
    }

    private func end(
        _ call: ServerCall, _ outcome: Outcome, _ trailingMetadata: TrailingMetadata
    ) {
        call.end(outcome, trailingMetadata)
        self.call = nil
        loop.didEnd(call)
    }

    /// Runs a handler.
    @inline(__always)
    private static func run(_ call: ServerCall, _ context: CallContext) async -> Outcome {
        guard !call.isAnswered else { return .end(nil) }
        guard !call.connection.loop.isLate(call) else { return .end(ServerConnection.late) }
        do {
            switch call.method.handler {
            case .unary(let handler):
                return .reply(try await handler(call.payload, context))
            case .synchronous(let handler):
                return .reply(try handler(call.payload, context))
            case .serverStreaming(let handler):
                guard let writer = call.writer else { return .end(nil) }
                try await handler(call.payload, context, writer)
            case .clientStreaming(let handler):
                guard let reader = call.reader else { return .end(nil) }
                return .reply(try await handler(reader, context))
            case .bidirectional(let handler):
                guard let reader = call.reader, let writer = call.writer else { return .end(nil) }
                try await handler(reader, context, writer)
            }
            return .end(nil)
        } catch {
            return .end(Status(thrown: error))
        }
    }
}
