import Access
import ServiceKit
import Storage

// Organizations by their identifiers, and the way up and down the tree.

/// The queries, apart from what is made of their rows: a test looks at how each is run.
enum Statements {
    static func node(_ id: OrganizationID) -> SQL {
        "SELECT \(Node.columns) FROM organization WHERE id = \(id) AND standing <= 3"
    }

    static func node(numbered number: Int64) -> SQL {
        "SELECT \(Node.columns) FROM organization WHERE number = \(number)"
    }

    static func levels(to id: OrganizationID) -> SQL {
        """
        WITH RECURSIVE line (number, parent) AS (
            SELECT number, parent FROM organization WHERE id = \(id) AND standing <= 3
            UNION ALL
            SELECT above.number, above.parent
            FROM line JOIN organization AS above ON above.number = line.parent
            LIMIT 10
        )
        SELECT \(Level.levelColumns) FROM line JOIN organization AS o ON o.number = line.number
        ORDER BY o.depth
        """
    }

    static func levels(toNumber number: Int64) -> SQL {
        """
        WITH RECURSIVE line (number, parent) AS (
            SELECT number, parent FROM organization WHERE number = \(number)
            UNION ALL
            SELECT above.number, above.parent
            FROM line JOIN organization AS above ON above.number = line.parent
            LIMIT 10
        )
        SELECT \(Level.levelColumns) FROM line JOIN organization AS o ON o.number = line.number
        ORDER BY o.depth
        """
    }

    static func subtree(of number: Int64, limit: Int) -> SQL {
        """
        WITH RECURSIVE down (number, level) AS (
            SELECT number, 1 FROM organization WHERE number = \(number)
            UNION ALL
            SELECT o.number, down.level + 1
            FROM down JOIN organization AS o ON o.parent = down.number
            WHERE o.standing <= 2 AND down.level < 10
            LIMIT \(limit)
        )
        SELECT \(Node.columns) FROM organization WHERE number IN (SELECT number FROM down)
        ORDER BY depth, number LIMIT \(limit)
        """
    }

    static func namesakes(of titleKey: String, except number: Int64, limit: Int) -> SQL {
        """
        SELECT id FROM organization
        WHERE title_order = \(TitleOrder.text(of: titleKey)) AND title_key = \(titleKey)
            AND standing = 1 AND number <> \(number)
        LIMIT \(limit)
        """
    }
}

extension Level {
    /// The columns in the order in which a level is made of them, of a table named o.
    fileprivate static let levelColumns: SQL = """
        o.id, o.number, o.title, o.standing, o.active, o.trial_until, o.expires_on
        """

    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), number: try row.int64(1), title: try row.text(2),
            standing: try Standing(stored: row.int(3)), isActivated: try row.bool(4),
            trialUntil: try row.dayOrNil(5), expiresOn: try row.dayOrNil(6))
    }
}

extension Reading {
    /// An organization that is there in any way: present, being prepared or in the archive.
    func node(_ id: OrganizationID) throws -> Node? {
        try row(Statements.node(id), Node.init(row:))
    }

    /// An organization by its number, whatever has become of it.
    func node(numbered number: Int64) throws -> Node? {
        try row(Statements.node(numbered: number), Node.init(row:))
    }

    /// An organization with its ancestors, read by at most one further statement.
    func line(of node: Node, on day: CalendarDay) throws -> Line {
        guard let parent = node.parent else { return Line([node.level], on: day) }
        return Line(try levels(toNumber: parent) + [node.level], on: day)
    }

    /// An organization with its ancestors, the root first; empty when there is none.
    func levels(to id: OrganizationID) throws -> [Level] {
        try rows(Statements.levels(to: id), Level.init(row:))
    }

    /// An organization with its ancestors, the root first.
    func levels(toNumber number: Int64) throws -> [Level] {
        try rows(Statements.levels(toNumber: number), Level.init(row:))
    }

    /// Present organizations with the same title under other parents.
    func namesakes(of node: Node, limit: Int) throws -> [OrganizationID] {
        let key = node.details.title.key
        return try rows(Statements.namesakes(of: key, except: node.number, limit: limit)) { row in
            try row.identifier(0)
        }
    }

    /// The organization with an identifier of an outside system, in the archive or not.
    func node(externalID: String) throws -> Node? {
        try row(
            """
            SELECT \(Node.columns) FROM organization
            WHERE external_id = \(externalID) AND standing <= 3
            """, Node.init(row:))
    }

    /// Whether anything hangs below an organization that is not in the archive.
    func hasChildren(_ number: Int64) throws -> Bool {
        try exists(
            "SELECT 1 FROM organization WHERE parent = \(number) AND standing <= 2 LIMIT 1")
    }

    /// An organization and everything below it that is not in the archive, a parent before its
    /// children; at most so many.
    func subtree(of number: Int64, limit: Int) throws -> [Node] {
        try rows(Statements.subtree(of: number, limit: limit), Node.init(row:))
    }

    /// How many organizations are present below a parent, at the root, or everywhere.
    func tally(_ place: TallyPlace) throws -> Int64 {
        try row("SELECT organizations FROM tally WHERE parent = \(place.number)") { row in
            try row.int64(0)
        } ?? 0
    }
}

/// What is counted together.
enum TallyPlace: Sendable, Hashable {
    case below(Int64)
    case roots
    case everywhere

    /// The place of the children of a parent; nil: of the roots.
    init(parent: Int64?) {
        self = parent.map(TallyPlace.below) ?? .roots
    }

    var number: Int64 {
        switch self {
        case .below(let number): number
        case .roots: 0
        case .everywhere: -1
        }
    }
}
