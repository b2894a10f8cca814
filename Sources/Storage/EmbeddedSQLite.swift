internal import CSQLite

/// The engine that keeps a database in one file of this process.
struct EmbeddedSQLite: Engine {
    /// The WAL file is cut back to this size after a checkpoint.
    private static let journalBytesMax = 64 * 1_024 * 1_024

    /// Pages that the writer keeps in memory: what the hot ends of the tables and indexes take.
    private static let writerCacheBytes = 32 * 1_024 * 1_024
    /// The log is copied into the file after so many pages, of 4 KiB: a page that changes often is
    /// then copied once for many commits.
    private static let checkpointPages: Int32 = 15_000
    /// Once a process, before its first connection.
    private static let hasTunedMemory = storage_sqlite3_tune_memory() == SQLITE_OK

    /// When a commit is on the disk.
    enum Durability: String, Sendable {
        /// Before it is answered.
        case full = "FULL"
        /// When the log is copied: for showing by tests what is lost then.
        case checkpoints = "NORMAL"
        /// Whenever the system writes it: for showing by tests what is lost then.
        case none = "OFF"
    }

    let file: DataFile
    let ballastBytes: Int
    private let durability: Durability
    private let fileSystem: String?
    private let checkpointPages: Int32

    /// An engine on a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - ballastBytes: The space set aside beside it.
    ///   - durability: Anything but `full` is for tests.
    ///   - fileSystem: The name of the file system layer registered with SQLite; nil for its own.
    ///   - checkpointPages: The log is copied into the file at this length; nil for the usual one.
    init(
        path: String, ballastBytes: Int, durability: Durability = .full,
        fileSystem: String? = nil, checkpointPages: Int32? = nil
    ) {
        file = DataFile(path: path)
        self.ballastBytes = ballastBytes
        self.durability = durability
        self.fileSystem = fileSystem
        self.checkpointPages = checkpointPages ?? Self.checkpointPages
    }

    func claim() throws -> any Sendable & AnyObject {
        _ = Self.hasTunedMemory
        let lock = try file.lock()
        try file.make()
        // On a disk that an earlier life has found full, even opening needs a little space.
        if let free = file.freeBytes(), free < ballastBytes { file.releaseBallast() }
        try renewLog()
        file.removeLeftovers()
        return lock
    }

    /// Makes durable what an earlier process left in the log, before SQLite reads it.
    ///
    /// A system shows what was written even when the sync of it failed, and tells of that once. A
    /// commit found in the log, and the reply stored with it, must not be gone after a power cut.
    private func renewLog() throws {
        let path = file.log.path
        let code = unsafe storage_sqlite3_renew_log(fileSystem, path)
        guard code == SQLITE_OK else {
            throw OpeningFault.file(
                path: path, reason: unsafe String(cString: sqlite3_errstr(code)))
        }
    }

    func connect(_ role: ConnectionRole) throws -> any Connection { try open(role) }

    private func open(_ role: ConnectionRole) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: file.path, fileSystem: fileSystem)
        try connection.set(SQLiteConnection.defensive, to: true)
        try connection.set(SQLITE_DBCONFIG_TRUSTED_SCHEMA, to: false)
        try connection.set(SQLITE_DBCONFIG_ENABLE_FKEY, to: true)
        do {
            switch role {
            case .writer: try prepareWriter(connection)
            case .reader: try prepareReader(connection)
            }
        } catch StorageFault.busy {
            throw OpeningFault.file(path: file.path, reason: connection.reason)
        }
        return connection
    }

    func freeBytes() -> Int64? { file.freeBytes() }

    func makeBallast(leaving bytes: Int64) {
        // Twice its size is free, so that it is not made of the space that it has just given back.
        guard ballastBytes > 0, let free = file.freeBytes(),
            free - 2 * Int64(ballastBytes) >= bytes
        else { return }
        file.makeBallast(bytes: ballastBytes)
    }

    func releaseBallast() { file.releaseBallast() }

    func copy(leaving bytes: Int64, isCancelled: @escaping () -> Bool) throws -> String {
        let log = file.log.byteCount() ?? 0
        if let size = file.byteCount(), let free = file.freeBytes(), free - bytes < size + log {
            throw CopyFault.noSpace(neededBytes: size + log, freeBytes: max(free - bytes, 0))
        }
        file.removeCopy()
        do {
            let source = try open(.reader)
            let copy = try SQLiteConnection(
                path: file.copyPath, fileSystem: fileSystem, makes: true)
            try copy.fill(from: source, isCancelled: isCancelled)
            // One file, that anybody can carry away.
            _ = try copy.ask("PRAGMA journal_mode = DELETE")
            let verdict = try copy.ask("PRAGMA quick_check(1)")
            guard verdict == "ok" else { throw CopyFault.damaged(verdict ?? "no answer") }
            return file.copyPath
        } catch {
            file.removeCopy()
            throw error
        }
    }

    private func prepareWriter(_ connection: SQLiteConnection) throws {
        // The queue orders the writes; nobody else holds the lock.
        _ = try connection.ask("PRAGMA busy_timeout = 0")
        do {
            let mode = try connection.ask("PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw OpeningFault.file(path: file.path, reason: "no write-ahead log here")
            }
            let verdict = try connection.ask("PRAGMA quick_check(1)")
            guard verdict == "ok" else {
                throw OpeningFault.damaged(path: file.path, reason: verdict ?? "no answer")
            }
        } catch StorageFault.lost(let reason) {
            throw OpeningFault.damaged(path: file.path, reason: reason)
        }
        _ = try connection.ask("PRAGMA synchronous = \(durability.rawValue)")
        _ = try connection.ask("PRAGMA cache_size = -\(Self.writerCacheBytes / 1_024)")
        connection.copyLog(atPages: checkpointPages)
        _ = try connection.ask("PRAGMA journal_size_limit = \(Self.journalBytesMax)")
        if durability == .full { try connection.gatherLog() }
    }

    private func prepareReader(_ connection: SQLiteConnection) throws {
        // Two connections that checkpoint can damage the file (SQLite before 3.51.3).
        try connection.set(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, to: true)
        _ = try connection.ask("PRAGMA wal_autocheckpoint = 0")
        _ = try connection.ask("PRAGMA query_only = 1")
        _ = try connection.ask("PRAGMA busy_timeout = 1000")
        connection.watchReadLimit()
        // Opens the log now: who can read then goes on when no file descriptor is left.
        _ = try connection.ask("SELECT count(*) FROM sqlite_schema")
    }
}
