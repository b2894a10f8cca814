import Access
import Crypto
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import TreeCopy

/// The attempts of every account that were not successful, kept in memory: a restart forgives
/// them.
final class SignInFailureTable: Sendable {
    private let failures = Mutex(SignInFailures())

    /// Makes an attempt, which counts as failed until it is known not to be.
    ///
    /// - Parameters:
    ///   - account: Whose.
    ///   - now: When.
    ///   - judge: Finds out whether the attempt is right; when it throws nobody knows, and the
    ///     attempt does not count.
    /// - Returns: What was found out.
    /// - Throws: ``Denial/tooManyAttempts(retryAfter:)`` when the account has to wait, or what the
    ///   closure throws.
    func attempt(
        _ account: String, at now: WallTime, _ judge: () async throws -> Bool
    ) async throws -> Bool {
        let wait = failures.withLock { failures in
            let wait = failures.wait(account, at: now.microseconds)
            if wait == 0 { failures.begin(account, at: now.microseconds) }
            return wait
        }
        guard wait == 0 else { throw Denial.tooManyAttempts(retryAfter: .microseconds(wait)) }
        do {
            return try await judge()
        } catch {
            failures.withLock { $0.takeBack(account) }
            throw error
        }
    }

    func succeed(_ account: String) {
        failures.withLock { $0.succeed(account) }
    }
}

/// A session token: 256 random bits as text, of which only a hash is kept.
enum SessionToken {
    static let byteCount = 32
    static let textBytesMax = 128

    static func text(of bytes: [UInt8]) -> String {
        "ghs_" + Hexadecimal.text(bytes)
    }

    static func hash(of text: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(text.utf8)))
    }
}

extension Service {
    /// Sessions of one person at once; the oldest end when there are more.
    static let sessionsPerUserMax = 50

    func openSession(_ request: SignInRequest, at now: WallTime) async throws -> Session {
        // What can be nobody's address or password costs nothing and tells nothing.
        let password = Text.normalized(request.password)
        guard let email = TextRules.email(Text.normalized(request.email)),
            (1...TextRules.passwordBytesMax).contains(password.utf8.count)
        else { throw Denial.wrongCredentials }

        var found: Credentials?
        let isRight = try await failures.attempt(email, at: now) {
            found = try await database.read { try $0.credentials(email: email) }
            return try await passwords.verify(
                password, against: found?.passwordHash ?? Passwords.hashOfNobody)
        }
        guard isRight, let credentials = found, credentials.passwordHash != nil else {
            throw Denial.wrongCredentials
        }
        failures.succeed(email)

        let token = SessionToken.text(of: random(SessionToken.byteCount))
        let session = SessionRecord(user: credentials.user.id, created: now, used: now)
        try await keep(session, token)
        let end = now.advanced(by: .microseconds(SessionRules.absoluteMicroseconds))
        return Session(token: token, expiresAt: Timestamp(end), user: User(credentials.user))
    }

    private func keep(_ session: SessionRecord, _ token: String) async throws {
        let hash = SessionToken.hash(of: token)
        let dead = session.created.advanced(by: .microseconds(-SessionRules.absoluteMicroseconds))
        try await database.write { transaction in
            try transaction.sweepSessions(createdBefore: dead)
            try transaction.add(session, tokenHash: hash)
            try transaction.trimSessions(of: session.user, keeping: Self.sessionsPerUserMax)
        }
    }

    func endSession(_ request: SignOutRequest) async throws {
        guard (1...SessionToken.textBytesMax).contains(request.token.utf8.count) else {
            throw Denial.invalid(field: "token", "There is no token.")
        }
        guard !APIKeySecret.isOfForm(request.token) else { throw Denial.forPeopleAlone }
        let hash = SessionToken.hash(of: request.token)
        try await database.write { try $0.endSession(tokenHash: hash) }
    }

    func sessionOwner(
        _ request: AuthenticateRequest, at now: WallTime
    ) async throws -> AuthenticateReply {
        if APIKeySecret.isOfForm(request.token) {
            return try await programOwner(request.token, at: now)
        }
        guard (1...SessionToken.textBytesMax).contains(request.token.utf8.count) else {
            throw Denial.sessionOver
        }
        let hash = SessionToken.hash(of: request.token)
        let (session, grants) = try database.readInline { snapshot in
            guard let session = try snapshot.session(tokenHash: hash), now < session.end else {
                throw Denial.sessionOver
            }
            return (session, try Self.grants(of: session.user, in: snapshot, on: now.day))
        }
        var used = session
        if SessionRules.recordsUse(last: session.used.microseconds, now: now.microseconds) {
            do {
                try await database.write { try $0.recordUse(ofSession: hash, at: now) }
                used = SessionRecord(user: session.user, created: session.created, used: now)
            } catch StorageFault.busy {
                // A full disk or a long queue must not lock everybody out: who is known may go
                // on, and the use is written down by a later call.
            }
        }
        return AuthenticateReply(
            userID: session.user.text, grants: grants.map { Messages.Grant($0) },
            expiresAt: Timestamp(used.end))
    }

    /// What a person may act as on a day.
    static func grants(
        of user: UserID, in reading: some Reading, on day: CalendarDay
    ) throws -> [Access.Grant] {
        GrantRules.grants(
            platform: try reading.platformRoles(of: user),
            memberships: try memberships(of: user, in: reading, on: day).map { member, path in
                (member.membership, isSuspended: path?.state.isActive != true)
            })
    }

    /// The active memberships of a person, each with its path, without those of organizations
    /// that are archived; the strongest roles first.
    ///
    /// While the copy of the tree is being filled there are no paths, and what is archived by then
    /// is not known.
    static func memberships(
        of user: UserID, in reading: some Reading, on day: CalendarDay
    ) throws -> [(member: MemberRecord, path: TreePath?)] {
        try reading.activeMemberships(of: user).compactMap { member in
            let path = try TreeCopy.path(
                of: member.membership.organization, in: reading, on: day)
            return path?.isThereForPeople == false ? nil : (member, path)
        }
    }
}
