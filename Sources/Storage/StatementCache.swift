/// The prepared statements of one connection, by their text; the least recently used one leaves.
struct StatementCache {
    /// A statement of SQLite takes a few kilobytes.
    static let statementsMax = 256

    private var statements: [SQLKey: SQLiteStatement] = [:]
    private var uses: UInt64 = 0

    /// The statement kept for a text, unless it stands on a row of somebody else's query.
    mutating func statement(for key: SQLKey) -> SQLiteStatement? {
        guard let statement = statements[key], !statement.isInUse else { return nil }
        uses += 1
        statement.lastUse = uses
        return statement
    }

    /// Keeps a statement; a text that is kept already keeps its old one.
    mutating func keep(_ statement: SQLiteStatement, for key: SQLKey) {
        guard statements[key] == nil else { return }
        if statements.count >= Self.statementsMax {
            let oldest = statements.min { $0.value.lastUse < $1.value.lastUse }
            if let oldest { statements[oldest.key] = nil }
        }
        uses += 1
        statement.lastUse = uses
        statements[key] = statement
    }

    /// The number of statements kept.
    var count: Int { statements.count }
}
