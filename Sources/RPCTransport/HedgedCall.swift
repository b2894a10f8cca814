import NIOCore
import RPC
import Synchronization

/// Two attempts of one safe call, the second begun when the first is slow: the first answer wins.
///
/// Both live on one event loop, and so does this.
final class HedgedCall: Sendable {
    private struct State {
        var continuation: CheckedContinuation<ClientCall.Outcome, Never>?
        var attempts: [ClientCall] = []
        var balancer: ClientBalancer?
        var timer: Scheduled<Void>?
        /// Whether the first attempt was not sent yet when it was last looked at.
        var isUnsent = false
        var isOver = false
    }

    /// The shortest time after which an attempt that is not sent yet is looked at again.
    private static let rearmMin: Duration = .milliseconds(1)

    /// Makes an attempt.
    typealias Maker = @Sendable (_ pair: HedgedCall, _ attempts: Attempts) -> ClientCall

    let make: Maker
    /// The attempts of the call, those before this pair and the second of it included.
    private let attemptsMax: Int
    let began = MonotonicInstant.now
    private let count = Atomic<Int>(1)
    private let state: NIOLoopBoundBox<State>

    init(loop: LoopContext, attemptsMax: Int, _ make: @escaping Maker) {
        self.make = make
        self.attemptsMax = attemptsMax
        state = .makeBoxSendingValue(State(), eventLoop: loop.loop)
    }

    /// Begins the first attempt, and the second after a time, if the call may have another.
    func start(
        _ attempts: Attempts, over balancer: ClientBalancer, after delay: Duration,
        _ continuation: CheckedContinuation<ClientCall.Outcome, Never>
    ) {
        guard !state.value.isOver else {
            continuation.resume(returning: .failure(ClientCall.cancelled))
            return
        }
        let first = make(self, attempts)
        state.value.continuation = continuation
        state.value.balancer = balancer
        state.value.attempts = [first]
        if attempts.ordinal < attemptsMax {
            let next = Attempts(ordinal: attempts.ordinal + 1, began: attempts.began ?? began)
            arm(balancer, in: delay, next, after: delay)
        }
        balancer.start(first)
    }

    private func arm(
        _ balancer: ClientBalancer, in pause: Duration, _ next: Attempts, after delay: Duration
    ) {
        state.value.timer = balancer.loop.loop.scheduleTask(in: TimeAmount(pause)) {
            self.hedge(next, after: delay)
        }
    }

    /// How many attempts were begun.
    var attemptCount: Int { count.load(ordering: .relaxed) }

    private func hedge(_ next: Attempts, after delay: Duration) {
        guard let balancer = state.value.balancer, let first = state.value.attempts.first else {
            return
        }
        // It waits for a connection: no server is slow yet. The end of the call ends this, too.
        guard first.number != 0 || first.isOver else {
            state.value.isUnsent = true
            return arm(balancer, in: max(delay / 4, Self.rearmMin), next, after: delay)
        }
        // From now on its server has as much time as every other.
        if state.value.isUnsent {
            state.value.isUnsent = false
            return arm(balancer, in: delay, next, after: delay)
        }
        balancer.hedge(first) { slow in
            balancer.core.observe(.hedging(first.method, number: next.ordinal))
            var next = next
            next.avoided = slow
            let second = make(self, next)
            state.value.attempts.append(second)
            count.store(2, ordering: .relaxed)
            return second
        }
    }

    /// One attempt has ended: so has the call, unless the other may still do better.
    func end(_ outcome: ClientCall.Outcome) {
        if case .failure(let failure) = outcome, failure.status.isTransient,
            state.value.attempts.contains(where: { !$0.isOver })
        {
            return
        }
        finish(outcome)
    }

    /// The caller no longer wants the call.
    func cancel() { finish(.failure(ClientCall.cancelled)) }

    private func finish(_ outcome: ClientCall.Outcome) {
        guard !state.value.isOver else { return }
        let old = state.value
        state.value = State(isOver: true)
        old.timer?.cancel()
        old.attempts.first?.options.noteTrailingMetadata(of: outcome)
        old.continuation?.resume(returning: outcome)
        // Whatever is still in flight has lost.
        if let balancer = old.balancer { for attempt in old.attempts { balancer.cancel(attempt) } }
    }
}
