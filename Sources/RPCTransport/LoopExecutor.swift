import NIOCore

/// Runs the jobs of tasks on an event loop.
///
/// What is enqueued from the loop itself waits in a queue of its own, which is much cheaper than
/// the loop's: no lock, no wake-up.
final class LoopExecutor: TaskExecutor {
    /// So many jobs run in one go before others that wait for the loop get their turn.
    private static let jobsPerDrainMax = 1_024

    private struct State {
        var jobs: [UnownedJob] = []
        var head = 0
        /// Somebody up the stack drains the queue, or a turn of the loop is taken for it.
        var isAttended = false
    }

    private let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>

    init(_ loop: any EventLoop) {
        self.loop = loop
        state = .makeBoxSendingValue(State(), eventLoop: loop)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard loop.inEventLoop else {
            loop.execute { self.run(job) }
            return
        }
        state.value.jobs.append(job)
        guard !state.value.isAttended else { return }
        state.value.isAttended = true
        loop.execute { self.runQueued(isNested: false) }
    }

    /// Runs a closure on the loop, and then the jobs that it caused, at once.
    ///
    /// Jobs of ``jobsPerDrainMax`` others may stand before them; then they run a turn later.
    func drain(after body: () -> Void) {
        let isNested = state.value.isAttended
        state.value.isAttended = true
        body()
        runQueued(isNested: isNested)
    }

    /// - Parameter isNested: Whether a job that is being run has caused this.
    private func runQueued(isNested: Bool) {
        var count = 0
        while count < Self.jobsPerDrainMax, let job = next() {
            count += 1
            run(job)
        }
        guard !isNested else { return }
        if state.value.head < state.value.jobs.count {
            loop.execute { self.runQueued(isNested: false) }
        } else {
            state.value.isAttended = false
        }
    }

    private func next() -> UnownedJob? {
        guard state.value.head < state.value.jobs.count else {
            state.value.jobs.removeAll(keepingCapacity: state.value.jobs.capacity <= 256)
            state.value.head = 0
            return nil
        }
        defer { state.value.head += 1 }
        return state.value.jobs[state.value.head]
    }

    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
