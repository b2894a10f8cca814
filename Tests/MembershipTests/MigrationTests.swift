import Foundation
import Storage
import Testing
import TreeCopy

@testable import Membership

/// Databases of older programs keep what they hold.
@Suite struct MigrationTests {
    @Test func `the platform's owners have verified addresses, and are found by no email mask`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "membership-\(UUID().uuidString)")
        var settings = DatabaseConfiguration(path: folder.appending(path: "db").path)
        settings.freeBytesMin = 0
        let older = Membership.migrations.filter { $0.component != "membership" || $0.number < 5 }
        let first = try Database(settings, migrations: older)
        let people: [(email: String, role: Int?, state: Int?)] = [
            ("owner@a.company.com", 1, nil), ("member@company.com", 1, 1),
            ("blocked@company.com", 1, 2), ("former@company.com", 1, 3),
            ("partner@company.com", 4, nil), ("ada@company.com", nil, nil),
            ("deep@1.2.3.4.5.6.7.8.9.company.com", 1, nil),
        ]
        try await first.write { transaction in
            for (number, person) in people.enumerated() {
                let id: [UInt8] = Array(repeating: UInt8(number), count: 16)
                try transaction.execute(
                    """
                    INSERT INTO user (id, email, name, created_us, version)
                    VALUES (\(id), \(person.email), 'Ada', 0, 1)
                    """)
                if let role = person.role {
                    try transaction.execute(
                        """
                        INSERT INTO platform_role (user_id, role, node)
                        VALUES (\(id), \(role), x'')
                        """)
                }
                guard let state = person.state else { continue }
                try transaction.execute(
                    """
                    INSERT INTO membership (organization_id, user_id, id, name_key, roles, state,
                        takes_seat, joined_us, version)
                    VALUES (zeroblob(16), \(id), \(id), 'ada', 8192, \(state), 0, 0, 1)
                    """)
            }
        }
        first.close()

        let second = try Database(settings, migrations: Membership.migrations)
        let verified = try await second.read { snapshot in
            try snapshot.rows("SELECT email FROM user WHERE email_verified = 1 ORDER BY email") {
                try $0.text(0)
            }
        }
        #expect(
            verified == [
                "blocked@company.com", "deep@1.2.3.4.5.6.7.8.9.company.com",
                "former@company.com", "member@company.com", "owner@a.company.com",
            ])
        // They are the platform's own: no email mask takes them in.
        let found = try await second.read { snapshot in
            try snapshot.row("SELECT count(*) FROM unaffiliated_user") { try $0.int(0) }
        }
        #expect(found == 0)
        second.close()
        try FileManager.default.removeItem(at: folder)
    }

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
