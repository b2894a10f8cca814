import Access
import Messages
import RPC
import ServiceKit
import Storage

/// An organization type as it is stored.
struct TypeRecord: Sendable, Hashable {
    let id: OrganizationTypeID
    var details: TypeDetails
    let createdAt: WallTime
    var updatedAt: WallTime
    var version: Int64
}

extension TypeRecord {
    /// The columns in the order in which a type is made of them.
    fileprivate static let columns: SQL = """
        id, name, name_key, visibility, default_seat_type, signup_allowed, requires_approval,
        default_modules, created_micros, updated_micros, version
        """

    /// The type without what people get, which stands in rows of its own.
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0),
            details: TypeDetails(
                name: Title(stored: try row.text(1), key: try row.text(2)),
                visibility: try TypeVisibility(stored: row.int(3)),
                seatType: try row.identifierOrNil(4), allowsSignUp: try row.bool(5),
                requiresApproval: try row.bool(6),
                modules: try row.bytesOrNil(7).map(ModuleID.unpacked)),
            createdAt: try row.time(8), updatedAt: try row.time(9), version: try row.int64(10))
    }
}

extension Statements {
    static func types(for most: TypeVisibility, after key: String, limit: Int) -> SQL {
        switch most {
        case .everyone:
            """
            SELECT \(TypeRecord.columns) FROM organization_type
            WHERE visibility = 1 AND name_key > \(key) ORDER BY name_key LIMIT \(limit)
            """
        case .staff:
            """
            SELECT \(TypeRecord.columns) FROM organization_type
            WHERE name_key > \(key) ORDER BY name_key LIMIT \(limit)
            """
        }
    }
}

extension Reading {
    /// An organization type.
    func organizationType(_ id: OrganizationTypeID) throws -> TypeRecord? {
        let found = try row(
            "SELECT \(TypeRecord.columns) FROM organization_type WHERE id = \(id)",
            TypeRecord.init(row:))
        return try found.map(completed)
    }

    /// Organization types by name after a key, up to a visibility.
    func organizationTypes(
        for most: TypeVisibility, after key: String, limit: Int
    ) throws -> [TypeRecord] {
        try rows(
            Statements.types(for: most, after: key, limit: limit), TypeRecord.init(row:)
        ).map(completed)
    }

    /// How many organization types there are, up to a visibility.
    func organizationTypeCount(for most: TypeVisibility) throws -> Int64 {
        try row(
            "SELECT count(*) FROM organization_type WHERE visibility <= \(most.rawValue)",
            { try $0.int64(0) }) ?? 0
    }

    /// Whether an organization has a type, be it in the archive.
    func isInUse(_ type: OrganizationTypeID) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM organization WHERE type_id = \(type) AND standing <= 3 LIMIT 1
            """)
    }

    private func completed(_ type: TypeRecord) throws -> TypeRecord {
        var type = type
        let benefits = try rows(
            """
            SELECT role, takes_seat, license_types, courses FROM organization_type_benefit
            WHERE type_id = \(type.id) LIMIT 3
            """
        ) { row in
            (
                try BenefitRole(stored: row.int(0)),
                Benefit(
                    takesSeat: try row.bool(1),
                    licenseTypes: LicenseTypeID.unpacked(try row.bytes(2)),
                    courses: CourseID.unpacked(try row.bytes(3)))
            )
        }
        for (role, benefit) in benefits { type.details.benefits[role] = benefit }
        return type
    }
}

extension Transaction {
    /// Keeps a new organization type and tells the feed.
    ///
    /// - Throws: ``Refusal/typeNameTaken`` when another has the name.
    func insert(_ type: TypeRecord, by creator: String) throws {
        let details = type.details
        try withUniqueTypeName {
            try execute(
                """
                INSERT INTO organization_type (id, name, name_key, visibility, default_seat_type,
                    signup_allowed, requires_approval, default_modules, created_by,
                    created_micros, updated_micros, version)
                VALUES (\(type.id), \(details.name.text), \(details.name.key),
                    \(details.visibility.rawValue), \(details.seatType),
                    \(details.allowsSignUp), \(details.requiresApproval),
                    \(details.modules.map(ModuleID.packed)), \(creator), \(type.createdAt),
                    \(type.updatedAt), \(type.version))
                """)
        }
        try setBenefits(of: type)
        try publish(type)
    }

    /// Keeps what has become of an organization type, as its next version, and tells the feed.
    ///
    /// - Returns: The type as kept.
    /// - Throws: ``Refusal/typeNameTaken`` when another has the name.
    func update(_ type: TypeRecord, to details: TypeDetails, at now: WallTime) throws -> TypeRecord
    {
        var next = type
        next.details = details
        next.version += 1
        next.updatedAt = max(now, type.updatedAt)
        try withUniqueTypeName {
            try execute(
                """
                UPDATE organization_type
                SET name = \(details.name.text), name_key = \(details.name.key),
                    visibility = \(details.visibility.rawValue),
                    default_seat_type = \(details.seatType),
                    signup_allowed = \(details.allowsSignUp),
                    requires_approval = \(details.requiresApproval),
                    default_modules = \(details.modules.map(ModuleID.packed)),
                    updated_micros = \(next.updatedAt), version = \(next.version)
                WHERE id = \(type.id)
                """)
        }
        try setBenefits(of: next)
        try publish(next)
        return next
    }

    /// Deletes an organization type and tells the feed.
    func delete(_ type: TypeRecord, at now: WallTime) throws {
        try execute("DELETE FROM organization_type_benefit WHERE type_id = \(type.id)")
        try execute("DELETE FROM organization_type WHERE id = \(type.id)")
        var last = type
        last.version += 1
        last.updatedAt = max(now, type.updatedAt)
        try publish(last, isRemoved: true)
    }

    private func setBenefits(of type: TypeRecord) throws {
        for (role, benefit) in type.details.benefits {
            let (licenses, courses) = (
                LicenseTypeID.packed(benefit.licenseTypes), CourseID.packed(benefit.courses)
            )
            try execute(
                """
                INSERT INTO organization_type_benefit (type_id, role, takes_seat, license_types,
                    courses)
                VALUES (\(type.id), \(role.rawValue), \(benefit.takesSeat), \(licenses),
                    \(courses))
                ON CONFLICT (type_id, role) DO UPDATE
                SET takes_seat = excluded.takes_seat, license_types = excluded.license_types,
                    courses = excluded.courses
                """)
        }
    }

    private func withUniqueTypeName<Value>(_ body: () throws -> Value) throws {
        do {
            _ = try body()
        } catch StorageFault.constraint(let promise) where promise.contains("name_key") {
            throw Refusal.typeNameTaken
        }
    }

    private func publish(_ type: TypeRecord, isRemoved: Bool = false) throws {
        try publish(
            kind: OrganizationType.messageName, aggregate: type.id.bytes, version: type.version,
            body: OrganizationType(type, isRemoved: isRemoved).encoded(), at: type.updatedAt)
    }
}
