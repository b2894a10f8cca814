import Access

extension Admission {
    /// What a member in other roles is counted as no more, and what they are counted as in
    /// addition; what stays is touched by neither, so that a limit below its use refuses nobody
    /// whom it counts already.
    ///
    /// - Parameters:
    ///   - found: What is kept of these nodes; a count that is not kept is 0 without a limit.
    ///   - path: The nodes from the root down to the organization.
    ///   - membership: The membership, active.
    ///   - roles: Those of afterwards.
    ///   - takesSeat: Whether the member then takes a seat.
    /// - Returns: The counts, each in the order in which they are asked.
    static func difference(
        _ found: [Counter], path: [OrganizationID], from membership: MembershipRecord,
        to roles: RoleSet, takesSeat: Bool
    ) -> (released: [Counter], taken: [Counter]) {
        let before = counters(
            found, path: path, roles: membership.roles, takesSeat: membership.takesSeat)
        let after = counters(found, path: path, roles: roles, takesSeat: takesSeat)
        return (before.filter { !after.contains($0) }, after.filter { !before.contains($0) })
    }

    /// Every gate that refuses somebody, whoever asks for it and however: what an explanation
    /// names.
    ///
    /// Of somebody who is a member already it is that, and then what stands against other roles.
    static func allGates(_ facts: AdmissionFacts) -> [Gate] {
        let gates = gates(facts, entry: .joining)
        guard facts.membership == .active else { return gates }
        return gates + self.gates(facts, entry: .changingRoles).filter { !gates.contains($0) }
    }
}
