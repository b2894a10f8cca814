public import Access
public import Messages
internal import RPC
public import Storage

// The types of organizations, which come by the same feed as the tree.
extension TreeCopy {
    /// The kind of the events that tell of types.
    public static let typeEventKind = OrganizationType.messageName

    /// The type of organizations as Organizations has told it last.
    ///
    /// - Parameters:
    ///   - id: The type.
    ///   - reading: Where the copy is.
    /// - Returns: nil when it is not known here (yet) or was deleted.
    /// - Throws: `StorageFault`; ``TreeFault`` when what is kept does not decode.
    public static func organizationType(
        _ id: OrganizationTypeID, in reading: some Reading
    ) throws -> OrganizationType? {
        let body = try reading.row(
            "SELECT body FROM tree_type WHERE id = \(id.bytes) AND removed = 0"
        ) { try $0.bytes(0) }
        return try body.map { try decoded($0, of: "the type \(id)") }
    }

    /// Whether anything was told of a type, be it that it was deleted.
    ///
    /// - Parameters:
    ///   - id: The type.
    ///   - reading: Where the copy is.
    /// - Returns: Whether something was.
    /// - Throws: `StorageFault`.
    public static func isTold(
        of id: OrganizationTypeID, in reading: some Reading
    ) throws -> Bool {
        try reading.exists("SELECT 1 FROM tree_type WHERE id = \(id.bytes)")
    }

    /// Whether any type that is known satisfies a condition: for what a type may name.
    ///
    /// - Parameters:
    ///   - reading: Where the copy is.
    ///   - condition: Asked of each type until one satisfies it.
    /// - Returns: Whether one did.
    /// - Throws: `StorageFault`; ``TreeFault`` when what is kept does not decode.
    public static func hasType(
        in reading: some Reading, where condition: (OrganizationType) -> Bool
    ) throws -> Bool {
        try reading.rows(
            "SELECT body FROM tree_type WHERE removed = 0 LIMIT \(typesMax)"
        ) { try $0.bytes(0) }
        .contains { condition(try decoded($0, of: "a type")) }
    }

    /// More types than an installation has: they are made by hand.
    private static let typesMax = 100_000

    /// Applies an event that tells of a type; an old one changes nothing.
    static func applyType(
        _ event: Messages.FeedEvent, in transaction: Transaction
    ) throws {
        let message: OrganizationType = try decoded(event.body, of: "event \(event.sequence)")
        guard let id = OrganizationTypeID(text: message.id) else {
            throw TreeFault(description: "a type has no identifier")
        }
        try transaction.execute(
            """
            INSERT INTO tree_type (id, version, removed, body, stale)
            VALUES (\(id.bytes), \(event.version), \(message.removed), \(event.body), 0)
            ON CONFLICT (id) DO UPDATE SET version = excluded.version,
                removed = excluded.removed, body = excluded.body, stale = 0
            WHERE tree_type.version < excluded.version
            """)
    }

    private static func decoded(_ body: [UInt8], of what: String) throws -> OrganizationType {
        do {
            return try OrganizationType(decoding: body)
        } catch {
            throw TreeFault(description: "\(what) does not decode: \(error)")
        }
    }
}
