internal import RPC
internal import Storage
import Synchronization

/// How far a feed has been applied, and who waits for it to come further.
final class FeedProgress: Sendable {
    private struct Waiter {
        let target: FeedPosition
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var position: FeedPosition?
        /// Whether the source has said since the last interruption that it still has the event of
        /// the position: it may come back with an older copy of its database.
        var isConfirmed = false
        var waiters: [Int: Waiter] = [:]
        var nextTicket = 0
        var isEnded = false

        func hasReached(_ target: FeedPosition) -> Bool {
            guard isConfirmed, let position, position.incarnation == target.incarnation else {
                return false
            }
            return position.sequence >= target.sequence
        }
    }

    private let state = Mutex(State())

    var position: FeedPosition? { state.withLock { $0.position } }

    /// Notes what is applied and durable, and wakes whom it concerns.
    func advance(to position: FeedPosition) {
        let woken = state.withLock { state in
            state.position = position
            state.isConfirmed = true
            let reached = state.waiters.filter { state.hasReached($0.value.target) }
            for ticket in reached.keys { state.waiters[ticket] = nil }
            return Array(reached.values)
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// The source is out of sight: nothing counts as reached until it is heard again.
    func suspend() { state.withLock { $0.isConfirmed = false } }

    /// Nothing more will be applied: who waits is told so.
    func end() {
        let left = state.withLock { state in
            state.isEnded = true
            let left = Array(state.waiters.values)
            state.waiters = [:]
            return left
        }
        for waiter in left { waiter.continuation.resume(throwing: Self.stopped) }
    }

    /// Waits until a position is reached.
    ///
    /// - Throws: `CancellationError`, or `UNAVAILABLE` when nothing more will be applied.
    func wait(for target: FeedPosition) async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let early: Result<Void, any Error>? = state.withLock { state in
                    if state.hasReached(target) { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isEnded { return .failure(Self.stopped) }
                    state.waiters[ticket] = Waiter(target: target, continuation: continuation)
                    return nil
                }
                if let early { continuation.resume(with: early) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private static let stopped = Status.refusal(.unavailable, "This service is going down.")
}
