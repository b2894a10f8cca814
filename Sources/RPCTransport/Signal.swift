import Synchronization

/// Is sent once; whoever waits, before or after, goes on.
final class Signal: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Void, Never>])
        case sent
    }

    private let state = Mutex<State>(.waiting([]))

    func send() {
        let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
            defer { state = .sent }
            guard case .waiting(let waiters) = state else { return [] }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSent = state.withLock { state in
                switch state {
                case .sent: return true
                case .waiting(let waiters):
                    state = .waiting(waiters + [continuation])
                    return false
                }
            }
            if isSent { continuation.resume() }
        }
    }
}
