public import Access
public import Storage

// What a service that decides a change for Organizations does to its copy before the event comes,
// which then finds nothing to change.
extension TreeCopy {
    /// The most organizations that are looked for or changed by one statement.
    private static let partMax = 200

    /// What is known of an organization that is not gone.
    public struct Standing: Sendable, Hashable {
        /// The organization.
        public let id: OrganizationID
        /// Its parent; nil for a root.
        public let parentID: OrganizationID?
        /// Whether it was archived itself.
        public let isArchived: Bool
    }

    /// Whether the copy is being filled or rebuilt, so that it is in the past.
    public static func isBeingFilled(in reading: some Reading) throws -> Bool {
        try reading.exists("SELECT 1 FROM tree_rebuild")
    }

    /// The ancestors of an organization, the parent first; also those that are archived or gone.
    public static func ancestors(
        of id: OrganizationID, in reading: some Reading
    ) throws -> [OrganizationID] {
        try reading.rows(
            """
            WITH RECURSIVE up (id, level) AS (
                SELECT parent_id, 1 FROM tree_node
                WHERE id = \(id.bytes) AND parent_id IS NOT NULL
                UNION ALL
                SELECT node.parent_id, up.level + 1
                FROM up JOIN tree_node AS node ON node.id = up.id
                WHERE node.parent_id IS NOT NULL AND up.level < 9
            )
            SELECT id FROM up ORDER BY level
            """
        ) { try identifier($0, 0) }
    }

    /// What is known of organizations, in no order; those that are unknown or gone are left out.
    public static func standings(
        of ids: [OrganizationID], in reading: some Reading
    ) throws -> [Standing] {
        try parts(of: ids).flatMap { part in
            try reading.rows(
                """
                SELECT id, parent_id, archived FROM tree_node
                WHERE id IN (\(list: part.map(\.bytes))) AND removed = 0 LIMIT \(partMax)
                """
            ) { row in
                Standing(
                    id: try identifier(row, 0),
                    parentID: try row.isNull(1) ? nil : identifier(row, 1),
                    isArchived: try row.bool(2))
            }
        }
    }

    /// Hangs an organization, with everything below it, elsewhere.
    public static func hang(
        _ id: OrganizationID, below parent: OrganizationID?, in transaction: Transaction
    ) throws {
        try transaction.execute(
            "UPDATE tree_node SET parent_id = \(parent?.bytes) WHERE id = \(id.bytes)")
    }

    /// Takes organizations out of the archive.
    public static func restore(_ ids: [OrganizationID], in transaction: Transaction) throws {
        try setArchived(false, ids, in: transaction)
    }

    /// Puts organizations back into the archive.
    public static func archive(_ ids: [OrganizationID], in transaction: Transaction) throws {
        try setArchived(true, ids, in: transaction)
    }

    private static func setArchived(
        _ isArchived: Bool, _ ids: [OrganizationID], in transaction: Transaction
    ) throws {
        for part in parts(of: ids) {
            try transaction.execute(
                """
                UPDATE tree_node SET archived = \(isArchived)
                WHERE id IN (\(list: part.map(\.bytes)))
                """)
        }
    }

    private static func parts(of ids: [OrganizationID]) -> [ArraySlice<OrganizationID>] {
        stride(from: 0, to: ids.count, by: partMax).map { start in
            ids[start..<min(start + partMax, ids.count)]
        }
    }
}
