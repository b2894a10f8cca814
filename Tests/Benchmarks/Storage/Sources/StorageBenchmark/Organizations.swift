import Storage

/// An organization as the service Organizations makes it of a row.
struct Node: Sendable {
    let id: [UInt8]
    let parent: [UInt8]?
    let depth: Int
    let title: String
    let titleKey: String
    let description: String
    let category: Int
    let country: String
    let status: Int
    let origin: Int
    let created: WallTime
    let updated: WallTime
    let version: Int64

    static let columns: SQL = """
        id, parent_id, depth, title, title_key, description, category, country, status, origin,
        created_micros, updated_micros, version
        """

    init(row: Row) throws {
        id = try row.bytes(0)
        parent = try row.bytesOrNil(1)
        depth = try row.int(2)
        title = try row.text(3)
        titleKey = try row.text(4)
        description = try row.text(5)
        category = try row.int(6)
        country = try row.text(7)
        status = try row.int(8)
        origin = try row.int(9)
        created = try row.time(10)
        updated = try row.time(11)
        version = try row.int64(12)
    }
}

extension Database {
    /// The point read of the benchmark.
    func organization(_ id: [UInt8]) throws -> Node? {
        try readInline { snapshot in
            try snapshot.row(
                "SELECT \(Node.columns) FROM organization WHERE id = \(id) AND status <> 4",
                Node.init(row:))
        }
    }
}
