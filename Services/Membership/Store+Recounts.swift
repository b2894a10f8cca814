import ServiceKit
import Storage

// Counting everybody anew, as facts say after the copy of the tree was filled.

/// Who is to be counted where, by how many memberships: of organizations that are neither archived
/// nor gone.
let expectedPlaces: SQL = """
    WITH RECURSIVE line (organization_id, node, level) AS (
        SELECT DISTINCT m.organization_id, m.organization_id, 1
        FROM membership AS m JOIN tree_node AS n ON n.id = m.organization_id
        WHERE m.state = 1 AND n.archived = 0 AND n.removed = 0
        UNION ALL
        SELECT line.organization_id, above.parent_id, line.level + 1
        FROM line JOIN tree_node AS above ON above.id = line.node
        WHERE above.parent_id IS NOT NULL AND line.level < 10
    ),
    counted (node, kind, user_id) AS (
        SELECT line.node, \(CountKind.seat.rawValue), m.user_id
        FROM membership AS m JOIN line ON line.organization_id = m.organization_id
        WHERE m.state = 1 AND m.takes_seat = 1 AND line.level = 1
        UNION ALL
        SELECT line.node, \(CountKind.members.rawValue), m.user_id
        FROM membership AS m JOIN line ON line.organization_id = m.organization_id
        WHERE m.state = 1
        UNION ALL
        SELECT line.node, \(CountKind.students.rawValue), m.user_id
        FROM membership AS m JOIN line ON line.organization_id = m.organization_id
        WHERE m.state = 1 AND m.roles & \(RoleSet.student.rawValue) <> 0
        UNION ALL
        SELECT line.node, \(CountKind.teachers.rawValue), m.user_id
        FROM membership AS m JOIN line ON line.organization_id = m.organization_id
        WHERE m.state = 1 AND m.roles & \(RoleSet.teacher.rawValue) <> 0
    ),
    expected (node, kind, user_id, refs) AS MATERIALIZED (
        SELECT node, kind, user_id, count(*) FROM counted GROUP BY node, kind, user_id
    )
    """

extension Transaction {
    /// Rejects all who wait at organizations that are archived, after the copy of the tree was
    /// filled.
    func rejectPendingSignUpsInArchive(at now: WallTime) throws {
        try execute(
            """
            UPDATE pending_sign_up SET state = 3, decided_us = \(now)
            WHERE state = 1
                AND organization_id IN (SELECT id FROM tree_node WHERE archived = 1)
            """
        )
    }

    /// Counts everybody anew, after the copy of the tree was filled: what differs is changed, with
    /// its lines in the ledger and without asking limits.
    func recount(at now: WallTime) throws {
        try execute(
            """
            INSERT INTO place_change (node, kind, user_id, refs_before, refs_after)
            \(expectedPlaces)
            SELECT expected.node, expected.kind, expected.user_id, coalesce(place.refs, 0),
                expected.refs
            FROM expected LEFT JOIN place ON place.node = expected.node
                AND place.kind = expected.kind AND place.user_id = expected.user_id
            WHERE place.refs IS NOT expected.refs
            UNION ALL
            SELECT place.node, place.kind, place.user_id, place.refs, 0
            FROM place LEFT JOIN expected ON expected.node = place.node
                AND expected.kind = place.kind AND expected.user_id = place.user_id
            WHERE expected.refs IS NULL
            """)
        try applyChange(because: .recount, at: now)
    }
}
