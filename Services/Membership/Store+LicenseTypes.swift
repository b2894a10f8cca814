import Access
import ServiceKit
import Storage

/// A license type as the tables keep it.
struct LicenseTypeRecord: Sendable, Hashable {
    let id: LicenseTypeID
    var details: TypeDetails
    let created: WallTime
    var updated: WallTime
    var version: Int64
}

extension LicenseTypeRecord {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: try row.identifier(0),
            details: TypeDetails(
                name: TypeName(stored: try row.text(1), key: try row.text(2)),
                courses: CourseID.unpacked(try row.bytes(3))),
            created: try row.time(4), updated: try row.time(5), version: try row.int64(6))
    }

    /// The type as its next version.
    func becoming(_ details: TypeDetails, at now: WallTime) -> LicenseTypeRecord {
        var next = self
        next.details = details
        next.version += 1
        next.updated = max(now, updated)
        return next
    }
}

extension Array {
    /// The elements in parts that a statement can list.
    func parts(of size: Int = 200) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension Reading {
    func licenseType(_ id: LicenseTypeID) throws -> LicenseTypeRecord? {
        try row(
            """
            SELECT id, name, name_key, courses, created_us, updated_us, version
            FROM license_type WHERE id = \(id)
            """
        ) { row in try LicenseTypeRecord(row) }
    }

    /// Those of some license types that there are, in no order.
    func licenseTypes(_ ids: [LicenseTypeID]) throws -> [LicenseTypeRecord] {
        try ids.parts().flatMap { part in
            try rows(
                """
                SELECT id, name, name_key, courses, created_us, updated_us, version
                FROM license_type WHERE id IN (\(list: part)) LIMIT \(part.count)
                """
            ) { row in try LicenseTypeRecord(row) }
        }
    }

    /// License types by name after a key.
    func licenseTypes(after key: String, limit: Int) throws -> [LicenseTypeRecord] {
        try rows(
            """
            SELECT id, name, name_key, courses, created_us, updated_us, version
            FROM license_type WHERE name_key > \(key) ORDER BY name_key LIMIT \(limit)
            """
        ) { row in try LicenseTypeRecord(row) }
    }

    func licenseTypeCount() throws -> Int64 {
        try row("SELECT count(*) FROM license_type") { try $0.int64(0) } ?? 0
    }

    /// Whether a seat type gives a license.
    func isGivenBySeatType(_ license: LicenseTypeID) throws -> Bool {
        try exists(
            "SELECT 1 FROM seat_type_license WHERE license_type_id = \(license) LIMIT 1")
    }
}

extension Transaction {
    /// Keeps a new license type.
    ///
    /// - Throws: ``Refusal/typeNameTaken(_:)`` when another has the name.
    func add(_ type: LicenseTypeRecord) throws {
        let details = type.details
        try withUniqueName(of: "license type") {
            try execute(
                """
                INSERT INTO license_type (id, name, name_key, courses, created_us, updated_us,
                    version)
                VALUES (\(type.id), \(details.name.text), \(details.name.key),
                    \(CourseID.packed(details.courses)), \(type.created), \(type.updated),
                    \(type.version))
                """)
        }
    }

    /// Keeps what has become of a license type.
    ///
    /// - Throws: ``Refusal/typeNameTaken(_:)`` when another has the name.
    func put(_ type: LicenseTypeRecord) throws {
        let details = type.details
        try withUniqueName(of: "license type") {
            try execute(
                """
                UPDATE license_type SET name = \(details.name.text),
                    name_key = \(details.name.key),
                    courses = \(CourseID.packed(details.courses)), updated_us = \(type.updated),
                    version = \(type.version)
                WHERE id = \(type.id)
                """)
        }
    }

    func remove(_ id: LicenseTypeID) throws {
        try execute("DELETE FROM license_type WHERE id = \(id)")
    }
}
