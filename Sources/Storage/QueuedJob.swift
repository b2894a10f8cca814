internal import Synchronization

/// Work that waits for a thread, a write for the writer or a read for a reader, and its caller, who
/// waits for its end.
///
/// What the work answers is no matter of the job: jobs of all kinds are of one type, whose code is
/// made for it.
final class QueuedJob<Context>: Sendable {
    typealias Continuation = CheckedContinuation<Void, any Error>

    private enum State {
        case made
        case waiting(Continuation)
        case begun(Continuation)
        case ran(Continuation, (any Error)?)
        case over
    }

    private let deadline: ContinuousClock.Instant?
    private let body: @Sendable (Context) throws -> Void
    private let state = Mutex(State.made)

    /// A job.
    ///
    /// - Parameters:
    ///   - deadline: A job that would begin after it is refused.
    ///   - body: The work; keeps what it answers itself.
    init(
        deadline: ContinuousClock.Instant?, body: @escaping @Sendable (Context) throws -> Void
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

    /// The shortest time after which a caller whose job was late is told to try again.
    static var latePauseMin: Duration { .milliseconds(10) }

    /// Begins the job, unless its caller has gone or its deadline has passed.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - wait: How long a job waits now; the caller of one that is late is told to try again
    ///     after that.
    /// - Returns: Whether it has begun.
    func begin(
        at now: ContinuousClock.Instant, otherwise wait: @autoclosure () -> Duration
    ) -> Bool {
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
        late?.resume(throwing: StorageFault.busy(retryAfter: max(wait(), Self.latePauseMin)))
        return hasBegun
    }

    /// Runs the job and remembers how it ended.
    ///
    /// - Returns: Whether it succeeded.
    func run(_ context: Context) -> Bool {
        var failure: (any Error)?
        do {
            try body(context)
        } catch {
            failure = error
        }
        let ended = failure
        state.withLock { state in
            switch state {
            case .begun(let continuation), .ran(let continuation, _):
                state = .ran(continuation, ended)
            case .made, .waiting, .over:
                break
            }
        }
        return ended == nil
    }

    /// Resumes the caller with what ``run(_:)`` remembered.
    func finish() {
        let ended: (Continuation, (any Error)?)? = state.withLock { state in
            guard case .ran(let continuation, let failure) = state else { return nil }
            state = .over
            return (continuation, failure)
        }
        guard let (continuation, failure) = ended else { return }
        if let failure {
            continuation.resume(throwing: failure)
        } else {
            continuation.resume()
        }
    }

    /// Resumes the caller with an error.
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

/// What a job answers, until its caller takes it.
final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    /// Keeps an answer; one of a former run is forgotten.
    func keep(_ answer: Value) {
        value.withLock { $0 = answer }
    }

    /// The answer of a job that has ended without an error.
    func take() -> Value {
        guard let found = value.withLock({ $0.take() }) else {
            preconditionFailure("the job has run")
        }
        return found
    }
}
