/// Answers queries.
public protocol Reading {
    /// Every row that a query finds, as values.
    ///
    /// - Parameters:
    ///   - sql: One query; it names its own limit.
    ///   - map: Makes a value of a row.
    /// - Returns: The values in the order of the rows.
    /// - Throws: ``StorageFault``, or what the closure throws.
    func rows<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> [T]

    /// The first row that a query finds, as a value.
    ///
    /// - Parameters:
    ///   - sql: One query.
    ///   - map: Makes a value of the row.
    /// - Returns: The value; nil if there is no row.
    /// - Throws: ``StorageFault``, or what the closure throws.
    func row<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> T?
}

extension Reading {
    /// Whether a query finds a row.
    public func exists(_ sql: SQL) throws -> Bool {
        try row(sql) { _ in true } ?? false
    }
}

extension Connection {
    func rows<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> [T] {
        var found: [T] = []
        try forEachRow(of: sql) { row in
            found.append(try map(row))
            return true
        }
        return found
    }

    func row<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> T? {
        var found: T?
        try forEachRow(of: sql) { row in
            found = try map(row)
            return false
        }
        return found
    }
}
