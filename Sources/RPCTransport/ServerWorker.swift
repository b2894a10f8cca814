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
    /// The call whose handler runs or is suspended, and what is kept of it beside others.
    private var isRunning = false
    private var number: UInt32 = 0
    private var call: ServerCall?
    /// Whether the call that ended last had suspended.
    private var hasSuspended = false
    /// That of the call: it is set once for all of its calls.
    private var batch: CallBatch?
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

    /// Notes that the handler has suspended, or counts it as if it had.
    func didSuspend() {
        guard isRunning, let batch else { return }
        let call = self.call ?? ServerCall(batch, number)
        guard !call.hasSuspended, let task else { return }
        self.call = call
        loop.core.admission.take(call.lane)
        call.method.limiter?.take()
        call.didSuspend(task)
        batch.connection.didSuspend(call)
    }

    private static func work(_ bound: NIOLoopBound<ServerWorker>) async {
        let worker = bound.value
        while true {
            while let batch = worker.loop.nextBatch(for: worker) {
                await work(worker, from: batch)
                if case .retired = worker.state { return }
            }
            guard worker.loop.keeps(worker) else { return worker.state = .retired }
            await withCheckedContinuation { continuation in
                bound.value.state = .idle(continuation)
            }
            if case .retired = worker.state { return }
        }
    }

    /// Runs calls until one has another deadline: the calls that their handlers make inherit it,
    /// and to bind it once for all of them is much of their cost.
    @inline(__always)
    private static func work(_ worker: ServerWorker, from first: CallBatch) async {
        let deadline = first.deadline
        await inheriting(deadline) {
            var next: CallBatch? = first
            while let batch = next {
                var context = worker.begin(batch)
                if case .unary(let handler) = batch.method.handler {
                    while let call = batch.popFirst() {
                        if worker.begin(call.number, of: batch) {
                            do {
                                let reply = try await handler(batch.payload(of: call), context)
                                worker.end(.reply(reply), of: batch, context.trailingMetadata)
                            } catch {
                                let status = worker.loop.core.status(of: error, context)
                                worker.end(.end(status), of: batch, context.trailingMetadata)
                            }
                        }
                        if worker.isCancelled { return worker.state = .retired }
                        context.renew()
                    }
                } else if let call = batch.popFirst() {
                    if worker.begin(call.number, of: batch) {
                        let outcome = await run(call, of: batch, context)
                        worker.end(outcome, of: batch, context.trailingMetadata)
                    }
                    if worker.isCancelled { return worker.state = .retired }
                }
                worker.trailingMetadata.giveBack(context.trailingMetadata)
                next = worker.loop.nextBatch(for: worker, sharing: deadline)
            }
            // What arrived with the last calls is free now, and so is their connection.
            worker.batch = nil
        }
    }

    @inline(__always)
    private static func inheriting(_ deadline: Deadline, _ body: () async -> Void) async {
        if deadline.isNever { return await body() }
        await Deadline.$current.withValue(deadline, operation: body)
    }

    /// Runs a handler whose messages stream.
    @inline(__always)
    private static func run(
        _ call: CallBatch.Call, of batch: CallBatch, _ context: CallContext
    ) async -> Outcome {
        guard let kept = batch.kept(call.number) else { return .end(nil) }
        do {
            switch batch.method.handler {
            case .unary, .synchronous: break
            case .serverStreaming(let handler):
                guard let writer = kept.writer else { return .end(nil) }
                try await handler(batch.payload(of: call), context, writer)
            case .clientStreaming(let handler):
                guard let reader = kept.reader else { return .end(nil) }
                return .reply(try await handler(reader, context))
            case .bidirectional(let handler):
                guard let reader = kept.reader, let writer = kept.writer else { return .end(nil) }
                try await handler(reader, context, writer)
            }
            return .end(nil)
        } catch {
            return .end(batch.connection.core.status(of: error, context))
        }
    }

    // MARK: One call

    /// Takes up the calls of a batch: what their handlers are told.
    private func begin(_ batch: CallBatch) -> CallContext {
        self.batch = batch
        return batch.context(trailingMetadata.take())
    }

    /// Takes up a call; false when its handler is not to run any more.
    private func begin(_ number: UInt32, of batch: CallBatch) -> Bool {
        isRunning = true
        self.number = number
        call = batch.kept(number)
        // Nobody but the dispatch that woke it sees whether the handler suspends.
        if !loop.sees(self) { didSuspend() }
        let isAnswered = call?.isAnswered == true
        guard !isAnswered, !loop.isLate(batch.deadline) else {
            let ending = isAnswered ? nil : ServerConnection.late
            end(.end(ending), of: batch, TrailingMetadata())
            return false
        }
        return true
    }

    /// The handler of the call has ended.
    @inline(__always)
    private func end(
        _ outcome: Outcome, of batch: CallBatch, _ trailingMetadata: TrailingMetadata
    ) {
        isRunning = false
        guard let call else {
            hasSuspended = false
            batch.end(number, outcome, trailingMetadata)
            return
        }
        self.call = nil
        hasSuspended = call.hasSuspended
        call.end(outcome, trailingMetadata)
        loop.didEnd(call)
    }

    /// Whether its task was cancelled, which it was with a call that it ran.
    private var isCancelled: Bool { hasSuspended && Task.isCancelled }
}
