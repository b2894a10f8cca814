import Access
import ServiceKit
import Storage

/// Somebody who waits for approval, or did, as the tables keep it.
struct PendingSignUpRecord: Sendable, Hashable {
    let organization: OrganizationID
    let user: UserRecord
    let reason: WaitReason
    private(set) var state: PendingState
    let created: WallTime
    private(set) var decided: WallTime?

    /// The same person, about whom something was decided.
    func decided(_ state: PendingState, at now: WallTime) -> PendingSignUpRecord {
        var copy = self
        (copy.state, copy.decided) = (state, now)
        return copy
    }
}

extension PendingSignUpRecord {
    fileprivate init(_ row: Row) throws {
        guard let reason = WaitReason(rawValue: try row.int64(7)),
            let state = PendingState(rawValue: try row.int64(8))
        else { throw StorageFault.sql("pending_sign_up holds an unknown number") }
        self.init(
            organization: try row.identifier(0),
            user: UserRecord(
                id: try row.identifier(1), email: try row.text(2), name: try row.text(3),
                created: try row.time(4), version: try row.int64(5),
                isEmailVerified: try row.bool(6)),
            reason: reason, state: state, created: try row.time(9),
            decided: try row.timeOrNil(10))
    }
}

/// Where a page of those who wait begins.
struct PendingCursor: Sendable, Hashable {
    let created: WallTime
    let user: UserID
}

extension Reading {
    func pendingSignUp(
        of user: UserID, at organization: OrganizationID
    ) throws -> PendingSignUpRecord? {
        try row(
            """
            SELECT p.organization_id, u.id, u.email, u.name, u.created_us, u.version,
                u.email_verified, p.reason, p.state, p.created_us, p.decided_us
            FROM pending_sign_up AS p JOIN user AS u ON u.id = p.user_id
            WHERE p.organization_id = \(organization) AND p.user_id = \(user)
            """
        ) { row in try PendingSignUpRecord(row) }
    }

    /// A page of those who wait, or did, the oldest first.
    func pendingSignUps(
        at organization: OrganizationID, _ state: PendingState, after cursor: PendingCursor?,
        limit: Int
    ) throws -> [PendingSignUpRecord] {
        let start = cursor?.created ?? WallTime(microseconds: .min)
        return try rows(
            """
            SELECT p.organization_id, u.id, u.email, u.name, u.created_us, u.version,
                u.email_verified, p.reason, p.state, p.created_us, p.decided_us
            FROM pending_sign_up AS p CROSS JOIN user AS u ON u.id = p.user_id
            WHERE p.organization_id = \(organization) AND p.state = \(state.rawValue)
                AND (p.created_us, p.user_id) > (\(start), \(cursor?.user.bytes ?? []))
            ORDER BY p.created_us, p.user_id LIMIT \(limit)
            """
        ) { row in try PendingSignUpRecord(row) }
    }

    func pendingSignUpCount(
        at organization: OrganizationID, _ state: PendingState
    ) throws -> Int64 {
        try row(
            """
            SELECT count(*) FROM pending_sign_up
            WHERE organization_id = \(organization) AND state = \(state.rawValue)
            """
        ) { row in try row.int64(0) } ?? 0
    }
}

extension Transaction {
    /// Lets somebody wait; who waits already does so since then.
    func wait(
        _ user: UserID, at organization: OrganizationID, because reason: WaitReason,
        since now: WallTime
    ) throws {
        try execute(
            """
            INSERT INTO pending_sign_up (organization_id, user_id, reason, state, created_us)
            VALUES (\(organization), \(user), \(reason.rawValue), 1, \(now))
            ON CONFLICT (organization_id, user_id) DO NOTHING
            """
        )
    }

    /// Keeps what was decided.
    func decide(
        _ pending: PendingSignUpRecord, _ state: PendingState, at now: WallTime
    ) throws -> PendingSignUpRecord {
        try execute(
            """
            UPDATE pending_sign_up SET state = \(state.rawValue), decided_us = \(now)
            WHERE organization_id = \(pending.organization) AND user_id = \(pending.user.id)
            """
        )
        return pending.decided(state, at: now)
    }

    /// Lets somebody wait no longer who was admitted.
    func approvePendingSignUp(
        of user: UserID, at organization: OrganizationID, at now: WallTime
    ) throws {
        try execute(
            """
            UPDATE pending_sign_up SET state = 2, decided_us = \(now)
            WHERE organization_id = \(organization) AND user_id = \(user) AND state = 1
            """
        )
    }

    /// Rejects all who wait at an organization that goes to the archive, or for good.
    func rejectPendingSignUps(at organization: OrganizationID, at now: WallTime) throws {
        try execute(
            """
            UPDATE pending_sign_up SET state = 3, decided_us = \(now)
            WHERE organization_id = \(organization) AND state = 1
            """
        )
    }
}
