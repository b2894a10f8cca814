import Storage
import Testing

@Suite struct SQLTests {
    @Test func `a value is bound and never becomes text of the statement`() throws {
        let email = "'; DELETE FROM member; --"

        let sql: SQL = "SELECT id FROM member WHERE email = \(email)"

        #expect(sql.text == "SELECT id FROM member WHERE email = ?")
        #expect(sql.values == [.text(email)])
    }

    @Test func `parts of a statement are put together with their values`() {
        let condition: SQL = "email = \("ada") AND id > \(1)"

        let sql: SQL = "SELECT id FROM member WHERE \(condition) LIMIT \(2)"

        #expect(sql.text == "SELECT id FROM member WHERE email = ? AND id > ? LIMIT ?")
        #expect(sql.values == [.text("ada"), .integer(1), .integer(2)])
    }

    @Test func `a list becomes as many placeholders`() {
        let sql: SQL = "SELECT id FROM member WHERE id IN (\(list: [1, 2, 3]))"

        #expect(sql.text == "SELECT id FROM member WHERE id IN (?, ?, ?)")
    }

    @Test func `an empty list matches nothing, and its opposite everything`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.add(1, "ada") }
        let none: [Int] = []

        let inside = try database.readInline {
            try $0.exists("SELECT 1 FROM member WHERE id IN (\(list: none))")
        }
        let outside = try database.readInline {
            try $0.exists("SELECT 1 FROM member WHERE id NOT IN (\(list: none))")
        }
        #expect(!inside)
        #expect(outside)
    }

    @Test func `every kind of value comes back as it went in`() async throws {
        let files = TemporaryFolder()
        let values = Migration(
            component: "values", number: 1, name: "values",
            sql: """
                CREATE TABLE kept (i INTEGER, r REAL, t TEXT, b BLOB, e TEXT, z BLOB, n TEXT) STRICT
                """)
        let database = try files.database([values])
        let nothing: String? = nil

        try await database.write { transaction in
            _ = try transaction.execute(
                """
                INSERT INTO kept (i, r, t, b, e, z, n)
                VALUES (\(Int64.min), \(0.5), \("Zoë\0é"), \([0, 255] as [UInt8]), \(""),
                    \([] as [UInt8]), \(nothing))
                """)
        }

        let isSame = try database.readInline { snapshot in
            try snapshot.row("SELECT i, r, t, b, e, z, n FROM kept") { row in
                try [
                    row.int64(0) == .min, row.double(1) == 0.5, row.text(2) == "Zoë\0é",
                    row.bytes(3) == [0, 255], row.textOrNil(4) == "", row.bytesOrNil(5) == [],
                    row.textOrNil(6) == nil, row.isNull(6),
                ]
            }
        }
        #expect(isSame == [Bool](repeating: true, count: 8))
    }

    @Test func `values of every length are bound as they are, one statement after another`()
        async throws
    {
        let files = TemporaryFolder()
        let database = try files.database()

        for length in [0, 1, 127, 128, 129, 3, 5_000, 2, 200_000, 0, 256, 257] {
            let text = String(repeating: "ä", count: length)
            let bytes = [UInt8](repeating: UInt8(length % 251), count: length)
            let found = try database.readInline { snapshot in
                try snapshot.row("SELECT \(bytes), \(text), \(length), \(text + "!"), \(bytes)") {
                    row in
                    #expect(try row.bytes(0) == bytes)
                    #expect(try row.text(1) == text)
                    #expect(try row.text(3) == text + "!")
                    #expect(try row.bytes(4) == bytes)
                    return try row.int(2)
                }
            }
            #expect(found == length)
        }
    }

    @Test func `a column of another type or place is an error`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.add(7, "ada") }
        let wrong: [@Sendable (Row) throws -> Void] = [
            { _ = try $0.text(0) }, { _ = try $0.bool(0) }, { _ = try $0.double(0) },
            { _ = try $0.int(1) }, { _ = try $0.bytes(1) }, { _ = try $0.intOrNil(1) },
            { _ = try $0.int(2) }, { _ = try $0.int(-1) }, { _ = try $0.text(3) },
        ]

        for read in wrong {
            #expect(throws: StorageFault.self) {
                try database.readInline { snapshot in
                    try snapshot.rows("SELECT id, email, NULL FROM member") { try read($0) }
                }
            }
        }
        #expect(try database.emails() == ["ada"])
    }

    @Test func `a statement of another kind than expected is refused`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let changes: [SQL] = [
            "SELECT 1", "COMMIT", "PRAGMA user_version", "ATTACH 'x' AS x", "",
            "DELETE FROM member; DELETE FROM note", "DROP TABLE member", "DELETE FROM nowhere",
            "DELETE FROM member RETURNING id",
        ]
        let queries: [SQL] = ["DELETE FROM member", "BEGIN", "SELECT 1; SELECT 2", "SELECT"]

        for sql in changes {
            await #expect(throws: StorageFault.self, "\(sql.text)") {
                try await database.write { try $0.execute(sql) }
            }
        }
        for sql in queries {
            #expect(throws: StorageFault.self, "\(sql.text)") {
                try database.readInline { try $0.rows(sql) { _ in } }
            }
        }
    }

    @Test func `a statement may be used within its own rows`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { transaction in
            for id in 1...3 { try transaction.add(id, "\(id)") }
        }

        let pairs = try database.readInline { snapshot in
            try snapshot.rows("SELECT email FROM member ORDER BY id") { outer in
                try snapshot.rows("SELECT email FROM member ORDER BY id") { inner in
                    try outer.text(0) + inner.text(0)
                }
            }
        }

        #expect(pairs.flatMap { $0 } == ["11", "12", "13", "21", "22", "23", "31", "32", "33"])
    }

    @Test func `more values than every engine takes are refused`() throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let ids = Array(0...SQL.valuesMax)

        #expect(throws: StorageFault.self) {
            try database.readInline {
                try $0.exists("SELECT 1 FROM member WHERE id IN (\(list: ids))")
            }
        }
    }
}
