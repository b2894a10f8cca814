import Access
import ServiceKit
import Storage

/// A seat type as the tables keep it.
struct SeatTypeRecord: Sendable, Hashable {
    let id: SeatTypeID
    var details: TypeDetails
    /// Whether it is the platform's.
    let isDefault: Bool
    let created: WallTime
    var updated: WallTime
    var version: Int64
}

extension SeatTypeRecord {
    /// The type without its licenses, which stand in rows of their own.
    fileprivate init(_ row: Row) throws {
        self.init(
            id: try row.identifier(0),
            details: TypeDetails(
                name: TypeName(stored: try row.text(1), key: try row.text(2)),
                courses: CourseID.unpacked(try row.bytes(3))),
            isDefault: try row.bool(4), created: try row.time(5), updated: try row.time(6),
            version: try row.int64(7))
    }

    /// The type as its next version.
    func becoming(_ details: TypeDetails, at now: WallTime) -> SeatTypeRecord {
        var next = self
        next.details = details
        next.version += 1
        next.updated = max(now, updated)
        return next
    }
}

extension Reading {
    func seatType(_ id: SeatTypeID) throws -> SeatTypeRecord? {
        try row(
            """
            SELECT id, name, name_key, courses, is_default, created_us, updated_us, version
            FROM seat_type WHERE id = \(id)
            """
        ) { row in try SeatTypeRecord(row) }.map(withLicenses)
    }

    /// The type of seats in organizations whose type names none.
    func defaultSeatType() throws -> SeatTypeID? {
        try row("SELECT id FROM seat_type WHERE is_default = 1 LIMIT 1") { try $0.identifier(0) }
    }

    /// Seat types by name after a key, without their licenses.
    func seatTypes(after key: String, limit: Int) throws -> [SeatTypeRecord] {
        try rows(
            """
            SELECT id, name, name_key, courses, is_default, created_us, updated_us, version
            FROM seat_type WHERE name_key > \(key) ORDER BY name_key LIMIT \(limit)
            """
        ) { row in try SeatTypeRecord(row) }
    }

    func seatTypeCount() throws -> Int64 {
        try row("SELECT count(*) FROM seat_type") { try $0.int64(0) } ?? 0
    }

    /// A seat type with the licenses that it gives.
    func withLicenses(_ type: SeatTypeRecord) throws -> SeatTypeRecord {
        var type = type
        type.details.licenses = try rows(
            """
            SELECT license_type_id FROM seat_type_license WHERE seat_type_id = \(type.id)
            ORDER BY license_type_id LIMIT \(TypeDetails.listMax)
            """
        ) { try $0.identifier(0) }
        return type
    }
}

extension Transaction {
    /// Keeps a new seat type.
    ///
    /// - Throws: ``Refusal/typeNameTaken(_:)`` when another has the name.
    func add(_ type: SeatTypeRecord) throws {
        let details = type.details
        try withUniqueName(of: "seat type") {
            try execute(
                """
                INSERT INTO seat_type (id, name, name_key, courses, is_default, created_us,
                    updated_us, version)
                VALUES (\(type.id), \(details.name.text), \(details.name.key),
                    \(CourseID.packed(details.courses)), \(type.isDefault), \(type.created),
                    \(type.updated), \(type.version))
                """)
        }
        try setLicenses(of: type)
    }

    /// Keeps what has become of a seat type.
    ///
    /// - Throws: ``Refusal/typeNameTaken(_:)`` when another has the name.
    func put(_ type: SeatTypeRecord) throws {
        let details = type.details
        try withUniqueName(of: "seat type") {
            try execute(
                """
                UPDATE seat_type SET name = \(details.name.text), name_key = \(details.name.key),
                    courses = \(CourseID.packed(details.courses)), updated_us = \(type.updated),
                    version = \(type.version)
                WHERE id = \(type.id)
                """)
        }
        try execute("DELETE FROM seat_type_license WHERE seat_type_id = \(type.id)")
        try setLicenses(of: type)
    }

    func remove(_ id: SeatTypeID) throws {
        try execute("DELETE FROM seat_type_license WHERE seat_type_id = \(id)")
        try execute("DELETE FROM seat_type WHERE id = \(id)")
    }

    private func setLicenses(of type: SeatTypeRecord) throws {
        for license in type.details.licenses {
            try execute(
                """
                INSERT INTO seat_type_license (seat_type_id, license_type_id)
                VALUES (\(type.id), \(license))
                """)
        }
    }

    /// Runs a body that gives a type a name.
    func withUniqueName(of thing: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch StorageFault.constraint(let promise) where promise.contains("name_key") {
            throw Refusal.typeNameTaken(thing)
        }
    }
}
