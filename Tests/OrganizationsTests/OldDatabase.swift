import Access
import Foundation
import ServiceKit
import Storage

@testable import Organizations

/// A database that is older than the program, in a folder that goes with it.
final class OldDatabase {
    let now = WallTime(microseconds: 1_767_225_600_000_000)
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "migration-\(UUID().uuidString)")

    deinit {
        // What is left behind lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(at: folder)
    }

    /// Opens it as it was before a migration, or as it is now.
    func open(before name: String? = nil) throws -> Database {
        try Database(
            DatabaseConfiguration(path: folder.appending(path: "db").path),
            migrations: Array(migrations.prefix { $0.name != name }))
    }
}

extension Transaction {
    /// Writes a root with the columns that roots have had since they were numbered.
    func addSchool(
        _ title: String, key: String? = nil, number: Int64, id: OrganizationID, at time: WallTime,
        expiresOn day: CalendarDay? = nil
    ) throws {
        try execute(
            """
            INSERT INTO organization (number, serial, id, depth, standing, active, title,
                title_key, description, category, category_source, country,
                sales_rep_email, services, origin, discount_scope, members, created_by,
                created_micros, updated_micros, version, expires_on)
            VALUES (\(number), \(number), \(id), 1, 1, 1, \(title),
                \(key ?? Title.key(of: title)), '', 1, 1, 'US', '', '', 1, 1, 0, 'test',
                \(time), \(time), 1, \(day))
            """)
    }
}
