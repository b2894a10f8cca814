import Access
import Encodings
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of `guildhall.membership.v1.SignUps`; each noun has its own file.
struct SignUpService: SignUpsService {
    let service: Service
    let destinations: Destinations
    /// Where links in mails lead.
    let publicAddress: PublicAddress
    /// How many may sign up within an hour.
    let pace: HourlyPace
    var patience = FoundingPatience()

    // MARK: - Registration

    func signUp(_ request: SignUpRequest, _ context: CallContext) async throws -> SignUpReply {
        let draft = try RegistrationDraft(request)
        let now = context.now
        // Keys are those of an address: what somebody else has sent under one is another's.
        let scope = "sign-up:" + Hexadecimal.text(digest(Array(draft.email.utf8)))
        let database = service.database
        let isRepeated = try database.isRepeated(
            context, request, digestedWith: service.digestKey, in: scope)
        if !isRepeated {
            // Before anything is spent on it; it is asked once more when it is kept.
            try database.readInline { try pace.admit(draft.email, at: now, in: $0) }
            try await destinations.check(draft.customURL, for: draft.email, context)
        }
        let token = VerificationToken.text(of: service.random(VerificationToken.byteCount))
        // Also where there is an account, so that the time tells nothing; what came before is
        // answered without.
        let passwordHash: String? =
            if isRepeated {
                nil
            } else {
                try await service.passwords.hash(
                    draft.password, salt: service.random(Passwords.saltByteCount))
            }
        return try await database.command(
            context, request, digestedWith: service.digestKey, in: scope
        ) { [pace, publicAddress] transaction in
            // Without it this is a repetition, and does not run, unless the answer went meanwhile.
            guard let passwordHash else { throw Denial.busy }
            try pace.admit(draft.email, at: now, in: transaction)
            try transaction.register(
                draft, passwordHash: passwordHash, token: token, publicAddress, at: now)
            return SignUpReply()
        }
    }

    // MARK: - Verification

    func verifyEmail(
        _ request: VerifyEmailRequest, _ context: CallContext
    ) async throws -> VerifyEmailReply {
        guard (1...VerificationToken.textBytesMax).contains(request.token.utf8.count) else {
            throw Denial.verificationExpired
        }
        let hash = VerificationToken.hash(of: request.token)
        let now = context.now
        let registration = try service.database.readInline {
            try $0.livingRegistration(tokenHash: hash, at: now)
        }
        try await require(request.password, of: registration, at: now)
        if let answer = registration.answer { return VerifyEmailReply(answer) }
        let destination = try await destinations.find(
            registration.customURL, for: registration.email, context)
        let newUser: UserID = service.identifiers.next()
        let newMembership: MembershipID = service.identifiers.next()
        return try await whenTargetKnown { isUnknownAccepted in
            try await service.database.write { [paths = service.paths] transaction in
                let registration = try transaction.livingRegistration(tokenHash: hash, at: now)
                if let answer = registration.answer { return VerifyEmailReply(answer) }
                let path = try destination.target.flatMap { target in
                    try transaction.path(
                        to: target.organization, paths, isUnknownAccepted, at: now)
                }
                let user = try transaction.confirm(registration, newID: newUser, at: now)
                let joined = try transaction.join(
                    user, at: destination, path, newID: newMembership, now: now)
                let answer = VerificationAnswer(user: user.id, joined: joined)
                try transaction.keep(answer, of: registration)
                try transaction.closeRegistrations(of: registration.email)
                return VerifyEmailReply(answer)
            }
        }
    }

    /// Refuses whoever does not know the password of a registration: a link that a stranger has had
    /// sent opens nothing to whom it was sent, and so nothing to the stranger.
    ///
    /// - Throws: ``Denial/wrongCredentials``, ``Denial/tooManyAttempts(retryAfter:)`` or
    ///   ``Denial/busy``.
    private func require(
        _ typed: String, of registration: RegistrationRecord, at now: WallTime
    ) async throws {
        let password = Text.normalized(typed)
        guard let hash = registration.passwordHash,
            (1...TextRules.passwordBytesMax).contains(password.utf8.count)
        else { throw Denial.wrongCredentials }
        let isRight = try await service.failures.attempt(registration.failureKey, at: now) {
            try await service.passwords.verify(password, against: hash)
        }
        guard isRight else { throw Denial.wrongCredentials }
        service.failures.succeed(registration.failureKey)
    }

    /// Runs a body that needs to know an organization, which may have gone since Organizations
    /// named it; then once more with the word that it is accepted as unknown.
    func whenTargetKnown<Value: Sendable>(
        _ body: (_ isUnknownAccepted: Bool) async throws -> Value
    ) async throws -> Value {
        do {
            return try await service.whenKnown { try await body(false) }
        } catch is OutOfScope {
            return try await body(true)
        }
    }
}

/// What somebody who signs up has typed, checked.
private struct RegistrationDraft: Sendable {
    let email: String
    let name: String
    let password: String
    let customURL: String

    init(_ request: SignUpRequest) throws {
        email = try Parse.email(request.email)
        guard MailAddress(email) != nil else {
            throw Denial.invalid(field: "email", "No mail can be sent to this address.")
        }
        name = try Parse.name(request.name)
        password = try Parse.newPassword(request.password)
        customURL = request.customURL.lowercased()
        guard customURL.utf8.count <= SignUpLimits.customURLBytesMax else {
            throw Denial.invalid(field: "custom_url", "There is no such custom URL.")
        }
    }
}

extension HourlyPace {
    /// Refuses one registration more than within the last hour may be: the same whether or not the
    /// address has an account.
    fileprivate func admit(_ email: String, at now: WallTime, in reading: some Reading) throws {
        let start = now.advanced(by: .zero - Self.period)
        let counts = try reading.registrationCounts(after: start, of: email)
        guard admits(all: counts.all, ofOne: counts.ofAddress) else {
            throw Denial.tooManySignUps(retryAfter: Self.period)
        }
    }
}

extension Reading {
    /// A registration that was verified, or may yet be.
    ///
    /// - Throws: ``Denial/verificationExpired``.
    fileprivate func livingRegistration(
        tokenHash: [UInt8], at now: WallTime
    ) throws -> RegistrationRecord {
        guard let registration = try registration(tokenHash: tokenHash),
            registration.state != .closed, now < registration.expires
        else { throw Denial.verificationExpired }
        return registration
    }
}

extension Transaction {
    /// How long somebody waits for whose mail there is no room.
    private static let roomPause: Duration = .seconds(60)

    /// Keeps a registration and writes its mail: the link, or that there is an account.
    fileprivate func register(
        _ draft: RegistrationDraft, passwordHash: String, token: String,
        _ publicAddress: PublicAddress, at now: WallTime
    ) throws {
        let hasAccount = try credentials(email: draft.email)?.passwordHash != nil
        let registration = RegistrationRecord(
            tokenHash: VerificationToken.hash(of: token), email: draft.email,
            state: hasAccount ? .closed : .open, name: hasAccount ? "" : draft.name,
            passwordHash: hasAccount ? nil : passwordHash, customURL: draft.customURL,
            created: now)
        try add(registration)
        let letter =
            hasAccount
            ? try Letter(
                subject: AccountMail.subject,
                text: AccountMail(address: publicAddress.text).text)
            : try Letter(
                subject: VerificationMail.subject,
                text: VerificationMail(link: publicAddress.verification(of: token)).text)
        guard try queue(letter, to: [draft.email], cause: registration.mailCause, at: now) else {
            throw Denial.tooManySignUps(retryAfter: Self.roomPause)
        }
    }

    /// The person of a registration: made now, or given the password and the verified address when
    /// somebody else has made the account; a password that is there stays.
    fileprivate func confirm(
        _ registration: RegistrationRecord, newID: UserID, at now: WallTime
    ) throws -> UserRecord {
        guard let known = try credentials(email: registration.email) else {
            let user = UserRecord(
                id: newID, email: registration.email, name: registration.name, created: now,
                version: 1, isEmailVerified: true)
            try add(user, passwordHash: registration.passwordHash)
            try noteSignUp(of: user.id, at: now)
            return user
        }
        if known.passwordHash == nil, let password = registration.passwordHash {
            try setPassword(of: known.user.id, hash: password)
            try noteSignUp(of: known.user.id, at: now)
        }
        try verifyEmail(of: known.user)
        return try user(known.user.id) ?? known.user
    }

    /// The path to the organization of a sign-up; nil for one that is unknown, where that is
    /// accepted.
    fileprivate func path(
        to organization: OrganizationID, _ paths: TreePaths, _ isUnknownAccepted: Bool,
        at now: WallTime
    ) throws -> TreePath? {
        do {
            return try paths.path(to: organization, in: self, on: now.day)
        } catch is UnknownNode where isUnknownAccepted {
            return nil
        }
    }
}

extension VerifyEmailReply {
    fileprivate init(_ answer: VerificationAnswer) {
        self.init(
            userID: answer.user.text, organizationID: answer.joined?.organization.text ?? "",
            organizationTitle: answer.joined?.title ?? "")
    }
}
