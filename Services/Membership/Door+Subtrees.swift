import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The door for many at once: what an archive, a restore and a move do to the people of whole
/// organizations.
extension Transaction {
    /// Lets the active members of an organization count no longer: their memberships stay as they
    /// are, so that they can come back.
    ///
    /// No rule of single memberships applies, that of the last owner among them.
    func stopCounting(_ organization: OrganizationID, at now: WallTime) throws {
        try noteChange(of: [organization], .going)
        try applyChange(because: .archive, at: now)
    }

    /// Counts the active members of an organization that is live again, without asking limits:
    /// they are there, and nobody is removed by a rule.
    func count(_ organization: OrganizationID, at now: WallTime) throws {
        try noteChange(of: [organization], .coming)
        try applyChange(because: .restore, at: now)
    }

    /// Counts the people of a subtree at the ancestors that it has now, without asking limits.
    ///
    /// - Parameters:
    ///   - top: The organization that hangs elsewhere.
    ///   - old: Its ancestors of before.
    ///   - now: When.
    /// - Throws: `StorageFault`.
    func rehome(_ top: OrganizationID, from old: [OrganizationID], at now: WallTime) throws {
        let (lost, gained) = SubtreeRules.exchange(
            old, for: try TreeCopy.ancestors(of: top, in: self))
        try noteMove(of: top, from: lost, to: gained)
        try applyChange(because: .move, at: now)
    }

    /// Moves a subtree: its people are counted at the ancestors that it gains, or it is refused.
    ///
    /// - Throws: ``Refusal/crowdNotAdmitted(_:)`` with every gate that refuses; nothing is changed.
    func move(_ move: SubtreeMove, at now: WallTime) throws {
        let gates = move.gates
        guard gates.isEmpty else { throw Refusal.crowdNotAdmitted(gates) }
        try TreeCopy.hang(move.top, below: move.parent, in: self)
        try noteMove(of: move.top, from: move.lost, to: move.gained)
        try applyChange(because: .move, at: now)
    }

    /// Admits the active members of organizations that leave the archive, all or nobody; who of
    /// them takes a seat is decided anew.
    ///
    /// The copy of the tree has them out of the archive already.
    /// - Throws: ``Refusal/crowdNotAdmitted(_:)`` with every gate that refuses.
    func admit(membersOf organizations: [OrganizationID], at now: WallTime) throws {
        for organization in organizations { try reseat(membersOf: organization, at: now) }
        try noteChange(of: organizations, .coming)
        let gates = try SubtreeRules.gates(try exceededLimits()) { node in
            try TreeCopy.ancestors(of: node, in: self).count
        }
        guard gates.isEmpty else { throw Refusal.crowdNotAdmitted(gates) }
        try applyChange(because: .restore, at: now)
    }

    /// People whose memberships are changed one after the other.
    private static let pageMax = 500

    /// Lets the active members of an organization take seats by its type as it is now, none of
    /// whom is counted anywhere.
    private func reseat(membersOf organization: OrganizationID, at now: WallTime) throws {
        let rule = try seatRule(
            at: try TreeCopy.path(of: organization, in: self, on: now.day))
        while true {
            let members = try members(of: organization, seatedAgainst: rule, limit: Self.pageMax)
            for member in members { try keep(member.becoming(.active, by: rule), at: now) }
            guard members.count == Self.pageMax else { break }
        }
    }

    /// Blocks the active members of organizations, none of whom is counted anywhere, and notes them
    /// under the key of the restore that blocks them.
    func block(
        membersOf organizations: [OrganizationID], byRestore key: String, at now: WallTime
    ) throws {
        for organization in organizations {
            var cursor: MemberCursor?
            while true {
                let members = try members(
                    of: organization, .only(.active), after: cursor, limit: Self.pageMax)
                for member in members {
                    try note(
                        try keep(member.becoming(.blocked, by: .standard), at: now),
                        blockedByRestore: key)
                }
                guard members.count == Self.pageMax, let last = members.last else { break }
                cursor = MemberCursor(nameKey: last.nameKey, user: last.user.id)
            }
        }
    }

    /// Lets everybody be active again whom a restore has blocked and nobody has changed since, in
    /// organizations that go back to the archive at once: none of them is counted anywhere, and no
    /// limit is asked.
    ///
    /// - Parameters:
    ///   - key: That of the restore.
    ///   - now: When.
    /// - Throws: `StorageFault`.
    func unblock(blockedByRestore key: String, at now: WallTime) throws {
        let organizations = try organizations(blockedByRestore: key)
        let live = try TreeCopy.standings(of: organizations, in: self)
            .filter { !$0.isArchived }.map(\.id)
        // Who was admitted there meanwhile counts no longer, as by the event that archives.
        try noteChange(of: live, .going)
        try applyChange(because: .archive, at: now)
        try TreeCopy.archive(live, in: self)
        for organization in organizations {
            let rule = try seatRule(
                at: try TreeCopy.path(of: organization, in: self, on: now.day))
            var last: UserID?
            while true {
                let members = try members(
                    of: organization, blockedByRestore: key, after: last, limit: Self.pageMax)
                for member in members { try keep(member.becoming(.active, by: rule), at: now) }
                last = members.last?.user.id
                guard members.count == Self.pageMax else { break }
            }
        }
        try removeBlocks(ofRestore: key)
    }
}

extension MemberRecord {
    /// The member in a state, as the next version; one who is active takes a seat by a rule.
    fileprivate func becoming(_ state: MembershipState, by rule: SeatRule) -> MemberRecord {
        var membership = membership
        membership.state = state
        membership.takesSeat = state == .active && rule.takesSeat(membership.roles)
        membership.version += 1
        return MemberRecord(membership: membership, user: user)
    }
}
