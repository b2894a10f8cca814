internal import Glibc
internal import Synchronization

/// Why a database is not copied.
public enum CopyFault: Error, Sendable, Hashable {
    /// Another copy of it is being made or sent.
    case underWay
    /// The disk has no room for a second one.
    case noSpace(neededBytes: Int64, freeBytes: Int64)
    /// What was copied is not sound.
    case damaged(String)
}

extension CopyFault: CustomStringConvertible {
    /// The fault in one line.
    public var description: String {
        switch self {
        case .underWay: "A copy of this database is already being made."
        case .noSpace(let needed, let free):
            "A copy of this database takes \(needed) bytes; the disk has \(free) to spare."
        case .damaged(let reason): "The copy is damaged: \(reason)."
        }
    }
}

/// A database as it was at one moment, in one file beside it.
public final class DatabaseCopy: Sendable {
    /// The bytes of the file.
    public let byteCount: Int64
    private let path: String
    private let descriptor: Int32
    private let reads: JobQueue<Snapshot>

    fileprivate init(path: String, reads: JobQueue<Snapshot>) throws {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        let end = descriptor >= 0 ? lseek(descriptor, 0, SEEK_END) : -1
        guard end >= 0 else { throw OpeningFault.file(path: path, reason: DataFile.reason) }
        byteCount = Int64(end)
        self.path = path
        self.reads = reads
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// A piece of the file.
    ///
    /// - Parameters:
    ///   - offset: Where it begins, in bytes.
    ///   - count: At most so many bytes.
    /// - Returns: The bytes; none at the end of the file.
    /// - Throws: ``StorageFault``, `CancellationError`, or ``OpeningFault`` when the file cannot be
    ///   read.
    public func bytes(at offset: Int64, count: Int) async throws -> [UInt8] {
        let (descriptor, path) = (descriptor, path)
        return try await reads.perform(deadline: nil) { _ in
            try unsafe [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
                let read = unsafe pread(
                    descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                guard read >= 0 else {
                    throw OpeningFault.file(path: path, reason: DataFile.reason)
                }
                filled = read
            }
        }
    }
}

extension Database {
    /// Copies the database as it is now, while it is in use.
    ///
    /// Writes go on; what they write is kept beside the file until the copy is made. The copy is
    /// checked before it is handed out. One copy at a time.
    /// - Parameter body: Uses the copy, which is gone afterwards.
    /// - Returns: What the closure returns.
    /// - Throws: ``CopyFault``, ``StorageFault``, `CancellationError`, or what the closure throws.
    public func withCopy<T>(_ body: (DatabaseCopy) async throws -> T) async throws -> T {
        guard
            isCopying.compareExchange(
                expected: false, desired: true, ordering: .acquiringAndReleasing
            ).exchanged
        else { throw CopyFault.underWay }
        defer { isCopying.store(false, ordering: .releasing) }
        let (engine, reads, freeBytesMin) = (engine, reads, freeBytesMin)
        let path = try await DedicatedThread.run { isCancelled in
            Failpoint.beforeCopy.reach()
            let path = try engine.copy(leaving: freeBytesMin, isCancelled: isCancelled)
            Failpoint.afterCopy.reach()
            return path
        }
        defer { DataFile(path: path).remove() }
        return try await body(DatabaseCopy(path: path, reads: reads))
    }

    /// Runs a job that reads everything, on a thread and a connection of its own, for as long as it
    /// takes.
    ///
    /// - Parameter job: Sees one state of the database; what is written meanwhile is kept beside
    ///   the file until it ends. It may run again, and what it did before that does not count.
    /// - Returns: What the job returns.
    /// - Throws: ``StorageFault``, `CancellationError`, or what the job throws.
    public func inspect<T: Sendable>(
        _ job: @escaping @Sendable (Snapshot) throws -> T
    ) async throws -> T {
        let engine = engine
        return try await DedicatedThread.run { isCancelled in
            let connection = try engine.connect(.reader)
            return try connection.reading(until: isCancelled) { try job($0) }
        }
    }
}
