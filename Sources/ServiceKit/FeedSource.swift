public import Messages
public import RPC
public import Storage

/// The feed of another service, as a consumer calls it.
public struct FeedSource: Sendable {
    /// Follows the feed.
    public typealias Watch =
        @Sendable (
            WatchRequest, CallOptions, @Sendable (WatchReply) async throws -> Void
        ) async throws -> Void
    /// Asks how far the feed has come.
    public typealias Head = @Sendable (GetFeedHeadRequest, CallOptions) async throws -> FeedHead

    /// The name of the service, such as `organizations`; positions are kept under it.
    public let name: String
    let watch: Watch
    let head: Head

    /// The feed of a service.
    ///
    /// - Parameters:
    ///   - name: The name of the service.
    ///   - watch: Its `Watch`.
    ///   - head: Its `GetFeedHead`.
    public init(name: String, watch: @escaping Watch, head: @escaping Head) {
        self.name = name
        self.watch = watch
        self.head = head
    }

    /// The feed that a client can follow.
    public init<Client: FeedClient>(_ client: Client) {
        self.init(
            name: Client.feedName,
            watch: { try await client.watch($0, options: $1, onReply: $2) },
            head: { try await client.getFeedHead($0, options: $1) })
    }
}

/// A client of a service that has a feed.
public protocol FeedClient: Sendable {
    /// The name of the service; consumers keep their positions under it.
    static var feedName: String { get }
    /// Follows the feed.
    func watch(
        _ request: WatchRequest, options: CallOptions,
        onReply: @Sendable (WatchReply) async throws -> Void
    ) async throws
    /// Asks how far the feed has come.
    func getFeedHead(_ request: GetFeedHeadRequest, options: CallOptions) async throws -> FeedHead
}

extension OrganizationsClient: FeedClient {
    /// The name of Organizations.
    public static var feedName: String { "organizations" }
}

extension MembershipClient: FeedClient {
    /// The name of Membership.
    public static var feedName: String { "membership" }
}

extension PartnersClient: FeedClient {
    /// The name of Partners.
    public static var feedName: String { "partners" }
}

extension BrandingClient: FeedClient {
    /// The name of Branding.
    public static var feedName: String { "branding" }
}

/// What a consumer does with a feed; every closure runs inside a write transaction.
public struct FeedTarget: Sendable {
    let apply: @Sendable (Messages.FeedEvent, Transaction) throws -> Void
    let reset: @Sendable (Transaction) throws -> Void
    let caughtUp: @Sendable (Transaction) throws -> Void
    let isLost: @Sendable (Transaction) throws -> Bool

    /// A target.
    ///
    /// - Parameters:
    ///   - apply: Applies an event; each is applied once, in order.
    ///   - reset: Begins a rebuild: every event will come again, from the first.
    ///   - caughtUp: Ends a rebuild: nothing more is known to come. Also called at other times.
    ///   - isLost: Whether what was applied is no longer there, so that a rebuild is due; asked at
    ///     the start, and only if something was applied before.
    public init(
        apply: @escaping @Sendable (Messages.FeedEvent, Transaction) throws -> Void,
        reset: @escaping @Sendable (Transaction) throws -> Void = { _ in },
        caughtUp: @escaping @Sendable (Transaction) throws -> Void = { _ in },
        isLost: @escaping @Sendable (Transaction) throws -> Bool = { _ in false }
    ) {
        self.apply = apply
        self.reset = reset
        self.caughtUp = caughtUp
        self.isLost = isLost
    }
}
