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
    /// How the organization came about.
    public let origin: OrganizationOrigin
    /// Rises with every change of the organization.
    public let version: Int64

    /// A node.
    public init(
        id: OrganizationID, parentID: OrganizationID? = nil, title: String,
        status: Status = .active, origin: OrganizationOrigin = .manual, version: Int64 = 1
    ) {
        self.id = id
        self.parentID = parentID
        self.title = title
        self.status = status
        self.origin = origin
        self.version = version
    }
}

/// What holds for an organization, its ancestors included.
public enum TreeState: Sendable, Hashable {
    /// Ready for use.
    case active
    /// Paused at the organization named: itself or the nearest such ancestor.
    case inactive(at: OrganizationID)
    /// Being prepared at the organization named.
    case provisioning(at: OrganizationID)

    /// Whether the organization is ready for use.
    public var isActive: Bool { self == .active }

    /// The organization at which the state was found; nil when all are active.
    public var reason: OrganizationID? {
        switch self {
        case .active: nil
        case .inactive(let id), .provisioning(let id): id
        }
    }
}

/// An organization with all its ancestors.
public struct TreePath: Sendable, Hashable {
    /// The most levels of the tree.
    public static let depthMax = 10

    /// The nodes from the root down to the organization; never empty.
    public let nodes: [TreeNode]
    /// The organization itself.
    public let node: TreeNode

    /// A path; nil when there is no node.
    public init?(_ nodes: [TreeNode]) {
        guard let last = nodes.last else { return nil }
        self.nodes = nodes
        node = last
    }

    /// The identifiers from the root down to the organization, as permissions are decided at.
    public var ids: [OrganizationID] { nodes.map(\.id) }

    /// 1 for a root.
    public var depth: Int { nodes.count }

    /// Where the nearest pause is, looking upward from the organization; nil when all are active.
    public var pause: OrganizationID? { state.reason }

    /// The first state that is not active, looking at the organization and then upward.
    public var state: TreeState {
        for node in nodes.reversed() {
            switch node.status {
            case .active: continue
            case .inactive: return .inactive(at: node.id)
            case .provisioning: return .provisioning(at: node.id)
            }
        }
        return .active
    }
}

/// What an event did to the copy.
public enum TreeChange: Sendable, Hashable {
    /// Nothing: it was known, or is of another kind.
    case none
    /// The node is new here.
    case added(TreeNode)
    /// The node was there before.
    case updated(TreeNode, from: TreeNode)
    /// The node is gone.
    case removed(OrganizationID)
}

/// Why an event of the tree cannot be applied.
public struct TreeFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, for logs.
    public let description: String
}
