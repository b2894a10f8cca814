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
        var isOver = false
    }

    /// Makes an attempt.
    typealias Maker = @Sendable (_ pair: HedgedCall, _ attempts: Attempts) -> ClientCall

    let make: Maker
    private let count = Atomic<Int>(1)
    private let state: NIOLoopBoundBox<State>

    init(loop: LoopContext, _ make: @escaping Maker) {
        self.make = make
        state = .makeBoxSendingValue(State(), eventLoop: loop.loop)
    }

    /// Begins the first attempt, and the second after a time.
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
        state.value.timer = balancer.loop.loop.scheduleTask(in: TimeAmount(delay)) {
            self.hedge(attempts.ordinal + 1)
        }
        balancer.start(first)
    }

    /// How many attempts were begun.
    var attemptCount: Int { count.load(ordering: .relaxed) }

    private func hedge(_ ordinal: Int) {
        guard let balancer = state.value.balancer, let first = state.value.attempts.first else {
            return
        }
        balancer.hedge(first) { slow in
            balancer.core.observe(.hedging(first.method, number: ordinal))
            let second = make(self, Attempts(ordinal: ordinal, avoided: slow))
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
