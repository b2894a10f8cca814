/// The database as it was at the first query: consistent for as long as its closure runs.
public final class Snapshot: Reading {
    private let connection: any Connection

    init(_ connection: any Connection) {
        self.connection = connection
    }

    /// Hands the rows that a query finds to a closure, in order.
    public func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }
}
