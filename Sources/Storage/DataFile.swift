internal import Glibc

/// The file of a database beside SQLite's own view of it: its making, its lock, its ballast.
struct DataFile: Sendable {
    let path: String

    /// Files up to this size are read once before they are checked.
    private static let readAheadBytesMax = 1 << 30

    /// Makes the file, readable by its owner alone, unless it is there.
    ///
    /// Must run before SQLite opens the file: closing a second descriptor drops SQLite's locks.
    func make() throws {
        makeFolder()
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw OpeningFault.file(path: path, reason: Self.reason) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw OpeningFault.file(path: path, reason: Self.reason)
        }
        readAhead(descriptor)
    }

    /// Reads the file from its beginning to its end: the check that follows reads it tree by tree,
    /// for which a disk takes several times as long.
    private func readAhead(_ descriptor: Int32) {
        guard let byteCount = byteCount(), byteCount <= Self.readAheadBytesMax else { return }
        unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { chunk in
            // An error shows when SQLite reads.
            while unsafe read(descriptor, chunk.baseAddress, chunk.count) > 0 {}
        }
    }

    /// Locks the database for this process alone.
    func lock() throws -> FileLock {
        makeFolder()
        return try FileLock(path: path + ".lock", of: path)
    }

    /// Sets space aside that can be given back when the disk is full; unless it is there.
    func makeBallast(bytes: Int) {
        if let made = DataFile(path: ballastPath).byteCount(), made >= bytes { return }
        let descriptor = unsafe open(ballastPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        // Without ballast the database works as well: a full disk is only harder to leave.
        guard descriptor >= 0 else { return }
        let isThere = posix_fallocate(descriptor, 0, off_t(bytes)) == 0
        close(descriptor)
        if !isThere { releaseBallast() }
    }

    /// Gives the space back.
    func releaseBallast() {
        unsafe unlink(ballastPath)
    }

    /// The bytes that are free on the disk for this process.
    func freeBytes() -> Int64? {
        var info = statvfs()
        guard unsafe statvfs(path, &info) == 0 else { return nil }
        let (bytes, overflows) = Int64(clamping: info.f_bavail)
            .multipliedReportingOverflow(by: Int64(clamping: info.f_frsize))
        return overflows ? .max : bytes
    }

    /// Where SQLite keeps what is not in the file yet.
    var log: DataFile { DataFile(path: path + "-wal") }

    /// Where a copy of the database is made, to be sent away.
    var copyPath: String { path + ".copy" }

    /// Where a restore gets a database ready.
    var restoringPath: String { path + ".restoring" }

    /// Removes a copy, with what SQLite makes beside it.
    func removeCopy() { DataFile(path: copyPath).remove() }

    /// Removes what a former life of the program, or a restore, has left half done.
    func removeLeftovers() {
        removeCopy()
        DataFile(path: restoringPath).remove()
    }

    /// The bytes of the file; nil if they cannot be told.
    func byteCount() -> Int64? {
        var info = stat()
        return unsafe stat(path, &info) == 0 ? Int64(info.st_size) : nil
    }

    private var ballastPath: String { path + ".ballast" }

    /// The folder that the file lies in.
    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash > path.startIndex ? String(path[..<slash]) : "/"
    }

    private func makeFolder() {
        // A folder that cannot be made shows when the file in it is made.
        unsafe mkdir(folder, 0o700)
    }

    static var reason: String { unsafe String(cString: strerror(errno)) }
}

/// A lock on a file, held until released with its last reference.
final class FileLock: Sendable {
    /// How long the lock of a process that is just ending, or a child of it that is just beginning,
    /// is waited for.
    private static let patience: Duration = .milliseconds(250)
    /// Between two tries: microseconds.
    private static let tryInterval: UInt32 = 10_000

    private let descriptor: Int32

    fileprivate init(path: String, of database: String) throws {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw OpeningFault.file(path: path, reason: DataFile.reason)
        }
        let end = ContinuousClock.now + Self.patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < end else { throw OpeningFault.inUse(path: database) }
            usleep(Self.tryInterval)
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
    }
}
