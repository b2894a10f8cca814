import Access
import ServiceKit
import Storage

// Whom a restore has blocked, so that exactly they are active again when it is cancelled.

extension Reading {
    /// The organizations in which a restore has blocked somebody.
    func organizations(blockedByRestore key: String) throws -> [OrganizationID] {
        try rows(
            """
            SELECT DISTINCT organization_id FROM restore_block WHERE key = \(key)
            ORDER BY organization_id LIMIT \(SubtreeRules.organizationsMax)
            """
        ) { row in try row.identifier(0) }
    }
}

extension Transaction {
    /// Notes a member as a restore has blocked them.
    func note(_ member: MemberRecord, blockedByRestore key: String) throws {
        let membership = member.membership
        try execute(
            """
            INSERT INTO restore_block (organization_id, user_id, key, version)
            VALUES (\(membership.organization), \(membership.user), \(key),
                \(membership.version))
            ON CONFLICT (organization_id, user_id) DO UPDATE SET key = excluded.key,
                version = excluded.version
            """)
    }

    /// Forgets whom a restore has blocked.
    func removeBlocks(ofRestore key: String) throws {
        try execute("DELETE FROM restore_block WHERE key = \(key)")
    }

    /// Forgets who was blocked when an organization came back: what has brought it back stands.
    func removeRestoreBlocks(of organization: OrganizationID) throws {
        try execute("DELETE FROM restore_block WHERE organization_id = \(organization)")
    }
}
