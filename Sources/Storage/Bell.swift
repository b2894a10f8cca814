internal import Dispatch

/// Wakes threads that wait: each ring lets one wait end, now or later.
///
/// Takes no file descriptor: a database can be opened and used when none is left.
final class Bell: Sendable {
    private let rings = DispatchSemaphore(value: 0)

    /// Lets one wait end.
    func ring() {
        rings.signal()
    }

    /// Blocks the thread until rung.
    func wait() {
        rings.wait()
    }
}
