import Access

/// What a limit counts; the number is what the tables keep.
enum CountKind: Int64, CaseIterable, Sendable {
    /// Memberships of one organization that take a seat.
    case seat = 0
    /// Distinct people of a subtree.
    case members = 1
    /// Distinct people of a subtree who are students somewhere in it.
    case students = 2
    /// Distinct people of a subtree who are teachers somewhere in it.
    case teachers = 3

    /// The word for it in messages, ledger and errors.
    var word: String {
        switch self {
        case .seat: "seat"
        case .members: "members"
        case .students: "students"
        case .teachers: "teachers"
        }
    }

    /// What may be limited at a node, in the order in which it is asked.
    static let caps: [CountKind] = [.members, .students, .teachers]
}

/// How a membership stands; the number is what the tables keep.
enum MembershipState: Int64, Sendable {
    case active = 1
    case blocked = 2
    case removed = 3
}

/// The roles of a membership as a bit set: bit n is role number n.
struct RoleSet: OptionSet, Sendable, Hashable {
    let rawValue: Int64

    static let owner = RoleSet(.owner)
    static let orgAdmin = RoleSet(.orgAdmin)
    static let manager = RoleSet(.manager)
    static let teacher = RoleSet(.teacher)
    static let student = RoleSet(.student)
    static let member = RoleSet(.member)

    init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The set of one role.
    init(_ role: Role) {
        precondition(role.isMembershipRole, "the caller refuses platform and sales roles")
        rawValue = 1 << Int64(role.rawValue)
    }

    /// The roles in the set, the strongest first.
    var roles: [Role] {
        Role.allCases.filter { rawValue & (1 << Int64($0.rawValue)) != 0 }
    }

    /// What a person in these roles is counted as, at the organization and at every node above.
    var kinds: [CountKind] {
        var kinds: [CountKind] = [.members]
        if contains(.student) { kinds.append(.students) }
        if contains(.teacher) { kinds.append(.teachers) }
        return kinds
    }
}

/// One count at one node, with the person it is asked for.
struct Counter: Sendable, Hashable {
    let node: OrganizationID
    let kind: CountKind
    /// Distinct people counted.
    let used: Int64
    /// The most that are admitted; nil: no limit.
    let cap: Int64?
    /// By how many memberships the person is counted here already.
    let refs: Int64

    /// Whether one more person has room.
    var hasRoom: Bool {
        guard refs == 0, let cap else { return true }
        return used < cap
    }
}

/// Why nobody is admitted to an organization, whoever it is.
struct Stop: Sendable, Hashable {
    /// The nearest node, upward from the organization, that is not active.
    let at: OrganizationID
    /// Its state in a word, such as `expired`.
    let state: String
    /// Whether it is being prepared, and will be there once that is done.
    var isPreparation = false
}

/// What is known when somebody asks to be admitted.
struct AdmissionFacts: Sendable {
    /// What the state of the organization, or of one above it, says against it.
    let stop: Stop?
    /// How the person's membership stands, if there ever was one.
    let membership: MembershipState?
    /// Whether the membership would take a seat.
    let takesSeat: Bool
    /// The seat first if one is taken, then every count of the organization, then of its parent,
    /// and so on up to the root.
    let counters: [Counter]
}

/// How somebody comes in.
enum Entry: Sendable {
    /// By a new membership, or one that had ended.
    case joining
    /// By the end of a block.
    case unblocking
    /// As the founder, while the organization is being prepared.
    case founding
    /// Being in already: in other roles.
    case changingRoles
}

/// A reason not to admit.
enum Gate: Sendable, Hashable {
    case organizationNotActive(Stop)
    case alreadyMember
    case memberBlocked
    case seatsExhausted(at: OrganizationID, used: Int64, cap: Int64)
    case roleQuotaReached(CountKind, at: OrganizationID, used: Int64, cap: Int64)
    case membersLimitReached(at: OrganizationID, used: Int64, cap: Int64)
}

/// A change of one count by one membership coming or going.
struct PlaceChange: Sendable, Hashable {
    let node: OrganizationID
    let kind: CountKind
    /// By how many memberships the person is counted here afterwards.
    let refsAfter: Int64
    /// Distinct people counted afterwards.
    let usedAfter: Int64
    /// Whether the person came or went here, and not only one of several memberships.
    let changesUse: Bool
}

/// The one door: who is admitted, and what that changes.
enum Admission {
    /// The counts that a membership touches, in the order in which they are asked: the seat, then
    /// every kind at the organization, then at its parent, and so on up to the root.
    ///
    /// - Parameters:
    ///   - found: What is kept of these nodes; a count that is not kept is 0 without a limit.
    ///   - path: The nodes from the root down to the organization.
    ///   - roles: Those of the membership.
    ///   - takesSeat: Whether the membership takes, or holds, a seat.
    /// - Returns: The counts, with those that are not kept yet.
    static func counters(
        _ found: [Counter], path: [OrganizationID], roles: RoleSet, takesSeat: Bool
    ) -> [Counter] {
        func counter(_ node: OrganizationID, _ kind: CountKind) -> Counter {
            found.first { $0.node == node && $0.kind == kind }
                ?? Counter(node: node, kind: kind, used: 0, cap: nil, refs: 0)
        }
        var counters: [Counter] = []
        if takesSeat, let organization = path.last { counters.append(counter(organization, .seat)) }
        for node in path.reversed() {
            counters += roles.kinds.map { counter(node, $0) }
        }
        return counters
    }

    /// Every gate that refuses, in the order in which they are asked; empty: admitted.
    static func gates(_ facts: AdmissionFacts, entry: Entry) -> [Gate] {
        var gates: [Gate] = []
        if let stop = facts.stop, entry != .founding || !stop.isPreparation {
            gates.append(.organizationNotActive(stop))
        }
        switch (facts.membership, entry) {
        case (.active, .changingRoles), (.blocked, .changingRoles): break
        case (.active, _): gates.append(.alreadyMember)
        case (.blocked, .joining), (.blocked, .founding): gates.append(.memberBlocked)
        case (.blocked, .unblocking), (.removed, _), (nil, _): break
        }
        // A member counts already; asking the limits again would refuse for the wrong reason.
        guard facts.membership != .active || entry == .changingRoles else { return gates }
        for counter in facts.counters where !counter.hasRoom {
            guard let cap = counter.cap else { continue }
            gates.append(gate(counter, cap: cap))
        }
        return gates
    }

    private static func gate(_ counter: Counter, cap: Int64) -> Gate {
        switch counter.kind {
        case .seat: .seatsExhausted(at: counter.node, used: counter.used, cap: cap)
        case .members: .membersLimitReached(at: counter.node, used: counter.used, cap: cap)
        case .students, .teachers:
            .roleQuotaReached(counter.kind, at: counter.node, used: counter.used, cap: cap)
        }
    }

    /// What one more membership of the person changes.
    static func taking(_ counters: [Counter]) -> [PlaceChange] {
        counters.map { counter in
            PlaceChange(
                node: counter.node, kind: counter.kind, refsAfter: counter.refs + 1,
                usedAfter: counter.refs == 0 ? counter.used + 1 : counter.used,
                changesUse: counter.refs == 0)
        }
    }

    /// What one membership less of the person changes.
    static func releasing(_ counters: [Counter]) -> [PlaceChange] {
        counters.map { counter in
            PlaceChange(
                node: counter.node, kind: counter.kind, refsAfter: counter.refs - 1,
                usedAfter: counter.refs == 1 ? counter.used - 1 : counter.used,
                changesUse: counter.refs == 1)
        }
    }
}
