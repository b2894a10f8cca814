import Access
import Messages
import RPC
import ServiceKit
import Synchronization

/// Who a session token or API key belongs to, asked of Membership and kept for a moment.
final class Sessions: Sendable {
    /// A person who is signed in, or a program that has an API key, as Membership said it.
    struct Session: Sendable, Hashable {
        let holder: Holder
        let grants: [Access.Grant]
    }

    /// Whose a token is: a person or an API key.
    typealias Holder = Access.Principal.Subject

    /// How long an answer of Membership is used again: a session or an API key that ended, or
    /// rights that changed, by way of another gateway hold here after this time at the latest.
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
        var staleHolders: Set<Holder> = []
    }

    private struct Kept {
        var entries: [TokenHash: Entry] = [:]
        var hashes: [Holder: Set<TokenHash>] = [:]
        var questions: [Int: Question] = [:]
        var nextQuestion = 0

        mutating func remove(_ hash: TokenHash) {
            guard let entry = entries.removeValue(forKey: hash) else { return }
            let holder = entry.session.holder
            hashes[holder]?.remove(hash)
            if hashes[holder]?.isEmpty == true { hashes[holder] = nil }
        }

        mutating func keep(_ session: Session, _ hash: TokenHash, until: ContinuousClock.Instant) {
            entries[hash] = Entry(session: session, until: until)
            hashes[session.holder, default: []].insert(hash)
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
    /// - Throws: ``Problem``: 401 when Membership knows no such session or key.
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
                !asked.staleHolders.contains(session.holder)
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
        guard let holder = Self.holder(in: reply) else { throw .unauthenticated }
        return Session(holder: holder, grants: reply.grants.compactMap(Access.Grant.init))
    }

    // Who is both, or neither, is nobody.
    private static func holder(in reply: AuthenticateReply) -> Holder? {
        switch (reply.userID.isEmpty, reply.apiKeyID.isEmpty) {
        case (false, true): UserID(text: reply.userID).map { .user($0) }
        case (true, false): APIKeyID(text: reply.apiKeyID).map { .apiKey($0) }
        case (true, true), (false, false): nil
        }
    }

    /// Methods whose service asks another one in the name of the caller: the statement goes along,
    /// and is good for both.
    private static let forwarded: Set<MethodDescriptor> = [ProvisioningMethods.provisionMember]

    /// The signed statement by which a service believes who calls a method of the API.
    func principal(
        of session: Session, calling method: MethodDescriptor, at upstream: Backend
    ) throws -> [UInt8] {
        Self.forwarded.contains(method)
            ? try statement(of: session, for: PrincipalSigner.anyAudience)
            : try principal(of: session, at: upstream)
    }

    /// The signed statement by which a service believes who looks at a page.
    func principal(of session: Session, at upstream: Backend) throws -> [UInt8] {
        try statement(of: session, for: upstream.rawValue)
    }

    private func statement(of session: Session, for audience: String) throws -> [UInt8] {
        switch session.holder {
        case .user(let id): try signer.user(id, grants: session.grants, audience: audience)
        case .apiKey(let id): try signer.apiKey(id, grants: session.grants, audience: audience)
        case .service: preconditionFailure("no token is a service's")
        }
    }

    /// The signed statement by which a service believes that the gateway calls for itself.
    func principal(for audience: Backend) throws -> [UInt8] {
        try signer.service(audience: audience.rawValue)
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

    /// Forgets what a person or program may act as, so that a change of it holds here at once.
    func forget(_ holder: Holder) {
        kept.withLock { kept in
            for hash in kept.hashes[holder] ?? [] { kept.remove(hash) }
            for number in kept.questions.keys {
                kept.questions[number]?.staleHolders.insert(holder)
            }
        }
    }

    /// The calls that change what their caller may do, and whose replies name no person.
    private static let changingTheirCaller: Set<MethodDescriptor> = [
        SignUpsMethods.createOwnOrganization
    ]

    /// Forgets an API key that a call was to end, whatever came of the call.
    ///
    /// - Parameters:
    ///   - method: The method of the call.
    ///   - request: Its request, encoded.
    func noteEnd(of method: MethodDescriptor, _ request: [UInt8]) {
        // A request that cannot be read has ended nothing.
        guard method == ApiKeysMethods.deleteApiKey,
            let id = (try? DeleteApiKeyRequest(decoding: request)).flatMap({ APIKeyID(text: $0.id) }
            )
        else { return }
        forget(.apiKey(id))
    }

    /// Forgets whose rights a call has changed that was answered.
    ///
    /// - Parameters:
    ///   - method: The method of the call.
    ///   - reply: Its reply, encoded.
    ///   - token: That of the caller; nil: the call needs none.
    func noteAnswer(of method: MethodDescriptor, _ reply: [UInt8], to token: String?) {
        if let token, Self.changingTheirCaller.contains(method) {
            // Whoever it is may have other sessions.
            let hash = Self.hash(token)
            if let holder = kept.withLock({ $0.entries[hash]?.session.holder }) { forget(holder) }
            forget(token)
        }
        // A reply that cannot be read would be a defect of the service; the caller finds it.
        guard let person = Routes.changedPeople[method], let text = try? person(reply),
            let user = UserID(text: text)
        else { return }
        forget(.user(user))
    }

    private static func hash(_ token: String) -> TokenHash {
        Digest.sha256(token.utf8)
    }
}
