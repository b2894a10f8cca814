import Access
import ServiceKit
import Storage

extension MembershipRecord {
    fileprivate init(_ row: Row) throws {
        guard let state = MembershipState(rawValue: try row.int64(4)) else {
            throw StorageFault.sql("membership holds an unknown number")
        }
        self.init(
            id: try row.identifier(0),
            organization: try row.identifier(1),
            user: try row.identifier(2), roles: RoleSet(rawValue: try row.int64(3)),
            state: state, takesSeat: try row.bool(5), joined: try row.time(6),
            version: try row.int64(7))
    }
}

/// The columns that `MemberRecord.init(_ row:)` reads, the membership's first.
extension MemberRecord {
    fileprivate init(_ row: Row) throws {
        let membership = try MembershipRecord(row)
        self.init(
            membership: membership,
            user: UserRecord(
                id: membership.user, email: try row.text(8), name: try row.text(9),
                created: try row.time(10), version: try row.int64(11),
                isEmailVerified: try row.bool(12)))
    }
}

/// Where a page of members begins.
struct MemberCursor: Sendable, Hashable {
    let nameKey: String
    let user: UserID
}

/// Which members a list shows; the numbers are those of ``MembershipState``.
struct MemberFilter: Sendable, Hashable {
    let stateMin: Int64
    let stateMax: Int64

    static let present = MemberFilter(
        stateMin: MembershipState.active.rawValue, stateMax: MembershipState.blocked.rawValue)

    static func only(_ state: MembershipState) -> MemberFilter {
        MemberFilter(stateMin: state.rawValue, stateMax: state.rawValue)
    }
}

extension Reading {
    func membership(of user: UserID, in organization: OrganizationID) throws -> MembershipRecord? {
        try row(
            """
            SELECT id, organization_id, user_id, roles, state, takes_seat, joined_us, version
            FROM membership WHERE organization_id = \(organization) AND user_id = \(user)
            """
        ) { row in try MembershipRecord(row) }
    }

    func member(_ user: UserID, of organization: OrganizationID) throws -> MemberRecord? {
        try row(
            """
            SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat, m.joined_us,
                m.version, u.email, u.name, u.created_us, u.version, u.email_verified
            FROM membership AS m JOIN user AS u ON u.id = m.user_id
            WHERE m.organization_id = \(organization) AND m.user_id = \(user)
            """
        ) { row in try MemberRecord(row) }
    }

    /// A page of the members of an organization by name.
    func members(
        of organization: OrganizationID, _ filter: MemberFilter, after cursor: MemberCursor?,
        limit: Int
    ) throws -> [MemberRecord] {
        let afterName = cursor?.nameKey ?? ""
        let afterUser = cursor?.user.bytes ?? []
        return try rows(
            """
            SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat, m.joined_us,
                m.version, u.email, u.name, u.created_us, u.version, u.email_verified
            FROM membership AS m JOIN user AS u ON u.id = m.user_id
            WHERE m.organization_id = \(organization)
                AND (m.name_key, m.user_id) > (\(afterName), \(afterUser))
                AND m.state BETWEEN \(filter.stateMin) AND \(filter.stateMax)
            ORDER BY m.name_key, m.user_id LIMIT \(limit)
            """
        ) { row in try MemberRecord(row) }
    }

    /// A page of the members of an organization whom a restore has blocked and nobody has changed
    /// since, by their identifiers.
    func members(
        of organization: OrganizationID, blockedByRestore key: String, after user: UserID?,
        limit: Int
    ) throws -> [MemberRecord] {
        try rows(
            """
            SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat, m.joined_us,
                m.version, u.email, u.name, u.created_us, u.version, u.email_verified
            FROM restore_block AS b
            CROSS JOIN membership AS m
                ON m.organization_id = b.organization_id AND m.user_id = b.user_id
            CROSS JOIN user AS u ON u.id = m.user_id
            WHERE b.key = \(key) AND b.organization_id = \(organization)
                AND b.user_id > \(user?.bytes ?? []) AND m.state = 2 AND m.version = b.version
            ORDER BY b.user_id LIMIT \(limit)
            """
        ) { row in try MemberRecord(row) }
    }

    /// Active members of an organization who take a seat though a rule gives them none, or the
    /// other way round.
    func members(
        of organization: OrganizationID, seatedAgainst rule: SeatRule, limit: Int
    ) throws -> [MemberRecord] {
        try rows(
            """
            SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat, m.joined_us,
                m.version, u.email, u.name, u.created_us, u.version, u.email_verified
            FROM membership AS m CROSS JOIN user AS u ON u.id = m.user_id
            WHERE m.organization_id = \(organization) AND m.state = 1
                AND m.takes_seat <> CASE
                    WHEN m.roles & \(RoleSet.owner.rawValue) <> 0
                        THEN \(rule.seats(.owner))
                    WHEN m.roles & \(RoleSet.manager.rawValue) <> 0
                        THEN \(rule.seats(.manager))
                    ELSE \(rule.seats(.member)) END
            ORDER BY m.user_id LIMIT \(limit)
            """
        ) { row in try MemberRecord(row) }
    }

    func memberCount(of organization: OrganizationID, _ filter: MemberFilter) throws -> Int64 {
        try row(
            """
            SELECT count(*) FROM membership WHERE organization_id = \(organization)
                AND state BETWEEN \(filter.stateMin) AND \(filter.stateMax)
            """
        ) { row in try row.int64(0) } ?? 0
    }

    /// The active memberships of a person, the strongest roles first; none in organizations that
    /// are archived or gone.
    func activeMemberships(of user: UserID) throws -> [MemberRecord] {
        try rows(
            """
            SELECT m.id, m.organization_id, m.user_id, m.roles, m.state, m.takes_seat, m.joined_us,
                m.version, u.email, u.name, u.created_us, u.version, u.email_verified
            FROM membership AS m JOIN user AS u ON u.id = m.user_id
            WHERE m.user_id = \(user) AND m.state = 1 AND NOT EXISTS (
                SELECT 1 FROM tree_node AS n WHERE n.id = m.organization_id
                    AND (n.archived = 1 OR n.removed = 1))
            ORDER BY m.roles & 64 DESC, m.roles & 128 DESC, m.roles, m.organization_id
            LIMIT \(GrantRules.grantsMax)
            """
        ) { row in try MemberRecord(row) }
    }

    func activeOwnerCount(of organization: OrganizationID) throws -> Int64 {
        try row(
            """
            SELECT count(*) FROM membership WHERE organization_id = \(organization)
                AND state = 1 AND (roles & 64) <> 0
            """
        ) { row in try row.int64(0) } ?? 0
    }
}

extension Transaction {
    /// Writes a membership as it now stands.
    func put(_ membership: MembershipRecord, nameKey: String) throws {
        try execute(
            """
            INSERT INTO membership (organization_id, user_id, id, name_key, roles, state,
                takes_seat, joined_us, version)
            VALUES (\(membership.organization), \(membership.user), \(membership.id), \(nameKey),
                \(membership.roles.rawValue), \(membership.state.rawValue),
                \(membership.takesSeat), \(membership.joined), \(membership.version))
            ON CONFLICT (organization_id, user_id) DO UPDATE SET roles = excluded.roles,
                state = excluded.state, takes_seat = excluded.takes_seat,
                joined_us = excluded.joined_us, version = excluded.version
            """
        )
    }
}
