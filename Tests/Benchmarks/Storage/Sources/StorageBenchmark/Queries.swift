import Storage
import StorageFixture

/// A member of a list: the membership with the person, as the service Membership makes it.
struct Member: Sendable {
    let id: [UInt8]
    let organization: [UInt8]
    let user: [UInt8]
    let roles: Int64
    let state: Int64
    let takesSeat: Bool
    let joined: WallTime
    let version: Int64
    let email: String
    let name: String

    init(row: Row) throws {
        id = try row.bytes(0)
        organization = try row.bytes(1)
        user = try row.bytes(2)
        roles = try row.int64(3)
        state = try row.int64(4)
        takesSeat = try row.bool(5)
        joined = try row.time(6)
        version = try row.int64(7)
        email = try row.text(8)
        name = try row.text(9)
    }
}

// The queries of the services, but for the search, which none has yet.
extension Database {
    /// How many levels there are from an organization to the root.
    func levelCount(to id: [UInt8]) throws -> Int {
        try readInline { snapshot in
            try snapshot.rows(
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
            ) { row in (try row.bytes(0), try row.text(1), try row.int(2)) }.count
        }
    }

    /// A page of children by title.
    func children(of parent: [UInt8]) throws -> [Node] {
        try readInline { snapshot in
            try snapshot.rows(
                """
                SELECT \(Node.columns) FROM organization
                WHERE coalesce(parent_id, x'') = \(parent) AND status <> 4
                    AND status <> 3 AND title_key > \("")
                ORDER BY title_key LIMIT 50
                """, Node.init(row:))
        }
    }

    /// A page of members by name, somewhere in the middle.
    func members(of organization: [UInt8]) throws -> [Member] {
        try readInline { snapshot in
            try snapshot.rows(
                """
                SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat,
                    m.joined_us, m.version, u.email, u.name, u.created_us, u.version
                FROM membership AS m JOIN user AS u ON u.id = m.user_id
                WHERE m.organization_id = \(organization)
                    AND (m.name_key, m.user_id) > (\("carl"), \([UInt8]()))
                    AND m.state BETWEEN 1 AND 2
                ORDER BY m.name_key, m.user_id LIMIT 50
                """, Member.init(row:))
        }
    }

    /// How many organizations are below one, counted.
    func organizationCount(below id: [UInt8]) throws -> Int {
        try readInline { snapshot in
            try snapshot.row(
                """
                WITH RECURSIVE below (id) AS (
                    SELECT id FROM organization
                    WHERE coalesce(parent_id, x'') = \(id) AND status <> 4
                    UNION ALL
                    SELECT node.id FROM below JOIN organization AS node
                        ON coalesce(node.parent_id, x'') = below.id AND node.status <> 4
                    LIMIT 10000
                )
                SELECT count(*) FROM below
                """
            ) { try $0.int(0) } ?? 0
        }
    }

    /// How many people are counted below an organization, as kept.
    func memberCount(of organization: [UInt8]) throws -> Int64? {
        try readInline { snapshot in
            try snapshot.row(
                "SELECT used, cap FROM usage WHERE node = \(organization) AND kind = 1"
            ) { try $0.int64(0) }
        }
    }

    /// A page of organizations whose title contains a text.
    func search(_ text: String) throws -> [Node] {
        let phrase = "\"\(text)\""
        return try readInline { snapshot in
            try snapshot.rows(
                """
                SELECT node.id, node.parent_id, node.depth, node.title, node.title_key,
                    node.description, node.category, node.country, node.status, node.origin,
                    node.created_micros, node.updated_micros, node.version
                FROM organization_search AS found JOIN organization AS node ON node.id = found.id
                WHERE found.organization_search MATCH \(phrase) LIMIT 20
                """, Node.init(row:))
        }
    }

    /// Adds an organization under a parent that has children.
    func found(_ number: Int, in dataSet: DataSet) async throws {
        let admission = dataSet.admission(number)
        let id = dataSet.identifier(.organization, dataSet.organizations + number)
        let parent = dataSet.parent(DataSet.mix(number), level: 9)
        let titleKey = dataSet.titleKey(dataSet.organizations + number)
        let now = WallTime(microseconds: admission.now)
        let command = Command(
            principal: admission.principal, key: id, method: "found",
            requestDigest: admission.digest, now: now)
        _ = try await self.command(command) { transaction in
            try transaction.execute(
                """
                INSERT INTO organization (id, parent_id, depth, title, title_key, description,
                    category, country, status, origin, created_by, created_micros,
                    updated_micros, version)
                VALUES (\(id), \(parent), 10, \(titleKey), \(titleKey), \("New."), 1, \("DE"), 1,
                    1, \(admission.principal), \(now), \(now), 1)
                """)
            try transaction.publish(
                kind: "organization", aggregate: id, version: 1, body: admission.event, at: now)
            return admission.reply
        }
    }
}
