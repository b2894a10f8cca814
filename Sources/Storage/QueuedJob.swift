internal import Synchronization

/// Work that waits for a thread: a write for the writer, a read for a reader.
protocol QueuedJob<Context>: AnyObject, Sendable {
    /// What the thread hands to the job.
    associatedtype Context

    /// Begins the job, unless its caller has gone or its deadline has passed.
    func begin(at now: ContinuousClock.Instant) -> Bool

    /// Runs the job and remembers its result.
    ///
    /// - Returns: Whether it succeeded.
    func run(_ context: Context) -> Bool

    /// Resumes the caller with what ``run(_:)`` remembered.
    func finish()

    /// Resumes the caller with an error.
    func fail(_ error: any Error)
}

/// A job whose caller waits for a value.
final class PendingJob<Context, Value: Sendable>: QueuedJob {
    typealias Continuation = CheckedContinuation<Value, any Error>

    private enum State {
        case made
        case waiting(Continuation)
        case begun(Continuation)
        case ran(Continuation, Result<Value, any Error>)
        case over
    }

    private let deadline: ContinuousClock.Instant?
    private let body: @Sendable (Context) throws -> Value
    private let state = Mutex(State.made)

    init(
        deadline: ContinuousClock.Instant?, body: @escaping @Sendable (Context) throws -> Value
    ) {
        self.deadline = deadline
        self.body = body
    }

    /// Takes the caller's continuation; false if the caller has gone already.
    func attach(_ continuation: Continuation) -> Bool {
        let isWaiting = state.withLock { state in
            guard case .made = state, !Task.isCancelled else {
                state = .over
                return false
            }
            state = .waiting(continuation)
            return true
        }
        if !isWaiting { continuation.resume(throwing: CancellationError()) }
        return isWaiting
    }

    /// Drops the job if it has not begun.
    func cancel() {
        let continuation: Continuation? = state.withLock { state in
            switch state {
            case .made:
                state = .over
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .begun, .ran, .over:
                return nil
            }
        }
        continuation?.resume(throwing: CancellationError())
    }

    func begin(at now: ContinuousClock.Instant) -> Bool {
        let late: Continuation?
        let hasBegun: Bool
        (late, hasBegun) = state.withLock { state in
            guard case .waiting(let continuation) = state else { return (nil, false) }
            if let deadline, deadline <= now {
                state = .over
                return (continuation, false)
            }
            state = .begun(continuation)
            return (nil, true)
        }
        late?.resume(throwing: StorageFault.busy(retryAfter: .zero))
        return hasBegun
    }

    func run(_ context: Context) -> Bool {
        let result: Result<Value, any Error>
        let hasSucceeded: Bool
        do {
            result = .success(try body(context))
            hasSucceeded = true
        } catch {
            result = .failure(error)
            hasSucceeded = false
        }
        state.withLock { state in
            switch state {
            case .begun(let continuation), .ran(let continuation, _):
                state = .ran(continuation, result)
            case .made, .waiting, .over:
                break
            }
        }
        return hasSucceeded
    }

    func finish() {
        let ended: (Continuation, Result<Value, any Error>)? = state.withLock { state in
            guard case .ran(let continuation, let result) = state else { return nil }
            state = .over
            return (continuation, result)
        }
        if let (continuation, result) = ended { continuation.resume(with: result) }
    }

    func fail(_ error: any Error) {
        let continuation: Continuation? = state.withLock { state in
            switch state {
            case .waiting(let continuation), .begun(let continuation), .ran(let continuation, _):
                state = .over
                return continuation
            case .made, .over:
                return nil
            }
        }
        continuation?.resume(throwing: error)
    }
}
