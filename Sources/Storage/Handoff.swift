internal import Synchronization

/// Carries one value from one thread to another that blocks for it.
final class Handoff<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let bell = Bell()

    /// Hands the value over; once only.
    func give(_ given: Value) {
        value.withLock { $0 = given }
        bell.ring()
    }

    /// Blocks until the value is there; once only.
    func take() -> Value {
        while true {
            bell.wait()
            if let taken = value.withLock({ $0 }) { return taken }
        }
    }
}
