import Access
import ServiceKit
import Storage

/// A credential of a program as the tables keep it.
struct APIKeyRecord: Sendable, Hashable {
    let id: APIKeyID
    let name: String
    let role: Role
    /// Where the role holds; nil: on the whole platform.
    let organization: OrganizationID?
    /// How the secret begins.
    let prefix: String
    /// The person who made it.
    let creator: UserID
    let created: WallTime
    /// Nil: never.
    let expires: WallTime?
    /// The minute of the last use; nil: it was never used.
    var used: WallTime?

    var grant: Grant { Grant(role, at: organization) }

    /// Whether the key can be used at an instant.
    func isLive(at now: WallTime) -> Bool { expires.map { now < $0 } ?? true }
}

extension APIKeyRecord {
    fileprivate init(_ row: Row) throws {
        guard let number = Int32(exactly: try row.int64(2)), let role = Role(rawValue: number)
        else { throw StorageFault.sql("api_key holds an unknown role") }
        self.init(
            id: try row.identifier(0), name: try row.text(1), role: role,
            organization: OrganizationID(bytes: try row.bytes(3)), prefix: try row.text(4),
            creator: try row.identifier(5), created: try row.time(6),
            expires: try row.timeOrNil(7), used: try row.timeOrNil(8))
    }
}

extension OrganizationID? {
    /// How the table of keys names a place.
    fileprivate var node: [UInt8] { self?.bytes ?? [] }
}

extension Reading {
    func apiKey(_ id: APIKeyID) throws -> APIKeyRecord? {
        try row(
            """
            SELECT id, name, role, node, prefix, creator_id, created_us, expires_us, used_us
            FROM api_key WHERE id = \(id)
            """
        ) { row in try APIKeyRecord(row) }
    }

    func apiKey(secretHash: [UInt8]) throws -> APIKeyRecord? {
        try row(
            """
            SELECT id, name, role, node, prefix, creator_id, created_us, expires_us, used_us
            FROM api_key WHERE secret_hash = \(secretHash)
            """
        ) { row in try APIKeyRecord(row) }
    }

    /// A page of the keys of an organization, or of the platform, the newest first.
    func apiKeys(
        of organization: OrganizationID?, before id: APIKeyID?, limit: Int
    ) throws -> [APIKeyRecord] {
        let end = id ?? APIKeyID(high: .max, low: .max)
        return try rows(
            """
            SELECT id, name, role, node, prefix, creator_id, created_us, expires_us, used_us
            FROM api_key WHERE node = \(organization.node) AND id < \(end)
            ORDER BY id DESC LIMIT \(limit)
            """
        ) { row in try APIKeyRecord(row) }
    }

    /// How many keys of an organization, or of the platform, have not expired.
    func liveAPIKeyCount(of organization: OrganizationID?, at now: WallTime) throws -> Int {
        try row(
            """
            SELECT count(*) FROM api_key WHERE node = \(organization.node)
                AND (expires_us IS NULL OR expires_us > \(now))
            """
        ) { row in try row.int(0) } ?? 0
    }
}

extension Transaction {
    func add(_ key: APIKeyRecord, secretHash: [UInt8]) throws {
        try execute(
            """
            INSERT INTO api_key (id, secret_hash, prefix, name, role, node, creator_id, created_us,
                expires_us)
            VALUES (\(key.id), \(secretHash), \(key.prefix), \(key.name), \(key.role.rawValue),
                \(key.organization.node), \(key.creator), \(key.created), \(key.expires))
            """
        )
    }

    func recordUse(of key: APIKeyID, at instant: WallTime) throws {
        try execute(
            """
            UPDATE api_key SET used_us = \(instant)
            WHERE id = \(key) AND (used_us IS NULL OR used_us < \(instant))
            """
        )
    }

    func remove(_ key: APIKeyID) throws {
        try execute("DELETE FROM api_key WHERE id = \(key)")
    }

    /// Removes expired keys of a place, the oldest first, some at a time.
    ///
    /// - Parameters:
    ///   - organization: The place; nil: the platform.
    ///   - now: Which keys have expired.
    ///   - instant: Those that expired before it go; of the others the latest stay.
    /// - Throws: `StorageFault`.
    func sweepAPIKeys(
        of organization: OrganizationID?, at now: WallTime, expiredBefore instant: WallTime
    ) throws {
        try execute(
            """
            DELETE FROM api_key WHERE id IN (
                SELECT id FROM (
                    SELECT id, expires_us,
                        row_number() OVER (ORDER BY expires_us DESC, id DESC) AS number
                    FROM api_key WHERE node = \(organization.node) AND expires_us <= \(now))
                WHERE expires_us < \(instant) OR number > \(APIKeyRules.expiredKeptMax)
                ORDER BY expires_us, id LIMIT \(APIKeyRules.sweptAtATimeMax))
            """
        )
    }

    /// Removes the keys of an organization that is gone for good.
    func removeAPIKeys(of organization: OrganizationID) throws {
        try execute("DELETE FROM api_key WHERE node = \(organization)")
    }
}
