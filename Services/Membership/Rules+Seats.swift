import Access

/// The roles by which types of organizations give something, the strongest first.
enum BenefitRole: Sendable, Hashable, CaseIterable {
    case owner
    case manager
    /// Everybody else: administrators of the organization, its bills or its users, teachers,
    /// students, members.
    case member

    /// Whether people of the role take a seat where a type says nothing.
    var takesSeatByDefault: Bool { self != .owner }
}

extension RoleSet {
    /// The strongest of the roles, as types of organizations know them.
    var strongest: BenefitRole {
        if contains(.owner) { return .owner }
        return contains(.manager) ? .manager : .member
    }
}

/// Who takes a seat in an organization, by its type.
struct SeatRule: Sendable, Hashable {
    private let said: [BenefitRole: Bool]

    /// Where there is no type: an owner takes no seat, everybody else does.
    static let standard = SeatRule([:])

    /// What a type says; a role of which it says nothing is as where there is no type.
    init(_ said: [BenefitRole: Bool]) {
        self.said = said
    }

    /// Whether somebody takes a seat whose strongest role this is.
    func seats(_ strongest: BenefitRole) -> Bool {
        said[strongest] ?? strongest.takesSeatByDefault
    }

    /// Whether somebody in these roles takes a seat.
    func takesSeat(_ roles: RoleSet) -> Bool { seats(roles.strongest) }

    /// Whether a member takes a seat in these roles: one who is active and whose strongest role
    /// stays keeps what was decided, whatever the type says by now.
    func takesSeat(_ roles: RoleSet, after membership: MembershipRecord?) -> Bool {
        guard let membership, membership.state == .active,
            membership.roles.strongest == roles.strongest
        else { return takesSeat(roles) }
        return membership.takesSeat
    }
}
