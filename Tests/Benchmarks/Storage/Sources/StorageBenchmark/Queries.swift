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

// The queries of the services. A search is what the index alone answers: the service also counts,
// orders and walks, which `run-organizations` measures.
extension Database {
    /// How many levels there are from an organization to the root.
    func levelCount(to id: [UInt8]) throws -> Int {
        try readInline { snapshot in
            try snapshot.rows(
                """
                WITH RECURSIVE line (number, parent) AS (
                    SELECT number, parent FROM organization WHERE id = \(id) AND standing <= 3
                    UNION ALL
                    SELECT above.number, above.parent
                    FROM line JOIN organization AS above ON above.number = line.parent
                    LIMIT 10
                )
                SELECT o.id, o.number, o.title, o.standing, o.active, o.trial_until, o.expires_on
                FROM line JOIN organization AS o ON o.number = line.number
                ORDER BY o.depth
                """
            ) { row in
                (
                    try row.bytes(0), try row.int64(1), try row.text(2), try row.int(3),
                    try row.bool(4), try row.intOrNil(5), try row.intOrNil(6)
                )
            }.count
        }
    }

    /// A page of children by title.
    func children(of parent: Int64) throws -> [Node] {
        try readInline { snapshot in
            try snapshot.rows(
                """
                SELECT \(Node.columns) FROM organization
                WHERE parent IS \(parent) AND standing = 1
                    AND (title_order, serial) > (\(""), 0)
                ORDER BY title_order, serial LIMIT 50
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
    func organizationCount(below number: Int64) throws -> Int {
        try readInline { snapshot in
            try snapshot.row(
                """
                WITH RECURSIVE down (number, level) AS (
                    SELECT number, 1 FROM organization WHERE parent = \(number) AND standing = 1
                    UNION ALL
                    SELECT o.number, down.level + 1
                    FROM down JOIN organization AS o ON o.parent = down.number
                    WHERE o.standing = 1 AND down.level < 10
                    LIMIT 10000
                )
                SELECT count(*) FROM down
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

    /// A page of organizations whose title contains a text, the latest changed first.
    func search(_ text: String) throws -> [Node] {
        let pattern = "%\(text)%"
        return try readInline { snapshot in
            try snapshot.rows(
                """
                SELECT \(Node.columns) FROM (
                    SELECT rowid AS place FROM organization_part
                    WHERE title_key LIKE \(pattern) AND rowid < \(Int64.max)
                    ORDER BY rowid DESC LIMIT 20
                ) AS found CROSS JOIN organization ON recency = found.place
                ORDER BY found.place DESC LIMIT 20
                """, Node.init(row:))
        }
    }

    /// Adds an organization under a parent that has children.
    func found(_ number: Int, in dataSet: DataSet) async throws {
        let admission = dataSet.admission(number)
        let id = dataSet.identifier(.organization, dataSet.organizations + number)
        let parent = dataSet.storedNumber(dataSet.parent(DataSet.mix(number), level: 9))
        let titleKey = dataSet.titleKey(dataSet.organizations + number)
        let now = WallTime(microseconds: admission.now)
        let command = Command(
            principal: admission.principal, key: id, method: "found",
            requestDigest: admission.digest, now: now)
        _ = try await self.command(command) { transaction in
            try transaction.insert(
                id, titleKey, below: parent, by: admission.principal, at: now)
            try transaction.publish(
                kind: "organization", aggregate: id, version: 1, body: admission.event, at: now)
            return admission.reply
        }
    }
}

extension Transaction {
    /// Keeps an organization of the tenth level, with its title in parts, and counts it.
    fileprivate func insert(
        _ id: [UInt8], _ titleKey: String, below parent: Int64, by creator: String,
        at now: WallTime
    ) throws {
        let newest = try row("SELECT number FROM organization ORDER BY number DESC LIMIT 1") {
            row in
            try row.int64(0)
        }
        let number = (newest ?? 0) + 1
        let latest = try row("SELECT recency FROM organization ORDER BY recency DESC LIMIT 1") {
            row in
            try row.int64(0)
        }
        let recency = (latest ?? 0) + 1
        try execute(
            """
            INSERT INTO organization (number, serial, id, parent, depth, standing, active, title,
                title_key, description, category, category_source, country, sales_rep_email,
                services, origin, discount_scope, members, created_by, created_micros,
                updated_micros, version, recency)
            VALUES (\(number), \(number), \(id), \(parent), 10, 1, 1, \(titleKey), \(titleKey),
                \("New."), 1, 1, \("DE"), \(""), \(""), 1, 1, 0, \(creator), \(now), \(now), 1,
                \(recency))
            """)
        try execute(
            """
            INSERT INTO organization_part (rowid, title_key) VALUES (\(recency), \(titleKey))
            """)
        // Below the parent, and everywhere.
        for place in [parent, -1] {
            try execute(
                """
                INSERT INTO tally (parent, organizations) VALUES (\(place), 1)
                ON CONFLICT (parent) DO UPDATE SET organizations = organizations + 1
                """)
        }
    }
}
