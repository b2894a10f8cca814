import Access
import ServiceKit
import Storage

/// Whom mails about an organization are written to.
enum MailAddresses {
    /// How many people of an organization at most.
    static let peopleMax = 50
}

extension Reading {
    /// The addresses of the active owners of an organization, by the identifiers of the people.
    func ownerAddresses(of organization: OrganizationID) throws -> [String] {
        try rows(
            """
            SELECT u.email FROM membership AS m CROSS JOIN user AS u ON u.id = m.user_id
            WHERE m.organization_id = \(organization) AND m.state = 1 AND (m.roles & 64) <> 0
            ORDER BY m.user_id LIMIT \(MailAddresses.peopleMax)
            """
        ) { try $0.text(0) }
    }

    /// The addresses of the active administrators and managers of an organization, by the
    /// identifiers of the people; looks at all its members, for it is asked a few times a year.
    func managerAddresses(of organization: OrganizationID) throws -> [String] {
        try rows(
            """
            SELECT u.email FROM membership AS m CROSS JOIN user AS u ON u.id = m.user_id
            WHERE m.organization_id = \(organization) AND m.state = 1 AND (m.roles & 384) <> 0
            ORDER BY m.user_id LIMIT \(MailAddresses.peopleMax)
            """
        ) { try $0.text(0) }
    }
}
