/// Answers queries.
public protocol Reading {
    /// Hands the rows that a query finds to a closure, in order.
    ///
    /// - Parameters:
    ///   - sql: One query; it names its own limit.
    ///   - body: Answers whether it wants the next row.
    /// - Throws: ``StorageFault``, or what the closure throws.
    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws
}

// Inlined into services, so that making values of rows costs no generic call.
extension Reading {
    /// Every row that a query finds, as values.
    ///
    /// - Parameters:
    ///   - sql: One query; it names its own limit.
    ///   - map: Makes a value of a row.
    /// - Returns: The values in the order of the rows.
    /// - Throws: ``StorageFault``, or what the closure throws.
    @inlinable
    public func rows<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> [T] {
        var found: [T] = []
        try forEachRow(of: sql) { row in
            found.append(try map(row))
            return true
        }
        return found
    }

    /// The first row that a query finds, as a value.
    ///
    /// - Parameters:
    ///   - sql: One query.
    ///   - map: Makes a value of the row.
    /// - Returns: The value; nil if there is no row.
    /// - Throws: ``StorageFault``, or what the closure throws.
    @inlinable
    public func row<T>(_ sql: SQL, _ map: (Row) throws -> T) throws -> T? {
        var found: T?
        try forEachRow(of: sql) { row in
            found = try map(row)
            return false
        }
        return found
    }

    /// Whether a query finds a row.
    ///
    /// - Parameter sql: One query.
    /// - Returns: Whether it finds one.
    /// - Throws: ``StorageFault``.
    public func exists(_ sql: SQL) throws -> Bool {
        try row(sql) { _ in true } ?? false
    }
}
