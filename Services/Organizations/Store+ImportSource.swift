import Access
import ServiceKit
import Storage

/// What a plan compares a file with, in one state of the database.
struct StoredOrganizations<Source: Reading>: ImportSource {
    let reading: Source
    let day: CalendarDay
    let areTitlesUniqueEverywhere: Bool

    init(reading: Source, day: CalendarDay) throws {
        self.reading = reading
        self.day = day
        areTitlesUniqueEverywhere = try reading.platformSettings().values.nameScope == .global
    }

    func isTakenEverywhere(titleKey: String) throws -> Bool {
        try reading.exists(Statements.present(withTitleKey: titleKey, except: 0))
            || reading.exists(Statements.prepared(withTitleKey: titleKey, except: 0))
    }

    func organization(
        below parent: Int64?, titleKey: String
    ) throws -> ImportedOrganization? {
        try reading.child(of: parent, titleKey: titleKey).map(imported)
    }

    func organization(numbered number: Int64) throws -> ImportedOrganization? {
        try reading.node(numbered: number).map(imported)
    }

    func owner(ofEmailMask value: String) throws -> Int64? {
        guard let id = try reading.organization(joinedBy: value) else { return nil }
        return try reading.node(id)?.number
    }

    private func imported(_ node: Node) throws -> ImportedOrganization {
        ImportedOrganization(
            number: node.number, version: node.version,
            isActive: node.level.state(on: day) == .active,
            emailMasks: try reading.joinMasks(of: node.id), discount: node.details.discount)
    }
}

extension Reading {
    /// The organization under a parent, or at the root, with a title that is taken.
    func child(of parent: Int64?, titleKey: String) throws -> Node? {
        try row(
            """
            SELECT \(Node.columns) FROM organization
            WHERE coalesce(parent, 0) = \(parent ?? 0) AND title_key = \(titleKey)
                AND standing <= 2
            LIMIT 1
            """, Node.init(row:))
    }

    /// The domains by which people join an organization; those that wait are left out.
    func joinMasks(of organization: OrganizationID) throws -> [String] {
        try rows(
            """
            SELECT value FROM email_mask
            WHERE organization_id = \(organization) AND mode = 1 AND state = 1
            ORDER BY value LIMIT \(Limits.emailMasksEver)
            """
        ) { try $0.text(0) }
    }
}

extension Transaction {
    /// Makes the domains by which people join an organization those of a list.
    ///
    /// Those of the list count at once, also where they waited or were ones whose people need no
    /// approval; others that wait go on waiting.
    /// - Throws: ``Refusal/emailMaskTaken``.
    func replaceJoinMasks(
        of organization: OrganizationID, with values: [String], by creator: String,
        at now: WallTime
    ) throws {
        let before = try joinMasks(of: organization)
        for value in before where !values.contains(value) {
            try execute(
                """
                DELETE FROM email_mask
                WHERE organization_id = \(organization) AND value = \(value) AND mode = 1
                    AND state = 1
                """)
        }
        for value in values where !before.contains(value) {
            try execute(
                """
                DELETE FROM email_mask
                WHERE organization_id = \(organization) AND value = \(value)
                    AND (mode = 2 OR state = 2)
                """)
            let mask = EmailMaskRecord(
                organization: organization, value: value, mode: .join, state: .active,
                createdAt: now)
            try insert(mask, by: creator)
        }
    }
}
