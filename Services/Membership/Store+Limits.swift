import Access
import ServiceKit
import Storage

/// What is set at an organization beside the caps themselves.
struct SettingsRecord: Sendable, Hashable {
    var capsVersion: Int64
    var seatCeiling: Int64?
    var seatsVersion: Int64

    /// An organization at which nothing was set yet.
    static let untouched = SettingsRecord(capsVersion: 1, seatCeiling: nil, seatsVersion: 1)
}

/// A grant of sold seats as the tables keep it.
struct SeatGrantRecord: Sendable, Hashable {
    /// The idempotency key of the grant, as text.
    let key: String
    let organization: OrganizationID
    let quantity: Int64
    let sale: String
    let wasUnlimited: Bool
    let granted: WallTime
}

extension Reading {
    func settings(of organization: OrganizationID) throws -> SettingsRecord {
        try row(
            """
            SELECT caps_version, seat_ceiling, seats_version
            FROM settings WHERE organization_id = \(organization)
            """
        ) { row in
            SettingsRecord(
                capsVersion: try row.int64(0), seatCeiling: try row.int64OrNil(1),
                seatsVersion: try row.int64(2))
        } ?? .untouched
    }

    func seatGrant(key: String) throws -> SeatGrantRecord? {
        try row(
            """
            SELECT organization_id, quantity, sale_id, was_unlimited, granted_us
            FROM seat_grant WHERE key = \(key)
            """
        ) { row in
            SeatGrantRecord(
                key: key, organization: try row.identifier(0),
                quantity: try row.int64(1), sale: try row.text(2),
                wasUnlimited: try row.bool(3), granted: try row.time(4))
        }
    }

    /// The key of the grant that a sale has made to an organization.
    func seatGrantKey(ofSale sale: String, at organization: OrganizationID) throws -> String? {
        try row(
            """
            SELECT key FROM seat_grant
            WHERE sale_id = \(sale) AND organization_id = \(organization) ORDER BY key LIMIT 1
            """
        ) { row in try row.text(0) }
    }

    func hasSeatGrant(_ organization: OrganizationID) throws -> Bool {
        try exists("SELECT 1 FROM seat_grant WHERE organization_id = \(organization) LIMIT 1")
    }
}

extension Transaction {
    func put(_ settings: SettingsRecord, of organization: OrganizationID) throws {
        try execute(
            """
            INSERT INTO settings (organization_id, caps_version, seat_ceiling, seats_version)
            VALUES (\(organization), \(settings.capsVersion), \(settings.seatCeiling),
                \(settings.seatsVersion))
            ON CONFLICT (organization_id) DO UPDATE SET caps_version = excluded.caps_version,
                seat_ceiling = excluded.seat_ceiling, seats_version = excluded.seats_version
            """
        )
    }

    /// Sets or, with nil, removes a limit; of seats it is their number.
    func setCap(_ cap: Int64?, of kind: CountKind, at node: OrganizationID) throws {
        try execute(
            """
            INSERT INTO usage (node, kind, used, cap) VALUES (\(node), \(kind.rawValue), 0, \(cap))
            ON CONFLICT (node, kind) DO UPDATE SET cap = excluded.cap
            """
        )
    }

    func add(_ grant: SeatGrantRecord) throws {
        try execute(
            """
            INSERT INTO seat_grant (key, organization_id, quantity, sale_id, was_unlimited,
                granted_us)
            VALUES (\(grant.key), \(grant.organization), \(grant.quantity), \(grant.sale),
                \(grant.wasUnlimited), \(grant.granted))
            """
        )
    }

    /// Lets a grant be undone under another key from now on.
    func rename(seatGrant key: String, to newKey: String) throws {
        try execute("UPDATE seat_grant SET key = \(newKey) WHERE key = \(key)")
    }

    func removeSeatGrant(key: String) throws {
        try execute("DELETE FROM seat_grant WHERE key = \(key)")
    }
}
