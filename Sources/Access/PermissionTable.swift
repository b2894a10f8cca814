/// What a role may do, in one cell of the table.
public enum Right: Sendable, Hashable {
    /// Wherever the grant reaches.
    case yes
    /// Only in the organization of the grant.
    case own
    /// Only below the organization of the grant.
    case below
    /// Where the grant reaches, if the condition holds.
    case under(Condition)
    /// Nowhere.
    case no
}

/// Who may do what: one row for each action, one column for each role.
public enum PermissionTable {
    /// The right of a role to an action.
    public static func right(of role: Role, to action: Action) -> Right {
        let row = row(of: action)
        return switch role {
        case .platformOwner: row.0
        case .globalAdmin: row.1
        case .platformAdmin: row.2
        case .partner: row.3
        case .reseller: row.4
        case .owner: row.5
        case .orgAdmin: row.6
        case .manager: row.7
        case .billingAdmin: row.8
        case .userAdmin: row.9
        case .teacher: row.10
        case .student, .member: row.11
        }
    }

    /// PO, GA, PA, PT, RS, OW, OA, MG, BA, UA, TE, ST and ME.
    private typealias Row = (
        Right, Right, Right, Right, Right, Right, Right, Right, Right, Right, Right, Right
    )

    // The table reads as a table.
    // swift-format-ignore
    private static func row(of action: Action) -> Row {
        let y = Right.yes, n = Right.no
        func when(_ condition: Condition) -> Right { .under(condition) }
        return switch action {
        case .viewOrganization: (y, y, y, y, y, y, y, y, y, y, y, y)
        case .createRootOrganization:
            (y, y, when(.atRoot), y, y, n, n, n, n, n, n, when(.signUpOnce))
        case .createSuborganization: (y, y, y, y, y, y, y, n, n, n, n, n)
        case .editOrganization: (y, y, y, y, y, y, y, when(.titleOnly), n, n, n, n)
        case .setTypeTrialExpiry: (y, y, y, y, n, n, n, n, n, n, n, n)
        case .changeActivation: (y, y, y, y, y, y, .below, n, n, n, n, n)
        case .archiveOrganization: (y, y, y, y, n, y, n, n, n, n, n, n)
        case .restoreOrganization: (y, y, y, n, n, n, n, n, n, n, n, n)
        case .moveOrganization:
            (y, y, when(.bothEnds), when(.bothEnds), n, when(.withinOwnTree), n, n, n, n, n, n)
        case .setMembersLimit: (y, y, y, y, y, .below, .below, n, n, n, n, n)
        case .setRoleQuotasAndModules: (y, y, y, y, y, n, n, n, n, n, n, n)
        case .setSeatCount: (y, y, y, y, y, y, y, y, n, n, n, n)
        case .setSeatCeiling: (y, y, n, when(.bySale), when(.bySale), n, n, n, n, n, n, n)
        case .setMemberDiscount: (y, y, y, y, n, n, n, n, n, n, n, n)
        case .setDistributorDiscount: (y, y, y, n, n, n, n, n, n, n, n, n)
        case .manageEmailMasks:
            (y, y, y, y, n, when(.joinPending), when(.joinPending), n, n, n, n, n)
        case .switchWhiteLabel: (y, y, y, y, n, n, n, n, n, n, n, n)
        case .editAppearance: (y, y, y, y, y, y, y, n, n, n, n, n)
        case .importOrganizations: (y, y, y, n, n, n, n, n, n, n, n, n)
        case .openSettings:
            (y, y, y, y, y, y, y, n, when(.billingTab), when(.usersTab), n, n)
        case .manageMembers: (y, y, y, y, y, y, y, y, n, y, n, n)
        case .grantOrgAdmin: (y, y, y, y, y, y, y, n, n, n, n, n)
        case .promoteToManager: (y, y, y, y, y, y, y, y, n, y, n, n)
        case .grantOwner: (y, y, y, y, n, y, n, n, n, n, n, n)
        case .manageAPIKeys: (y, y, y, n, n, y, y, n, n, n, n, n)
        case .manageGroups: (y, y, y, y, y, y, y, y, n, n, when(.ownClassesView), n)
        case .approveSignups: (y, y, y, y, y, y, y, n, n, y, n, n)
        case .readReports:
            (y, y, y, y, y, y, y, y, n, n, when(.ownClasses), when(.ownProgress))
        case .manageSubscription: (y, y, y, y, when(.view), y, when(.view), n, y, n, n, n)
        case .registerSale: (y, y, n, y, y, n, n, n, n, n, n, n)
        case .createReseller: (y, n, n, y, n, n, n, n, n, n, n, n)
        case .createPartner: (y, n, n, n, n, n, n, n, n, n, n, n)
        case .createUsers: (y, y, y, y, y, y, y, n, n, y, n, n)
        case .readAuditLog: (y, y, y, y, y, y, y, n, n, n, n, n)
        case .changePlatformSettings: (y, y, n, n, n, n, n, n, n, n, n, n)
        }
    }
}
