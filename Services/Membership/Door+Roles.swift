import Access
import Storage
import TreeCopy

/// Other roles for who is in already: an admission of the difference.
extension Transaction {
    /// Gives a member other roles, or refuses with every gate that does.
    ///
    /// What the member no longer is, is released first, and then what is new is taken. Somebody who
    /// is blocked counts nowhere: the gates are asked when the block ends. A seat is decided anew
    /// only when the strongest role is another one.
    ///
    /// - Parameters:
    ///   - member: The membership, active or blocked.
    ///   - roles: All the roles of afterwards.
    ///   - path: To the organization.
    ///   - caller: Who asks, and reads why not.
    ///   - now: When.
    /// - Returns: The member as changed; as it was, in the roles that it has.
    /// - Throws: ``Refusal/notAdmitted(_:titles:)``, ``Refusal/lastOwner``; nothing is changed.
    func reassign(
        _ member: MemberRecord, to roles: RoleSet, at path: TreePath, for caller: Access.Principal,
        now: WallTime
    ) throws -> MemberRecord {
        var membership = member.membership
        guard membership.roles != roles else { return member }
        let isActive = membership.state == .active
        let takesSeat = try isActive && seatRule(at: path).takesSeat(roles, after: membership)
        if isActive, !roles.contains(.owner) { try requireAnotherOwner(than: membership) }
        let (released, taken) =
            isActive
            ? Admission.difference(
                try counters(at: path.ids, for: membership.user), path: path.ids,
                from: membership, to: roles, takesSeat: takesSeat) : ([], [])
        let facts = AdmissionFacts(
            stop: Stop(path.state), membership: membership.state, takesSeat: takesSeat,
            counters: taken)
        let gates = Admission.gates(facts, entry: .changingRoles)
        guard gates.isEmpty else {
            throw Refusal.notAdmitted(gates, titles: path.titles(for: caller))
        }
        try apply(Admission.releasing(released), for: membership.user, at: now)
        try apply(Admission.taking(taken), for: membership.user, at: now)
        membership.roles = roles
        membership.takesSeat = takesSeat
        membership.version += 1
        return try keep(MemberRecord(membership: membership, user: member.user), at: now)
    }
}
