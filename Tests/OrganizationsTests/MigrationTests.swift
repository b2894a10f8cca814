import Access
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// A database that is older than the program.
struct MigrationTests {
    @Test func `claims of domains that waited before can be proven afterwards`() async throws {
        let file = OldDatabase()
        let (id, now) = (OrganizationID(high: 1, low: 1), file.now)
        let old = try file.open(before: "types-urls-contacts")
        try await old.write { transaction in
            try transaction.addSchool("School", number: 1, id: id, at: now)
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

        let database = try file.open()
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

    @Test func `a search finds what was there before, the latest changed first`() async throws {
        let file = OldDatabase()
        let start = file.now
        let old = try file.open(before: "recency")
        try await old.write { transaction in
            for (number, minute) in [(1, 3), (2, 1), (3, 2)] as [(Int64, Double)] {
                try transaction.addSchool(
                    "School \(number)", number: number,
                    id: OrganizationID(high: 1, low: UInt64(number)),
                    at: start.advanced(by: .seconds(60 * minute)))
            }
        }
        old.close()

        let database = try file.open()
        let part = try #require(try TitlePart.optional("school", field: "q"))
        let found = try await database.read { snapshot in
            try snapshot.changes(
                withPart: part, isDescending: true,
                after: .start(of: .standard), limit: 10)
        }
        database.close()

        #expect(found.map(\.details.title.text) == ["School 1", "School 3", "School 2"])
    }
}
