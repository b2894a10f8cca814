import Access
import ServiceKit

/// What holds for an organization on a day, by what is set there alone or with its ancestors.
enum OrganizationState: Sendable, Hashable {
    case active
    case provisioning
    case archived
    case inactive
    case expired
    case trialEnded
}

/// An organization as its descendants see it.
struct Level: Sendable, Hashable {
    let id: OrganizationID
    /// Names it inside this database.
    let number: Int64
    let title: String
    let standing: Standing
    /// What was set; not whether it is active on a day.
    let isActivated: Bool
    /// The last day of a trial.
    let trialUntil: CalendarDay?
    /// The last day on which it is valid.
    let expiresOn: CalendarDay?

    /// What holds on a day, ancestors left out: what cannot pass by itself comes first.
    func state(on day: CalendarDay) -> OrganizationState {
        switch standing {
        case .archived, .cancelled, .purged: return .archived
        case .provisioning: return .provisioning
        case .present: break
        }
        if !isActivated { return .inactive }
        if let expiresOn, expiresOn < day { return .expired }
        if let trialUntil, trialUntil < day { return .trialEnded }
        return .active
    }
}

/// An organization with its ancestors on a day, the root first; never empty.
struct Line: Sendable, Hashable {
    /// Nothing hangs deeper in the tree.
    static let depthMax = 10

    let levels: [Level]
    /// The day on which states are judged, in UTC.
    let day: CalendarDay

    init(_ levels: [Level], on day: CalendarDay) {
        precondition(!levels.isEmpty, "a line holds at least its own organization")
        self.levels = levels
        self.day = day
    }

    /// A line that goes on from another, or begins a root.
    init(below above: Line?, _ level: Level, on day: CalendarDay) {
        self.init((above?.levels ?? []) + [level], on: day)
    }

    var ids: [OrganizationID] { levels.map(\.id) }
    var ancestors: ArraySlice<Level> { levels.dropLast() }
    var depth: Int { levels.count }
    /// The organization itself.
    var end: Level { levels[levels.count - 1] }

    /// The nearest organization, upwards from this one, that is not active; nil when all are.
    var obstacle: Level? { levels.last { $0.state(on: day) != .active } }

    /// What holds, ancestors included.
    var state: OrganizationState { obstacle?.state(on: day) ?? .active }

    /// Whether the organization, or one above it, is in the archive.
    var isArchived: Bool { levels.contains { $0.state(on: day) == .archived } }

    /// The line to the parent; nil for a root.
    var parents: Line? { levels.count > 1 ? Line(Array(ancestors), on: day) : nil }

    /// The line with what its last organization has become.
    func replacing(_ level: Level) -> Line { Line(levels.dropLast() + [level], on: day) }

    /// Refuses a child that may not hang here.
    func admitChild() throws(Refusal) {
        if let obstacle { throw .organizationNotActive(obstacle.id) }
        guard depth < Line.depthMax else { throw .depthExceeded }
    }
}
