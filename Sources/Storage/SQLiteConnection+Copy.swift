internal import CSQLite

extension SQLiteConnection {
    /// Pages, of 4 KiB, that are copied between two looks at whether to go on.
    private static let copyPages: Int32 = 256

    /// Fills this empty database with another as it is at one moment.
    ///
    /// The moment is fixed by a transaction that reads: commits meanwhile do not make the copy
    /// begin anew.
    /// - Parameters:
    ///   - source: A connection that does nothing else meanwhile.
    ///   - isCancelled: Asked now and then.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    func fill(from source: SQLiteConnection, isCancelled: () -> Bool) throws {
        try source.run(.beginReading)
        _ = try source.ask("SELECT count(*) FROM sqlite_schema")
        defer {
            // It has only read: however it ends, nothing is kept.
            try? source.control(.rollback)
        }
        guard let backup = unsafe sqlite3_backup_init(handle, "main", source.handle, "main") else {
            throw fault(unsafe sqlite3_errcode(handle))
        }
        var code = SQLITE_OK
        while code == SQLITE_OK, !isCancelled() {
            code = unsafe sqlite3_backup_step(backup, Self.copyPages)
        }
        let end = unsafe sqlite3_backup_finish(backup)
        if code == SQLITE_OK { throw CancellationError() }
        guard end == SQLITE_OK else { throw fault(end) }
    }
}
