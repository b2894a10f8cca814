import Foundation
import Storage
import Testing
import TreeCopy

@testable import Membership

/// Databases of older programs keep what they hold.
@Suite struct MigrationTests {
    @Test func `members and ledger are brought up to date, append-only as before`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "membership-\(UUID().uuidString)")
        var settings = DatabaseConfiguration(path: folder.appending(path: "db").path)
        settings.freeBytesMin = 0
        let older = Membership.migrations.filter { $0.component != "membership" || $0.number < 2 }
        let first = try Database(settings, migrations: older)
        try await first.write { transaction in
            try transaction.execute(
                """
                INSERT INTO user (id, email, name, created_us, version)
                VALUES (zeroblob(16), 'ada@example.org', 'Ada', 0, 1)
                """)
            try transaction.execute(
                """
                INSERT INTO membership (organization_id, user_id, id, name_key, roles, state,
                    takes_seat, joined_us, version)
                VALUES (zeroblob(16), zeroblob(16), zeroblob(16), 'ada', 64, 3, 0, 0, 1)
                """)
            try transaction.execute(
                """
                INSERT INTO seat_ledger (sequence, organization_id, kind, operation, cause,
                    balance_after, occurred_us)
                VALUES (7, zeroblob(16), 0, 1, 1, 1, 0)
                """)
        }
        first.close()

        let second = try Database(settings, migrations: Membership.migrations)
        let kept = try await second.read { snapshot in
            (
                try snapshot.rows("SELECT name_key, state FROM membership") { row in
                    "\(try row.text(0)) \(try row.int(1))"
                },
                try snapshot.rows("SELECT sequence FROM seat_ledger") { try $0.int(0) }
            )
        }
        #expect(kept.0 == ["ada 3"])
        #expect(kept.1 == [7])
        for statement: SQL in [
            "UPDATE seat_ledger SET balance_after = 2", "DELETE FROM seat_ledger",
            "UPDATE membership SET state = 4",
        ] {
            await #expect(throws: StorageFault.self) {
                try await second.write { _ = try $0.execute(statement) }
            }
        }
        second.close()
        try FileManager.default.removeItem(at: folder)
    }
}
