import Storage

/// Rows of no meaning, so that the database has a size.
struct Filling {
    /// Rows written in one transaction.
    private static let batch = 5_000

    let database: Database

    /// Adds rows to a new database until it has a size.
    func fill(to bytes: Int) async throws {
        let text = String(repeating: "text ", count: 44)
        var count = 0
        while try size() < bytes {
            // Ordered as identifiers are that begin with the time.
            let first = count
            count += Self.batch
            try await database.write { transaction in
                try transaction.execute(
                    """
                    INSERT INTO filling (code, text)
                    WITH RECURSIVE number (n) AS (
                        VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < \(Self.batch))
                    SELECT printf('code %016d', \(first) + n), \(text) FROM number
                    """)
            }
        }
    }

    private func size() throws -> Int {
        let size = try database.readInline { snapshot in
            try snapshot.row(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            ) { try $0.int(0) }
        }
        return size ?? 0
    }
}
