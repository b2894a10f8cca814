/// The database as it was at the first query: consistent for as long as its closure runs.
public final class Snapshot: Reading {
    private let connection: any Connection

    init(_ connection: any Connection) {
        self.connection = connection
    }

    /// Every row that a query finds, as values.
    public func rows<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> [T] {
        try connection.rows(sql, map)
    }

    /// The first row that a query finds, as a value.
    public func row<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> T? {
        try connection.row(sql, map)
    }
}
