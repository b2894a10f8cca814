import Access

/// Which way the people of an organization go; the number is what they add to a count.
enum Flow: Int64, Sendable {
    case coming = 1
    case going = -1
}

/// How many people would be new to a count, beside what is counted there.
struct Demand: Sendable, Hashable {
    let node: OrganizationID
    let kind: CountKind
    let used: Int64
    /// The most that are admitted; nil: no limit.
    let cap: Int64?
    let newcomers: Int64

    /// Why they do not all have room; nil: they do, as do those who are counted there already,
    /// however far above its limit the count is.
    var gate: CrowdGate? {
        guard let cap, newcomers > 0, used + newcomers > cap else { return nil }
        let gate: Gate =
            switch kind {
            case .seat: .seatsExhausted(at: node, used: used, cap: cap)
            case .members: .membersLimitReached(at: node, used: used, cap: cap)
            case .students, .teachers:
                .roleQuotaReached(kind, at: node, used: used, cap: cap)
            }
        return CrowdGate(gate: gate, newcomers: newcomers)
    }
}

/// A gate that refuses many people at once.
struct CrowdGate: Sendable, Hashable {
    let gate: Gate
    /// How many would be new there.
    let newcomers: Int64
}

/// What a move of a subtree changes, and what refuses it.
struct SubtreeMove: Sendable {
    let top: OrganizationID
    /// The new parent; nil: it becomes a root.
    let parent: OrganizationID?
    /// The ancestors that the subtree loses and gains, nearest first; those that it keeps are
    /// untouched.
    let lost: [OrganizationID]
    let gained: [OrganizationID]
    /// The limits at all of these.
    let demands: [Demand]

    /// Every gate that refuses, nearest first.
    var gates: [CrowdGate] {
        SubtreeRules.gates(demands.filter { gained.contains($0.node) }) { node in
            gained.count - (gained.firstIndex(of: node) ?? gained.count)
        }
    }

    /// The limits that end to count, then those that begin to, nearest first.
    var limits: [(demand: Demand, begins: Bool)] {
        [(lost, false), (gained, true)].flatMap { nodes, begins in
            nodes.flatMap { node in
                CountKind.caps.compactMap { kind in
                    demands.first { $0.node == node && $0.kind == kind }.map { ($0, begins) }
                }
            }
        }
    }
}

/// What is decided for all the people of a subtree together.
enum SubtreeRules {
    /// The most organizations that leave the archive together.
    static let organizationsMax = 10_000
    /// More limits than this are not looked at once one refuses.
    static let demandsMax = 1_000
    /// A refusal names no more gates than this.
    static let gatesMax = 32

    /// Which ancestors a subtree loses and gains by a move; those that it keeps are untouched.
    ///
    /// - Parameters:
    ///   - old: The ancestors of before, nearest first.
    ///   - new: Those of afterwards, nearest first.
    /// - Returns: Both, nearest first.
    static func exchange(
        _ old: [OrganizationID], for new: [OrganizationID]
    ) -> (lost: [OrganizationID], gained: [OrganizationID]) {
        (old.filter { !new.contains($0) }, new.filter { !old.contains($0) })
    }

    /// Every gate that refuses: seats first, then the deepest node, which is the nearest, and of
    /// one node members, students and teachers.
    static func gates(
        _ demands: [Demand], depth: (OrganizationID) throws -> Int
    ) rethrows -> [CrowdGate] {
        let refused = try demands.compactMap { demand in
            try demand.gate.map { gate in
                (gate: gate, demand: demand, depth: try depth(demand.node))
            }
        }
        let ordered = refused.sorted { left, right in
            let (isSeat, isOther) = (left.demand.kind == .seat, right.demand.kind == .seat)
            if isSeat != isOther { return isSeat }
            if left.depth != right.depth { return left.depth > right.depth }
            if left.demand.node != right.demand.node {
                return left.demand.node.text < right.demand.node.text
            }
            return left.demand.kind.rawValue < right.demand.kind.rawValue
        }
        return ordered.prefix(gatesMax).map(\.gate)
    }
}
