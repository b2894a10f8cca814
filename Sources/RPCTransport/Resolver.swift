import Synchronization

/// Finds the addresses of a client's servers, and follows their changes.
///
/// The client keeps to the addresses it was told last: new ones join, those that are no longer
/// among them take no further calls and go when their calls have ended.
public protocol Resolver: Sendable, CustomStringConvertible {
    /// What was found, each time anew; the whole set each time.
    ///
    /// The client reads it in one task from its first call on, and cancels the task when it is
    /// closed. When the stream ends, the last addresses stay.
    ///
    /// - Parameter requests: Says when a connection has failed, so that another look may be due.
    /// - Returns: A stream that is read once.
    func resolutions(_ requests: RefreshRequests) -> AsyncStream<Resolution>
}

/// What a resolver found.
public enum Resolution: Sendable, Hashable {
    /// The servers, each as good as the others.
    case addresses([RPCAddress])
    /// Nothing was found this time, and why; addresses found before stay in use.
    case failed(String)
}

/// Tells a resolver that a connection has failed: the addresses may have changed.
public final class RefreshRequests: Sendable {
    private enum State {
        case none
        case requested
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.none)

    /// No request yet.
    public init() {}

    /// Asks for another look.
    public func request() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if case .waiting(let waiter) = state {
                state = .none
                return waiter
            }
            state = .requested
            return nil
        }
        waiter?.resume()
    }

    /// Returns when another look is asked for, or was since the last time.
    ///
    /// It returns at the latest after a duration. One task at a time waits.
    public func wait(atMost duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            // It ends early only when it is cancelled, which is as good.
            group.addTask { try? await ContinuousClock().sleep(for: duration) }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if case .none = state, !Task.isCancelled {
                        state = .waiting(continuation)
                        return false
                    }
                    if case .requested = state { state = .none }
                    return true
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
                guard case .waiting(let waiter) = state else { return nil }
                state = .none
                return waiter
            }
            waiter?.resume()
        }
    }
}
