import Access
import ServiceKit
import Storage

/// An organization that a list may show, with what it is ordered and filtered by.
struct ListCandidate: Sendable, Hashable {
    let number: Int64
    let parent: Int64?
    let updated: Int64
    let titleKey: String
    let members: Int64

    /// Its place in an order.
    func place(in order: ListOrder) -> ListPlace {
        let value: SQLValue =
            switch order.key {
            case .updated: .integer(updated)
            case .title: .text(TitleOrder.text(of: titleKey))
            case .members: .integer(members)
            }
        return ListPlace(value: value, number: number)
    }
}

extension ListCandidate {
    /// The candidate in a row of `number, parent, updated_micros, title_key, members`.
    init(row: Row) throws {
        self.init(
            number: try row.int64(0), parent: try row.int64OrNil(1), updated: try row.int64(2),
            titleKey: try row.text(3), members: try row.int64(4))
    }
}

extension Reading {
    /// Present organizations below another, at every level, in no order; at most so many.
    func candidates(below number: Int64, limit: Int) throws -> [ListCandidate] {
        try rows(
            """
            WITH RECURSIVE down (number, level) AS (
                SELECT number, 1 FROM organization WHERE parent = \(number) AND standing = 1
                UNION ALL
                SELECT o.number, down.level + 1
                FROM down JOIN organization AS o ON o.parent = down.number
                WHERE o.standing = 1 AND down.level < 10
            )
            SELECT o.number, o.parent, o.updated_micros, o.title_key, o.members
            FROM down JOIN organization AS o ON o.number = down.number LIMIT \(limit)
            """, ListCandidate.init(row:))
    }

    /// The organizations of the archive, the latest archived first, after a place.
    func archive(after place: ListPlace, limit: Int) throws -> [Node] {
        try rows(
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 3
                AND (archived_micros, serial) < (\(place.value), \(place.number))
            ORDER BY archived_micros DESC, serial DESC LIMIT \(limit)
            """, Node.init(row:))
    }
}
