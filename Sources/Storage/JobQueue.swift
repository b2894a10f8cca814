internal import Glibc
internal import Synchronization

/// The jobs that wait for the threads of one kind, in order, and never more than its limit.
final class JobQueue<Context>: Sendable {
    typealias Job = QueuedJob<Context>

    private struct State {
        var jobs: [Job] = []
        /// Threads that wait for a job, less those already rung for.
        var idleThreads = 0
        /// Why nothing more is taken, once that is so.
        var refusal: StorageFault?
        /// How long a job took lately, the commit shared out.
        var meanPerJob: Duration = .zero
        /// What each thread is at: how many jobs, and since when; nil while it is at none.
        var underWay: [(jobs: Int, since: ContinuousClock.Instant)?]

        /// How long a job that came now would wait.
        func expectedWait(at now: ContinuousClock.Instant) -> Duration {
            // A batch that takes longer than expected may end at any time.
            let rest = underWay.reduce(Duration.zero) { sum, batch in
                guard let batch else { return sum }
                return sum + max(meanPerJob * batch.jobs - batch.since.duration(to: now), .zero)
            }
            let isAnyFree = jobs.isEmpty && underWay.contains { $0 == nil }
            return isAnyFree ? .zero : (rest + meanPerJob * jobs.count) / underWay.count
        }
    }

    private let jobsMax: Int
    private let patience: Duration
    /// The number of jobs that wait, for a look without the lock.
    private let waiting = Atomic(0)
    private let state: Mutex<State>
    private let bell = Bell()

    /// A queue.
    ///
    /// - Parameters:
    ///   - jobsMax: The most jobs that wait.
    ///   - threads: How many threads take jobs.
    ///   - patience: How long a thread looks out for the next job before it sleeps: it need not be
    ///     woken when a caller who has just been answered asks again.
    init(jobsMax: Int, threads: Int = 1, patience: Duration = .zero) {
        self.jobsMax = jobsMax
        state = Mutex(State(underWay: Array(repeating: nil, count: threads)))
        self.patience = patience
    }

    /// The number of jobs that wait.
    var count: Int { state.withLock { $0.jobs.count } }

    /// How long a job that came now would wait, by how long others took.
    var expectedWait: Duration { state.withLock { $0.expectedWait(at: .now) } }

    /// Runs a closure on one of the threads, in its turn.
    ///
    /// - Parameters:
    ///   - deadline: A job that would begin after it is refused.
    ///   - body: Runs on the thread.
    /// - Returns: What the closure returns.
    /// - Throws: ``StorageFault``, `CancellationError`, or what the closure throws.
    func perform<Value: Sendable>(
        deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Context) throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        try await perform(
            QueuedJob(deadline: deadline) { answer.keep(try body($0)) }, deadline: deadline)
        return answer.take()
    }

    private func perform(_ job: Job, deadline: ContinuousClock.Instant?) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard job.attach(continuation) else { return }
                if let refusal = submit(job, deadline: deadline) { job.fail(refusal) }
            }
        } onCancel: {
            job.cancel()
        }
    }

    private func submit(_ job: Job, deadline: ContinuousClock.Instant?) -> StorageFault? {
        let refusal: StorageFault?
        let mustRing: Bool
        (refusal, mustRing) = state.withLock { state in
            if let refusal = state.refusal { return (refusal, false) }
            guard state.jobs.count < jobsMax else {
                let wait = state.expectedWait(at: .now)
                return (.busy(retryAfter: max(wait, Job.latePauseMin)), false)
            }
            if let deadline {
                let now = ContinuousClock.now
                let wait = state.expectedWait(at: now)
                if wait > .zero, deadline < now + wait {
                    return (.busy(retryAfter: max(wait, Job.latePauseMin)), false)
                }
            }
            state.jobs.append(job)
            waiting.store(state.jobs.count, ordering: .relaxed)
            guard state.idleThreads > 0 else { return (nil, false) }
            state.idleThreads -= 1
            return (nil, true)
        }
        if mustRing { bell.ring() }
        return refusal
    }

    /// Blocks until there are jobs, and takes the first ones; nil once closed and empty.
    ///
    /// - Parameters:
    ///   - limit: At most so many.
    ///   - thread: Which of the threads takes them, from 0.
    /// - Returns: The jobs.
    func take(atMost limit: Int, by thread: Int = 0) -> [Job]? {
        lookOut()
        while true {
            let taken: [Job]? = state.withLock { state in
                if !state.jobs.isEmpty {
                    let taken = Array(state.jobs.prefix(limit))
                    state.jobs.removeFirst(taken.count)
                    waiting.store(state.jobs.count, ordering: .relaxed)
                    state.underWay[thread] = (taken.count, .now)
                    return taken
                }
                state.underWay[thread] = nil
                if state.refusal != nil { return [] }
                state.idleThreads += 1
                return nil
            }
            if let taken { return taken.isEmpty ? nil : taken }
            bell.wait()
        }
    }

    /// Waits a little for a job, without keeping the processor from others.
    private func lookOut() {
        guard patience > .zero else { return }
        let end = ContinuousClock.now + patience
        while waiting.load(ordering: .relaxed) == 0, ContinuousClock.now < end { sched_yield() }
    }

    /// Notes how long jobs took, so that the wait of the next can be told.
    func note(_ duration: Duration, for jobs: Int, by thread: Int = 0) {
        guard jobs > 0 else { return }
        state.withLock { state in
            state.underWay[thread] = nil
            state.meanPerJob = (state.meanPerJob * 7 + duration / jobs) / 8
        }
    }

    /// Takes no more jobs; those that wait are refused, the threads end.
    func close(_ refusal: StorageFault) {
        let (waiting, idleThreads): ([Job], Int) = state.withLock { state in
            let waiting = state.jobs
            let idleThreads = state.idleThreads
            state.jobs = []
            state.idleThreads = 0
            if state.refusal == nil { state.refusal = refusal }
            return (waiting, idleThreads)
        }
        for job in waiting { job.fail(refusal) }
        for _ in 0..<idleThreads { bell.ring() }
    }
}
