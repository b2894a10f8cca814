internal import Glibc

/// Wakes threads that wait: each ring lets one wait end, now or later.
///
/// A pipe, for it needs no address that stays put; rings that nobody has waited for yet are few.
final class Bell: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let code = unsafe pipe(&ends)
        precondition(code == 0, "no file descriptor is left for a thread's wake-up")
        (reading, writing) = (ends[0], ends[1])
        _ = fcntl(reading, F_SETFD, FD_CLOEXEC)
        _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// Lets one wait end.
    func ring() {
        var stroke: UInt8 = 1
        while unsafe write(writing, &stroke, 1) < 0, errno == EINTR {}
    }

    /// Blocks the thread until rung.
    func wait() {
        var stroke: UInt8 = 0
        while unsafe read(reading, &stroke, 1) < 0, errno == EINTR {}
    }
}
