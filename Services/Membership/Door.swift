import Access
import Messages
import RPC
import Storage
import TreeCopy

/// What an admission is decided on, and written by: the only code that lets anybody in or out.
extension Reading {
    /// What is known of somebody who asks to be admitted; a nil user is somebody new.
    ///
    /// With the record of a membership, the seat is decided as when its roles change.
    func admissionFacts(
        of user: UserID?, in roles: RoleSet, at path: TreePath, membership: MembershipState?,
        record: MembershipRecord? = nil
    ) throws -> AdmissionFacts {
        let found = try counters(at: path.ids, for: user)
        let takesSeat = try seatRule(at: path).takesSeat(roles, after: record)
        return AdmissionFacts(
            stop: Stop(path.state),
            membership: membership, takesSeat: takesSeat,
            counters: Admission.counters(
                found, path: path.ids, roles: roles, takesSeat: takesSeat))
    }

    /// Who takes a seat at an organization: what its type says by now.
    ///
    /// A membership that is there keeps what was decided when it was admitted.
    func seatRule(at path: TreePath?) throws -> SeatRule {
        guard let id = path?.node.typeID,
            let type = try TreeCopy.organizationType(id, in: self)
        else { return .standard }
        return SeatRule(type.seatBenefits)
    }
}

extension Transaction {
    /// Admits a person, or refuses with every gate that does.
    ///
    /// - Parameters:
    ///   - user: The person.
    ///   - roles: What the person will be.
    ///   - entry: How the person comes in.
    ///   - path: To the organization.
    ///   - caller: Who asks, and reads why not.
    ///   - previous: The membership that there was, whatever its state.
    ///   - newID: Names the membership if it is the first.
    ///   - now: When.
    /// - Returns: The member as admitted.
    /// - Throws: ``Refusal/notAdmitted(_:titles:)``; nothing is changed.
    func admit(
        _ user: UserRecord, in roles: RoleSet, by entry: Entry, at path: TreePath,
        for caller: Access.Principal, previous: MembershipRecord?, newID: MembershipID,
        now: WallTime
    ) throws -> MemberRecord {
        let facts = try admissionFacts(
            of: user.id, in: roles, at: path, membership: previous?.state)
        let gates = Admission.gates(facts, entry: entry)
        guard gates.isEmpty else {
            throw Refusal.notAdmitted(gates, titles: path.titles(for: caller))
        }

        try apply(Admission.taking(facts.counters), for: user.id, at: now)
        let membership = MembershipRecord(
            id: previous?.id ?? newID, organization: path.node.id, user: user.id, roles: roles,
            state: .active, takesSeat: facts.takesSeat,
            joined: entry == .unblocking ? previous?.joined ?? now : now,
            version: (previous?.version ?? 0) + 1)
        // Whoever has let them in, they wait no longer.
        try approvePendingSignUp(of: user.id, at: path.node.id, at: now)
        return try keep(MemberRecord(membership: membership, user: user), at: now)
    }

    /// Lets a person go: the seat and the places are free.
    ///
    /// - Parameters:
    ///   - member: The membership, active or blocked.
    ///   - state: Blocked or removed.
    ///   - path: To the organization.
    ///   - now: When.
    /// - Returns: The member as released.
    /// - Throws: ``Refusal/lastOwner``.
    func release(
        _ member: MemberRecord, to state: MembershipState, at path: TreePath, now: WallTime
    ) throws -> MemberRecord {
        var membership = member.membership
        if membership.state == .active {
            try requireAnotherOwner(than: membership)
            try stopCounting(membership, at: path, now: now)
        }
        membership.state = state
        membership.takesSeat = false
        membership.version += 1
        return try keep(MemberRecord(membership: membership, user: member.user), at: now)
    }

    /// Refuses to end an active membership as that of an owner, if it is the last.
    ///
    /// - Throws: ``Refusal/lastOwner``.
    func requireAnotherOwner(than membership: MembershipRecord) throws {
        guard membership.roles.contains(.owner) else { return }
        guard try activeOwnerCount(of: membership.organization) > 1 else {
            throw Refusal.lastOwner
        }
    }

    /// Takes back that somebody is the owner of an organization that is not made after all: it has
    /// no people, and needs none.
    ///
    /// - Parameters:
    ///   - founder: The membership, active.
    ///   - path: To the organization; nil when it is gone already, where nobody is counted.
    ///   - now: When.
    /// - Throws: `StorageFault`.
    func withdraw(_ founder: MemberRecord, at path: TreePath?, now: WallTime) throws {
        var membership = founder.membership
        if let path { try stopCounting(membership, at: path, now: now) }
        membership.state = .removed
        membership.takesSeat = false
        membership.version += 1
        try keep(MemberRecord(membership: membership, user: founder.user), at: now)
    }

    private func stopCounting(
        _ membership: MembershipRecord, at path: TreePath, now: WallTime
    ) throws {
        let counters = Admission.counters(
            try counters(at: path.ids, for: membership.user), path: path.ids,
            roles: membership.roles, takesSeat: membership.takesSeat)
        try apply(Admission.releasing(counters), for: membership.user, at: now)
    }

    /// Writes a member as it now is, and tells of it.
    @discardableResult
    func keep(_ member: MemberRecord, at now: WallTime) throws -> MemberRecord {
        try put(member.membership, nameKey: member.nameKey)
        try noteAffiliation(of: member.user, by: member.membership.state)
        try publish(
            kind: Member.messageName, aggregate: member.membership.id.bytes,
            version: member.membership.version, body: Member(member).encoded(), at: now)
        return member
    }
}

extension Stop {
    /// Why nobody is admitted in a state; nil: it does not say so.
    init?(_ state: TreeState) {
        guard let at = state.reason else { return nil }
        let isPreparation = if case .provisioning = state { true } else { false }
        self.init(at: at, state: state.word, isPreparation: isPreparation)
    }
}
