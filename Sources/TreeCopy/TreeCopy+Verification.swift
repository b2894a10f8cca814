public import Storage

extension TreeCopy {
    /// Proves that the copy is a tree: every parent is known, and no path is longer than ten.
    public static let verifier = Verifier(
        "copy of the tree", count: "SELECT count(*) FROM tree_node",
        differences: """
            WITH RECURSIVE down (id, level) AS (
                SELECT id, 1 FROM tree_node WHERE parent_id IS NULL
                UNION ALL
                SELECT node.id, down.level + 1
                FROM down JOIN tree_node AS node ON node.parent_id = down.id
                WHERE down.level < 10
            )
            SELECT hex(id), title FROM tree_node
            WHERE removed = 0 AND id NOT IN (SELECT id FROM down)
            """
    ) { row in
        "\(try row.text(1)) (\(try row.text(0))) hangs on no root."
    }
}
