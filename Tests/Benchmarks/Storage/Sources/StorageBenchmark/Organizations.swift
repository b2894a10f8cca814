import Storage

/// An organization as the service Organizations makes it of a row.
struct Node: Sendable {
    let id: [UInt8]
    let number: Int64
    let parent: Int64?
    let depth: Int
    let standing: Int
    let isActivated: Bool
    let title: String
    let titleKey: String
    let description: String
    let category: Int
    let categorySource: Int
    let country: String
    let kind: Int?
    let salesRepEmail: String
    let services: [String]
    let type: [UInt8]?
    let trialUntil: Int?
    let expiresOn: Int?
    let externalID: String?
    let discount: Int?
    let discountUntil: Int?
    let discountScope: Int
    let origin: Int
    let members: Int64
    let created: WallTime
    let updated: WallTime
    let version: Int64
    let archived: WallTime?
    let archivedBy: String?
    let archiveBatch: [UInt8]?
    let recency: Int64

    static let columns: SQL = """
        id, number, parent, depth, standing, active, title, title_key, description, category,
        category_source, country, kind, sales_rep_email, services, type_id, trial_until,
        expires_on, external_id, discount, discount_until, discount_scope, origin, members,
        created_micros, updated_micros, version, archived_micros, archived_by, archive_batch,
        recency
        """

    init(row: Row) throws {
        id = try row.bytes(0)
        number = try row.int64(1)
        parent = try row.int64OrNil(2)
        depth = try row.int(3)
        standing = try row.int(4)
        isActivated = try row.bool(5)
        title = try row.text(6)
        titleKey = try row.text(7)
        description = try row.text(8)
        category = try row.int(9)
        categorySource = try row.int(10)
        country = try row.text(11)
        kind = try row.intOrNil(12)
        salesRepEmail = try row.text(13)
        services = try row.text(14).split(separator: " ").map(String.init)
        type = try row.bytesOrNil(15)
        trialUntil = try row.intOrNil(16)
        expiresOn = try row.intOrNil(17)
        externalID = try row.textOrNil(18)
        discount = try row.intOrNil(19)
        discountUntil = try row.intOrNil(20)
        discountScope = try row.int(21)
        origin = try row.int(22)
        members = try row.int64(23)
        created = try row.time(24)
        updated = try row.time(25)
        version = try row.int64(26)
        archived = try row.timeOrNil(27)
        archivedBy = try row.textOrNil(28)
        archiveBatch = try row.bytesOrNil(29)
        recency = try row.int64(30)
    }
}

extension Database {
    /// The point read of the benchmark.
    func organization(_ id: [UInt8]) throws -> Node? {
        try readInline { snapshot in
            try snapshot.row(
                "SELECT \(Node.columns) FROM organization WHERE id = \(id) AND standing <= 3",
                Node.init(row:))
        }
    }
}
