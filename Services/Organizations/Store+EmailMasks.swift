import Access
import ServiceKit
import Storage

/// An email mask as it is stored.
struct EmailMaskRecord: Sendable, Hashable {
    let organization: OrganizationID
    let value: String
    let mode: MaskMode
    let state: MaskState
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
    /// The email masks of an organization by value; never more than a page holds.
    func emailMasks(of organization: OrganizationID, limit: Int) throws -> [EmailMaskRecord] {
        try rows(
            """
            SELECT value, mode, state FROM email_mask
            WHERE organization_id = \(organization) ORDER BY value LIMIT \(limit)
            """
        ) { row in
            EmailMaskRecord(
                organization: organization, value: try row.text(0),
                mode: try MaskMode(stored: row.int(1)), state: try MaskState(stored: row.int(2)))
        }
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
}

extension Transaction {
    /// Keeps a new email mask.
    ///
    /// - Throws: ``Refusal/emailMaskTaken`` when the organization has it, or another has it to
    ///   join by and it counts.
    func insert(_ mask: EmailMaskRecord, by creator: String, at now: WallTime) throws {
        if mask.mode == .join, try organization(joinedBy: mask.value) != nil {
            throw Refusal.emailMaskTaken
        }
        do {
            try execute(
                """
                INSERT INTO email_mask (organization_id, value, mode, state, created_by,
                    created_micros)
                VALUES (\(mask.organization), \(mask.value), \(mask.mode.rawValue),
                    \(mask.state.rawValue), \(creator), \(now))
                """)
        } catch StorageFault.constraint(let promise) {
            guard promise.contains("email_mask") else { throw StorageFault.constraint(promise) }
            throw Refusal.emailMaskTaken
        }
    }
}
