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
            case .title: .text(titleKey)
            case .members: .integer(members)
            }
        return ListPlace(value: value, number: number)
    }
}

extension ListCandidate {
    fileprivate init(row: Row) throws {
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

    /// Present organizations whose title may have a part, in no order; at most so many.
    ///
    /// Some may not: what stands for any character in a pattern stands for itself in a part.
    func candidates(withPart part: TitlePart, limit: Int) throws -> [ListCandidate] {
        try rows(
            """
            SELECT number, parent, updated_micros, title_key, members FROM organization
            WHERE recency IN (
                    SELECT rowid FROM organization_part WHERE title_key LIKE \(part.pattern)
                    LIMIT \(limit))
                AND standing = 1
            """, ListCandidate.init(row:))
    }

    /// Whether more titles than so many may have a part, in the archive or not.
    func isCommon(_ part: TitlePart, beyond limit: Int) throws -> Bool {
        let count = try row(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM organization_part WHERE title_key LIKE \(part.pattern)
                LIMIT \(limit + 1))
            """
        ) { try $0.int64(0) }
        return (count ?? 0) > limit
    }

    /// How many present organizations have a part in their title.
    ///
    /// - Parameters:
    ///   - part: The part.
    ///   - limit: More that may have it, present or not, are not looked at.
    ///   - isShown: Whether one counts, by its title's key and when it was changed.
    /// - Returns: The number; nil when there are too many to look at.
    /// - Throws: `StorageFault`.
    func countPresent(
        withPart part: TitlePart, atMost limit: Int, where isShown: (String, Int64) -> Bool
    ) throws -> Int64? {
        var (seen, shown) = (0, Int64(0))
        try forEachRow(
            of: """
                SELECT standing, title_key, updated_micros FROM organization
                WHERE recency IN (
                    SELECT rowid FROM organization_part WHERE title_key LIKE \(part.pattern)
                    LIMIT \(limit + 1))
                """
        ) { row in
            seen += 1
            let standing = try Standing(stored: row.int(0))
            if standing == .present, isShown(try row.text(1), try row.int64(2)) { shown += 1 }
            return true
        }
        return seen > limit ? nil : shown
    }

    /// Organizations whose title may have a part, present or not, in the order of changes after a
    /// place that is told by ``Node/recency``; at most so many.
    ///
    /// - Parameters:
    ///   - part: The part.
    ///   - isDescending: Whether the latest changed come first.
    ///   - place: Where to go on.
    ///   - limit: The most that are found.
    /// - Returns: The organizations, in that order.
    /// - Throws: `StorageFault`.
    func changes(
        withPart part: TitlePart, isDescending: Bool, after place: ListPlace, limit: Int
    ) throws -> [Node] {
        try rows(
            isDescending
                ? Statements.latest(withPart: part, before: place, limit: limit)
                : Statements.earliest(withPart: part, after: place, limit: limit),
            Node.init(row:))
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

extension Statements {
    /// What ``Reading/changes(withPart:isDescending:after:limit:)`` asks, the latest first.
    static func latest(withPart part: TitlePart, before place: ListPlace, limit: Int) -> SQL {
        """
        SELECT \(Node.columns) FROM (
            SELECT rowid AS place FROM organization_part
            WHERE title_key LIKE \(part.pattern) AND rowid < \(place.value)
            ORDER BY rowid DESC LIMIT \(limit)
        ) AS found CROSS JOIN organization ON recency = found.place
        ORDER BY found.place DESC LIMIT \(limit)
        """
    }

    /// The same, the earliest first.
    static func earliest(withPart part: TitlePart, after place: ListPlace, limit: Int) -> SQL {
        """
        SELECT \(Node.columns) FROM (
            SELECT rowid AS place FROM organization_part
            WHERE title_key LIKE \(part.pattern) AND rowid > \(place.value)
            ORDER BY rowid LIMIT \(limit)
        ) AS found CROSS JOIN organization ON recency = found.place
        ORDER BY found.place LIMIT \(limit)
        """
    }
}

extension TitlePart {
    /// The part as a pattern that covers at least what has it.
    fileprivate var pattern: String { "%\(key)%" }
}
