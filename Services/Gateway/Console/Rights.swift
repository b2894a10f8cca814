import Access
import Messages
import ServiceKit

/// What somebody may do at an organization, as far as the permission table tells beforehand.
///
/// It says what a page offers, and nothing else: what is done is decided by the services.
struct Rights: Sendable {
    private let person: Access.Principal?
    private let path: [OrganizationID]
    /// The organization by whose pause roles held there and below are suspended.
    private let pause: OrganizationID?

    init(of visitor: Visitor, at organization: Organization) {
        person = visitor.person
        let line = organization.path.map(\.id) + [organization.id]
        let ids = line.compactMap { OrganizationID(text: $0) }
        // A path that cannot be read is that of no organization: nothing is offered there.
        path = ids.count == line.count ? ids : []
        pause = organization.stateReason.flatMap { OrganizationID(text: $0.organizationID) }
    }

    /// Whether an action is offered.
    ///
    /// - Parameters:
    ///   - action: What is wanted.
    ///   - conditions: What holds beside role and place.
    ///   - isOpenInPause: Whether the services let it be done while the organization is paused.
    /// - Returns: Whether it is.
    func may(
        _ action: Access.Action, meeting conditions: Set<Condition> = [],
        evenPaused isOpenInPause: Bool = false
    ) -> Bool {
        guard let person, !path.isEmpty else { return false }
        return person.decide(
            action, at: path, meeting: conditions, pausedAt: isOpenInPause ? nil : pause)
            == .allowed
    }

    // MARK: Tabs

    /// The tabs on which there is something to see.
    var tabs: [ConsoleTab] { ConsoleTab.allCases.filter(offers) }

    /// Whether there is something to see on a tab.
    func offers(_ tab: ConsoleTab) -> Bool {
        switch tab {
        case .info: true
        case .suborganizations: seesBelow || may(.createSuborganization)
        case .users: may(.manageMembers)
        case .services: may(.openSettings) || may(.editOrganization)
        case .modules: may(.openSettings) || may(.setRoleQuotasAndModules)
        case .subscription: maySubscription(view: true)
        case .look: may(.openSettings) || may(.editAppearance)
        case .contacts, .domains, .urls: may(.openSettings)
        case .limits: may(.setSeatCount) || mayReadLimits
        case .programs: mayListKeys || may(.openSettings)
        }
    }

    /// Whether it is somebody who looks after the organization, and does not only belong to it.
    var isLookingAfter: Bool { tabs != [.info] || may(.changeActivation, evenPaused: true) }

    /// Whether a role reaches what is below the organization.
    private var seesBelow: Bool {
        guard may(.viewOrganization) else { return false }
        return person?.grants.contains { $0.role.reach != .node && $0.covers(path) } ?? false
    }

    /// Whether limits and their use are shown.
    var mayReadLimits: Bool { may(.openSettings, meeting: [.usersTab, .billingTab, .view]) }

    /// Whether the subscription is looked after: in a pause by the roles that pay, and by no other
    /// that it suspends.
    ///
    /// - Parameter view: Whether it is only read.
    /// - Returns: Whether it is.
    func maySubscription(view: Bool = false) -> Bool {
        guard let person, !path.isEmpty else { return false }
        let payer = Access.Principal(
            subject: person.subject, grants: person.grants.filter { $0.role == .billingAdmin })
        return payer.decide(.manageSubscription, at: path) == .allowed
            || may(.manageSubscription, meeting: view ? [.view] : [])
    }

    /// Whether API keys are listed: a pause hides none from those who look after them.
    var mayListKeys: Bool { may(.manageAPIKeys, evenPaused: true) }

    // MARK: Roles

    /// Whether a role may be given to somebody here, and taken.
    func mayGrant(_ role: Messages.Role) -> Bool {
        guard let person, let role = Access.Role(role) else { return false }
        return person.decideGrant(of: role, at: path) == .allowed
    }

    /// The roles of memberships that may be given here.
    var grantable: [Messages.Role] {
        may(.manageMembers) ? Messages.Role.offered.filter(mayGrant) : []
    }

    /// The roles that an API key may be given here.
    var grantableToKeys: [Messages.Role] {
        may(.manageAPIKeys) ? Messages.Role.offered.filter(mayGrant) : []
    }

    /// Whether somebody is the visitor, who does not change the own roles.
    func isOwnCase(_ user: String) -> Bool {
        guard let person, person.userID?.text == user else { return false }
        return !person.grants.contains { $0.role.reach == .platform }
    }

    /// Whether a member may be blocked, unblocked and removed: each of the roles is one to take.
    func mayChange(_ member: Member) -> Bool {
        may(.manageMembers) && !isOwnCase(member.userID) && member.roles.allSatisfy(mayGrant)
    }

    /// What the visitor is at the organization, in words: roles held here or above, and those that
    /// hold everywhere.
    func ownRoles(at organization: Organization) -> [String] {
        var words: [String] = []
        for grant in person?.grants ?? [] where grant.covers(path) {
            let role = Messages.Role(grant.role).words
            let place = grant.role.reach == .platform ? nil : grant.node?.text
            let above = organization.path.first { $0.id == place }?.title
            let text = above.map { "\(role) of \($0)" } ?? role
            if !words.contains(text) { words.append(text) }
        }
        return words
    }
}

extension Visitor {
    /// The person as the permission table knows them; nil for everybody else.
    var person: Access.Principal? {
        guard case .person(let session) = identity else { return nil }
        return Access.Principal(subject: session.holder, grants: session.grants)
    }

    /// Whether an action is offered somewhere: for the platform, or where the visitor has a role.
    func mayAnywhere(_ action: Access.Action) -> Bool {
        guard let person else { return false }
        let places = [[]] + person.grants.compactMap(\.node).map { [$0] }
        return places.contains { person.decide(action, at: $0) == .allowed }
    }

    /// Whether a new organization is offered.
    var mayCreateOrganizations: Bool {
        mayAnywhere(.createRootOrganization) || mayAnywhere(.createSuborganization)
    }
}
