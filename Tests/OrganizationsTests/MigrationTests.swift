import Access
import Foundation
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// A database that is older than the program.
struct MigrationTests {
    @Test func `claims of domains that waited before can be proven afterwards`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "migration-\(UUID().uuidString)")
        defer {
            // What is left behind lies in the temporary folder, which the system empties.
            try? FileManager.default.removeItem(at: folder)
        }
        let settings = DatabaseConfiguration(path: folder.appending(path: "db").path)
        let id = OrganizationID(high: 1, low: 1)
        let now = WallTime(microseconds: 1_767_225_600_000_000)
        let (details, _) = try Details.new(
            DetailsInput(title: "School", category: 1, country: "US"), today: now.day)
        let before = migrations.filter { $0.name != "types-urls-contacts" }
        let old = try Database(settings, migrations: before)
        try await old.write { transaction in
            try transaction.execute(
                """
                INSERT INTO organization (number, serial, id, depth, standing, active, title,
                    title_key, description, category, category_source, country,
                    sales_rep_email, services, origin, discount_scope, members, created_by,
                    created_micros, updated_micros, version)
                VALUES (1, 1, \(id), 1, 1, 1, \(details.title.text), \(details.title.key), '', 1,
                    1, 'US', '', '', 1, 1, 0, 'test', \(now), \(now), 1)
                """)
            for (value, state) in [("old.example", 1), ("waiting.example", 2)] {
                try transaction.execute(
                    """
                    INSERT INTO email_mask (organization_id, value, mode, state, created_by,
                        created_micros)
                    VALUES (\(id), \(value), 1, \(state), 'test', \(now))
                    """)
            }
        }
        old.close()

        let database = try Database(settings, migrations: migrations)
        let masks = try await database.read { snapshot in
            try snapshot.emailMasks(
                of: id, waitingSince: now.advanced(by: .seconds(-1)), limit: 10)
        }
        let platform = try await database.read { try $0.platformSettings() }
        database.close()

        #expect(masks.map(\.value) == ["old.example", "waiting.example"])
        #expect(masks.map { $0.challenge == nil } == [true, false])
        #expect(platform.values == PlatformValues() && platform.version == 1)
    }
}
