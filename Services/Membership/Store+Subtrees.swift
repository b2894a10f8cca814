import Access
import ServiceKit
import Storage

// What changes of the tree do to places, counts and ledger: by sets, however many people there are.
// A change is first written to `place_change`, where limits are asked, and then applied.

extension Demand {
    fileprivate init(_ row: Row) throws {
        guard let kind = CountKind(rawValue: try row.int64(1)) else {
            throw StorageFault.sql("usage holds an unknown number")
        }
        self.init(
            node: try row.identifier(0), kind: kind, used: try row.int64(2),
            cap: try row.int64OrNil(3), newcomers: try row.int64(4))
    }
}

extension Reading {
    /// The limits of people at nodes, with how many of the people counted at another node would be
    /// new there.
    ///
    /// - Parameters:
    ///   - nodes: At most as many as the tree is deep.
    ///   - top: The node whose people ask.
    /// - Returns: Those that have a limit, in no order.
    /// - Throws: `StorageFault`.
    func demands(at nodes: [OrganizationID], byPeopleOf top: OrganizationID) throws -> [Demand] {
        try rows(
            """
            SELECT u.node, u.kind, u.used, u.cap, (
                SELECT count(*) FROM place AS p
                WHERE p.node = \(top) AND p.kind = u.kind AND NOT EXISTS (
                    SELECT 1 FROM place AS q
                    WHERE q.node = u.node AND q.kind = u.kind AND q.user_id = p.user_id))
            FROM usage AS u
            WHERE u.node IN (\(list: nodes)) AND u.kind > 0 AND u.cap IS NOT NULL
            LIMIT 100
            """
        ) { try Demand($0) }
    }

    /// The limits that the change at hand would exceed by people who are new, in no order.
    func exceededLimits() throws -> [Demand] {
        try rows(
            """
            SELECT c.node, c.kind, u.used, u.cap, count(*)
            FROM place_change AS c JOIN usage AS u ON u.node = c.node AND u.kind = c.kind
            WHERE c.refs_before = 0 AND c.refs_after > 0 AND u.cap IS NOT NULL
            GROUP BY c.node, c.kind, u.used, u.cap HAVING u.used + count(*) > u.cap
            LIMIT \(SubtreeRules.demandsMax)
            """
        ) { try Demand($0) }
    }
}

extension Transaction {
    /// Writes down that all active members of organizations come, or go: at each organization and
    /// at every node above it.
    ///
    /// The joins are crossed, so that members are always found by their organizations.
    func noteChange(of organizations: [OrganizationID], _ flow: Flow) throws {
        for organization in organizations {
            try execute("INSERT INTO place_source (organization_id) VALUES (\(organization))")
        }
        try execute(
            """
            INSERT INTO place_change (node, kind, user_id, refs_before, refs_after)
            WITH RECURSIVE line (organization_id, node, level) AS (
                SELECT organization_id, organization_id, 1 FROM place_source
                UNION ALL
                SELECT line.organization_id, above.parent_id, line.level + 1
                FROM line JOIN tree_node AS above ON above.id = line.node
                WHERE above.parent_id IS NOT NULL AND line.level < 10
            ),
            counted (node, kind, user_id) AS (
                SELECT m.organization_id, 0, m.user_id
                FROM place_source AS s CROSS JOIN membership AS m
                WHERE m.organization_id = s.organization_id AND m.state = 1 AND m.takes_seat = 1
                UNION ALL
                SELECT line.node, 1, m.user_id
                FROM line CROSS JOIN membership AS m
                WHERE m.organization_id = line.organization_id AND m.state = 1
                UNION ALL
                SELECT line.node, 2, m.user_id
                FROM line CROSS JOIN membership AS m
                WHERE m.organization_id = line.organization_id AND m.state = 1
                    AND m.roles & \(RoleSet.student.rawValue) <> 0
                UNION ALL
                SELECT line.node, 3, m.user_id
                FROM line CROSS JOIN membership AS m
                WHERE m.organization_id = line.organization_id AND m.state = 1
                    AND m.roles & \(RoleSet.teacher.rawValue) <> 0
            ),
            grouped (node, kind, user_id, refs) AS (
                SELECT node, kind, user_id, count(*) FROM counted GROUP BY node, kind, user_id
            )
            SELECT g.node, g.kind, g.user_id, coalesce(p.refs, 0),
                coalesce(p.refs, 0) + \(flow.rawValue) * g.refs
            FROM grouped AS g LEFT JOIN place AS p
                ON p.node = g.node AND p.kind = g.kind AND p.user_id = g.user_id
            """)
        try execute("DELETE FROM place_source")
    }

    /// Writes down that the people counted at a node are counted at some nodes no longer, and at
    /// others from now on.
    func noteMove(
        of top: OrganizationID, from lost: [OrganizationID], to gained: [OrganizationID]
    ) throws {
        try execute(
            """
            INSERT INTO place_change (node, kind, user_id, refs_before, refs_after)
            SELECT p.node, p.kind, p.user_id, p.refs, p.refs - own.refs
            FROM place AS own
            JOIN place AS p ON p.kind = own.kind AND p.user_id = own.user_id
            WHERE own.node = \(top) AND own.kind > 0 AND p.node IN (\(list: lost))
            """)
        try execute(
            """
            INSERT INTO place_change (node, kind, user_id, refs_before, refs_after)
            SELECT n.id, own.kind, own.user_id, coalesce(p.refs, 0), coalesce(p.refs, 0) + own.refs
            FROM tree_node AS n
            CROSS JOIN place AS own
            LEFT JOIN place AS p
                ON p.node = n.id AND p.kind = own.kind AND p.user_id = own.user_id
            WHERE n.id IN (\(list: gained)) AND own.node = \(top) AND own.kind > 0
            """)
    }

    /// Carries the change out that was written down: ledger, counts and places.
    func applyChange(because cause: LedgerCause, at now: WallTime) throws {
        try appendChangeToLedger(because: cause, at: now)
        try execute(
            """
            INSERT INTO usage (node, kind, used)
            SELECT d.node, d.kind, coalesce(u.used, 0) + d.people
            FROM (
                SELECT node, kind, sum(CASE WHEN refs_after > 0 THEN 1 ELSE -1 END) AS people
                FROM place_change WHERE (refs_before = 0) <> (refs_after = 0)
                GROUP BY node, kind
            ) AS d LEFT JOIN usage AS u ON u.node = d.node AND u.kind = d.kind
            WHERE d.people <> 0
            ON CONFLICT (node, kind) DO UPDATE SET used = excluded.used
            """)
        try execute(
            """
            INSERT INTO place (node, kind, user_id, refs)
            SELECT node, kind, user_id, refs_after FROM place_change WHERE refs_after > 0
            ON CONFLICT (node, kind, user_id) DO UPDATE SET refs = excluded.refs
            """)
        try execute(
            """
            DELETE FROM place WHERE (node, kind, user_id) IN (
                SELECT node, kind, user_id FROM place_change WHERE refs_after = 0)
            """)
        try execute("DELETE FROM place_change")
    }

    /// A line for each person and node, in one order, so that each has the balance after it.
    private func appendChangeToLedger(because cause: LedgerCause, at now: WallTime) throws {
        try execute(
            """
            INSERT INTO seat_ledger (organization_id, kind, operation, user_id, cause,
                balance_after, occurred_us)
            SELECT c.node, c.kind, CASE WHEN c.refs_after > 0 THEN 1 ELSE 2 END, c.user_id,
                \(cause.rawValue),
                coalesce(u.used, 0) + sum(CASE WHEN c.refs_after > 0 THEN 1 ELSE -1 END) OVER (
                    PARTITION BY c.node, c.kind ORDER BY c.user_id ROWS UNBOUNDED PRECEDING),
                \(now)
            FROM place_change AS c
            LEFT JOIN usage AS u ON u.node = c.node AND u.kind = c.kind
            WHERE (c.refs_before = 0) <> (c.refs_after = 0)
            ORDER BY c.node, c.kind, c.user_id
            """)
    }
}
