/// A role at a place.
public struct Grant: Sendable, Hashable {
    /// The role.
    public let role: Role
    /// The organization at which it holds; nil for the whole platform.
    ///
    /// ``Role/reach`` says what either covers.
    public let node: OrganizationID?

    /// A grant.
    public init(_ role: Role, at node: OrganizationID? = nil) {
        self.role = role
        self.node = node
    }

    /// Whether the grant reaches the organization at the end of a path.
    ///
    /// - Parameter path: Root first, the organization last; empty for the platform itself.
    /// - Returns: Whether it does.
    public func covers(_ path: [OrganizationID]) -> Bool {
        guard let end = path.last else { return coversPlatform }
        switch role.reach {
        case .platform: return true
        case .subtreeOrPlatform: return node.map(path.contains) ?? true
        case .subtree: return node.map(path.contains) ?? false
        case .node: return node == end
        }
    }

    /// Whether the grant counts for what belongs to no organization.
    ///
    /// Those who sell count: they bring new roots to the platform.
    private var coversPlatform: Bool {
        switch role {
        case .platformOwner, .globalAdmin, .partner, .reseller: true
        case .platformAdmin: node == nil
        default: false
        }
    }
}

/// Who acts, and what for.
public struct Principal: Sendable, Hashable {
    /// A person, a program or a process of this installation.
    public enum Subject: Sendable, Hashable {
        /// A person.
        case user(UserID)
        /// A program, by its API key.
        case apiKey(APIKeyID)
        /// A process, by the name of its service, such as `partners`.
        case service(String)
    }

    /// Who acts.
    public let subject: Subject
    /// What the person or program may act as, and where.
    public let grants: [Grant]
    /// When the statement ends, in microseconds since 1970.
    public let expiresAtMicroseconds: Int64

    /// A principal.
    public init(
        subject: Subject, grants: [Grant] = [], expiresAtMicroseconds: Int64 = .max
    ) {
        self.subject = subject
        self.grants = grants
        self.expiresAtMicroseconds = expiresAtMicroseconds
    }

    /// The person; nil when a program or a service acts.
    public var userID: UserID? {
        guard case .user(let id) = subject else { return nil }
        return id
    }

    /// The service; nil when a person or a program acts.
    public var serviceName: String? {
        guard case .service(let name) = subject else { return nil }
        return name
    }

    /// The name under which this principal's idempotency keys are kept, the same whichever process
    /// forwards the call: `user:018f…`, `apiKey:018f…` or `service:partners`.
    public var scope: String {
        switch subject {
        case .user(let id): "user:\(id.text)"
        case .apiKey(let id): "apiKey:\(id.text)"
        case .service(let name): "service:\(name)"
        }
    }
}
