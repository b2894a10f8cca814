internal import CSQLite
internal import Glibc

/// A connection to an SQLite file.
@safe final class SQLiteConnection: Connection {
    /// Queries look at the clock after so many steps of SQLite's machine: about a millisecond.
    private static let stepsBetweenClockReads: Int32 = 20_000
    /// The words a statement of a service may begin with.
    private static let verbs: Set<String> = [
        "SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "EXPLAIN",
    ]

    var readLimit = ReadLimit.none
    private(set) var breakdown: String?
    let handle: OpaquePointer
    /// A longer log is copied into the file.
    private var logPagesMax: Int32 = .max
    /// How long the last commit has left the log; 0 once it has been copied.
    private var logPages: Int32 = 0
    private var cache = StatementCache()
    /// A transaction that reads and that SQLite has not been told of yet.
    var reading: BriefReading?
    /// By their numbers; those that were needed.
    private var controls = [SQLiteStatement?](
        repeating: nil, count: TransactionControl.allCases.count)

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - fileSystem: The name of the file system layer registered with SQLite; nil for its own.
    ///   - makes: Whether a file that does not exist is made.
    /// - Throws: ``OpeningFault`` when that is not possible, or not now.
    init(path: String, fileSystem: String? = nil, makes: Bool = false) throws {
        var opened: OpaquePointer?
        // One thread at a time uses a connection, so that SQLite need not lock it.
        let flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            | (makes ? SQLITE_OPEN_CREATE : 0)
        let code = unsafe sqlite3_open_v2(path, &opened, flags, fileSystem)
        guard let connection = unsafe opened else {
            throw OpeningFault.file(path: path, reason: "no memory")
        }
        unsafe handle = connection
        guard code == SQLITE_OK else {
            let reason = unsafe Self.reason(connection)
            unsafe sqlite3_close_v2(connection)
            throw OpeningFault.file(path: path, reason: reason)
        }
    }

    deinit {
        if breakdown != nil {
            // The system may have forgotten pages it shows: only the whole log repairs the file.
            unsafe _ = storage_sqlite3_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        }
        // Statements that still live keep the handle alive until they are gone.
        unsafe sqlite3_close_v2(handle)
    }

    /// What went wrong lately: in the system's words if it was the system's, or in SQLite's.
    var reason: String { unsafe Self.reason(handle) }

    private static func reason(_ handle: OpaquePointer) -> String {
        let number = unsafe sqlite3_system_errno(handle)
        return number == 0
            ? unsafe String(cString: sqlite3_errmsg(handle))
            : unsafe String(cString: strerror(number))
    }

    var isInTransaction: Bool { reading != nil || isInSQLTransaction }

    /// Whether SQLite has been told of the transaction.
    var isInSQLTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// The option under which no statement can damage the file.
    static let defensive = SQLITE_DBCONFIG_DEFENSIVE

    /// Switches an option of the connection.
    func set(_ option: Int32, to value: Bool) throws {
        try check(unsafe storage_sqlite3_switch(handle, option, value ? 1 : 0))
    }

    /// Cuts queries off that reach ``readLimit``.
    func watchReadLimit() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe sqlite3_progress_handler(
            handle, Self.stepsBetweenClockReads,
            { context in
                guard let context = unsafe context else { return 0 }
                let connection = unsafe Unmanaged<SQLiteConnection>.fromOpaque(context)
                    .takeUnretainedValue()
                return connection.readLimit.isReached ? 1 : 0
            }, context)
    }

    /// Has ``copyLog()`` copy the log once a commit has left it at so many pages.
    func copyLog(atPages pages: Int32) {
        logPagesMax = pages
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                guard let context = unsafe context else { return SQLITE_OK }
                let connection = unsafe Unmanaged<SQLiteConnection>.fromOpaque(context)
                    .takeUnretainedValue()
                connection.logPages = pages
                return SQLITE_OK
            }, context)
    }

    // SQLite does the same by itself, within a commit, but passes over errors. After a sync that
    // failed, the next one succeeds without what was to be written before: the log would be
    // overwritten though the file lacks pages of it.
    func copyLog() {
        guard logPages >= logPagesMax else { return }
        let code = unsafe sqlite3_wal_checkpoint_v2(
            handle, "main", SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        guard code == SQLITE_OK else {
            // Remembers a breakdown; what passes is tried again after the next batch.
            _ = fault(code)
            return
        }
        logPages = 0
    }

    /// Has what commits write to the log written at once, before it is synced.
    ///
    /// Something must have been read, which opens the log; and commits must be synced.
    func gatherLog() throws {
        try check(unsafe storage_sqlite3_gather_log(handle))
    }

    func execute(_ sql: SQL) throws -> Int {
        let statement = try prepared(sql)
        guard statement.columnCount == 0, !statement.isReadOnly else {
            throw StorageFault.sql("a statement that changes rows is expected: \(sql.text)")
        }
        defer { release(statement) }
        try check(statement.bind(sql.values))
        let code = statement.step()
        guard code == SQLITE_DONE else { throw fault(code) }
        return unsafe Int(sqlite3_changes64(handle))
    }

    func run(script: String) throws {
        try check(unsafe sqlite3_exec(handle, script, nil, nil, nil))
    }

    func control(_ control: TransactionControl) throws {
        switch control {
        case .beginBriefReading: reading = .toBegin
        case .commit where reading != nil: try endBriefReading()
        default: try run(control)
        }
    }

    /// Has SQLite take the step now.
    func run(_ control: TransactionControl) throws {
        let statement: SQLiteStatement
        if let kept = controls[control.rawValue] {
            statement = kept
        } else {
            statement = try prepare(Self.text(of: control))
            controls[control.rawValue] = statement
        }
        let code = statement.step()
        statement.reset()
        guard code == SQLITE_DONE else { throw fault(code) }
    }

    /// Runs one statement of our own, such as a PRAGMA, and answers its first row as text.
    func ask(_ text: String) throws -> String? {
        let statement = try prepare(text)
        defer { statement.reset() }
        switch statement.step() {
        case SQLITE_ROW:
            guard case .value(let text) = statement.text(at: 0) else { return nil }
            return text
        case SQLITE_DONE: return nil
        case let code: throw fault(code)
        }
    }

    private static func text(of control: TransactionControl) -> String {
        switch control {
        case .beginBriefReading, .beginReading: "BEGIN DEFERRED"
        case .beginWriting: "BEGIN IMMEDIATE"
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"
        case .markJob: "SAVEPOINT job"
        case .keepJob: "RELEASE job"
        case .undoJob: "ROLLBACK TO job"
        case .markPart: "SAVEPOINT part"
        case .keepPart: "RELEASE part"
        case .undoPart: "ROLLBACK TO part"
        }
    }

    /// A statement with its values yet to be bound, in use until released.
    func prepared(_ sql: SQL) throws -> SQLiteStatement {
        if let kept = cache.statement(for: sql.key) {
            kept.isInUse = true
            return kept
        }
        let text = sql.text
        guard sql.values.count <= SQL.valuesMax else {
            throw StorageFault.sql("more than \(SQL.valuesMax) values: \(text)")
        }
        let verb = text.drop(while: \.isWhitespace).prefix(while: \.isLetter).uppercased()
        guard Self.verbs.contains(verb) else {
            throw StorageFault.sql("not a query or a change of rows: \(text)")
        }
        let statement = try prepare(text)
        cache.keep(statement, for: sql.key)
        statement.isInUse = true
        return statement
    }

    /// Lets others use a statement.
    func release(_ statement: SQLiteStatement) {
        statement.reset()
        statement.isInUse = false
    }

    /// Prepares the one statement that a text holds.
    private func prepare(_ text: String) throws -> SQLiteStatement {
        var text = text
        var prepared: OpaquePointer?
        var tailIsEmpty = true
        let code = text.withUTF8 { bytes in
            var tail: UnsafePointer<CChar>?
            let start = unsafe UnsafeRawPointer(bytes.baseAddress)?
                .assumingMemoryBound(to: CChar.self)
            let code = unsafe sqlite3_prepare_v3(
                handle, start, Int32(clamping: bytes.count), UInt32(SQLITE_PREPARE_PERSISTENT),
                &prepared, &tail)
            if let start = unsafe start, let tail = unsafe tail {
                let consumed = unsafe tail - start
                tailIsEmpty = unsafe bytes.dropFirst(consumed).allSatisfy { byte in
                    byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ";")
                }
            }
            return code
        }
        guard code == SQLITE_OK, let statement = unsafe prepared else {
            let reason = code == SQLITE_OK ? StorageFault.sql("an empty statement") : fault(code)
            guard case .sql(let detail) = reason else { throw reason }
            throw StorageFault.sql("\(detail): \(text)")
        }
        let owned = unsafe SQLiteStatement(handle: statement)
        guard tailIsEmpty else { throw StorageFault.sql("more than one statement: \(text)") }
        return owned
    }

    /// Throws what a result code means, unless all is well.
    func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw fault(code) }
    }

    /// What a result code means to a caller; remembers what breaks the connection for good.
    func fault(_ code: Int32) -> StorageFault {
        let message = unsafe String(cString: sqlite3_errmsg(handle))
        switch code & 0xff {
        case SQLITE_CONSTRAINT:
            return .constraint(message)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return .busy(retryAfter: .milliseconds(50))
        // No file can be opened when no descriptor is left: that passes.
        case SQLITE_INTERRUPT, SQLITE_FULL, SQLITE_CANTOPEN:
            return .busy(retryAfter: .seconds(1))
        case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_NOMEM, SQLITE_PROTOCOL,
            SQLITE_READONLY:
            let reason = "SQLite error \(code): \(message)"
            if breakdown == nil { breakdown = reason }
            return .lost(reason)
        default:
            return .sql("SQLite error \(code): \(message)")
        }
    }
}
