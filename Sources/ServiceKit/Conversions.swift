public import Access
public import Messages
public import RPC
public import Storage

extension Identifier: SQLBindable {
    /// The 16 bytes.
    public var sqlValue: SQLValue { .blob(bytes) }
}

extension Row {
    /// An identifier, kept as 16 bytes.
    public func identifier<Kind>(
        _ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self
    ) throws -> Identifier<Kind> {
        guard let identifier = Identifier<Kind>(bytes: try bytes(index)) else {
            throw StorageFault.sql("column \(index) holds no identifier")
        }
        return identifier
    }

    /// An identifier, or nil.
    public func identifierOrNil<Kind>(
        _ index: Int, as type: Identifier<Kind>.Type = Identifier<Kind>.self
    ) throws -> Identifier<Kind>? {
        try isNull(index) ? nil : try identifier(index)
    }
}

extension Identifier {
    private static var byteCount: Int { 16 }

    /// Identifiers one after another, 16 bytes each: a list in one column.
    public static func packed(_ identifiers: [Identifier]) -> [UInt8] {
        identifiers.flatMap(\.bytes)
    }

    /// The identifiers in what ``packed(_:)`` made.
    public static func unpacked(_ bytes: [UInt8]) -> [Identifier] {
        stride(from: 0, to: bytes.count, by: byteCount).compactMap { start in
            Identifier(bytes: Array(bytes[start...].prefix(byteCount)))
        }
    }
}

extension Identifier {
    /// The identifier in a field of a request.
    ///
    /// - Parameters:
    ///   - text: The content of the field.
    ///   - field: The path of the field, for the error.
    /// - Throws: `INVALID_ARGUMENT` with the field when the text is not an identifier.
    public init(requestText text: String, field: String) throws(Status) {
        guard let identifier = Identifier(text: text) else {
            throw Status.invalid(field, "This is not an identifier.")
        }
        self = identifier
    }

    /// The identifier in a field of a request that may be empty.
    ///
    /// - Throws: `INVALID_ARGUMENT` with the field when the text is neither empty nor an
    ///   identifier.
    public static func optional(
        requestText text: String, field: String
    ) throws(Status) -> Identifier? {
        text.isEmpty ? nil : try Identifier(requestText: text, field: field)
    }
}

extension Access.Role {
    /// The role that stands in a message; nil when it is unspecified or unknown.
    public init?(_ role: Messages.Role) {
        self.init(rawValue: role.rawValue)
    }
}

extension Messages.Role {
    /// A role as it stands in messages.
    public init(_ role: Access.Role) {
        self.init(rawValue: role.rawValue)
    }
}

extension Access.Grant {
    /// The grant that stands in a message; nil when the role or the organization is not known.
    public init?(_ grant: Messages.Grant) {
        guard let role = Access.Role(grant.role) else { return nil }
        if grant.organizationID.isEmpty {
            self.init(role)
        } else {
            guard let node = OrganizationID(text: grant.organizationID) else { return nil }
            self.init(role, at: node)
        }
    }
}

extension Messages.Grant {
    /// A grant as it stands in messages.
    public init(_ grant: Access.Grant) {
        self.init(role: Messages.Role(grant.role), organizationID: grant.node?.text ?? "")
    }
}

extension CalendarDay: SQLBindable {
    /// Days since 1970.
    public var sqlValue: SQLValue { .integer(Int64(daysSince1970)) }
}

extension Row {
    /// A day, kept as days since 1970, or nil.
    public func dayOrNil(_ index: Int) throws -> CalendarDay? {
        try isNull(index) ? nil : CalendarDay(daysSince1970: int(index))
    }
}

extension WallTime {
    private static let dayMicroseconds: Int64 = 86_400_000_000

    /// The day in UTC.
    public var day: CalendarDay {
        let (days, _) = microseconds.flooredDivision(by: Self.dayMicroseconds)
        return CalendarDay(daysSince1970: Int(days))
    }

    /// The first instant of a day.
    public init(startOf day: CalendarDay) {
        self.init(microseconds: Int64(day.daysSince1970) * Self.dayMicroseconds)
    }
}
