import Glibc
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct DatabaseTests {
    @Test func `a database that was closed is one file`() async throws {
        let files = TemporaryFolder()
        for id in 1...10 {
            let database = try files.database()
            try await database.write { try $0.add(id, "\(id)@example.com") }
            _ = try await database.read { try $0.exists("SELECT 1 FROM member LIMIT 1") }
            #expect(try database.emails().count == id)
            database.close()
            #expect(files.files == ["db", "db.lock"])
        }
    }

    @Test func `what was written is read`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.write { try $0.add(1, "ada@example.org") }

        let hopped = try await database.read { snapshot in
            try snapshot.rows("SELECT email FROM member") { try $0.text(0) }
        }
        #expect(try database.emails() == ["ada@example.org"])
        #expect(hopped == ["ada@example.org"])
    }

    @Test func `what was written is there after a new start`() async throws {
        let files = TemporaryFolder()
        let first = try files.database()
        try await first.write { try $0.add(1, "ada@example.org") }
        first.close()

        let second = try files.database()

        #expect(try second.emails() == ["ada@example.org"])
        #expect(second.incarnation == first.incarnation)
        #expect(second.incarnation.count == 16)
    }

    @Test func `two databases are told apart by their incarnation`() throws {
        let files = (TemporaryFolder(), TemporaryFolder())

        let databases = (try files.0.database(), try files.1.database())

        #expect(databases.0.incarnation != databases.1.incarnation)
    }

    @Test func `a database that is open is refused to another`() throws {
        let files = TemporaryFolder()
        let database = try files.database()

        #expect(throws: OpeningFault.inUse(path: files.databasePath)) { try files.database() }

        database.close()
        let again = try files.database()
        #expect(again.incarnation == database.incarnation)
    }

    @Test func `a closed database refuses work`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        database.close()
        database.close()

        await #expect(throws: StorageFault.self) { try await database.write { _ in } }
        await #expect(throws: StorageFault.self) { try await database.read { _ in } }
        #expect(throws: StorageFault.self) { try database.readInline { _ in } }
    }

    @Test func `only the owner may read the files`() async throws {
        let files = TemporaryFolder()
        let database = try files.database([.members]) { $0.ballastBytes = 4_096 }
        try await database.write { try $0.add(1, "ada@example.org") }

        for name in ["db", "db-wal", "db-shm", "db.lock", "db.ballast"] {
            var info = stat()
            #expect(unsafe stat("\(files.path)/\(name)", &info) == 0, "\(name)")
            #expect(info.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func `the connections are set up to keep data safe`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        // A setting is asked for through a table-valued function: services run no PRAGMA.
        let synchronous = try await database.write { transaction in
            try transaction.row("SELECT * FROM pragma_synchronous") { try $0.int(0) }
        }
        let foreignKeys = try await database.write { transaction in
            try transaction.row("SELECT * FROM pragma_foreign_keys") { try $0.int(0) }
        }
        let journal = try database.readInline { snapshot in
            try snapshot.row("SELECT * FROM pragma_journal_mode") { try $0.text(0) }
        }
        let isReadOnly = try database.readInline { snapshot in
            try snapshot.row("SELECT * FROM pragma_query_only") { try $0.int(0) }
        }
        #expect(synchronous == 2)
        #expect(foreignKeys == 1)
        #expect(journal == "wal")
        #expect(isReadOnly == 1)
    }

    @Test func `a damaged file is refused`() throws {
        let files = TemporaryFolder()
        let descriptor = unsafe open(files.databasePath, O_WRONLY | O_CREAT, 0o600)
        let nonsense = String(repeating: "not a database ", count: 100)
        #expect(unsafe write(descriptor, nonsense, nonsense.utf8.count) > 0)
        close(descriptor)

        #expect(throws: OpeningFault.self) { try files.database() }
    }

    @Test func `a snapshot sees one state of the database`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.add(1, "ada@example.org") }
        let hasRead = Bell()
        let mayGoOn = Bell()

        async let counts = database.read { snapshot in
            let before = try snapshot.row("SELECT count(*) FROM member") { try $0.int(0) }
            hasRead.ring()
            mayGoOn.wait()
            let after = try snapshot.row("SELECT count(*) FROM member") { try $0.int(0) }
            return [before, after]
        }
        try await database.write { transaction in
            hasRead.wait()
            try transaction.add(2, "bob@example.org")
        }
        mayGoOn.ring()

        #expect(try await counts == [1, 1])
        #expect(try database.emails().count == 2)
    }

    @Test func `a query that runs too long is cut off, and the next one runs`() throws {
        let files = TemporaryFolder()
        let database = try files.database([.members]) { $0.readTimeMax = .milliseconds(1) }
        let endless: SQL = """
            WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number)
            SELECT count(*) FROM number
            """

        #expect(throws: StorageFault.busy(retryAfter: .seconds(1))) {
            try database.readInline { try $0.row(endless) { try $0.int(0) } }
        }
        #expect(try database.emails() == [])
    }
}
