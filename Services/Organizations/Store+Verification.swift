import Access
import Messages
import RPC
import ServiceKit
import Storage

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    depths, titleKeys,
    Verifier.feed(
        of: OrganizationNode.messageName, facts: "SELECT id, version FROM organization"
    ) { "Organization \(Hexadecimal.text($0))" },
]

/// The depth of each organization, from its parent's.
private let depths = Verifier(
    "depths in the tree", count: "SELECT count(*) FROM organization",
    differences: """
        SELECT hex(child.id), child.depth, above.depth + 1
        FROM organization AS child JOIN organization AS above ON above.id = child.parent_id
        WHERE child.depth <> above.depth + 1
        """
) { row in
    """
    Organization \(try row.text(0)) says depth \(try row.int(1)); its parent's makes it \
    \(try row.int(2)).
    """
}

/// The key by which titles of siblings are told apart, from each title.
private let titleKeys = Verifier("keys of titles") { snapshot, findings in
    let titles: SQL = "SELECT hex(id), title, title_key FROM organization"
    try snapshot.forEachRow(of: titles) { row in
        let (title, key) = (try row.text(1), try row.text(2))
        findings.check()
        if Title.key(of: title) != key {
            try findings.differ(
                "Organization \(row.text(0)) has the title \(title) under the key \(key).")
        }
        return true
    }
}
