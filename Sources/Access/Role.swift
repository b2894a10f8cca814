/// What somebody may act as; numbers are those of `guildhall.access.v1.Role`.
public enum Role: Int32, Sendable, Hashable, CaseIterable {
    /// Owns the platform.
    case platformOwner = 1
    /// Administers the whole platform.
    case globalAdmin = 2
    /// Administers a node of the tree and what is below.
    case platformAdmin = 3
    /// Sells to its portfolio.
    case partner = 4
    /// Sells for a partner to the organizations assigned to it.
    case reseller = 5
    /// Owns an organization and what is below.
    case owner = 6
    /// Administers an organization and what is below.
    case orgAdmin = 7
    /// Leads one organization.
    case manager = 8
    /// Pays for an organization and what is below.
    case billingAdmin = 9
    /// Looks after the people of an organization and what is below.
    case userAdmin = 10
    /// Teaches in one organization.
    case teacher = 11
    /// Learns in one organization.
    case student = 12
    /// Belongs to one organization.
    case member = 13

    /// How far a grant of a role reaches.
    public enum Reach: Sendable, Hashable {
        /// Everything, whatever node the grant names.
        case platform
        /// The node of the grant and what is below; without a node, everything.
        case subtreeOrPlatform
        /// The node of the grant and what is below; without a node, no organization at all.
        case subtree
        /// The node of the grant alone.
        case node
    }

    /// How far a grant of this role reaches.
    public var reach: Reach {
        switch self {
        case .platformOwner, .globalAdmin: .platform
        case .platformAdmin: .subtreeOrPlatform
        case .partner, .reseller, .owner, .orgAdmin, .billingAdmin, .userAdmin: .subtree
        case .manager, .teacher, .student, .member: .node
        }
    }

    /// Whether the role is held by a membership; platform and sales roles are not.
    public var isMembershipRole: Bool { rawValue >= Role.owner.rawValue }

    /// The strength: nobody grants a role stronger than the strongest own one.
    public var strength: Int {
        switch self {
        case .platformOwner: 8
        case .globalAdmin: 7
        case .platformAdmin: 6
        case .partner: 5
        case .reseller, .owner: 4
        case .orgAdmin: 3
        case .manager, .billingAdmin, .userAdmin: 2
        case .teacher: 1
        case .student, .member: 0
        }
    }

    /// The name in texts and columns, such as `org_admin`.
    public var name: String {
        switch self {
        case .platformOwner: "platform_owner"
        case .globalAdmin: "global_admin"
        case .platformAdmin: "platform_admin"
        case .partner: "partner"
        case .reseller: "reseller"
        case .owner: "owner"
        case .orgAdmin: "org_admin"
        case .manager: "manager"
        case .billingAdmin: "billing_admin"
        case .userAdmin: "user_admin"
        case .teacher: "teacher"
        case .student: "student"
        case .member: "member"
        }
    }
}
