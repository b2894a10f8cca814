internal import CSQLite

extension SQLiteConnection {
    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        switch reading {
        case nil: break
        case .toBegin: return try forEachRow(ofFirst: sql, body)
        case .outdated: throw OutdatedReading()
        case let begun?: try begin(begun)
        }
        let statement = try query(sql)
        defer { release(statement) }
        try forEachRow(from: statement, body)
    }

    /// The rows from the one that the next step finds.
    private func forEachRow(
        from statement: SQLiteStatement, _ body: (Row) throws -> Bool
    ) throws {
        let row = Row(cursor: statement)
        while try isOnRow(statement) {
            guard try body(row) else { return }
        }
    }

    /// Moves to the next row, if there is one.
    private func isOnRow(_ statement: SQLiteStatement) throws -> Bool {
        switch statement.step() {
        case SQLITE_ROW: true
        case SQLITE_DONE: false
        case let code: throw fault(code)
        }
    }

    /// A query with its values, in use until released.
    private func query(_ sql: SQL) throws -> SQLiteStatement {
        let statement = try prepared(sql)
        do {
            guard statement.columnCount > 0, statement.isReadOnly else {
                throw StorageFault.sql("a query is expected: \(sql.text)")
            }
            try check(statement.bind(sql.values))
        } catch {
            release(statement)
            throw error
        }
        return statement
    }

    // MARK: Brief readings

    // Most jobs that read want one row, and to begin and end a transaction costs a tenth of that:
    // SQLite is told of it only when more is asked for. Until then the query keeps the state of
    // the database, for as long as it stands on a row.

    private func forEachRow(ofFirst sql: SQL, _ body: (Row) throws -> Bool) throws {
        let statement = try query(sql)
        var isLeft = false
        defer { if !isLeft { release(statement) } }
        guard try isOnRow(statement) else {
            reading = .foundNothing(sql)
            return
        }
        reading = .onRow(statement, isLeft: false)
        do {
            guard try body(Row(cursor: statement)) else {
                isLeft = leave(statement)
                return
            }
        } catch {
            isLeft = leave(statement)
            throw error
        }
        if let reading { try begin(reading) }
        try forEachRow(from: statement, body)
    }

    /// Leaves a query on its row, unless a transaction has begun meanwhile.
    private func leave(_ statement: SQLiteStatement) -> Bool {
        guard reading != nil else { return false }
        reading = .onRow(statement, isLeft: true)
        return true
    }

    /// Has SQLite begin the transaction, in the state that the first query has seen.
    private func begin(_ brief: BriefReading) throws {
        try run(.beginReading)
        reading = nil
        switch brief {
        case .toBegin, .outdated: break
        case .onRow(let statement, let isLeft):
            if isLeft { release(statement) }
        case .foundNothing(let sql):
            // The state may be a later one: it is the same to who has found nothing in either.
            var isSame = false
            defer { if !isSame { reading = .outdated } }
            guard try !exists(sql) else { throw OutdatedReading() }
            isSame = true
        }
    }

    func endBriefReading() throws {
        let ended = reading
        reading = nil
        switch ended {
        case .onRow(let statement, _)?: release(statement)
        case .outdated?:
            if isInSQLTransaction { try run(.commit) }
            throw OutdatedReading()
        case .toBegin?, .foundNothing?, nil: break
        }
    }
}
