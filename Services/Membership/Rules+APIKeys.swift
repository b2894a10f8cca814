import Access

/// Who may give programs a credential, and what for.
enum APIKeyRules {
    /// Keys of one organization that have not expired.
    static let keysPerOrganizationMax = 50
    /// Keys of the platform that have not expired.
    static let keysOfPlatformMax = 100
    static let nameLengths = 1...120
    /// A use is written down once a minute.
    static let useGrainMicroseconds: Int64 = 60 * 1_000_000
    /// Keys that expired longer ago are removed when a key is made beside them.
    static let expiredKeptForMicroseconds: Int64 = 90 * 86_400 * 1_000_000
    /// Expired keys of one place that are kept, the latest: others are removed likewise.
    static let expiredKeptMax = 50
    /// Expired keys that are removed when one is made: more than come, so that they become fewer.
    static let sweptAtATimeMax = 20

    /// The most keys that a place may have; nil is the platform.
    static func keysMax(of organization: OrganizationID?) -> Int {
        organization == nil ? keysOfPlatformMax : keysPerOrganizationMax
    }

    /// Whether a key may have a role: one of the platform that of its staff, one of an organization
    /// those that its members have.
    static func isAcceptable(_ role: Role, ofPlatform: Bool) -> Bool {
        ofPlatform
            ? [.platformOwner, .globalAdmin, .platformAdmin].contains(role)
            : role.isMembershipRole
    }

    /// Whether somebody looks after the keys of an organization, or of the platform when the path
    /// is empty.
    static func decide(
        _ principal: Principal, at path: [OrganizationID], pausedAt pause: OrganizationID? = nil
    ) -> Decision {
        path.isEmpty
            ? principal.decide(.changePlatformSettings, at: [])
            : principal.decide(.manageAPIKeys, at: path, pausedAt: pause)
    }

    /// Whether somebody may make a key with a role, or end one: who may not give the role to a
    /// person gives it to no program either.
    static func decide(
        _ role: Role, by principal: Principal, at path: [OrganizationID],
        pausedAt pause: OrganizationID? = nil
    ) -> Decision {
        let decision = decide(principal, at: path, pausedAt: pause)
        guard decision == .allowed else { return decision }
        guard path.isEmpty else { return principal.decideGrant(of: role, at: path) }
        let isStrongEnough = principal.grants.contains { grant in
            grant.role.reach == .platform && grant.role.strength >= role.strength
        }
        return isStrongEnough ? .allowed : .forbidden
    }

    /// The minute of an instant, in microseconds since 1970.
    static func minute(of microseconds: Int64) -> Int64 {
        microseconds - microseconds % useGrainMicroseconds
    }
}
