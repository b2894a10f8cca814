import Access
import ServiceKit
import Storage

/// An email mask as it is stored.
struct EmailMaskRecord: Sendable, Hashable {
    let organization: OrganizationID
    let value: String
    let mode: MaskMode
    var state: MaskState
    /// While it waits.
    var challenge: MaskChallenge?
    let createdAt: WallTime
}

extension EmailMaskRecord {
    /// The columns in the order in which a mask is made of them.
    fileprivate static let columns: SQL = """
        organization_id, value, mode, state, challenge, created_micros
        """

    fileprivate init(row: Row) throws {
        self.init(
            organization: try row.identifier(0), value: try row.text(1),
            mode: try MaskMode(stored: row.int(2)), state: try MaskState(stored: row.int(3)),
            challenge: try row.bytesOrNil(4).map(MaskChallenge.init(bytes:)),
            createdAt: try row.time(5))
    }
}

extension Statements {
    static func organization(joinedBy mask: String) -> SQL {
        """
        SELECT organization_id FROM email_mask
        WHERE value = \(mask) AND mode = 1 AND state = 1
        """
    }
}

extension Reading {
    /// The email masks of an organization by value, those that wait since before an instant left
    /// out; never more than a page holds.
    func emailMasks(
        of organization: OrganizationID, waitingSince start: WallTime, limit: Int
    ) throws -> [EmailMaskRecord] {
        try rows(
            """
            SELECT \(EmailMaskRecord.columns) FROM email_mask
            WHERE organization_id = \(organization) AND (state = 1 OR state = 2
                AND created_micros > \(start))
            ORDER BY value LIMIT \(limit)
            """, EmailMaskRecord.init(row:))
    }

    /// An email mask of an organization, unless it waits since before an instant.
    func emailMask(
        _ value: String, of organization: OrganizationID, waitingSince start: WallTime
    ) throws -> EmailMaskRecord? {
        let mask = try row(
            """
            SELECT \(EmailMaskRecord.columns) FROM email_mask
            WHERE organization_id = \(organization) AND value = \(value)
            """, EmailMaskRecord.init(row:))
        guard let mask, mask.state != .released,
            mask.state == .active || mask.createdAt > start
        else { return nil }
        return mask
    }

    /// How many email masks an organization has.
    func emailMaskCount(of organization: OrganizationID) throws -> Int {
        try row(
            "SELECT count(*) FROM email_mask WHERE organization_id = \(organization)",
            { try $0.int(0) }) ?? 0
    }

    /// The organization that people join by exactly this mask, when the mask counts.
    func organization(joinedBy mask: String) throws -> OrganizationID? {
        try row(Statements.organization(joinedBy: mask)) { try $0.identifier(0) }
    }

    /// The organization that people with addresses of a domain join, and the mask by which.
    func organization(
        joinedFrom domain: Domain
    ) throws -> (organization: OrganizationID, mask: String)? {
        for mask in domain.candidates {
            if let id = try organization(joinedBy: mask) { return (id, mask) }
        }
        return nil
    }
}

extension Reading {
    /// Whether a mask that counts, to join by or to allow, covers a domain: one of an organization
    /// or of an ancestor.
    func isCovered(_ domain: Domain, along line: Line) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM email_mask
            WHERE organization_id IN (\(list: line.ids)) AND value IN (\(list: domain.candidates))
                AND state = 1 LIMIT 1
            """)
    }
}

extension Transaction {
    /// Keeps a new email mask.
    ///
    /// - Throws: ``Refusal/emailMaskTaken`` when the organization has it, or another has it to
    ///   join by and it counts.
    func insert(_ mask: EmailMaskRecord, by creator: String) throws {
        if mask.mode == .join, try organization(joinedBy: mask.value) != nil {
            throw Refusal.emailMaskTaken
        }
        // What a restore did not give back may be entered anew.
        try execute(
            """
            DELETE FROM email_mask
            WHERE organization_id = \(mask.organization) AND value = \(mask.value) AND state = 3
            """)
        try withUniqueMask {
            try execute(
                """
                INSERT INTO email_mask (organization_id, value, mode, state, challenge,
                    created_by, created_micros)
                VALUES (\(mask.organization), \(mask.value), \(mask.mode.rawValue),
                    \(mask.state.rawValue), \(mask.challenge?.bytes), \(creator),
                    \(mask.createdAt))
                """)
        }
    }

    /// Makes a mask that waits count.
    ///
    /// - Throws: ``Refusal/emailMaskTaken`` when another organization was faster.
    func confirm(_ mask: EmailMaskRecord) throws -> EmailMaskRecord {
        var next = mask
        next.state = .active
        next.challenge = nil
        try withUniqueMask {
            try execute(
                """
                UPDATE email_mask SET state = 1, challenge = NULL
                WHERE organization_id = \(mask.organization) AND value = \(mask.value)
                """)
        }
        return next
    }

    /// Takes a mask away.
    func delete(_ mask: EmailMaskRecord) throws {
        try execute(
            """
            DELETE FROM email_mask
            WHERE organization_id = \(mask.organization) AND value = \(mask.value)
            """)
    }

    /// Forgets the masks of an organization that wait since before an instant.
    func forgetEmailMasks(of organization: OrganizationID, waitingSince start: WallTime) throws {
        try execute(
            """
            DELETE FROM email_mask
            WHERE organization_id = \(organization) AND state = 2
                AND created_micros <= \(start)
            """)
    }

    /// Forgets the masks of all organizations that wait since before an instant.
    func forgetEmailMasks(waitingSince start: WallTime) throws {
        try execute("DELETE FROM email_mask WHERE state = 2 AND created_micros <= \(start)")
    }

    private func withUniqueMask<Value>(_ body: () throws -> Value) throws {
        do {
            _ = try body()
        } catch StorageFault.constraint(let promise) where promise.contains("email_mask") {
            throw Refusal.emailMaskTaken
        }
    }
}
