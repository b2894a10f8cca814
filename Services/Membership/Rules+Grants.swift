import Access

/// What a person may act as.
enum GrantRules {
    /// A signed statement of who calls has to fit beside a request: more grants are left out, the
    /// weakest first.
    static let grantsMax = 128

    /// Platform roles as kept, then the roles of active memberships, those of active organizations
    /// first.
    ///
    /// What a pause suspends is decided where something is asked for: people of a paused
    /// organization learn that it is paused, and who owns it can end that.
    static func grants(
        platform: [PlatformRoleRecord],
        memberships: [(membership: MembershipRecord, isSuspended: Bool)]
    ) -> [Grant] {
        var grants = platform.map { Grant($0.role, at: $0.node) }
        var suspended: [Grant] = []
        for (membership, isSuspended) in memberships where membership.state == .active {
            let roles = membership.roles.roles.map { Grant($0, at: membership.organization) }
            if isSuspended {
                suspended += roles
            } else {
                grants += roles
            }
        }
        return Array((grants + suspended).prefix(grantsMax))
    }

    /// Whether somebody in these roles may be given them, or lose them, by the caller.
    ///
    /// Every role is decided by itself: who may not make an owner may not stop one either.
    static func decide(
        _ roles: RoleSet, of user: UserID?, by principal: Principal, at path: [OrganizationID]
    ) -> Decision {
        let members = principal.decide(.manageMembers, at: path)
        guard members == .allowed else { return members }
        for role in roles.roles {
            let decision = principal.decideGrant(of: role, at: path)
            guard decision == .allowed else { return decision }
        }
        return isOwnCase(user, principal) ? .forbidden : .allowed
    }

    /// Whether the word of somebody is enough that an address is the person's: that of staff of the
    /// whole platform, for people join organizations by their addresses.
    static func decideVouching(by principal: Principal) -> Decision {
        principal.grants.contains { $0.role.reach == .platform } ? .allowed : .forbidden
    }

    // Nobody changes the own roles; the platform's own people draw theirs from elsewhere.
    private static func isOwnCase(_ user: UserID?, _ principal: Principal) -> Bool {
        guard let user, principal.userID == user else { return false }
        return !principal.grants.contains { $0.role.reach == .platform }
    }
}
