import Access
import Mail
import ServiceKit
import Storage
import TreeCopy

/// The schema of this service, of its copy of the tree and of its outbox.
let migrations =
    TreeCopy.migrations + Outbox.migrations + [
        Migration(
            component: "membership", number: 1, name: "first-tables",
            utf8: PackageResources._001_first_tables_sql),
        Migration(
            component: "membership", number: 2, name: "bounds-of-small-sets",
            utf8: PackageResources._002_bounds_of_small_sets_sql),
        Migration(
            component: "membership", number: 3, name: "changes-of-the-tree",
            utf8: PackageResources._003_changes_of_the_tree_sql),
        Migration(
            component: "membership", number: 4, name: "one-grant-a-sale",
            utf8: PackageResources._004_one_grant_a_sale_sql),
        Migration(
            component: "membership", number: 5, name: "unaffiliated-users",
            utf8: PackageResources._005_unaffiliated_users_sql),
        Migration(
            component: "membership", number: 6, name: "blocked-by-a-restore",
            utf8: PackageResources._006_blocked_by_a_restore_sql),
        Migration(
            component: "membership", number: 7, name: "sign-ups",
            utf8: PackageResources._007_sign_ups_sql),
        Migration(
            component: "membership", number: 8, name: "api-keys",
            utf8: PackageResources._008_api_keys_sql),
        Migration(
            component: "membership", number: 9, name: "seat-types-and-access",
            utf8: PackageResources._009_seat_types_and_access_sql),
    ]

/// A person as the tables keep them.
struct UserRecord: Sendable, Hashable {
    let id: UserID
    let email: String
    let name: String
    let created: WallTime
    let version: Int64
    /// Whether it is known that the address is the person's.
    var isEmailVerified = false
}

/// A membership as the tables keep it.
struct MembershipRecord: Sendable, Hashable {
    /// Names the membership in the feed, which knows aggregates by one identifier.
    let id: MembershipID
    let organization: OrganizationID
    let user: UserID
    var roles: RoleSet
    var state: MembershipState
    var takesSeat: Bool
    var joined: WallTime
    var version: Int64
}

/// A membership with the person.
struct MemberRecord: Sendable, Hashable {
    let membership: MembershipRecord
    let user: UserRecord

    /// What lists are ordered by.
    var nameKey: String { user.name.lowercased() }
}

/// The kind of identifiers that memberships have.
enum MembershipKind {}
typealias MembershipID = Identifier<MembershipKind>

// MARK: - Workspaces

/// A workspace as the tables keep it.
struct WorkspaceRecord: Sendable, Hashable {
    let id: WorkspaceID
    let organization: OrganizationID
    let title: String
    let isDefault: Bool
}

extension Reading {
    /// The workspaces of an organization, the default first.
    func workspaces(of organization: OrganizationID) throws -> [WorkspaceRecord] {
        try rows(
            """
            SELECT id, title, is_default FROM workspace WHERE organization_id = \(organization)
            ORDER BY is_default DESC, id LIMIT 500
            """
        ) { row in
            WorkspaceRecord(
                id: try row.identifier(0), organization: organization,
                title: try row.text(1), isDefault: try row.bool(2))
        }
    }
}

extension Transaction {
    /// Gives an organization its default workspace, unless it has one.
    func ensureDefaultWorkspace(of organization: OrganizationID, id: WorkspaceID) throws {
        try execute(
            """
            INSERT INTO workspace (id, organization_id, title, is_default)
            VALUES (\(id), \(organization), 'Default Workspace', 1)
            ON CONFLICT (organization_id) WHERE is_default = 1 DO NOTHING
            """
        )
    }

    /// Removes the workspaces of an organization whose preparation was cancelled.
    func removeWorkspaces(of organization: OrganizationID) throws {
        try execute("DELETE FROM workspace WHERE organization_id = \(organization)")
    }
}
