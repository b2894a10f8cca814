/// What services do at one another without a person behind it.
public enum ServiceAction: String, Sendable, Hashable, CaseIterable {
    /// Follow the event feed.
    case followFeed
    /// Find out whose session a token is.
    case authenticateSessions
    /// Find the organization that an address joins.
    case resolveEmail
    /// Find the organization of a custom URL.
    case resolveCustomURL
    /// Find the organization that somebody joins who signs up.
    case resolveSignUp
    /// Wait until a feed has been applied.
    case awaitTree
    /// Count the people of a subtree elsewhere, or again: a step of a move, or of a restore.
    case recountSubtree
    /// Tell what would be otherwise for an organization elsewhere: a part of the dry run of a move.
    case previewMove
    /// Read how many people are counted where.
    case readMemberCounts
    /// Find people who belong to no organization by their domain, and admit them.
    case admitUnaffiliatedUsers
    /// Find out where mails about an organization go.
    case readMailAddresses
    /// Make, commit and cancel an organization in a workflow.
    case prepareOrganization
    /// Grant and take back seats in a workflow.
    case grantSeats
    /// Set and take back an appearance in a workflow.
    case prepareAppearance
}

/// Which service may do what at others.
public enum ServiceTable {
    /// The services that may do an action.
    public static func services(for action: ServiceAction) -> Set<String> {
        switch action {
        case .followFeed: ["organizations", "membership", "partners", "branding", "gateway"]
        case .authenticateSessions: ["gateway"]
        case .resolveEmail: ["membership", "gateway"]
        case .resolveCustomURL: ["membership", "branding", "gateway"]
        case .awaitTree, .recountSubtree, .previewMove, .readMemberCounts,
            .admitUnaffiliatedUsers, .readMailAddresses:
            ["organizations"]
        case .resolveSignUp: ["membership"]
        case .prepareOrganization: ["partners", "membership"]
        case .grantSeats, .prepareAppearance: ["partners"]
        }
    }
}

extension Principal {
    /// Decides an action that only services do.
    public func decide(_ action: ServiceAction) -> Decision {
        guard let serviceName else { return .forbidden }
        return ServiceTable.services(for: action).contains(serviceName) ? .allowed : .forbidden
    }
}
