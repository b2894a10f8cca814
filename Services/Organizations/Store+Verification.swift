import Access
import Messages
import RPC
import ServiceKit
import Storage

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    depths, titleKeys, tallies,
    Verifier.feed(
        of: OrganizationNode.messageName, facts: "SELECT id, version FROM organization"
    ) { "Organization \(Hexadecimal.text($0))" },
    Verifier.feed(
        of: OrganizationType.messageName, facts: "SELECT id, version FROM organization_type"
    ) { "Organization type \(Hexadecimal.text($0))" },
    Verifier.feed(
        of: CustomUrl.messageName,
        facts: """
            SELECT CAST(organization_id || CAST(slug AS BLOB) AS BLOB), version FROM custom_url
            """
    ) { "Custom URL \(Hexadecimal.text($0))" },
]

/// The depth of each organization, from its parent's.
private let depths = Verifier(
    "depths in the tree", count: "SELECT count(*) FROM organization",
    differences: """
        SELECT hex(child.id), child.depth, above.depth + 1
        FROM organization AS child JOIN organization AS above ON above.number = child.parent
        WHERE child.depth <> above.depth + 1 AND child.standing <= 3
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

/// How many organizations are present where.
private let tallies = Verifier(
    "numbers of organizations", count: "SELECT count(*) FROM tally",
    differences: """
        WITH counted (parent, organizations) AS MATERIALIZED (
            SELECT coalesce(parent, 0), count(*) FROM organization WHERE standing = 1
            GROUP BY coalesce(parent, 0)
            UNION ALL
            SELECT -1, count(*) FROM organization WHERE standing = 1
        )
        SELECT tally.parent, tally.organizations, coalesce(counted.organizations, 0)
        FROM tally LEFT JOIN counted ON counted.parent = tally.parent
        WHERE tally.organizations <> coalesce(counted.organizations, 0)
        UNION ALL
        SELECT counted.parent, 0, counted.organizations
        FROM counted LEFT JOIN tally ON tally.parent = counted.parent
        WHERE tally.parent IS NULL AND counted.organizations > 0
        """
) { row in
    """
    Below \(try row.int64(0)) are \(try row.int64(2)) organizations; the tally says \
    \(try row.int64(1)).
    """
}
