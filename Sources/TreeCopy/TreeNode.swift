public import Access
public import Messages

/// What a service keeps of an organization that it does not own.
public struct TreeNode: Sendable, Hashable {
    /// What was set at the organization itself.
    public enum Status: Int, Sendable, Hashable {
        /// Ready for use.
        case active = 1
        /// Paused.
        case inactive = 2
        /// Being prepared by a workflow: not listed, nobody is admitted.
        case provisioning = 3
    }

    /// The organization.
    public let id: OrganizationID
    /// Its parent; nil for a root.
    public let parentID: OrganizationID?
    /// Its title.
    public let title: String
    /// What was set at the organization itself.
    public let status: Status
    /// Whether it was archived itself: for people it does not exist.
    public let isArchived: Bool
    /// The last day of its trial; nil when it is not tried out.
    public let trialUntil: CalendarDay?
    /// The last day on which it is valid; nil when it does not expire.
    public let expiresOn: CalendarDay?
    /// Its type; nil when it has none.
    public let typeID: OrganizationTypeID?
    /// How the organization came about.
    public let origin: OrganizationOrigin
    /// Rises with every change of the organization.
    public let version: Int64

    /// A node.
    public init(
        id: OrganizationID, parentID: OrganizationID? = nil, title: String,
        status: Status = .active, isArchived: Bool = false, trialUntil: CalendarDay? = nil,
        expiresOn: CalendarDay? = nil, typeID: OrganizationTypeID? = nil,
        origin: OrganizationOrigin = .manual, version: Int64 = 1
    ) {
        self.id = id
        self.parentID = parentID
        self.title = title
        self.status = status
        self.isArchived = isArchived
        self.trialUntil = trialUntil
        self.expiresOn = expiresOn
        self.typeID = typeID
        self.origin = origin
        self.version = version
    }

    /// What holds for the organization itself on a day, its ancestors left out.
    ///
    /// Days are inclusive: what is valid through a day has ended on the next.
    func state(on day: CalendarDay) -> TreeState {
        if isArchived { return .archived(at: id) }
        switch status {
        case .active: break
        case .inactive: return .inactive(at: id)
        case .provisioning: return .provisioning(at: id)
        }
        if let expiresOn, expiresOn < day { return .expired(at: id) }
        if let trialUntil, trialUntil < day { return .trialEnded(at: id) }
        return .active
    }
}

/// What holds for an organization, its ancestors included.
///
/// Each state but the first names where it was found: the organization itself or the nearest
/// ancestor that is not active.
public enum TreeState: Sendable, Hashable {
    /// Ready for use.
    case active
    /// Paused.
    case inactive(at: OrganizationID)
    /// Being prepared.
    case provisioning(at: OrganizationID)
    /// The last day on which it was valid is over.
    case expired(at: OrganizationID)
    /// The last day of its trial is over.
    case trialEnded(at: OrganizationID)
    /// Archived.
    case archived(at: OrganizationID)

    /// Whether the organization is ready for use.
    public var isActive: Bool { self == .active }

    /// The organization at which the state was found; nil when all are active.
    public var reason: OrganizationID? {
        switch self {
        case .active: nil
        case .inactive(let id), .provisioning(let id), .expired(let id), .trialEnded(let id),
            .archived(let id):
            id
        }
    }

    /// The word for it, as the API has it in lower case: `active`, `trial_ended`.
    public var word: String {
        switch self {
        case .active: "active"
        case .inactive: "inactive"
        case .provisioning: "provisioning"
        case .expired: "expired"
        case .trialEnded: "trial_ended"
        case .archived: "archived"
        }
    }
}

/// An organization with all its ancestors, judged on one day.
public struct TreePath: Sendable, Hashable {
    /// The most levels of the tree.
    public static let depthMax = 10

    /// The nodes from the root down to the organization; never empty.
    public let nodes: [TreeNode]
    /// The organization itself.
    public let node: TreeNode
    /// The day in UTC on which the state is judged.
    public let day: CalendarDay

    /// A path; nil when there is no node.
    public init?(_ nodes: [TreeNode], on day: CalendarDay) {
        guard let last = nodes.last else { return nil }
        self.init(nodes, last, day)
    }

    private init(_ nodes: [TreeNode], _ node: TreeNode, _ day: CalendarDay) {
        self.nodes = nodes
        self.node = node
        self.day = day
    }

    /// The same path on another day.
    public func judged(on day: CalendarDay) -> TreePath {
        TreePath(nodes, node, day)
    }

    /// The identifiers from the root down to the organization, as permissions are decided at.
    public var ids: [OrganizationID] { nodes.map(\.id) }

    /// 1 for a root.
    public var depth: Int { nodes.count }

    /// Where the nearest pause is, looking upward from the organization; nil when all are active.
    public var pause: OrganizationID? { state.reason }

    /// The first state that is not active, looking at the organization and then upward; of one
    /// organization archived before inactive, then expired, then the end of a trial.
    public var state: TreeState {
        for node in nodes.reversed() {
            let state = node.state(on: day)
            if state != .active { return state }
        }
        return .active
    }

    /// Whether the organization is there for people: neither it nor one above it is archived or
    /// being prepared.
    public var isThereForPeople: Bool {
        nodes.allSatisfy { !$0.isArchived && $0.status != .provisioning }
    }
}

/// What an event did to the copy.
public enum TreeChange: Sendable, Hashable {
    /// Nothing: it was known, or is of another kind.
    case none
    /// The node is new here.
    case added(TreeNode)
    /// The node was gone, and is there again.
    case returned(TreeNode)
    /// The node was there before.
    case updated(TreeNode, from: TreeNode)
    /// The node is gone; this is what was known of it.
    case removed(TreeNode)
}

/// Why an event of the tree cannot be applied.
public struct TreeFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, for logs.
    public let description: String
}
