import Access
import Encodings
import Mail
import Messages
import RPC
import ServiceKit
import Storage

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    depths, titleKeys, titleParts, titlePartEntries, tallies, toldLapses, importCounts,
    Outbox.verifier, mailedMessages, hookCalls, waitingHookCalls,
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
    Verifier.feed(
        of: OrganizationLapse.messageName,
        facts: """
            SELECT CAST(o.id || CASE lapse.kind WHEN 1 THEN x'01' WHEN 2 THEN x'02' ELSE x'03' END
                AS BLOB), lapse.version
            FROM lapse JOIN organization AS o ON o.number = lapse.number
            """
    ) { "Lapse \(Hexadecimal.text($0))" },
]

/// What people wrote, and what has become of its mails: what is in the outbox waits there, or has
/// ended as the message says.
///
/// How it ended is judged while there is a mail to each receiver: those that were sent are
/// forgotten sooner than those that have failed.
private let mailedMessages = Verifier(
    "mailed messages", count: "SELECT count(*) FROM contact_message",
    differences: """
        WITH mailed (id, state, receivers, mails, waiting, sent) AS (
            SELECT message.id, message.state,
                1 + length(message.receivers) - length(replace(message.receivers, char(10), '')),
                count(mail.number),
                coalesce(sum(mail.state = 1), 0), coalesce(sum(mail.state = 2), 0)
            FROM contact_message AS message LEFT JOIN mail
                ON mail.cause = \(ContactMessage.causePrefix) || lower(hex(message.id))
            WHERE message.queued = 1
            GROUP BY message.id
        )
        SELECT hex(id), state, waiting, sent FROM mailed
        WHERE (state = 1) <> (waiting > 0)
            OR (waiting = 0 AND mails = receivers AND (state = 2) <> (sent > 0))
        """
) { row in
    """
    Message \(try row.text(0)) is in state \(try row.int64(1)); of its mails \(try row.int64(2)) \
    wait and \(try row.int64(3)) were sent.
    """
}

/// The last days of which it was told that they are over: they are still set, and what was told
/// last names them.
private let toldLapses = Verifier(
    "told lapses",
    count: """
        SELECT count(*) FROM organization WHERE trial_told IS NOT NULL OR expiry_told IS NOT NULL
        """,
    differences: """
        WITH told (number, id, kind, day, kept) AS (
            SELECT number, id, 1, trial_told, trial_until FROM organization
            WHERE trial_told IS NOT NULL
            UNION ALL
            SELECT number, id, 2, expiry_told, expires_on FROM organization
            WHERE expiry_told IS NOT NULL
        )
        SELECT hex(told.id), told.day, CAST(coalesce(told.kept, 'none') AS TEXT),
            CAST(coalesce(lapse.last_day, 'none') AS TEXT)
        FROM told LEFT JOIN lapse ON lapse.number = told.number AND lapse.kind = told.kind
        WHERE told.kept IS NOT told.day OR lapse.last_day IS NOT told.day
        """
) { row in
    """
    Of organization \(try row.text(0)) day \(try row.int64(1)) counts as told to be over; kept is \
    \(try row.text(2)), told was \(try row.text(3)).
    """
}

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

/// The key by which titles of siblings are told apart, and what they are ordered by.
private let titleKeys = Verifier("keys of titles") { snapshot, findings in
    let titles: SQL = "SELECT hex(id), title, title_key, title_order FROM organization"
    try snapshot.forEachRow(of: titles) { row in
        let (title, key, order) = (try row.text(1), try row.text(2), try row.text(3))
        findings.check()
        if Title.key(of: title) != key {
            try findings.differ(
                "Organization \(row.text(0)) has the title \(title) under the key \(key).")
        }
        if !TitleOrder.text(of: key).utf8.elementsEqual(order.utf8) {
            try findings.differ(
                "Organization \(row.text(0)) has the title \(title) in the place of \(order).")
        }
        return true
    }
}

/// Whether the index of parts of titles holds each organization where its last change put it.
private let titleParts = Verifier(
    "index of parts of titles", count: "SELECT count(*) FROM organization",
    differences: """
        SELECT hex(o.id) FROM organization AS o
        LEFT JOIN organization_part_docsize AS held ON held.id = o.recency
        WHERE held.id IS NULL
        UNION ALL
        SELECT NULL FROM organization_part_docsize AS held
        WHERE NOT EXISTS (SELECT 1 FROM organization AS o WHERE o.recency = held.id)
        """
) { row in
    try row.isNull(0)
        ? "The index holds a title that no organization has any more."
        : "Organization \(try row.text(0)) is not in the index."
}

/// Whether what the index holds are the parts of the titles: three characters at each place.
private let titlePartEntries = Verifier("parts of titles in the index") { snapshot, findings in
    let wrong: SQL = """
        SELECT coalesce(hex(o.id), ''), count(*)
        FROM organization_part_entry AS entry LEFT JOIN organization AS o ON o.recency = entry.doc
        WHERE substr(o.title_key, entry.offset + 1, 3) IS NOT entry.term
        GROUP BY entry.doc
        """
    try snapshot.forEachRow(of: wrong) { row in
        let (id, count) = (try row.text(0), try row.int64(1))
        findings.differ(
            id.isEmpty
                ? "Parts in the index that belong to no organization: \(count)."
                : "Parts in the index that the title of organization \(id) lacks: \(count).")
        return true
    }
    let counts: SQL = """
        SELECT (SELECT count(*) FROM organization_part_entry),
            (SELECT coalesce(sum(max(length(title_key) - 2, 0)), 0) FROM organization)
        """
    let (held, expected) = try snapshot.row(counts) { (try $0.int64(0), try $0.int64(1)) } ?? (0, 0)
    findings.check(expected)
    guard held != expected else { return }
    let incomplete: SQL = """
        WITH held (doc, entries) AS MATERIALIZED (
            SELECT doc, count(*) FROM organization_part_entry GROUP BY doc
        ), expected (id, doc, entries) AS (
            SELECT id, recency, max(length(title_key) - 2, 0) FROM organization
        )
        SELECT hex(expected.id), coalesce(held.entries, 0), expected.entries
        FROM expected LEFT JOIN held ON held.doc = expected.doc
        WHERE expected.entries <> coalesce(held.entries, 0)
        """
    try snapshot.forEachRow(of: incomplete) { row in
        try findings.differ(
            """
            Parts in the index of organization \(row.text(0)): \(row.int64(1)); its title has \
            \(row.int64(2)).
            """)
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

/// How many rows an import becomes what, from its rows; while it is planned they are still coming.
///
/// The oldest may lack some: its time may be over, and then its rows go bit by bit.
private let importCounts = Verifier(
    "numbers of imported rows",
    count: "SELECT count(*) FROM import_run WHERE state BETWEEN 2 AND 4",
    differences: """
        WITH counted (id, rows, created, updated, unchanged, errors) AS MATERIALIZED (
            SELECT import_id, count(*), sum(outcome = 1), sum(outcome = 2), sum(outcome = 3),
                sum(outcome = 4)
            FROM import_row GROUP BY import_id
        ), judged (id, rows, created, updated, unchanged, errors) AS (
            SELECT id, row_count, created_count, updated_count, unchanged_count, error_count
            FROM import_run WHERE state BETWEEN 2 AND 4
        )
        SELECT hex(judged.id),
            judged.rows || ' (' || judged.created || ', ' || judged.updated || ', '
                || judged.unchanged || ', ' || judged.errors || ')',
            coalesce(counted.rows, 0) || ' (' || coalesce(counted.created, 0) || ', '
                || coalesce(counted.updated, 0) || ', ' || coalesce(counted.unchanged, 0) || ', '
                || coalesce(counted.errors, 0) || ')'
        FROM judged LEFT JOIN counted ON counted.id = judged.id
        WHERE NOT (
                judged.rows > coalesce(counted.rows, 0)
                AND judged.id = (
                    SELECT id FROM import_run WHERE state <> 1 AND state <> 3
                    ORDER BY created_micros LIMIT 1))
            AND (judged.rows <> coalesce(counted.rows, 0)
            OR judged.created <> coalesce(counted.created, 0)
            OR judged.updated <> coalesce(counted.updated, 0)
            OR judged.unchanged <> coalesce(counted.unchanged, 0)
            OR judged.errors <> coalesce(counted.errors, 0))
        """
) { row in
    """
    Import \(try row.text(0)) says \(try row.text(1)) rows, those created, updated, unchanged and \
    with errors in brackets; there are \(try row.text(2)).
    """
}
