import Access
import Crypto
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

@Suite struct `signing in` {
    private func hallWithAda() async throws -> (hall: Hall, ada: User) {
        let hall = try Hall()
        let ada = try await hall.platformOwner.createUser(
            CreateUserRequest(
                email: "Ada@example.com", name: "Ada Lovelace", password: Sample.password))
        return (hall, ada)
    }

    private func signIn(
        _ hall: Hall, _ password: String = Sample.password, email: String = "ada@example.com"
    ) async throws -> Session {
        try await hall.anonymous.signIn(SignInRequest(email: email, password: password))
    }

    private func owner(of token: String, _ hall: Hall) async throws -> AuthenticateReply {
        try await hall.service("gateway").authenticate(AuthenticateRequest(token: token))
    }

    @Test func `the right password opens a session that tells who it is`() async throws {
        let (hall, ada) = try await hallWithAda()

        let session = try await signIn(hall, email: " ADA@Example.com ")
        let reply = try await owner(of: session.token, hall)

        #expect(session.user == ada)
        #expect(reply.userID == ada.id)
        #expect(reply.grants.isEmpty)
        let other = try await signIn(hall)
        #expect(session.token != other.token)
        #expect(session.token.utf8.count >= 64)
    }

    @Test(arguments: [
        ("ada@example.com", "wrong password"), ("ada@example.com", ""),
        ("nobody@example.com", Sample.password), ("", ""), ("no address", Sample.password),
        ("ada@example.com", String(repeating: "a", count: 300)),
    ])
    func `anything else is refused in the same words`(email: String, password: String) async throws
    {
        let (hall, _) = try await hallWithAda()

        let refused = await refusal { try await signIn(hall, password, email: email) }

        #expect(refused?.code == .unauthenticated)
        #expect(refused?.reason == "wrong_credentials")
        #expect(refused?.message == "The email address or the password is wrong.")
    }

    @Test func `who has no password cannot sign in`() async throws {
        let (hall, _) = try await hallWithAda()
        _ = try await hall.platformOwner.createUser(
            CreateUserRequest(email: "grace@example.com", name: "Grace"))

        let refused = await refusal { try await signIn(hall, "", email: "grace@example.com") }
        let other = await refusal {
            try await signIn(hall, Sample.password, email: "grace@example.com")
        }

        #expect(refused?.reason == "wrong_credentials")
        #expect(other?.reason == "wrong_credentials")
    }

    @Test func `after five failures the next attempt waits, and then may succeed`() async throws {
        let (hall, _) = try await hallWithAda()
        for _ in 0..<5 {
            #expect(await refusal { try await signIn(hall, "wrong one") }?.code == .unauthenticated)
        }

        let early = await refusal { try await signIn(hall) }
        hall.clock.advance(by: .seconds(1))

        #expect(early?.code == .resourceExhausted)
        #expect(early?.details.contains(.retryInfo(delay: .seconds(1))) == true)
        _ = try await signIn(hall)
        #expect(await refusal { try await signIn(hall, "wrong one") }?.code == .unauthenticated)
    }

    @Test func `a session ends half an hour after its last use`() async throws {
        let (hall, _) = try await hallWithAda()
        let token = try await signIn(hall).token
        for _ in 0..<3 {
            hall.clock.advance(by: .seconds(29 * 60))
            _ = try await owner(of: token, hall)
        }

        hall.clock.advance(by: .seconds(30 * 60))

        #expect(await refusal { try await owner(of: token, hall) }?.code == .unauthenticated)
    }

    @Test func `a session ends after twelve hours whatever its use`() async throws {
        let (hall, _) = try await hallWithAda()
        let session = try await signIn(hall)
        for _ in 0..<47 {
            hall.clock.advance(by: .seconds(15 * 60))
            _ = try await owner(of: session.token, hall)
        }

        hall.clock.advance(by: .seconds(15 * 60))

        #expect(session.expiresAt == Timestamp(hall.clock.now))
        #expect(
            await refusal { try await owner(of: session.token, hall) }?.code == .unauthenticated)
    }

    @Test func `a full disk does not lock out who is signed in`() async throws {
        let (hall, ada) = try await hallWithAda()
        let token = try await signIn(hall).token
        hall.database.close()
        let full = try Hall(after: hall, freeBytesMin: .max)
        full.clock.advance(by: .seconds(5 * 60))

        let reply = try await owner(of: token, full)

        #expect(reply.userID == ada.id)
        await #expect(throws: StorageFault.self) { try await full.person() }
    }

    @Test func `attempts that nobody judged do not count`() async throws {
        let table = SignInFailureTable()
        let now = WallTime(microseconds: 0)
        for _ in 0..<20 {
            await #expect(throws: Denial.busy) {
                try await table.attempt("ada", at: now) { throw Denial.busy }
            }
        }

        #expect(try await table.attempt("ada", at: now) { false } == false)
        for _ in 0..<4 { _ = try await table.attempt("ada", at: now) { false } }
        await #expect(throws: Denial.tooManyAttempts(retryAfter: .seconds(1))) {
            try await table.attempt("ada", at: now) { true }
        }
    }

    @Test func `signing out ends the session, once and for all`() async throws {
        let (hall, _) = try await hallWithAda()
        let token = try await signIn(hall).token

        _ = try await hall.anonymous.signOut(SignOutRequest(token: token))
        _ = try await hall.anonymous.signOut(SignOutRequest(token: token))

        #expect(await refusal { try await owner(of: token, hall) }?.code == .unauthenticated)
    }

    @Test func `neither tokens nor passwords are in the database`() async throws {
        let (hall, _) = try await hallWithAda()
        let token = try await signIn(hall).token

        let (hashes, stored) = try await hall.database.read { snapshot in
            (
                try snapshot.rows("SELECT token_hash FROM session") { try $0.bytes(0) },
                try snapshot.rows("SELECT password_hash FROM user") { try $0.textOrNil(0) }
            )
        }

        #expect(hashes == [SessionToken.hash(of: token)])
        #expect(stored.first??.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$") == true)
    }

    @Test func `only the gateway may ask whose a token is`() async throws {
        let (hall, _) = try await hallWithAda()
        let token = try await signIn(hall).token
        let request = AuthenticateRequest(token: token)

        #expect(
            await refusal { try await hall.platformOwner.authenticate(request) }?.code
                == .permissionDenied)
        #expect(
            await refusal { try await hall.service("partners").authenticate(request) }?.code
                == .permissionDenied)
        #expect(
            await refusal { try await hall.anonymous.authenticate(request) }?.code
                == .unauthenticated)
    }

    @Test func `roles come from active memberships, those of paused organizations last`()
        async throws
    {
        let (hall, ada) = try await hallWithAda()
        let id = try #require(UserID(text: ada.id))
        let school = try await hall.organization()
        let college = try await hall.organization()
        let closed = try await hall.organization()
        try await hall.admit(id, to: school, as: [.teacher, .manager])
        try await hall.admit(id, to: college)
        try await hall.admit(id, to: closed, as: [.owner])
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: college.text, userID: ada.id))
        try await hall.organization(closed, status: .inactive)
        let token = try await signIn(hall).token

        let grants = try await owner(of: token, hall).grants
        let me = try await hall.acting(id, []).getMe(GetMeRequest())

        #expect(
            grants == [
                Messages.Grant(role: .manager, organizationID: school.text),
                Messages.Grant(role: .teacher, organizationID: school.text),
                Messages.Grant(role: .owner, organizationID: closed.text),
            ])
        #expect(me.user == ada)
        #expect(me.grants == grants)
        #expect(Set(me.memberships.map(\.organizationID)) == [school.text, closed.text])
    }

    @Test func `the first platform owner is made once`() async throws {
        let hall = try Hall()
        let first = FirstOwner(
            database: hall.database, passwords: Passwords(), identifiers: hall.identifiers,
            random: { Array(repeating: 7, count: $0) })

        let line = try await first.ensure(
            email: "Owner@example.com", password: nil, at: hall.clock.now)
        let again = try await first.ensure(
            email: "other@example.com", password: nil, at: hall.clock.now)

        let words = try #require(line).split(separator: " ").map(String.init)
        #expect(words[0...1] == ["owner", "owner@example.com"])
        #expect(again == nil)
        let token = try await signIn(hall, words[2], email: words[1]).token
        #expect(try await owner(of: token, hall).grants.map(\.role) == [.platformOwner])
        let user = try await hall.database.read { try $0.user(email: "owner@example.com") }
        #expect(user?.isEmailVerified == true)
        // The platform's own people count in no organization: no email mask takes them in.
        #expect(try await hall.unaffiliated(of: "example.com").isEmpty)
    }

    @Test func `somebody who is there becomes the first owner, with an address that is theirs`()
        async throws
    {
        let hall = try Hall()
        let ada = try await hall.person(isVerified: false)
        let first = FirstOwner(
            database: hall.database, passwords: Passwords(), identifiers: hall.identifiers,
            random: { Array(repeating: 7, count: $0) })

        _ = try await first.ensure(
            email: "\(ada.text)@example.com", password: Sample.password, at: hall.clock.now)

        let user = try await hall.platformOwner.getUser(GetUserRequest(id: ada.text))
        #expect(user.emailVerified)
        #expect(user.version == 2)
        #expect(try await hall.unaffiliated(of: "example.com").isEmpty)
        #expect(try await hall.differences() == [])
    }

    @Test func `a given password is not printed`() async throws {
        let hall = try Hall()
        let first = FirstOwner(
            database: hall.database, passwords: Passwords(), identifiers: hall.identifiers,
            random: { Array(repeating: 7, count: $0) })

        let line = try await first.ensure(
            email: "owner@example.com", password: Sample.password, at: hall.clock.now)

        #expect(line == nil)
        _ = try await signIn(hall, email: "owner@example.com")
    }
}

@Suite struct `users` {
    @Test func `what is kept of a request with a password cannot be tried out without the key`()
        async throws
    {
        let hall = try Hall()
        let request = CreateUserRequest(
            email: "ada@example.com", name: "Ada", password: Sample.password)
        var other = request
        other.password = "battery horse correct"
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = "one"
        let client = hall.acting(.platformOwner)

        let first = try await client.createUser(request, options: options)
        let again = try await client.createUser(request, options: options)
        let mismatch = await refusal { try await client.createUser(other, options: options) }

        #expect(again == first)
        #expect(mismatch?.reason == "idempotency_mismatch")
        let digests = try await hall.database.read { snapshot in
            try snapshot.rows("SELECT request_digest FROM storage_reply") { try $0.bytes(0) }
        }
        #expect(digests.count == 1)
        #expect(!digests.contains(Array(SHA256.hash(data: request.encoded()))))
    }

    @Test func `an address belongs to one person, however it is written`() async throws {
        let hall = try Hall()
        let client = hall.platformOwner
        _ = try await client.createUser(
            CreateUserRequest(email: "ren\u{E9}@example.com", name: "René"))

        let twin = await refusal {
            try await client.createUser(
                CreateUserRequest(email: "Rene\u{301}@EXAMPLE.com", name: "René"))
        }

        #expect(twin?.code == .alreadyExists)
        #expect(twin?.reason == "email_taken")
    }

    @Test func `they are made by those who may, and seen by those who look after them`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        let request = GetUserRequest(id: ada.text)

        #expect(
            await refusal {
                try await hall.acting(.manager, at: school).createUser(
                    CreateUserRequest(email: "a@example.com", name: "A"))
            }?.code == .permissionDenied)
        #expect(try await hall.acting(.userAdmin, at: school).getUser(request).id == ada.text)
        #expect(try await hall.acting(ada, []).getUser(request).id == ada.text)
        #expect(
            await refusal { try await hall.acting(.student, at: school).getUser(request) }?.code
                == .notFound)
    }
}
