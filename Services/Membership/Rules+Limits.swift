import Access

/// The seats of an organization.
struct SeatPool: Sendable, Hashable {
    /// More seats than this nobody has; sums stay far from overflow.
    static let countMax: Int64 = 1_000_000_000

    /// How many there are; nil: not limited.
    var count: Int64?
    /// The most that were granted or sold; nil: none was.
    var ceiling: Int64?
    /// How many are taken.
    let used: Int64

    /// The pool with another number of seats.
    ///
    /// - Throws: ``Refusal/belowUsage(used:)``, ``Refusal/aboveSeatCeiling(_:)``.
    func resized(to count: Int64) throws(Refusal) -> SeatPool {
        guard count >= used else { throw .belowUsage(used: used) }
        if let ceiling, count > ceiling { throw .aboveSeatCeiling(ceiling) }
        return SeatPool(count: count, ceiling: ceiling, used: used)
    }

    /// The pool with sold seats on top.
    ///
    /// An organization that was not limited has from then on as many seats as were taken, and
    /// the sold ones.
    /// - Throws: ``Refusal/aboveSeatCeiling(_:)`` when the sum is beyond ``countMax``.
    func granted(_ quantity: Int64) throws(Refusal) -> SeatPool {
        let count = (self.count ?? used) + quantity
        let ceiling = (self.ceiling ?? self.count ?? used) + quantity
        guard count <= Self.countMax, ceiling <= Self.countMax else {
            throw .aboveSeatCeiling(Self.countMax)
        }
        return SeatPool(count: count, ceiling: ceiling, used: used)
    }

    /// The pool after a grant was undone; a taken seat stays, for only people remove people.
    ///
    /// - Parameters:
    ///   - quantity: What was granted.
    ///   - restoringUnlimited: Whether there was no limit before, and no other grant since.
    /// - Returns: The pool without the grant.
    func withoutGrant(_ quantity: Int64, restoringUnlimited: Bool) -> SeatPool {
        guard !restoringUnlimited else { return SeatPool(count: nil, ceiling: nil, used: used) }
        return SeatPool(
            count: count.map { max($0 - quantity, used) },
            ceiling: ceiling.map { max($0 - quantity, 0) }, used: used)
    }
}

/// What the caller should know of a limit though it was accepted.
enum LimitWarning: Sendable, Hashable {
    /// More people are counted than the limit admits; nobody is removed.
    case overLimit(CountKind, used: Int64, cap: Int64)
    /// An organization above admits fewer.
    case ineffectiveLimit(CountKind, cap: Int64, above: OrganizationID, capAbove: Int64)

    var code: String {
        switch self {
        case .overLimit: "over_limit"
        case .ineffectiveLimit: "ineffective_limit"
        }
    }

    var sentence: String {
        switch self {
        case .overLimit(let kind, let used, let cap):
            "\(used) \(kind.word) are counted and the limit is \(cap); nobody new is admitted."
        case .ineffectiveLimit(let kind, let cap, let above, let capAbove):
            "The limit of \(cap) \(kind.word) has no effect: \(above.text) above has \(capAbove)."
        }
    }
}

/// The limits set at an organization.
struct CapSet: Sendable, Hashable {
    var caps: [CountKind: Int64] = [:]

    /// What to warn of, by the counters of the organization's path, nearest node first.
    func warnings(at organization: OrganizationID, _ counters: [Counter]) -> [LimitWarning] {
        CountKind.caps.flatMap { kind -> [LimitWarning] in
            guard let cap = caps[kind] else { return [] }
            let own = counters.first { $0.node == organization && $0.kind == kind }
            let above = counters.first { counter in
                counter.node != organization && counter.kind == kind
                    && counter.cap.map { $0 < cap } ?? false
            }
            var warnings: [LimitWarning] = []
            if let used = own?.used, used > cap {
                warnings.append(.overLimit(kind, used: used, cap: cap))
            }
            if let above, let capAbove = above.cap {
                warnings.append(
                    .ineffectiveLimit(kind, cap: cap, above: above.node, capAbove: capAbove))
            }
            return warnings
        }
    }
}

/// A change of limits: what to set and what to remove.
struct CapChange: Sendable, Hashable {
    static let capMax: Int64 = 1_000_000_000

    let values: [CountKind: Int64]
    let remove: Set<CountKind>

    /// Whether the limit of people changes; the others are quotas of roles.
    var touchesMembers: Bool { values[.members] != nil || remove.contains(.members) }

    /// Whether a quota of a role changes.
    var touchesQuotas: Bool {
        [CountKind.students, .teachers].contains { values[$0] != nil || remove.contains($0) }
    }
}
