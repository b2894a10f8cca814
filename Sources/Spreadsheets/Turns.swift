import Synchronization

/// Lets so many callers work at once; the others wait for their turn, first come first served.
final class Turns: Sendable {
    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var working = 0
        var waiters: [Waiter] = []
        var nextNumber: UInt64 = 0
    }

    private let atOnceMax: Int
    private let waitersMax: Int
    private let waitMax: Duration
    private let state = Mutex(State())

    init(atOnceMax: Int, waitersMax: Int, waitMax: Duration) {
        (self.atOnceMax, self.waitersMax, self.waitMax) = (atOnceMax, waitersMax, waitMax)
    }

    /// How many callers wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Works when it is the caller's turn.
    ///
    /// - Throws: ``SpreadsheetFault/busy`` if it does not come in time; `CancellationError`.
    func take<Result>(_ work: () async throws -> Result) async throws -> Result {
        try await begin()
        defer { end() }
        return try await work()
    }

    private func begin() async throws {
        try Task.checkCancellation()
        let number: UInt64? = state.withLock { state in
            guard state.working >= atOnceMax || !state.waiters.isEmpty else {
                state.working += 1
                return nil
            }
            state.nextNumber += 1
            return state.nextNumber
        }
        guard let number else { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Only if nobody needs the alarm any more does the pause end early.
                guard (try? await Task.sleep(for: self.waitMax)) != nil else { return }
                self.giveUp(number, for: SpreadsheetFault.busy)
            }
            defer { group.cancelAll() }
            try await wait(number)
        }
    }

    private func wait(_ number: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(Waiter(number: number, continuation: continuation))
            }
        } onCancel: {
            giveUp(number, for: CancellationError())
        }
    }

    private func enter(_ waiter: Waiter) {
        let answer: Swift.Result<Void, any Error>? = state.withLock { state in
            // Cancelled from here on, the waiter is found and gives up.
            guard !Task.isCancelled else { return .failure(CancellationError()) }
            if state.working < atOnceMax, state.waiters.isEmpty {
                state.working += 1
                return .success(())
            }
            guard state.waiters.count < waitersMax else { return .failure(SpreadsheetFault.busy) }
            state.waiters.append(waiter)
            return nil
        }
        if let answer { waiter.continuation.resume(with: answer) }
    }

    private func giveUp(_ number: UInt64, for reason: any Error) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.number == number }) else {
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: reason)
    }

    private func end() {
        let next: Waiter? = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.working -= 1
                return nil
            }
            // The place goes on from hand to hand.
            return state.waiters.removeFirst()
        }
        next?.continuation.resume()
    }
}
