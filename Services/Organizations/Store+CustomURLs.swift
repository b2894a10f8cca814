import Access
import Messages
import RPC
import ServiceKit
import Storage

/// A custom URL as it is stored.
struct CustomURL: Sendable, Hashable {
    /// The most that an organization may have, whatever is set.
    static let countMax = 1_000

    let organization: OrganizationID
    let slug: String
    var state: CustomURLState
    /// What it was when the archive released it.
    var archivedState: CustomURLState?
    let createdAt: WallTime
    var releasedAt: WallTime?
    var version: Int64
}

extension CustomURL {
    /// The columns in the order in which a custom URL is made of them.
    fileprivate static let columns: SQL = """
        organization_id, slug, state, archived_state, created_micros, released_micros, version
        """

    fileprivate init(row: Row) throws {
        self.init(
            organization: try row.identifier(0), slug: try row.text(1),
            state: try CustomURLState(stored: row.int(2)),
            archivedState: try row.intOrNil(3).map(CustomURLState.init(stored:)),
            createdAt: try row.time(4), releasedAt: try row.timeOrNil(5),
            version: try row.int64(6))
    }
}

extension Statements {
    /// The custom URLs that organizations have which were archived together.
    static func customURLs(archivedIn batch: ArchiveBatchID, limit: Int) -> SQL {
        """
        SELECT \(CustomURL.columns) FROM custom_url
        WHERE state <= 2 AND organization_id IN (
            SELECT id FROM organization WHERE archive_batch = \(batch) AND standing = 3)
        ORDER BY organization_id, slug LIMIT \(limit)
        """
    }
}

extension Reading {
    /// The custom URLs of an organization by slug, those released since an instant among them.
    func customURLs(
        of organization: OrganizationID, releasedSince start: WallTime
    ) throws -> [CustomURL] {
        try rows(
            """
            SELECT \(CustomURL.columns) FROM custom_url
            WHERE organization_id = \(organization)
                AND (state <= 2 OR released_micros >= \(start))
            ORDER BY slug LIMIT \(CustomURL.countMax)
            """, CustomURL.init(row:))
    }

    /// How many custom URLs an organization keeps others from.
    func customURLCount(
        of organization: OrganizationID, releasedSince start: WallTime
    ) throws -> Int {
        try row(
            """
            SELECT count(*) FROM custom_url
            WHERE organization_id = \(organization)
                AND (state <= 2 OR released_micros >= \(start))
            """, { try $0.int(0) }) ?? 0
    }

    /// A custom URL of an organization, whatever has become of it.
    func customURL(_ slug: Slug, of organization: OrganizationID) throws -> CustomURL? {
        try row(
            """
            SELECT \(CustomURL.columns) FROM custom_url
            WHERE organization_id = \(organization) AND slug = \(slug.text)
            """, CustomURL.init(row:))
    }

    /// The custom URL that somebody has.
    func customURL(_ slug: Slug) throws -> CustomURL? {
        try row(
            """
            SELECT \(CustomURL.columns) FROM custom_url WHERE slug = \(slug.text) AND state <= 2
            """, CustomURL.init(row:))
    }

    /// Whether another organization released a custom URL since an instant.
    func isQuarantined(
        _ slug: Slug, except organization: OrganizationID? = nil, since start: WallTime
    ) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM custom_url
            WHERE slug = \(slug.text) AND state = 3 AND released_micros >= \(start)
                AND organization_id IS NOT \(organization)
            LIMIT 1
            """)
    }
}

extension Reading {
    /// The custom URL that leads to its organization on a day.
    ///
    /// - Throws: ``Refusal/noSuchCustomURL``, ``Refusal/customURLDisabled``, or
    ///   ``Refusal/customURLReleased`` while it is nobody's.
    func enabledCustomURL(_ text: String, on day: CalendarDay) throws -> CustomURL {
        guard let slug = Slug.known(text) else { throw Refusal.noSuchCustomURL }
        guard let url = try customURL(slug) else {
            let start = WallTime(startOf: Quarantine.start(on: day))
            throw try isQuarantined(slug, since: start)
                ? Refusal.customURLReleased : Refusal.noSuchCustomURL
        }
        guard url.state == .enabled else { throw Refusal.customURLDisabled }
        return url
    }
}

extension Transaction {
    /// Gives an organization a custom URL.
    ///
    /// - Throws: ``Refusal/slugTaken`` when somebody has it, or another gave it up lately.
    func take(
        _ slug: Slug, for organization: OrganizationID, by creator: String, at now: WallTime
    ) throws -> CustomURL {
        let start = WallTime(startOf: Quarantine.start(on: now.day))
        guard try customURL(slug) == nil,
            try !isQuarantined(slug, except: organization, since: start)
        else { throw Refusal.slugTaken }
        let before = try customURL(slug, of: organization)
        let url = CustomURL(
            organization: organization, slug: slug.text, state: .enabled, createdAt: now,
            version: (before?.version ?? 0) + 1)
        try execute(
            """
            INSERT INTO custom_url (organization_id, slug, state, created_by, created_micros,
                version)
            VALUES (\(organization), \(slug.text), 1, \(creator), \(now), \(url.version))
            ON CONFLICT (organization_id, slug) DO UPDATE
            SET state = 1, archived_state = NULL, created_by = excluded.created_by,
                created_micros = excluded.created_micros, released_micros = NULL,
                version = excluded.version
            """)
        try publish(url, at: now)
        return url
    }

    /// Keeps what has become of a custom URL, as its next version, and tells the feed.
    func update(_ url: CustomURL, to state: CustomURLState, at now: WallTime) throws -> CustomURL {
        var next = url
        next.state = state
        next.archivedState = nil
        next.releasedAt = state == .released ? now : nil
        return try keep(next, at: now)
    }

    /// Releases the custom URLs of an organization that goes to the archive.
    func releaseCustomURLs(of organization: OrganizationID, at now: WallTime) throws {
        for url in try customURLs(of: organization, releasedSince: .never)
        where url.state != .released {
            try archive(url, at: now)
        }
    }

    /// Releases the custom URLs of organizations that were archived together.
    func releaseCustomURLs(archivedIn batch: ArchiveBatchID, at now: WallTime) throws {
        while true {
            let urls = try rows(
                Statements.customURLs(archivedIn: batch, limit: CustomURL.countMax),
                CustomURL.init(row:))
            // Each is released, and not found again.
            for url in urls { try archive(url, at: now) }
            guard urls.count == CustomURL.countMax else { return }
        }
    }

    private func archive(_ url: CustomURL, at now: WallTime) throws {
        var next = url
        next.state = .released
        next.archivedState = url.state
        next.releasedAt = now
        _ = try keep(next, at: now)
    }

    /// Gives back the custom URLs that the archive took from an organization.
    ///
    /// - Returns: Those that others have by now.
    func restoreCustomURLs(of organization: OrganizationID, at now: WallTime) throws -> [String] {
        var lost: [String] = []
        let archived = try rows(
            """
            SELECT \(CustomURL.columns) FROM custom_url
            WHERE organization_id = \(organization) AND archived_state IS NOT NULL
            ORDER BY slug LIMIT \(CustomURL.countMax)
            """, CustomURL.init(row:))
        for url in archived {
            guard let state = url.archivedState else { continue }
            if let slug = Slug.known(url.slug), try customURL(slug) == nil {
                _ = try update(url, to: state, at: now)
            } else {
                lost.append(url.slug)
            }
        }
        return lost
    }

    private func keep(_ url: CustomURL, at now: WallTime) throws -> CustomURL {
        var next = url
        next.version += 1
        try execute(
            """
            UPDATE custom_url
            SET state = \(next.state.rawValue), archived_state = \(next.archivedState?.rawValue),
                released_micros = \(next.releasedAt), version = \(next.version)
            WHERE organization_id = \(next.organization) AND slug = \(next.slug)
            """)
        try publish(next, at: now)
        return next
    }

    private func publish(_ url: CustomURL, at now: WallTime) throws {
        // One organization has each slug at most once: both together name the aggregate.
        try publish(
            kind: CustomUrl.messageName, aggregate: url.organization.bytes + Array(url.slug.utf8),
            version: url.version, body: CustomUrl(url).encoded(), at: now)
    }
}

extension WallTime {
    /// After every instant.
    fileprivate static let never = WallTime(microseconds: .max)
}
