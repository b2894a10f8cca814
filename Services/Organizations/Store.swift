import Access
import Mail
import ServiceKit
import Storage

/// The schema of this program, oldest first: its own tables, and those of its outbox.
let migrations = ownMigrations + Outbox.migrations

private let ownMigrations = [
    Migration(
        component: "organizations", number: 1, name: "organizations",
        utf8: PackageResources._001_organizations_sql),
    Migration(
        component: "organizations", number: 2, name: "email-masks",
        utf8: PackageResources._002_email_masks_sql),
    Migration(
        component: "organizations", number: 3, name: "verified-masks",
        utf8: PackageResources._003_verified_masks_sql),
    Migration(
        component: "organizations", number: 4, name: "states-and-lists",
        utf8: PackageResources._004_states_and_lists_sql),
    Migration(
        component: "organizations", number: 5, name: "imports",
        utf8: PackageResources._005_imports_sql),
    Migration(
        component: "organizations", number: 6, name: "relocations",
        utf8: PackageResources._006_relocations_sql),
    Migration(
        component: "organizations", number: 7, name: "types-urls-contacts",
        utf8: PackageResources._007_types_urls_contacts_sql),
    Migration(
        component: "organizations", number: 8, name: "lapses",
        utf8: PackageResources._008_lapses_sql),
    Migration(
        component: "organizations", number: 9, name: "import-lists",
        utf8: PackageResources._009_import_lists_sql),
    Migration(
        component: "organizations", number: 10, name: "recency",
        utf8: PackageResources._010_recency_sql),
    Migration(
        component: "organizations", number: 11, name: "import-made",
        utf8: PackageResources._011_import_made_sql),
    Migration(
        component: "organizations", number: 12, name: "title-order",
        utf8: PackageResources._012_title_order_sql),
    Migration(
        component: "organizations", number: 13, name: "part-entries",
        utf8: PackageResources._013_part_entries_sql),
    Migration(
        component: "organizations", number: 14, name: "mails",
        utf8: PackageResources._014_mails_sql),
    Migration(
        component: "organizations", number: 15, name: "sign-up-approval",
        utf8: PackageResources._015_sign_up_approval_sql),
    Migration(
        component: "organizations", number: 16, name: "hooks",
        utf8: PackageResources._016_hooks_sql),
    Migration(
        component: "organizations", number: 17, name: "told-types-waiting-calls",
        utf8: PackageResources._017_told_types_waiting_calls_sql),
]

/// An organization as it is stored, without its ancestors.
struct Node: Sendable, Hashable {
    let id: OrganizationID
    /// Names it inside this database.
    let number: Int64
    /// The number of its parent; nil for a root.
    var parent: Int64?
    var depth: Int
    var standing: Standing
    /// What was set: false is paused.
    var isActivated: Bool
    var details: Details
    let origin: Origin
    /// Distinct active people here and below, as far as is known.
    let members: Int64
    let createdAt: WallTime
    var updatedAt: WallTime
    var version: Int64
    /// When it was archived, and with which others; kept after a restore has begun.
    var archival: Archival?
    /// Its place among all changes of this database, the latest the highest; 0 until it is kept.
    var recency: Int64 = 0

    /// The organization as its descendants see it.
    var level: Level {
        Level(
            id: id, number: number, title: details.title.text, standing: standing,
            isActivated: isActivated, trialUntil: details.trialUntil,
            expiresOn: details.expiresOn)
    }
}

/// The kind of identifiers that batches of the archive have.
enum ArchiveBatchKind {}
typealias ArchiveBatchID = Identifier<ArchiveBatchKind>

/// How an organization came into the archive.
struct Archival: Sendable, Hashable {
    let at: WallTime
    /// Who did it, as idempotency keys name callers.
    let by: String
    /// Common to all that were archived together.
    let batch: ArchiveBatchID
}

extension Node {
    /// The columns in the order in which a node is made of them.
    static let columns: SQL = """
        id, number, parent, depth, standing, active, title, title_key, description, category,
        category_source, country, kind, sales_rep_email, services, type_id, trial_until,
        expires_on, external_id, discount, discount_until, discount_scope, origin, members,
        created_micros, updated_micros, version, archived_micros, archived_by, archive_batch,
        recency
        """

    init(row: Row) throws {
        id = try row.identifier(0)
        number = try row.int64(1)
        parent = try row.int64OrNil(2)
        depth = try row.int(3)
        standing = try Standing(stored: row.int(4))
        isActivated = try row.bool(5)
        details = try Details(row: row)
        origin = try Origin(stored: row.int(22))
        members = try row.int64(23)
        createdAt = try row.time(24)
        updatedAt = try row.time(25)
        version = try row.int64(26)
        archival =
            try row.isNull(27)
            ? nil
            : Archival(
                at: try row.time(27), by: try row.text(28), batch: try row.identifier(29))
        recency = try row.int64(30)
    }
}

extension Details {
    fileprivate init(row: Row) throws {
        self.init(
            title: Title(stored: try row.text(6), key: try row.text(7)),
            description: Description(stored: try row.text(8)),
            category: try Category(stored: row.int(9)),
            categorySource: try CategorySource(stored: row.int(10)), country: try row.text(11),
            kind: try row.isNull(12) ? nil : Kind(stored: row.int(12)),
            salesRepEmail: try row.text(13),
            services: try row.text(14).split(separator: " ").map(String.init),
            type: try row.identifierOrNil(15), trialUntil: try row.dayOrNil(16),
            expiresOn: try row.dayOrNil(17),
            externalID: try row.isNull(18) ? nil : row.text(18),
            discount: MemberDiscount(
                basisPoints: try row.isNull(19) ? nil : row.int(19),
                until: try row.dayOrNil(20), scope: try DiscountScope(stored: row.int(21))))
    }
}

extension RawRepresentable<Int> {
    /// The case in a column; another number means that the database is damaged.
    init(stored number: Int) throws {
        guard let value = Self(rawValue: number) else {
            throw StorageFault.sql("\(Self.self) in the database is \(number)")
        }
        self = value
    }
}
