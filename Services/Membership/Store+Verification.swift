import Access
import Encodings
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    TreeCopy.verifier, knownOrganizations, places, usage, ledger, ledgerBalances, seatCounts,
    seatCeilings, unaffiliatedUsers, ownOrganizations, platformSeatType, catalog,
    Outbox.verifier,
    Verifier.feed(of: Member.messageName, facts: "SELECT id, version FROM membership") {
        "Membership \(Hexadecimal.text($0))"
    },
]

/// People sit in organizations that exist.
private let knownOrganizations = TreeCopy.onceFilled(
    "organizations of memberships", count: "SELECT count(*) FROM membership",
    differences: """
        SELECT DISTINCT hex(organization_id) FROM membership AS m
        WHERE NOT EXISTS (SELECT 1 FROM tree_node WHERE id = m.organization_id)
        """
) { row in "Organization \(try row.text(0)) has members and is not in the tree." }

/// Who is counted where, from memberships and tree alone.
private let places = TreeCopy.onceFilled(
    "people counted at each organization", count: "SELECT count(*) FROM place",
    differences: """
        \(expectedPlaces)
        SELECT hex(expected.node), expected.kind, hex(expected.user_id), expected.refs,
            coalesce(place.refs, 0)
        FROM expected LEFT JOIN place ON place.node = expected.node
            AND place.kind = expected.kind AND place.user_id = expected.user_id
        WHERE place.refs IS NOT expected.refs
        UNION ALL
        SELECT hex(place.node), place.kind, hex(place.user_id), 0, place.refs
        FROM place LEFT JOIN expected ON expected.node = place.node
            AND expected.kind = place.kind AND expected.user_id = place.user_id
        WHERE expected.refs IS NULL
        """
) { row in
    """
    Person \(try row.text(2)) is counted at \(try row.text(0)) as \(try word(row, 1)) by \
    \(try row.int64(4)) memberships, and has \(try row.int64(3)).
    """
}

/// How much is used at each node, from the places.
private let usage = Verifier(
    "counters", count: "SELECT count(*) FROM usage",
    differences: """
        WITH counted (node, kind, used) AS MATERIALIZED (
            SELECT node, kind, count(*) FROM place GROUP BY node, kind
        )
        SELECT hex(usage.node), usage.kind, usage.used, coalesce(counted.used, 0)
        FROM usage LEFT JOIN counted ON counted.node = usage.node AND counted.kind = usage.kind
        WHERE usage.used <> coalesce(counted.used, 0)
        UNION ALL
        SELECT hex(counted.node), counted.kind, 0, counted.used
        FROM counted LEFT JOIN usage ON usage.node = counted.node AND usage.kind = counted.kind
        WHERE usage.used IS NULL
        """
) { row in
    """
    The counter of \(try word(row, 1)) at \(try row.text(0)) says \(try row.int64(2)); counted \
    are \(try row.int64(3)).
    """
}

/// How much is used at each node, from the ledger.
private let ledger = Verifier(
    "seat ledger", count: "SELECT count(*) FROM seat_ledger",
    differences: """
        WITH booked (node, kind, used) AS MATERIALIZED (
            SELECT organization_id, kind,
                sum(CASE operation WHEN \(LedgerOperation.take.rawValue) THEN 1
                    WHEN \(LedgerOperation.release.rawValue) THEN -1 ELSE 0 END)
            FROM seat_ledger GROUP BY organization_id, kind
        )
        SELECT hex(usage.node), usage.kind, usage.used, coalesce(booked.used, 0)
        FROM usage LEFT JOIN booked ON booked.node = usage.node AND booked.kind = usage.kind
        WHERE usage.used <> coalesce(booked.used, 0)
        UNION ALL
        SELECT hex(booked.node), booked.kind, 0, booked.used
        FROM booked LEFT JOIN usage ON usage.node = booked.node AND usage.kind = booked.kind
        WHERE usage.used IS NULL AND booked.used <> 0
        """
) { row in
    """
    The counter of \(try word(row, 1)) at \(try row.text(0)) says \(try row.int64(2)); the ledger \
    comes to \(try row.int64(3)).
    """
}

/// The balance of each line of the ledger, from the lines before it.
private let ledgerBalances = Verifier(
    "balances in the seat ledger",
    count: """
        SELECT count(*) FROM seat_ledger WHERE operation <> \(LedgerOperation.resize.rawValue)
        """,
    differences: """
        SELECT sequence, balance_after, running FROM (
            SELECT sequence, balance_after,
                sum(CASE operation WHEN \(LedgerOperation.take.rawValue) THEN 1 ELSE -1 END)
                    OVER (PARTITION BY organization_id, kind ORDER BY sequence) AS running
            FROM seat_ledger WHERE operation <> \(LedgerOperation.resize.rawValue))
        WHERE running <> balance_after
        """
) { row in
    """
    Line \(try row.int64(0)) of the ledger says that \(try row.int64(1)) are in use; the lines up \
    to it come to \(try row.int64(2)).
    """
}

/// How many seats there are: as many as the last line of the ledger that changed them says.
///
/// Where they are not limited the line says how many were taken then, which is compared with
/// nothing.
private let seatCounts = Verifier(
    "numbers of seats",
    count: """
        SELECT count(*) FROM usage WHERE kind = \(CountKind.seat.rawValue) AND cap IS NOT NULL
        """,
    differences: """
        WITH told (node, sequence) AS MATERIALIZED (
            SELECT organization_id, max(sequence) FROM seat_ledger
            WHERE kind = \(CountKind.seat.rawValue)
                AND operation = \(LedgerOperation.resize.rawValue)
            GROUP BY organization_id
        )
        SELECT hex(usage.node), usage.cap, CAST(coalesce(line.balance_after, 'nothing') AS TEXT)
        FROM usage LEFT JOIN told ON told.node = usage.node
            LEFT JOIN seat_ledger AS line ON line.sequence = told.sequence
        WHERE usage.kind = \(CountKind.seat.rawValue) AND usage.cap IS NOT NULL
            AND usage.cap IS NOT line.balance_after
        """
) { row in
    """
    Organization \(try row.text(0)) has \(try row.int64(1)) seats; the ledger says last \
    \(try row.text(2)).
    """
}

/// Who was granted seats has a number of them, and may have no fewer than the grants that stand.
private let seatCeilings = Verifier(
    "grants of seats", count: "SELECT count(*) FROM seat_grant",
    differences: """
        WITH granted (node, quantity) AS MATERIALIZED (
            SELECT organization_id, sum(quantity) FROM seat_grant GROUP BY organization_id
        )
        SELECT hex(granted.node), granted.quantity,
            CAST(coalesce(settings.seat_ceiling, 'no') AS TEXT),
            CAST(coalesce(usage.cap, 'no') AS TEXT)
        FROM granted LEFT JOIN settings ON settings.organization_id = granted.node
            LEFT JOIN usage ON usage.node = granted.node
                AND usage.kind = \(CountKind.seat.rawValue)
        WHERE settings.seat_ceiling IS NULL OR settings.seat_ceiling < granted.quantity
            OR usage.cap IS NULL
        """
) { row in
    """
    Organization \(try row.text(0)) was granted \(try row.int64(1)) seats; it may have \
    \(try row.text(2)) and has \(try row.text(3)).
    """
}

/// Who belongs to no organization, under every pattern that covers the verified address.
private let unaffiliatedUsers = Verifier(
    "people without an organization", count: "SELECT count(*) FROM unaffiliated_user",
    differences: """
        WITH RECURSIVE free (user_id, domain) AS MATERIALIZED (
            SELECT u.id, substr(u.email, instr(u.email, '@') + 1) FROM user AS u
            WHERE u.email_verified = 1 AND NOT EXISTS (
                SELECT 1 FROM membership AS m
                WHERE m.user_id = u.id AND m.state <> \(MembershipState.removed.rawValue))
            AND NOT EXISTS (SELECT 1 FROM platform_role AS r WHERE r.user_id = u.id)
        ),
        base (user_id, domain) AS (
            SELECT user_id, domain FROM free
            UNION ALL
            SELECT user_id, substr(domain, instr(domain, '.') + 1) FROM base
            WHERE instr(substr(domain, instr(domain, '.') + 1), '.') > 0
        ),
        expected (pattern, user_id) AS MATERIALIZED (
            SELECT domain, user_id FROM free
            WHERE length(domain) - length(replace(domain, '.', '')) < \(DomainPatterns.labelsMax)
            UNION ALL
            SELECT '*.' || domain, user_id FROM base
            WHERE length(domain) - length(replace(domain, '.', ''))
                < \(DomainPatterns.labelsMax - 1)
        )
        SELECT hex(user_id), pattern, 'is not found by' FROM expected
        WHERE NOT EXISTS (
            SELECT 1 FROM unaffiliated_user AS kept
            WHERE kept.pattern = expected.pattern AND kept.user_id = expected.user_id)
        UNION ALL
        SELECT hex(user_id), pattern, 'is wrongly found by' FROM unaffiliated_user AS kept
        WHERE NOT EXISTS (
            SELECT 1 FROM expected
            WHERE expected.pattern = kept.pattern AND expected.user_id = kept.user_id)
        """
) { row in "Person \(try row.text(0)) \(try row.text(2)) \(try row.text(1))." }

/// Organizations that are being made have a workflow under way, those that were made a founder who
/// was their owner once.
private let ownOrganizations = TreeCopy.onceFilled(
    "organizations of founders", count: "SELECT count(*) FROM own_organization",
    differences: """
        SELECT hex(o.organization_id), 'is being made by no workflow' FROM own_organization AS o
        WHERE o.state = 1 AND NOT EXISTS (
            SELECT 1 FROM storage_workflow AS w WHERE w.id = o.workflow_id AND w.state <= 1)
        UNION ALL
        SELECT hex(o.organization_id), 'never had its founder' FROM own_organization AS o
        WHERE o.state = 2 AND NOT EXISTS (
            SELECT 1 FROM membership AS m
            WHERE m.organization_id = o.organization_id AND m.user_id = o.user_id)
        """
) { row in "Organization \(try row.text(0)) \(try row.text(1))." }

/// The platform has one seat type.
private let platformSeatType = Verifier(
    "seat type of the platform", count: "SELECT count(*) FROM seat_type",
    differences: """
        SELECT types FROM (
            SELECT count(*) AS types FROM seat_type WHERE is_default = 1)
        WHERE types <> 1
        """
) { row in "\(try row.int64(0)) seat types are the platform's." }

/// Courses belong to modules that there are.
private let catalog = Verifier(
    "copy of the catalog", count: "SELECT count(*) FROM catalog_course",
    differences: """
        SELECT hex(c.id), c.name FROM catalog_course AS c
        WHERE c.removed = 0 AND NOT EXISTS (
            SELECT 1 FROM catalog_module AS m WHERE m.id = c.module_id AND m.removed = 0)
        """
) { row in
    "Course \(try row.text(1)) (\(try row.text(0))) belongs to no module."
}.unless("the copy of Partners' facts is being filled") { try !$0.isPartnersCopyFilled() }

private func word(_ row: Row, _ column: Int) throws -> String {
    guard let kind = CountKind(rawValue: try row.int64(column)) else {
        throw StorageFault.sql("a count is of an unknown kind")
    }
    return kind.word
}
