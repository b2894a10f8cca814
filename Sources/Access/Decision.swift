/// What is answered to somebody who wants to act.
public enum Decision: Sendable, Hashable {
    /// The action may go on.
    case allowed
    /// The place is in the caller's scope; the action is not the caller's.
    case forbidden
    /// The place is outside the caller's scope: nothing is told about it.
    case notFound
    /// The action is the caller's, but not while the organization named is paused.
    case suspended(at: OrganizationID)
}

extension Principal {
    /// Decides an action at an organization, or at the platform when the path is empty.
    ///
    /// Services hold no roles: they may see every organization and are refused all else here;
    /// ``ServiceTable`` has their rights.
    /// - Parameters:
    ///   - action: What is wanted.
    ///   - path: The identifiers from the root down to the organization; empty for the platform.
    ///   - conditions: What the caller has found to hold, such as ``Condition/titleOnly``.
    ///   - pause: The nearest organization on the path, upward from its end, that is paused: the
    ///     roles held there and below are suspended, but for ending the pause itself. Nil when
    ///     none is, or for what is open during a pause too, such as to see that there is one.
    /// - Returns: The decision.
    public func decide(
        _ action: Action, at path: [OrganizationID], meeting conditions: Set<Condition> = [],
        pausedAt pause: OrganizationID? = nil
    ) -> Decision {
        let decision = decideByTable(action, at: path, meeting: conditions)
        guard decision == .allowed, serviceName == nil, let pause, action != .changeActivation
        else { return decision }
        let settling = Principal(subject: subject, grants: grants(above: pause, on: path))
        let stays = settling.decideByTable(action, at: path, meeting: conditions) == .allowed
        return stays ? .allowed : .suspended(at: pause)
    }

    /// The grants that a pause does not touch: those of the platform and of sellers, and roles
    /// held above the place where it was made.
    private func grants(above pause: OrganizationID, on path: [OrganizationID]) -> [Grant] {
        let above = path.prefix { $0 != pause }
        return grants.filter { grant in
            !grant.role.isMembershipRole || grant.node.map(above.contains) == true
        }
    }

    private func decideByTable(
        _ action: Action, at path: [OrganizationID], meeting conditions: Set<Condition>
    ) -> Decision {
        guard serviceName == nil else {
            return action == .viewOrganization ? .allowed : .forbidden
        }
        var isInScope = path.isEmpty
        for grant in grants where grant.covers(path) {
            isInScope = true
            if grant.allows(action, at: path, meeting: conditions) { return .allowed }
        }
        if path.isEmpty, conditions.contains(.signUpOnce), action == .createRootOrganization,
            userID != nil
        {
            return .allowed
        }
        return isInScope ? .forbidden : .notFound
    }

    /// Decides a move of an organization to a new parent.
    ///
    /// - Parameters:
    ///   - source: The path of the organization that moves, root first.
    ///   - destination: The path of its new parent; empty when it becomes a root.
    /// - Returns: The decision.
    public func decideMove(
        from source: [OrganizationID], to destination: [OrganizationID]
    ) -> Decision {
        let ends = [source, destination].filter { !$0.isEmpty }
        for end in ends where decide(.viewOrganization, at: end) != .allowed { return .notFound }
        guard serviceName == nil else { return .forbidden }
        if ends.allSatisfy({ decide(.moveOrganization, at: $0, meeting: [.bothEnds]) == .allowed }),
            !destination.isEmpty || decide(.createRootOrganization, at: []) == .allowed
        {
            return .allowed
        }
        let withinOneTree = grants.contains { grant in
            // The organization of the grant itself stays where it is.
            grant.node != source.last && grant.covers(source) && grant.covers(destination)
                && grant.allows(.moveOrganization, at: source, meeting: [.withinOwnTree])
        }
        return withinOneTree ? .allowed : .forbidden
    }

    /// Decides whether a role may be given to somebody, or taken, at an organization.
    ///
    /// - Parameters:
    ///   - role: The role; platform and sales roles are never given here.
    ///   - path: The path of the organization, root first.
    /// - Returns: The decision.
    public func decideGrant(of role: Role, at path: [OrganizationID]) -> Decision {
        guard let action = Action.granting(role) else { return .forbidden }
        let decision = decide(action, at: path)
        guard decision == .allowed else { return decision }
        let isStrongEnough = grants.contains { grant in
            grant.covers(path) && grant.role.strength >= role.strength
        }
        return isStrongEnough ? .allowed : .forbidden
    }
}

extension Grant {
    /// Whether this grant, which covers the path, gives the right to an action there.
    func allows(
        _ action: Action, at path: [OrganizationID], meeting conditions: Set<Condition>
    ) -> Bool {
        switch PermissionTable.right(of: role, to: action) {
        case .yes: true
        case .own: node == path.last
        case .below: node != path.last
        case .under(.atRoot): node == nil
        case .under(let condition): conditions.contains(condition)
        case .no: false
        }
    }
}
