import Foundation
import SystemPackage

/// A pipe that the parts have as their standard input and to which nobody ever writes: it ends when
/// this process is gone, however it went, and the parts end with it.
final class Lifeline: Sendable {
    /// What the parts read from.
    let readEnd: FileDescriptor
    private let writeEnd: FileDescriptor

    /// A pipe whose ends no process inherits unasked: a part that held the one to write to would
    /// keep all of them alive.
    ///
    /// To be made before the first part is started.
    init() throws {
        (readEnd, writeEnd) = try FileDescriptor.pipe()
        for end in [readEnd, writeEnd]
        where fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) != 0 { throw Errno(rawValue: errno) }
    }

    deinit {
        // Nothing could be done about an end that does not close; the system closes both.
        try? writeEnd.close()
        try? readEnd.close()
    }
}
