import NIOCore
import RPC

/// One timer of a connection for everything that may fall due: it is set anew only when something
/// falls due earlier than it is set for, so that a busy connection seldom touches it.
struct DueTimer {
    private let loop: any EventLoop
    private var scheduled: Scheduled<Void>?
    private var due: MonotonicInstant?

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Whether it fires at an instant or earlier already.
    func isArmed(for instant: MonotonicInstant) -> Bool {
        due.map { $0 <= instant } ?? false
    }

    /// Sees to it that the closure runs at an instant or earlier.
    mutating func arm(
        _ instant: MonotonicInstant, _ body: @escaping @Sendable () -> Void
    ) {
        guard !isArmed(for: instant) else { return }
        scheduled?.cancel()
        due = instant
        let delay = max(MonotonicInstant.now.duration(to: instant), .zero)
        scheduled = loop.scheduleTask(in: TimeAmount(delay), body)
    }

    /// Notes that the closure runs.
    mutating func fired() {
        scheduled = nil
        due = nil
    }

    mutating func cancel() {
        scheduled?.cancel()
        fired()
    }
}
