import Access
import Messages
import RPC
import ServiceKit
import Storage

/// An organization as it is stored, without its ancestors.
struct Node: Sendable, Hashable {
    let id: OrganizationID
    let parent: OrganizationID?
    let depth: Int
    var title: String
    var titleKey: String
    var description: String
    var category: Category
    var country: String
    var status: NodeStatus
    let origin: Origin
    let createdAt: WallTime
    var updatedAt: WallTime
    var version: Int64

    /// The organization as its descendants see it.
    var level: Level { Level(id: id, title: title, status: status) }
}

/// The schema of this service, oldest first.
let migrations = [
    Migration(
        component: "organizations", number: 1, name: "organizations",
        utf8: PackageResources._001_organizations_sql),
    Migration(
        component: "organizations", number: 2, name: "email-masks",
        utf8: PackageResources._002_email_masks_sql),
    Migration(
        component: "organizations", number: 3, name: "verified-masks",
        utf8: PackageResources._003_verified_masks_sql),
]

/// The queries, apart from what is made of their rows: a test looks at how each is run.
enum Statements {
    static func node(_ id: OrganizationID) -> SQL {
        "SELECT \(Node.columns) FROM organization WHERE id = \(id) AND status <> 4"
    }

    static func levels(to id: OrganizationID) -> SQL {
        """
        WITH RECURSIVE line (id, parent_id, depth, title, status) AS (
            SELECT id, parent_id, depth, title, status
            FROM organization WHERE id = \(id) AND status <> 4
            UNION ALL
            SELECT above.id, above.parent_id, above.depth, above.title, above.status
            FROM line JOIN organization AS above ON above.id = line.parent_id
            LIMIT 10
        )
        SELECT id, title, status FROM line ORDER BY depth
        """
    }

    static func children(
        of parent: OrganizationID?, after titleKey: String, limit: Int
    ) -> SQL {
        """
        SELECT \(Node.columns) FROM organization
        WHERE coalesce(parent_id, x'') = \(parent?.bytes ?? []) AND status <> 4
            AND status <> 3 AND title_key > \(titleKey)
        ORDER BY title_key LIMIT \(limit)
        """
    }

    static func childCount(of parent: OrganizationID?) -> SQL {
        """
        SELECT count(*) FROM organization
        WHERE coalesce(parent_id, x'') = \(parent?.bytes ?? []) AND status <> 4
            AND status <> 3
        """
    }

    static func namesakes(
        of titleKey: String, except id: OrganizationID, limit: Int
    ) -> SQL {
        """
        SELECT id FROM organization
        WHERE title_key = \(titleKey) AND status <> 4 AND status <> 3 AND id <> \(id)
        LIMIT \(limit)
        """
    }
}

extension Reading {
    /// An organization that was not cancelled, whatever its state.
    func node(_ id: OrganizationID) throws -> Node? {
        try row(Statements.node(id), Node.init(row:))
    }

    /// An organization with its ancestors, read by at most one further statement.
    func line(of node: Node) throws -> Line {
        guard let parent = node.parent else { return Line([node.level]) }
        return Line(try levels(to: parent) + [node.level])
    }

    /// An organization with its ancestors, the root first; empty when there is none.
    func levels(to id: OrganizationID) throws -> [Level] {
        try rows(Statements.levels(to: id)) { row in
            Level(
                id: try row.identifier(0), title: try row.text(1),
                status: try NodeStatus(stored: row.int(2)))
        }
    }

    /// The visible children of an organization, or the roots, by title.
    func children(
        of parent: OrganizationID?, after titleKey: String, limit: Int
    ) throws -> [Node] {
        try rows(
            Statements.children(of: parent, after: titleKey, limit: limit), Node.init(row:))
    }

    /// How many visible children an organization has, or how many roots there are.
    func childCount(of parent: OrganizationID?) throws -> Int64 {
        try row(Statements.childCount(of: parent)) { try $0.int64(0) } ?? 0
    }

    /// Visible organizations with the same title under other parents.
    func namesakes(of node: Node, limit: Int) throws -> [OrganizationID] {
        try rows(Statements.namesakes(of: node.titleKey, except: node.id, limit: limit)) { row in
            try row.identifier(0)
        }
    }
}

extension Transaction {
    /// Keeps a new organization and tells the feed.
    ///
    /// - Throws: ``Refusal/nameTaken`` when a live sibling has the title,
    ///   ``Refusal/identifierTaken`` when the identifier was ever used.
    func insert(_ node: Node, by creator: String) throws {
        try keepingPromises(of: node.id) {
            try execute(
                """
                INSERT INTO organization (id, parent_id, depth, title, title_key, description,
                    category, country, status, origin, created_by, created_micros,
                    updated_micros, version)
                VALUES (\(node.id), \(node.parent), \(node.depth), \(node.title),
                    \(node.titleKey), \(node.description), \(node.category.rawValue),
                    \(node.country), \(node.status.rawValue), \(node.origin.rawValue),
                    \(creator), \(node.createdAt), \(node.updatedAt), \(node.version))
                """)
        }
        try publish(node)
    }

    /// Keeps what was changed of an organization, as its next version, and tells the feed.
    ///
    /// - Throws: ``Refusal/nameTaken`` when a live sibling has the title.
    func update(_ node: Node, at now: WallTime) throws -> Node {
        var next = node
        next.version += 1
        // The wall clock may have been set back; time in the record never runs backwards.
        next.updatedAt = max(now, node.updatedAt)
        let changed = try keepingPromises(of: node.id) {
            try execute(
                """
                UPDATE organization
                SET title = \(next.title), title_key = \(next.titleKey),
                    description = \(next.description), category = \(next.category.rawValue),
                    country = \(next.country), status = \(next.status.rawValue),
                    updated_micros = \(next.updatedAt), version = \(next.version)
                WHERE id = \(node.id) AND version = \(node.version)
                """)
        }
        precondition(changed == 1, "one writer: nobody came between")
        try publish(next)
        return next
    }

    /// Makes the schema's objections refusals.
    @discardableResult
    private func keepingPromises<Value>(
        of id: OrganizationID, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch StorageFault.constraint(let promise) {
            if promise.contains("organization_siblings") { throw Refusal.nameTaken }
            if promise.contains("organization.id") { throw Refusal.identifierTaken(id) }
            throw StorageFault.constraint(promise)
        }
    }

    private func publish(_ node: Node) throws {
        let event = OrganizationNode(
            id: node.id.text, parentID: node.parent?.text ?? "", title: node.title,
            status: OrganizationStatus(node.status), origin: OrganizationOrigin(node.origin),
            removed: node.status == .cancelled, version: node.version)
        try publish(
            kind: OrganizationNode.messageName, aggregate: node.id.bytes, version: node.version,
            body: event.encoded(), at: node.updatedAt)
    }
}

extension Node {
    /// The columns in the order in which a node is made of them.
    fileprivate static let columns: SQL = """
        id, parent_id, depth, title, title_key, description, category, country, status, origin,
        created_micros, updated_micros, version
        """

    fileprivate init(row: Row) throws {
        id = try row.identifier(0)
        parent = try row.identifierOrNil(1)
        depth = try row.int(2)
        title = try row.text(3)
        titleKey = try row.text(4)
        description = try row.text(5)
        category = try Category(stored: row.int(6))
        country = try row.text(7)
        status = try NodeStatus(stored: row.int(8))
        origin = try Origin(stored: row.int(9))
        createdAt = try row.time(10)
        updatedAt = try row.time(11)
        version = try row.int64(12)
    }
}

extension RawRepresentable<Int> {
    /// The case in a column; another number means that the database is damaged.
    init(stored number: Int) throws {
        guard let value = Self(rawValue: number) else {
            throw StorageFault.sql("\(Self.self) in the database is \(number)")
        }
        self = value
    }
}
