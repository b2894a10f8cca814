import Testing

@testable import Storage

@Suite struct MigrationTests {
    private let second = Migration(
        component: "members", number: 2, name: "since",
        sql: "ALTER TABLE member ADD COLUMN since_us INTEGER NOT NULL DEFAULT 0")

    @Test func `an older database is brought up to date with its rows`() async throws {
        let files = TemporaryFolder()
        let old = try files.database([.members])
        try await old.write { try $0.add(1, "ada@example.org") }
        old.close()

        let new = try files.database([.members, second])

        let since = try new.readInline { snapshot in
            try snapshot.row("SELECT since_us FROM member WHERE id = 1") { try $0.int(0) }
        }
        #expect(since == 0)
    }

    @Test func `a database of a newer program is refused in one line`() throws {
        let files = TemporaryFolder()
        try files.database([.members, second]).close()

        let fault = #expect(throws: OpeningFault.self) { try files.database([.members]) }

        #expect(fault == .newer(component: "members", found: 2, known: 1))
        #expect(fault?.description.contains("\n") == false)
    }

    @Test func `a database with a component that the program lacks is refused`() throws {
        let files = TemporaryFolder()
        try files.database([.members]).close()

        #expect(throws: OpeningFault.newer(component: "members", found: 1, known: 0)) {
            try files.database([])
        }
    }

    @Test func `a migration that was changed after it was applied is refused`() throws {
        let files = TemporaryFolder()
        try files.database([.members]).close()
        let changed = Migration(
            component: "members", number: 1, name: "members", sql: Migration.members.sql + " ")

        #expect(throws: OpeningFault.changedMigration(component: "members", number: 1)) {
            try files.database([changed])
        }
    }

    @Test func `when one migration fails none is applied`() throws {
        let files = TemporaryFolder()
        let broken = Migration(
            component: "members", number: 2, name: "broken", sql: "CREATE TABLE member (id)")

        #expect(throws: OpeningFault.self) { try files.database([.members, broken]) }

        let database = try files.database([])
        let tables = try database.readInline { snapshot in
            try snapshot.rows("SELECT name FROM sqlite_schema WHERE name = 'member'") {
                try $0.text(0)
            }
        }
        #expect(tables == [])
    }

    @Test func `a table that is not strict is refused`() throws {
        let files = TemporaryFolder()
        let loose = Migration(
            component: "loose", number: 1, name: "loose", sql: "CREATE TABLE loose (id INTEGER)")

        #expect(throws: OpeningFault.notStrict(table: "loose")) { try files.database([loose]) }
    }

    @Test(arguments: [0, 2])
    func `numbers of migrations must count from 1`(number: Int) throws {
        let files = TemporaryFolder()
        let stray = Migration(component: "stray", number: number, name: "stray", sql: "")

        #expect(throws: OpeningFault.misnumbered(component: "stray", number: number)) {
            try files.database([stray])
        }
    }

    @Test func `a migration that ends the transaction is refused`() throws {
        let files = TemporaryFolder()
        let rogue = Migration(component: "rogue", number: 1, name: "rogue", sql: "COMMIT")

        #expect(throws: OpeningFault.self) { try files.database([rogue]) }
    }

    @Test func `storage's own tables are brought up to date with their rows`() async throws {
        let files = TemporaryFolder()
        let engine = EmbeddedSQLite(path: files.databasePath, ballastBytes: 0)
        do {
            let claim = try engine.claim()
            defer { withExtendedLifetime(claim) {} }
            let connection = try engine.connect(.writer)
            let first = Array(Schema.migrations.prefix(1))
            try Migrator(connection: connection, migrations: first, now: .start).run()
            try connection.run(
                script: """
                    INSERT INTO storage_meta (id, incarnation, created_at_us)
                    VALUES (1, randomblob(16), 0);
                    INSERT INTO storage_reply
                        (principal, key, method, request_digest, state, reply, purge, at_us)
                    VALUES ('ada', zeroblob(16), 'm', x'01', 1, x'2a', 0, 0);
                    INSERT INTO storage_workflow (id, kind, version, state, step, input,
                        started_by, due_at_us, progressed_at_us, created_at_us, updated_at_us)
                    VALUES (zeroblob(16), 'sale', 1, 2, 1, x'', 'ada', 0, 0, 0, 0);
                    """)
        }
        let uptime = HandClock()
        let database = try files.database([]) { $0.uptime = { uptime.now.offset } }

        let reply = try await database.command(
            Command(
                principal: "ada", key: [UInt8](repeating: 0, count: 16), method: "m",
                requestDigest: [1], now: .start)
        ) { _ in [7] }
        #expect(reply == .reply([42]), "the stored one")
        let constraint = await failure {
            try await database.write { transaction in
                _ = try transaction.execute("UPDATE storage_reply SET state = 4")
            }
        }
        guard case .constraint = constraint as? StorageFault else {
            Issue.record("a fourth state was accepted: \(String(describing: constraint))")
            return
        }
        #expect(try await database.workflows.list().map(\.state) == [.done])
        // Ended before it was noted when: it is removed like the others, not at once.
        var removed: [Int] = []
        for day in [0, 29, 30, 31] {
            uptime.advance(by: .seconds(86_400 * day) - uptime.now.offset)
            removed.append(try await database.purge(at: .start.after(days: day)).workflows)
        }
        #expect(removed == [0, 0, 1, 0])
    }
}
