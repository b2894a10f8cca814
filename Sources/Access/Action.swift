/// What somebody may want to do: the rows of the permission table.
public enum Action: String, Sendable, Hashable, CaseIterable {
    /// See that an organization exists, and what everyone in it may see.
    case viewOrganization
    /// Create an organization at the root.
    case createRootOrganization
    /// Create an organization below another; decided at the parent.
    case createSuborganization
    /// Change title, description, category, country and kind.
    case editOrganization
    /// Change type, trial and expiry.
    case setTypeTrialExpiry
    /// Activate and deactivate.
    case changeActivation
    /// Delete, which archives.
    case archiveOrganization
    /// Restore from the archive.
    case restoreOrganization
    /// Move in the tree; decided by ``Principal/decideMove(from:to:)``.
    case moveOrganization
    /// Set the members limit.
    case setMembersLimit
    /// Set role quotas and the modules of the organization.
    case setRoleQuotasAndModules
    /// Set the seat count up to the ceiling.
    case setSeatCount
    /// Set the seat ceiling.
    case setSeatCeiling
    /// Set the member discount.
    case setMemberDiscount
    /// Set the distributor discount.
    case setDistributorDiscount
    /// Add and remove email masks.
    case manageEmailMasks
    /// Switch white label on and off.
    case switchWhiteLabel
    /// Change appearance, banner, contact details and custom URLs.
    case editAppearance
    /// Import and export organizations.
    case importOrganizations
    /// Open the settings of an organization.
    case openSettings
    /// Add, invite, remove and block members.
    case manageMembers
    /// Grant the role of organization administrator.
    case grantOrgAdmin
    /// Promote to manager.
    case promoteToManager
    /// Grant or transfer the role of owner.
    case grantOwner
    /// Make, list and end API keys of an organization.
    case manageAPIKeys
    /// Manage groups, class modules and rosters.
    case manageGroups
    /// Approve pending sign-ups.
    case approveSignups
    /// Read reports.
    case readReports
    /// Manage the subscription and read invoices.
    case manageSubscription
    /// Register a sale.
    case registerSale
    /// Create a reseller.
    case createReseller
    /// Create a partner or approve an upgrade to one.
    case createPartner
    /// Create users on behalf of others.
    case createUsers
    /// Read the audit log.
    case readAuditLog
    /// Change the settings of the platform.
    case changePlatformSettings

    /// The action that giving somebody a role of an organization is; nil for roles that no
    /// membership carries.
    public static func granting(_ role: Role) -> Action? {
        switch role {
        case .owner: .grantOwner
        case .orgAdmin, .billingAdmin, .userAdmin: .grantOrgAdmin
        case .manager: .promoteToManager
        case .teacher, .student, .member: .manageMembers
        case .platformOwner, .globalAdmin, .platformAdmin, .partner, .reseller: nil
        }
    }
}

/// What must hold beside role and place for some rights; the caller knows and says so.
public enum Condition: String, Sendable, Hashable, CaseIterable {
    /// The grant is one for the whole platform. Decided here.
    case atRoot
    /// The person has not yet used the one organization a sign-up may create.
    case signUpOnce
    /// Nothing but the title changes.
    case titleOnly
    /// The right holds at the source and at the destination.
    case bothEnds
    /// Source and destination lie in the tree of one grant.
    case withinOwnTree
    /// The change follows from a sale.
    case bySale
    /// The mask is one that joins, and waits for verification.
    case joinPending
    /// Only the billing tab is opened.
    case billingTab
    /// Only the users tab is opened.
    case usersTab
    /// The classes are those that the person teaches, and nothing changes.
    case ownClassesView
    /// The report is about classes that the person teaches.
    case ownClasses
    /// The report is about the person alone.
    case ownProgress
    /// Nothing changes.
    case view
}
