/// Brings a database to the schema of the program, wholly or not at all.
struct Migrator {
    let connection: any Connection
    let migrations: [Migration]
    let now: WallTime

    /// Applies what is missing.
    ///
    /// - Throws: ``OpeningFault``; the database is then as it was.
    func run() throws {
        try checkNumbers()
        try connection.control(.beginWriting)
        do {
            try connection.run(
                script: """
                    CREATE TABLE IF NOT EXISTS storage_migration (
                        component     TEXT    NOT NULL,
                        number        INTEGER NOT NULL,
                        name          TEXT    NOT NULL,
                        checksum      INTEGER NOT NULL,
                        applied_at_us INTEGER NOT NULL,
                        PRIMARY KEY (component, number)
                    ) STRICT, WITHOUT ROWID
                    """)
            let applied = try applied()
            try refuseNewer(applied)
            for migration in migrations { try apply(migration, unlessIn: applied) }
            try checkTables()
            try connection.control(.commit)
        } catch {
            if connection.isInTransaction { try connection.control(.rollback) }
            throw error
        }
    }

    private struct Applied {
        let component: String
        let number: Int
        let checksum: Int64
    }

    private func checkNumbers() throws {
        var next: [String: Int] = [:]
        for migration in migrations {
            let expected = next[migration.component, default: 1]
            guard migration.number == expected else {
                throw OpeningFault.misnumbered(
                    component: migration.component, number: migration.number)
            }
            next[migration.component] = expected + 1
        }
    }

    private func applied() throws -> [Applied] {
        try connection.rows(
            """
            SELECT component, number, checksum FROM storage_migration
            ORDER BY component, number LIMIT 100000
            """
        ) { row in
            Applied(component: try row.text(0), number: try row.int(1), checksum: try row.int64(2))
        }
    }

    private func refuseNewer(_ applied: [Applied]) throws {
        for row in applied {
            let known = migrations.filter { $0.component == row.component }.map(\.number).max() ?? 0
            guard row.number <= known else {
                throw OpeningFault.newer(
                    component: row.component, found: row.number, known: known)
            }
        }
    }

    private func apply(_ migration: Migration, unlessIn applied: [Applied]) throws {
        let found = applied.first { row in
            row.component == migration.component && row.number == migration.number
        }
        if let found {
            guard found.checksum == migration.checksum else {
                throw OpeningFault.changedMigration(
                    component: migration.component, number: migration.number)
            }
            return
        }
        do {
            Failpoint.beforeMigration.reach()
            try connection.run(script: migration.sql)
            Failpoint.afterMigration.reach()
            _ = try connection.execute(
                """
                INSERT INTO storage_migration (component, number, name, checksum, applied_at_us)
                VALUES (\(migration.component), \(migration.number), \(migration.name),
                    \(migration.checksum), \(now))
                """)
        } catch {
            throw OpeningFault.failedMigration(
                component: migration.component, number: migration.number, reason: "\(error)")
        }
        guard connection.isInTransaction else {
            throw OpeningFault.failedMigration(
                component: migration.component, number: migration.number,
                reason: "it ends the transaction")
        }
    }

    private func checkTables() throws {
        let loose = try connection.row(
            """
            SELECT name FROM pragma_table_list
            WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'
            ORDER BY name LIMIT 1
            """
        ) { try $0.text(0) }
        if let loose { throw OpeningFault.notStrict(table: loose) }
    }
}
