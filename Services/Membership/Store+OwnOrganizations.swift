import Access
import ServiceKit
import Storage

/// An organization that somebody makes who signed up, as the tables keep it.
struct OwnOrganizationRecord: Sendable, Hashable {
    let organization: OrganizationID
    let founder: UserID
    let workflow: WorkflowID
    let state: FoundingState
    let title: String
    let reference: String
    /// The status, encoded.
    let refusal: [UInt8]?
    let created: WallTime
}

extension OwnOrganizationRecord {
    fileprivate init(_ row: Row) throws {
        guard let state = FoundingState(rawValue: try row.int64(3)) else {
            throw StorageFault.sql("own_organization holds an unknown number")
        }
        self.init(
            organization: try row.identifier(0), founder: try row.identifier(1),
            workflow: try row.identifier(2), state: state, title: try row.text(4),
            reference: try row.text(5), refusal: try row.bytesOrNil(6), created: try row.time(7))
    }
}

extension Reading {
    func ownOrganization(_ id: OrganizationID) throws -> OwnOrganizationRecord? {
        try row(
            """
            SELECT organization_id, user_id, workflow_id, state, title, reference, refusal,
                created_us
            FROM own_organization WHERE organization_id = \(id)
            """
        ) { row in try OwnOrganizationRecord(row) }
    }

    /// How many attempts of a person to make an organization were refused that began after an
    /// instant.
    func refusedFoundingCount(of user: UserID, after start: WallTime) throws -> Int {
        try row(
            """
            SELECT count(*) FROM own_organization
            WHERE user_id = \(user) AND state = 3 AND created_us > \(start)
            """
        ) { row in try row.int(0) } ?? 0
    }

    /// What is known of somebody who wants to make an organization; nil: there is no such person.
    func foundingFacts(of user: UserID) throws -> FoundingFacts? {
        let made =
            try row(
                """
                SELECT count(*) FROM own_organization
                WHERE user_id = \(user) AND state < \(FoundingState.refused.rawValue)
                """
            ) { row in try row.int64(0) } ?? 0
        let isAffiliated = try isAffiliated(user)
        return try row(
            """
            SELECT signed_up_us, email_verified, organization_allowance FROM user
            WHERE id = \(user)
            """
        ) { row in
            FoundingFacts(
                hasSignedUp: try row.timeOrNil(0) != nil, isEmailVerified: try row.bool(1),
                isAffiliated: isAffiliated, allowance: try row.int64(2), made: made)
        }
    }
}

extension Transaction {
    /// Keeps that an organization is being made.
    func add(_ own: OwnOrganizationRecord) throws {
        try execute(
            """
            INSERT INTO own_organization (organization_id, user_id, workflow_id, state, title,
                reference, refusal, created_us)
            VALUES (\(own.organization), \(own.founder), \(own.workflow), \(own.state.rawValue),
                \(own.title), \(own.reference), \(own.refusal), \(own.created))
            """
        )
    }

    /// Removes refused attempts that are older than they are kept, some at a time.
    ///
    /// - Returns: How many.
    func sweepRefusedFoundings(at now: WallTime) throws -> Int {
        let end = now.advanced(by: .zero - SignUpLimits.refusedFoundingsRetention)
        return try execute(
            """
            DELETE FROM own_organization WHERE organization_id IN (
                SELECT organization_id FROM own_organization
                WHERE state = 3 AND created_us < \(end)
                ORDER BY created_us LIMIT \(SignUpLimits.foundingsRemovedAtOnce))
            """
        )
    }

    /// Keeps that an organization was made, under the title that it has.
    func noteMade(_ organization: OrganizationID, title: String) throws {
        try execute(
            """
            UPDATE own_organization SET state = 2, title = \(title)
            WHERE organization_id = \(organization) AND state = 1
            """
        )
    }

    /// Keeps why an organization is not made.
    func noteRefused(_ organization: OrganizationID, because refusal: [UInt8]) throws {
        try execute(
            """
            UPDATE own_organization SET state = 3, refusal = \(refusal)
            WHERE organization_id = \(organization) AND state = 1
            """
        )
    }
}
