public import Access
public import Messages
internal import RPC
public import Storage

/// The copy of the tree of organizations that a service keeps in its own database.
///
/// Nodes are only ever marked as removed, never deleted, and a rebuild from zero overwrites them
/// in place: what a service hangs on a node outlives every rebuild. From the first event to the
/// last of a rebuild the copy is in the past, where what is paused now may still be active: until
/// ``finishRebuild(in:)`` it answers no path at all.
public enum TreeCopy {
    /// The kind of the events that the tree is made of.
    public static let eventKind = OrganizationNode.messageName

    /// The table of the copy.
    public static let migrations = [
        Migration(
            component: "tree", number: 1, name: "first-tables",
            sql: """
                CREATE TABLE tree_node (
                    id        BLOB    PRIMARY KEY CHECK (length(id) = 16),
                    parent_id BLOB    CHECK (length(parent_id) = 16),
                    title     TEXT    NOT NULL,
                    status    INTEGER NOT NULL CHECK (status BETWEEN 1 AND 3),
                    origin    INTEGER NOT NULL,
                    version   INTEGER NOT NULL,
                    removed   INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
                    -- 1 while a rebuild from zero has not met the node again
                    stale     INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1))
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX tree_node_parent ON tree_node (parent_id, id) WHERE removed = 0;
                CREATE INDEX tree_node_stale ON tree_node (stale) WHERE stale = 1;
                """),
        Migration(
            component: "tree", number: 2, name: "rebuild-marker",
            sql: """
                -- One row from the first contact, or the beginning of a rebuild, to its end.
                CREATE TABLE tree_rebuild (
                    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1)
                ) STRICT;
                INSERT INTO tree_rebuild (only) VALUES (1);
                """),
        Migration(
            component: "tree", number: 3, name: "dates-and-archive",
            sql: """
                ALTER TABLE tree_node ADD COLUMN
                    archived    INTEGER NOT NULL DEFAULT 0 CHECK (archived BETWEEN 0 AND 1);
                -- The last day of each, in days since 1970-01-01; none: it does not end.
                ALTER TABLE tree_node ADD COLUMN trial_until INTEGER;
                ALTER TABLE tree_node ADD COLUMN expires_on INTEGER;
                """),
        Migration(
            component: "tree", number: 4, name: "types",
            sql: """
                ALTER TABLE tree_node ADD COLUMN
                    type_id BLOB CHECK (length(type_id) = 16);
                CREATE TABLE tree_type (
                    id      BLOB    PRIMARY KEY CHECK (length(id) = 16),
                    version INTEGER NOT NULL,
                    removed INTEGER NOT NULL CHECK (removed IN (0, 1)),
                    -- the message OrganizationType, as it came
                    body    BLOB    NOT NULL,
                    -- 1 while a rebuild from zero has not met the type again
                    stale   INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1))
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX tree_type_stale ON tree_type (stale) WHERE stale = 1;
                -- Types have passed by before there was a place for them: the feed is read anew.
                DELETE FROM storage_feed_position WHERE source = 'organizations';
                """),
    ]

    /// Applies an event of the feed of Organizations.
    ///
    /// Applying an event again, or one older than what is known, changes nothing.
    /// - Returns: What it did to the tree.
    /// - Throws: ``TreeFault`` when the event is not what its kind promises.
    @discardableResult
    public static func apply(
        _ event: Messages.FeedEvent, in transaction: Transaction
    ) throws -> TreeChange {
        if event.kind == typeEventKind {
            try applyType(event, in: transaction)
            return .none
        }
        guard event.kind == eventKind else { return .none }
        let message: OrganizationNode
        do {
            message = try OrganizationNode(decoding: event.body)
        } catch {
            throw TreeFault(description: "event \(event.sequence) does not decode: \(error)")
        }
        return try apply(message, in: transaction)
    }

    /// Applies the state of one organization, as ``apply(_:in:)-swift.type.method`` does.
    ///
    /// - Returns: What it did.
    /// - Throws: ``TreeFault`` when the message is not well formed.
    @discardableResult
    public static func apply(
        _ message: OrganizationNode, in transaction: Transaction
    ) throws -> TreeChange {
        let node = try TreeNode(message)
        let known = try stored(node.id, in: transaction)
        if let known, known.version >= node.version {
            if known.isStale { try unmark(node.id, in: transaction) }
            return .none
        }
        try keep(node, removed: message.removed, in: transaction)
        let before = known.flatMap { $0.isRemoved ? nil : $0.node }
        if message.removed { return before.map { .removed($0) } ?? .none }
        guard let before else { return known == nil ? .added(node) : .returned(node) }
        return .updated(node, from: before)
    }

    /// Begins a rebuild from zero: what is known stays, and gives way to whatever comes.
    ///
    /// ``finishRebuild(in:)`` ends it once the feed has been read to its end; until then there are
    /// no paths.
    public static func reset(in transaction: Transaction) throws {
        try transaction.execute("UPDATE tree_node SET stale = 1, version = 0")
        try transaction.execute("UPDATE tree_type SET stale = 1, version = 0")
        try transaction.execute(
            "INSERT INTO tree_rebuild (only) VALUES (1) ON CONFLICT (only) DO NOTHING")
    }

    /// Ends a rebuild, or the first filling: nodes that the feed no longer names are marked as
    /// removed, and paths are answered.
    ///
    /// - Returns: The nodes that are gone.
    @discardableResult
    public static func finishRebuild(in transaction: Transaction) throws -> [OrganizationID] {
        let gone = try transaction.rows(
            "SELECT id FROM tree_node WHERE stale = 1 AND removed = 0"
        ) { try identifier($0, 0) }
        try transaction.execute(
            "UPDATE tree_node SET removed = 1, stale = 0 WHERE stale = 1")
        try transaction.execute(
            "UPDATE tree_type SET removed = 1, stale = 0 WHERE stale = 1")
        try transaction.execute("DELETE FROM tree_rebuild")
        return gone
    }

    private static func keep(
        _ node: TreeNode, removed: Bool, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO tree_node (id, parent_id, title, status, origin, version, removed, stale,
                archived, trial_until, expires_on, type_id)
            VALUES (\(node.id.bytes), \(node.parentID?.bytes), \(node.title),
                \(node.status.rawValue), \(node.origin.rawValue), \(node.version), \(removed), 0,
                \(node.isArchived), \(node.trialUntil?.daysSince1970),
                \(node.expiresOn?.daysSince1970), \(node.typeID?.bytes))
            ON CONFLICT (id) DO UPDATE SET
                parent_id = CASE excluded.removed WHEN 1 THEN tree_node.parent_id
                    ELSE excluded.parent_id END,
                title = excluded.title, status = excluded.status, origin = excluded.origin,
                version = excluded.version, removed = excluded.removed, stale = 0,
                archived = excluded.archived, trial_until = excluded.trial_until,
                expires_on = excluded.expires_on, type_id = excluded.type_id
            """)
    }

    private static func unmark(_ id: OrganizationID, in transaction: Transaction) throws {
        try transaction.execute("UPDATE tree_node SET stale = 0 WHERE id = \(id.bytes)")
    }
}

extension TreeNode {
    fileprivate init(_ message: OrganizationNode) throws {
        guard let id = OrganizationID(text: message.id) else {
            throw TreeFault(description: "a node has no identifier")
        }
        let parentID = OrganizationID(text: message.parentID)
        guard parentID != nil || message.parentID.isEmpty else {
            throw TreeFault(description: "node \(id) has a malformed parent")
        }
        let status: Status
        switch message.status {
        case .active: status = .active
        case .inactive: status = .inactive
        case .provisioning: status = .provisioning
        case .unspecified, .unrecognized:
            // Removed nodes need no status; of others an unknown one must not open anything.
            status = message.removed ? .inactive : .provisioning
        }
        self.init(
            id: id, parentID: parentID, title: message.title, status: status,
            isArchived: message.archived,
            trialUntil: message.trialUntil.map { CalendarDay(daysSince1970: Int($0)) },
            expiresOn: message.expiresOn.map { CalendarDay(daysSince1970: Int($0)) },
            typeID: OrganizationTypeID(text: message.typeID),
            origin: message.origin, version: message.version)
    }
}
