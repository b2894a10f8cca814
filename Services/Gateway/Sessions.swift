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

    /// How long an answer of Membership is used again: a session that ended, or rights that
    /// changed, by way of another gateway hold here after this time at the latest.
    static let keptFor: Duration = .seconds(2)
    /// The most tokens kept; more are asked again.
    static let countMax = 10_000
    /// The SHA-256 of a token: a token itself is never kept.
    private typealias TokenHash = [UInt8]

    private struct Entry {
        let session: Session
        let until: ContinuousClock.Instant
    }

    /// A question to Membership that is under way, and what was forgotten meanwhile: its answer
    /// may be from before.
    private struct Question {
        let hash: TokenHash
        var isStale = false
        var staleUsers: Set<UserID> = []
    }

    private struct Kept {
        var entries: [TokenHash: Entry] = [:]
        var hashes: [UserID: Set<TokenHash>] = [:]
        var questions: [Int: Question] = [:]
        var nextQuestion = 0

        mutating func remove(_ hash: TokenHash) {
            guard let entry = entries.removeValue(forKey: hash) else { return }
            let user = entry.session.user
            hashes[user]?.remove(hash)
            if hashes[user]?.isEmpty == true { hashes[user] = nil }
        }

        mutating func keep(_ session: Session, _ hash: TokenHash, until: ContinuousClock.Instant) {
            entries[hash] = Entry(session: session, until: until)
            hashes[session.user, default: []].insert(hash)
        }

        mutating func makeRoom(at now: ContinuousClock.Instant) {
            guard entries.count >= Sessions.countMax else { return }
            for (hash, entry) in entries where now >= entry.until { remove(hash) }
            guard entries.count >= Sessions.countMax else { return }
            entries = [:]
            hashes = [:]
        }
    }

    private let membership: any Channel
    private let signer: PrincipalSigner
    private let now: @Sendable () -> ContinuousClock.Instant
    private let kept = Mutex(Kept())

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
        if let entry = kept.withLock({ $0.entries[hash] }), now < entry.until {
            return entry.session
        }
        let question = kept.withLock { kept in
            kept.nextQuestion += 1
            kept.questions[kept.nextQuestion] = Question(hash: hash)
            return kept.nextQuestion
        }
        defer { kept.withLock { $0.questions[question] = nil } }
        let session = try await ask(token, requestID: requestID)
        kept.withLock { kept in
            guard let asked = kept.questions[question], !asked.isStale,
                !asked.staleUsers.contains(session.user)
            else { return }
            kept.makeRoom(at: now)
            kept.keep(session, hash, until: now.advanced(by: Self.keptFor))
        }
        return session
    }

    private func ask(_ token: String, requestID: String) async throws(Problem) -> Session {
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
        return Session(user: user, grants: reply.grants.compactMap(Access.Grant.init))
    }

    /// The signed statement by which a service believes who calls.
    func principal(of session: Session, for audience: Backend) throws -> [UInt8] {
        try signer.user(session.user, grants: session.grants, audience: audience.rawValue)
    }

    /// Forgets a token, so that the end of its session holds here at once.
    func forget(_ token: String) {
        let hash = Self.hash(token)
        kept.withLock { kept in
            kept.remove(hash)
            for (number, question) in kept.questions where question.hash == hash {
                kept.questions[number]?.isStale = true
            }
        }
    }

    /// Forgets what a person may act as, so that a change of it holds here at once.
    func forget(_ user: UserID) {
        kept.withLock { kept in
            for hash in kept.hashes[user] ?? [] { kept.remove(hash) }
            for number in kept.questions.keys { kept.questions[number]?.staleUsers.insert(user) }
        }
    }

    /// Forgets whose rights a call has changed that was answered.
    ///
    /// - Parameters:
    ///   - method: The method of the call.
    ///   - reply: Its reply, encoded.
    func noteAnswer(of method: MethodDescriptor, _ reply: [UInt8]) {
        // A reply that cannot be read would be a defect of the service; the caller finds it.
        guard let person = Routes.changedPeople[method], let text = try? person(reply),
            let user = UserID(text: text)
        else { return }
        forget(user)
    }

    private static func hash(_ token: String) -> TokenHash {
        Digest.sha256(token.utf8)
    }
}
