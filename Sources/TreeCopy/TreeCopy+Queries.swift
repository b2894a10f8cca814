public import Access
internal import Messages
public import Storage

extension TreeCopy {
    /// The path from the root to an organization.
    ///
    /// - Parameters:
    ///   - id: The organization.
    ///   - reading: Where the copy is.
    ///   - day: The day in UTC on which its state is judged.
    /// - Returns: nil when the organization, or one of its ancestors, is not known here (yet), and
    ///   for every organization until the copy has been filled or rebuilt to the end of the feed:
    ///   nothing is decided on half a path, or on the past.
    /// - Throws: `StorageFault`.
    public static func path(
        of id: OrganizationID, in reading: some Reading, on day: CalendarDay
    ) throws -> TreePath? {
        let upward = try reading.rows(
            """
            WITH RECURSIVE up (id, parent_id, title, status, origin, version, archived,
                trial_until, expires_on, type_id, level) AS (
                SELECT id, parent_id, title, status, origin, version, archived, trial_until,
                    expires_on, type_id, 1
                FROM tree_node WHERE id = \(id.bytes) AND removed = 0
                    AND NOT EXISTS (SELECT 1 FROM tree_rebuild)
                UNION ALL
                SELECT node.id, node.parent_id, node.title, node.status, node.origin,
                    node.version, node.archived, node.trial_until, node.expires_on, node.type_id,
                    up.level + 1
                FROM up JOIN tree_node AS node ON node.id = up.parent_id
                WHERE node.removed = 0 AND up.level < 10
            )
            SELECT id, parent_id, title, status, origin, version, archived, trial_until, expires_on,
                type_id
            FROM up ORDER BY level DESC
            """, node)
        guard let root = upward.first, root.parentID == nil else { return nil }
        return TreePath(upward, on: day)
    }

    /// Whether the copy holds nothing at all: it was never filled, or somebody deleted it.
    public static func isEmpty(in reading: some Reading) throws -> Bool {
        try !reading.exists("SELECT 1 FROM tree_node LIMIT 1")
    }

    /// A node as it is stored, removed or not.
    struct Stored {
        let node: TreeNode
        let isRemoved: Bool
        let isStale: Bool
        var version: Int64 { node.version }
    }

    static func stored(_ id: OrganizationID, in reading: some Reading) throws -> Stored? {
        try reading.row(
            """
            SELECT id, parent_id, title, status, origin, version, archived, trial_until,
                expires_on, type_id, removed, stale
            FROM tree_node WHERE id = \(id.bytes)
            """
        ) { row in
            Stored(node: try node(row), isRemoved: try row.bool(10), isStale: try row.bool(11))
        }
    }

    static func identifier(_ row: Row, _ column: Int) throws -> OrganizationID {
        guard let id = OrganizationID(bytes: try row.bytes(column)) else {
            throw StorageFault.sql("column \(column) holds no identifier")
        }
        return id
    }

    private static func type(_ row: Row, _ column: Int) throws -> OrganizationTypeID? {
        try row.bytesOrNil(column).flatMap { OrganizationTypeID(bytes: $0) }
    }

    private static func day(_ row: Row, _ column: Int) throws -> CalendarDay? {
        try row.isNull(column) ? nil : CalendarDay(daysSince1970: row.int(column))
    }

    private static func node(_ row: Row) throws -> TreeNode {
        guard let status = TreeNode.Status(rawValue: try row.int(3)) else {
            throw StorageFault.sql("a node has the unknown status \(try row.int(3))")
        }
        let origin = Int32(truncatingIfNeeded: try row.int64(4))
        return TreeNode(
            id: try identifier(row, 0),
            parentID: try row.isNull(1) ? nil : identifier(row, 1),
            title: try row.text(2), status: status, isArchived: try row.bool(6),
            trialUntil: try day(row, 7), expiresOn: try day(row, 8), typeID: try type(row, 9),
            origin: OrganizationOrigin(rawValue: origin), version: try row.int64(5))
    }
}
