public import Storage

extension TreeCopy {
    /// Proves that the copy is a tree: every parent is known, and no path is longer than ten.
    public static let verifier = onceFilled(
        "copy of the tree", count: "SELECT count(*) FROM tree_node",
        differences: """
            WITH RECURSIVE down (id, level) AS (
                SELECT id, 1 FROM tree_node WHERE parent_id IS NULL AND removed = 0
                UNION ALL
                SELECT node.id, down.level + 1
                FROM down JOIN tree_node AS node ON node.parent_id = down.id
                WHERE node.removed = 0 AND down.level < 10
            )
            SELECT hex(id), title FROM tree_node
            WHERE removed = 0 AND id NOT IN (SELECT id FROM down)
            """
    ) { row in
        "\(try row.text(1)) (\(try row.text(0))) hangs on no root."
    }

    /// A verifier of what depends on the copy: put off while the copy is being filled or rebuilt,
    /// when a child may be there before its parent.
    ///
    /// - Parameters:
    ///   - name: What is recomputed, in words.
    ///   - count: A query for the number of rows that are looked at.
    ///   - differences: A query for what differs, a row each.
    ///   - sentence: Says of such a row what differs.
    /// - Returns: The verifier.
    public static func onceFilled(
        _ name: String, count: SQL, differences: SQL,
        sentence: @escaping @Sendable (Row) throws -> String
    ) -> Verifier {
        let verifier = Verifier(name, count: count, differences: differences, sentence: sentence)
        return verifier.unless("the copy of the tree is being filled") { snapshot in
            try snapshot.exists("SELECT 1 FROM tree_rebuild")
        }
    }
}
