internal import Synchronization

/// A number that only grows, and the tasks that wait for it to pass another.
final class Threshold: Sendable {
    private struct Waiter {
        let past: Int64
        let continuation: CheckedContinuation<Int64, any Error>
    }

    private struct State {
        var value: Int64
        var waiters: [Int: Waiter] = [:]
        var nextTicket = 0
    }

    private let state: Mutex<State>

    init(_ value: Int64) {
        state = Mutex(State(value: value))
    }

    /// The number now.
    var value: Int64 { state.withLock { $0.value } }

    /// Raises the number and wakes whom it concerns; a smaller one changes nothing.
    func advance(to value: Int64) {
        raise { max($0, value) }
    }

    /// Raises the number by one.
    func increment() {
        raise { $0 + 1 }
    }

    /// Waits until the number is greater than another, and answers it.
    ///
    /// - Throws: `CancellationError`.
    func wait(past: Int64) async throws -> Int64 {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let early: Result<Int64, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.value > past { return .success(state.value) }
                    state.waiters[ticket] = Waiter(past: past, continuation: continuation)
                    return nil
                }
                if let early { continuation.resume(with: early) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func raise(_ change: (Int64) -> Int64) {
        let (value, woken): (Int64, [Waiter]) = state.withLock { state in
            state.value = change(state.value)
            guard !state.waiters.isEmpty else { return (state.value, []) }
            let woken = state.waiters.filter { state.value > $0.value.past }
            for ticket in woken.keys { state.waiters[ticket] = nil }
            return (state.value, Array(woken.values))
        }
        for waiter in woken { waiter.continuation.resume(returning: value) }
    }
}

/// What waits for commits.
final class CommitSignals: Sendable {
    /// The last event that is durable.
    let feedHead: Threshold
    /// Grows when a workflow has something to do.
    let workflowWork = Threshold(0)
    /// Grows when a workflow has ended.
    let workflowEnds = Threshold(0)

    init(feedHead: Int64) {
        self.feedHead = Threshold(feedHead)
    }

    /// Wakes whom a commit concerns.
    func announce(_ effects: CommitEffects) {
        if effects.lastEvent > 0 { feedHead.advance(to: effects.lastEvent) }
        if effects.hasWorkflowWork { workflowWork.increment() }
        if effects.hasWorkflowEnd { workflowEnds.increment() }
    }
}
