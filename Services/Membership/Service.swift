import Access
import Crypto
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import TreeCopy

/// The calls of `guildhall.membership.v1.Membership`; each noun has its own file.
struct Service: MembershipService {
    /// Signing in and out and up need no principal: the password or a token says who it is.
    static let openMethods: Set<MethodDescriptor> = [
        MembershipMethods.signIn, MembershipMethods.signOut, SignUpsMethods.signUp,
        SignUpsMethods.verifyEmail,
    ]

    let database: Database
    let identifiers: IdentifierSource
    let passwords: Passwords
    let failures: SignInFailureTable
    /// Draws random bytes for tokens and salts.
    let random: @Sendable (_ count: Int) -> [UInt8]
    let paths: TreePaths
    let tree: TreeBarrier
    let pageTokens: PageTokens
    /// Digests requests that hold a password.
    let digestKey: SymmetricKey
    let feed: FeedServer

    // MARK: - Sign-in

    func signIn(_ request: SignInRequest, _ context: CallContext) async throws -> Session {
        try await openSession(request, at: context.now)
    }

    func signOut(
        _ request: SignOutRequest, _ context: CallContext
    ) async throws -> SignOutReply {
        try await endSession(request)
        return SignOutReply()
    }

    func authenticate(
        _ request: AuthenticateRequest, _ context: CallContext
    ) async throws -> AuthenticateReply {
        try context.require(.authenticateSessions)
        return try await sessionOwner(request, at: context.now)
    }

    // MARK: - Feed

    func awaitTree(
        _ request: AwaitTreeRequest, _ context: CallContext
    ) async throws -> AwaitTreeReply {
        try context.require(.awaitTree)
        guard request.sequence >= 0 else {
            throw Denial.invalid(field: "sequence", "This must not be negative.")
        }
        try await tree.wait(request.sequence, request.incarnation)
        return AwaitTreeReply(sequence: request.sequence)
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        try await feed.watch(request, context, replies)
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        try feed.head(request, context)
    }

    // MARK: - What every call needs

    /// Turns a decision about the tree into an answer.
    ///
    /// - Throws: ``Denial/notPermitted``, ``OutOfScope`` or ``Suspended``.
    func check(_ decision: Decision) throws {
        switch decision {
        case .allowed: return
        case .forbidden: throw Denial.notPermitted
        case .notFound: throw OutOfScope()
        case .suspended(let organization): throw Suspended(at: organization)
        }
    }

    /// Runs a body that needs the path of an organization; when it is not known here, archived or
    /// being prepared, catches up with Organizations and runs it once more.
    ///
    /// - Throws: What the body throws; for an organization that stays unknown `otherwise`.
    func whenKnown<Value: Sendable>(
        otherwise: any StatusConvertible = OutOfScope(),
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch is UnknownNode {
            do {
                try await tree.catchUp()
                return try await body()
            } catch is UnknownNode {
                throw otherwise
            }
        }
    }

    /// The path of an organization that the caller may see, in a snapshot.
    func path(
        to organization: OrganizationID, _ context: CallContext, in reading: some Reading
    ) throws -> TreePath {
        let day = context.now.day
        guard let path = try TreeCopy.path(of: organization, in: reading, on: day) else {
            throw UnknownNode()
        }
        return try path.visible(to: context.principal)
    }

    /// The path of an organization that the caller may see, in the writer.
    func path(
        to organization: OrganizationID, _ context: CallContext, in transaction: Transaction
    ) throws -> TreePath {
        try paths.path(to: organization, in: transaction, on: context.now.day)
            .visible(to: context.principal)
    }
}
