import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The schema of this service, oldest first.
let migrations =
    [
        Migration(
            component: "branding", number: 1, name: "appearance",
            utf8: PackageResources._001_appearance_sql)
    ] + TreeCopy.migrations

/// What is set at an organization itself.
struct OwnAppearance: Sendable, Hashable {
    let organization: OrganizationID
    /// nil: as the origin of the organization says.
    var whiteLabel: Bool?
    var colors: [Field: Color] = [:]
    /// The hash of the logo's bytes.
    var logo: [UInt8]?
    var updatedAt: WallTime?
    /// 0 while nothing was ever set.
    var version: Int64 = 0

    /// Whether nothing is set.
    var isBlank: Bool { whiteLabel == nil && colors.isEmpty && logo == nil }

    /// How many colors beside primary and secondary are set.
    var advancedCount: Int {
        colors.advancedCount
    }

    /// Every value by its field.
    var values: [Field: String] {
        var values = colors.mapValues(\.text)
        values[.logo] = logo.map(AssetHash.init)?.path
        return values
    }
}

/// The hash of an image's bytes, as it is shown: 64 lower-case hexadecimal digits.
struct AssetHash: Sendable, Hashable {
    static let byteCount = 32

    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The hash in the text; nil when it is none.
    init?(text: String) {
        guard text.utf8.count == 2 * AssetHash.byteCount, let bytes = Hexadecimal.bytes(text.utf8)
        else { return nil }
        self.bytes = bytes
    }

    var text: String { Hexadecimal.text(bytes) }

    /// Where the gateway serves the image.
    var path: String { "/assets/\(text)" }
}

extension Reading {
    /// What is set at an organization; blank when nothing is.
    func appearance(of id: OrganizationID) throws -> OwnAppearance {
        try appearances(of: [id])[id] ?? OwnAppearance(organization: id)
    }

    /// What is set at some organizations, at most as many as a path is long.
    func appearances(
        of ids: [OrganizationID]
    ) throws -> [OrganizationID: OwnAppearance] {
        var found: [OrganizationID: OwnAppearance] = [:]
        let rows = try rows(
            """
            SELECT organization_id, white_label, logo_hash, updated_micros, version
            FROM appearance WHERE organization_id IN (\(list: ids))
            """, OwnAppearance.init(row:))
        for row in rows { found[row.organization] = row }
        guard !found.isEmpty else { return found }
        let colors = try self.rows(
            """
            SELECT organization_id, field, value FROM color
            WHERE organization_id IN (\(list: ids))
            """
        ) { row in
            (id: try row.identifier(0, as: OrganizationID.self), try StoredColor(row: row))
        }
        for (id, color) in colors { found[id]?.colors[color.field] = color.color }
        return found
    }

    /// An image by the hash of its bytes.
    func asset(_ hash: AssetHash) throws -> Asset? {
        try row("SELECT content_type, data FROM asset WHERE hash = \(hash.bytes)") { row in
            Asset(hash: hash.text, contentType: try row.text(0), data: try row.bytes(1))
        }
    }
}

extension Transaction {
    /// Keeps what is set at an organization, as its next version, and tells the feed.
    func keep(_ appearance: OwnAppearance, at now: WallTime) throws -> OwnAppearance {
        var next = appearance
        next.version += 1
        // The wall clock may have been set back; time in the record never runs backwards.
        next.updatedAt = max(now, appearance.updatedAt ?? now)
        let id = next.organization
        try execute(
            """
            INSERT INTO appearance (organization_id, white_label, logo_hash, updated_micros,
                version)
            VALUES (\(id), \(next.whiteLabel), \(next.logo), \(next.updatedAt), \(next.version))
            ON CONFLICT (organization_id) DO UPDATE
            SET white_label = excluded.white_label, logo_hash = excluded.logo_hash,
                updated_micros = excluded.updated_micros, version = excluded.version
            """)
        try execute("DELETE FROM color WHERE organization_id = \(id)")
        for (field, color) in next.colors {
            try execute(
                """
                INSERT INTO color (organization_id, field, value)
                VALUES (\(id), \(field.name), \(color.text))
                """)
        }
        return next
    }

    /// Keeps an image; one that is there already stays.
    func keep(_ image: Image, as hash: AssetHash, at now: WallTime) throws {
        try execute(
            """
            INSERT INTO asset (hash, content_type, width, height, data, created_micros)
            VALUES (\(hash.bytes), \(image.format.rawValue), \(image.width), \(image.height),
                \(image.bytes), \(now))
            ON CONFLICT (hash) DO NOTHING
            """)
    }

    /// Tells the feed what is set at an organization.
    func publish(_ appearance: Appearance, of id: OrganizationID, at now: WallTime) throws {
        try publish(
            kind: Appearance.messageName, aggregate: id.bytes, version: appearance.version,
            body: appearance.encoded(), at: now)
    }
}

/// A color with the field that it is set for.
private struct StoredColor {
    let field: Field
    let color: Color

    init(row: Row) throws {
        guard let field = Field(name: try row.text(1)), let color = Color(try row.text(2)) else {
            throw StorageFault.sql("a color in the database is none")
        }
        self.field = field
        self.color = color
    }
}

extension OwnAppearance {
    fileprivate init(row: Row) throws {
        organization = try row.identifier(0)
        whiteLabel = try row.isNull(1) ? nil : row.bool(1)
        logo = try row.bytesOrNil(2)
        updatedAt = try row.time(3)
        version = try row.int64(4)
    }
}
