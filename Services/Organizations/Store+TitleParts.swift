import ServiceKit
import Storage

// The index of parts of titles: a table of SQLite's FTS5 with the trigrams of every title's key.
// Its rows are numbered by ``Node/recency``, so that it goes by the order of changes.

extension Reading {
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

    /// The places in the order of changes of titles that may have a part, in the archive or not,
    /// the earliest changed first; at most so many.
    func places(withPart part: TitlePart, limit: Int) throws -> [Int64] {
        try rows(
            """
            SELECT rowid FROM organization_part WHERE title_key LIKE \(part.pattern)
            ORDER BY rowid LIMIT \(limit)
            """
        ) { try $0.int64(0) }
    }

    /// The organization at a place in the order of changes.
    func node(at recency: Int64) throws -> Node? {
        try row(
            "SELECT \(Node.columns) FROM organization WHERE recency = \(recency)",
            Node.init(row:))
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

    /// The place of the latest change; 0 before any.
    func latestRecency() throws -> Int64 {
        try row("SELECT recency FROM organization ORDER BY recency DESC LIMIT 1") {
            try $0.int64(0)
        } ?? 0
    }
}

extension Transaction {
    /// Adds a title to the index of parts.
    func addParts(of details: Details, at recency: Int64) throws {
        try execute(
            """
            INSERT INTO organization_part (rowid, title_key)
            VALUES (\(recency), \(details.title.key))
            """)
    }

    /// Takes a title out of the index of parts, which must be told what stands there.
    func forgetParts(of node: Node) throws {
        try execute(
            """
            INSERT INTO organization_part (organization_part, rowid, title_key)
            VALUES ('delete', \(node.recency), \(node.details.title.key))
            """)
    }

    /// Joins the pieces of the index of parts, or goes on to.
    ///
    /// - Parameters:
    ///   - pages: About so many pages of the index are written.
    ///   - begins: Whether the pieces of now are to be joined; else those of when it last began.
    /// - Returns: Whether more is to be joined.
    /// - Throws: `StorageFault`.
    func joinParts(pages: Int, begins: Bool) throws -> Bool {
        let before = try countChanges()
        try execute(
            """
            INSERT INTO organization_part (organization_part, rank)
            VALUES ('merge', \(begins ? -pages : pages))
            """)
        // FTS5: one change alone is the statement itself, which found nothing to do.
        return try countChanges() - before > 1
    }

    /// How many rows have been changed so far, those inside of indexes like this one too.
    private func countChanges() throws -> Int64 {
        try row("SELECT total_changes()") { try $0.int64(0) } ?? 0
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
