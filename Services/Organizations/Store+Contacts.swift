import Access
import ServiceKit
import Storage

enum ContactMessageKind {}
typealias ContactMessageID = Identifier<ContactMessageKind>

/// What somebody wrote, with who receives it.
struct ContactMessage: Sendable, Hashable {
    /// How long it is kept.
    static let retention: Duration = .seconds(90 * 86_400)
    /// So many are removed at once.
    static let purgeBatch = 500

    let id: ContactMessageID
    let draft: ContactDraft
    let organization: OrganizationID?
    let receivers: [String]
    let createdAt: WallTime
}

extension Reading {
    /// Who receives what people write, as an organization itself says.
    func receivers(of organization: OrganizationID) throws -> Receivers {
        let found = try rows(
            """
            SELECT kind, address FROM contact_receiver WHERE organization_id = \(organization)
            ORDER BY kind, position LIMIT \(Limits.contactReceiversCeiling * 7)
            """
        ) { row in
            (try QueryKind(stored: row.int(0)), try row.text(1))
        }
        return Receivers(stored: Dictionary(grouping: found, by: \.0).mapValues { $0.map(\.1) })
    }

    /// What an organization and its ancestors say of receivers, the organization first.
    func receivers(along line: Line) throws -> [(OrganizationID, Receivers)] {
        try line.ids.reversed().map { id in (id, try receivers(of: id)) }
    }

    /// How many messages came after an instant, in all and from one sender.
    func contactMessageCounts(
        after start: WallTime, from senderKey: String
    ) throws -> (all: Int, ofSender: Int) {
        let all = try row(
            "SELECT count(*) FROM contact_message WHERE created_micros > \(start)",
            { try $0.int(0) })
        let ofSender = try row(
            """
            SELECT count(*) FROM contact_message
            WHERE sender_key = \(senderKey) AND created_micros > \(start)
            """, { try $0.int(0) })
        return (all ?? 0, ofSender ?? 0)
    }

    /// Whether the same was written after an instant by the same sender for the same receivers.
    func isKnown(_ message: ContactMessage, after start: WallTime) throws -> Bool {
        let draft = message.draft
        return try exists(
            """
            SELECT 1 FROM contact_message
            WHERE sender_key = \(draft.senderKey) AND created_micros > \(start)
                AND kind = \(draft.kind.rawValue) AND subject = \(draft.subject)
                AND content = \(draft.text) AND organization_id IS \(message.organization)
            LIMIT 1
            """)
    }
}

extension Transaction {
    /// Sets all of an organization's own receivers.
    func set(_ receivers: Receivers, of organization: OrganizationID) throws {
        try execute("DELETE FROM contact_receiver WHERE organization_id = \(organization)")
        for (kind, addresses) in receivers.addresses {
            for (position, address) in addresses.enumerated() {
                try execute(
                    """
                    INSERT INTO contact_receiver (organization_id, kind, position, address)
                    VALUES (\(organization), \(kind.rawValue), \(position), \(address))
                    """)
            }
        }
    }

    /// Keeps a message for whoever mails it.
    func insert(_ message: ContactMessage) throws {
        let draft = message.draft
        try execute(
            """
            INSERT INTO contact_message (id, kind, sender, sender_key, subject, content,
                organization_id, receivers, state, created_micros)
            VALUES (\(message.id), \(draft.kind.rawValue), \(draft.sender), \(draft.senderKey),
                \(draft.subject), \(draft.text), \(message.organization),
                \(message.receivers.joined(separator: "\n")), 1, \(message.createdAt))
            """)
    }

    /// Removes some of the messages that came before an instant.
    ///
    /// - Returns: How many.
    func purgeContactMessages(before end: WallTime) throws -> Int {
        try execute(
            """
            DELETE FROM contact_message WHERE id IN (
                SELECT id FROM contact_message WHERE created_micros < \(end)
                ORDER BY created_micros LIMIT \(ContactMessage.purgeBatch))
            """)
    }
}
