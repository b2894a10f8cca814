/// Puts a copy of a database in the place of one that nobody has open.
///
/// The database begins another life: consumers of its feed start anew, and whoever has workflows
/// with it sends their steps again.
public final class DatabaseRestore: Sendable {
    /// Bytes copied at a time.
    private static let chunkBytes = 1 << 20
    /// Databases put aside under one path, at most.
    private static let replacedMax = 1_000

    /// The life that the database will have: 16 random bytes.
    public let incarnation: [UInt8]
    private let file: DataFile
    private let staged: DataFile
    private let lock: FileLock

    /// Checks a copy wholly, beside the place where it will go.
    ///
    /// From now on nobody can open the database there. Nothing has changed before
    /// ``putInPlace()``, and nothing does if the restore is let go instead.
    /// - Parameters:
    ///   - copy: The file made by ``Database/withCopy(_:)``; it stays as it is.
    ///   - path: Where the database belongs.
    ///   - component: A component whose tables the copy must have, so that no service gets the
    ///     database of another.
    /// - Throws: ``OpeningFault``, or ``StorageFault/busy(retryAfter:)`` when the machine has no
    ///   thread left.
    public init(of copy: String, to path: String, component: String) async throws {
        let file = DataFile(path: path)
        let staged = DataFile(path: file.restoringPath)
        let (lock, incarnation) = try await DedicatedThread.run { _ in
            let lock = try file.lock()
            staged.remove()
            do {
                try staged.fill(from: copy, chunkBytes: Self.chunkBytes)
                return (lock, try Self.begin(staged, copy: copy, component: component))
            } catch {
                staged.remove()
                throw error
            }
        }
        self.lock = lock
        self.incarnation = incarnation
        self.file = file
        self.staged = staged
    }

    deinit {
        staged.remove()
    }

    /// Puts the checked copy in place, and what was there aside; once only.
    ///
    /// The lock is held until the restore is let go, so that several databases can be put in place
    /// before any is opened. If it is interrupted, the one database or the other is in place; the
    /// old one whole, unless its log could not be copied into it: then it is whole where it was put
    /// aside.
    /// - Returns: Where the database lies that was there before; nil if there was none.
    /// - Throws: ``OpeningFault``; the database that was there is in place then.
    public func putInPlace() async throws -> String? {
        try await DedicatedThread.run { [self] _ in
            let replaced = try putAside()
            Failpoint.beforeRestore.reach()
            do {
                try staged.rename(to: file.path)
            } catch {
                if let replaced { file.takeBack(from: replaced) }
                throw error
            }
            Failpoint.afterRestore.reach()
            return replaced
        }
    }

    /// Checks the database and gives it a life of its own.
    private static func begin(
        _ staged: DataFile, copy: String, component: String
    ) throws -> [UInt8] {
        do {
            let connection = try SQLiteConnection(path: staged.path)
            try connection.set(SQLiteConnection.defensive, to: true)
            let verdict = try connection.ask("PRAGMA integrity_check(1)")
            guard verdict == "ok" else {
                throw OpeningFault.damaged(path: copy, reason: verdict ?? "no answer")
            }
            let isOurs = try connection.exists(
                "SELECT 1 FROM storage_migration WHERE component = \(component) LIMIT 1")
            guard isOurs else {
                throw OpeningFault.file(path: copy, reason: "it holds no tables of \(component)")
            }
            let incarnation = Incarnation.random()
            let changed = try connection.execute(
                "UPDATE storage_meta SET incarnation = \(incarnation) WHERE id = 1")
            guard changed == 1 else { throw StorageFault.sql("no incarnation") }
            return incarnation
        } catch let fault as StorageFault {
            throw OpeningFault.damaged(path: copy, reason: "\(fault)")
        }
    }

    /// Gives the database that is there a second name, whole: with the log of a process that was
    /// killed, and also when nothing but such a log is left.
    private func putAside() throws -> String? {
        guard file.hasAnyFile else { return nil }
        do {
            let connection = try SQLiteConnection(path: file.path)
            _ = try connection.ask("PRAGMA wal_checkpoint(TRUNCATE)")
        } catch {
            // It is damaged, or not there, which may be the reason for the restore.
        }
        for number in 1...Self.replacedMax {
            let path = "\(file.path).replaced-\(number)"
            if try file.putAside(as: path) { return path }
        }
        throw OpeningFault.file(
            path: file.path, reason: "\(Self.replacedMax) replaced databases lie beside it")
    }
}
