import Access
import Messages
import RPC
import ServiceKit
import Synchronization

/// Who a session token belongs to, asked of Membership and kept for a moment.
final class Sessions: Sendable {
    /// A person who is signed in, as Membership said it.
    struct Session: Sendable, Hashable {
        let user: UserID
        let grants: [Access.Grant]
    }

    /// How long an answer of Membership is used again: an ended session ends here after this
    /// time at the latest.
    static let keptFor: Duration = .seconds(2)
    /// The most tokens kept; more are asked again.
    static let countMax = 10_000
    /// The SHA-256 of a token: a token itself is never kept.
    private typealias TokenHash = [UInt8]

    private struct Entry {
        let session: Session
        let until: ContinuousClock.Instant
    }

    private let membership: any Channel
    private let signer: PrincipalSigner
    private let now: @Sendable () -> ContinuousClock.Instant
    private let kept = Mutex<[TokenHash: Entry]>([:])

    init(
        membership: any Channel, signer: PrincipalSigner,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.membership = membership
        self.signer = signer
        self.now = now
    }

    /// The session of a token.
    ///
    /// - Throws: ``Problem``: 401 when Membership knows no such session.
    func session(of token: String, requestID: String) async throws(Problem) -> Session {
        let hash = Self.hash(token)
        let now = now()
        if let entry = kept.withLock({ $0[hash] }), now < entry.until {
            return entry.session
        }
        let reply: AuthenticateReply
        do {
            var metadata = Metadata()
            metadata[text: MetadataKey.requestID] = requestID
            metadata[bytes: MetadataKey.principal] = try signer.service(
                audience: Backend.membership.rawValue)
            reply = try await MembershipClient(membership).authenticate(
                AuthenticateRequest(token: token), options: CallOptions(metadata: metadata))
        } catch {
            let status = Status(thrown: error)
            switch status.code {
            case .unauthenticated, .notFound, .invalidArgument: throw .unauthenticated
            default: throw Problem(status, from: .membership)
            }
        }
        // A session of nobody would be a defect of Membership: it opens nothing here.
        guard let user = UserID(text: reply.userID) else { throw .unauthenticated }
        let session = Session(user: user, grants: reply.grants.compactMap(Access.Grant.init))
        kept.withLock { kept in
            if kept.count >= Self.countMax { kept = kept.filter { now < $0.value.until } }
            if kept.count >= Self.countMax { kept.removeAll() }
            kept[hash] = Entry(session: session, until: now.advanced(by: Self.keptFor))
        }
        return session
    }

    /// The signed statement by which a service believes who calls.
    func principal(of session: Session, for audience: Backend) throws -> [UInt8] {
        try signer.user(session.user, grants: session.grants, audience: audience.rawValue)
    }

    /// Forgets a token, so that the end of its session holds here at once.
    func forget(_ token: String) {
        let hash = Self.hash(token)
        _ = kept.withLock { $0.removeValue(forKey: hash) }
    }

    private static func hash(_ token: String) -> TokenHash {
        Digest.sha256(token.utf8)
    }
}
