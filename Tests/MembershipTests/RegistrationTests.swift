import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Signing up, the mail, and the link in it.
@Suite struct `Registration` {
    private static let ada = "ada@example.com"

    @Test func `nobody is a user before the link is followed, and then the password opens`()
        async throws
    {
        let hall = try SignUpHall()
        let signIn = SignInRequest(email: Self.ada, password: Sample.password)

        try await hall.signUp(" Ada@Example.com ")
        let before = await refusal { try await hall.hall.anonymous.signIn(signIn) }
        let known = try await hall.hall.database.read { try $0.user(email: Self.ada) }
        let token = try #require(try await hall.tokens(for: Self.ada).first)
        let reply = try await hall.verify(token)
        let session = try await hall.hall.anonymous.signIn(signIn)

        #expect(known == nil && before?.reason == "wrong_credentials")
        #expect(session.user?.id == reply.userID && session.user?.emailVerified == true)
        #expect(session.user?.name == "Ada" && reply.organizationID.isEmpty)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `a known address is answered alike, and only its mail says that it is known`()
        async throws
    {
        let hall = try SignUpHall()
        try await hall.join()

        try await hall.signUp(password: "another password")
        try await hall.signUp("bob@example.com")

        let mails = try await hall.mails()
        #expect(mails.map(\.receiver) == [Self.ada, Self.ada, "bob@example.com"])
        #expect(mails[1].subject == AccountMail.subject)
        #expect(!mails[1].text.contains("token=") && mails[2].text.contains("token="))
        let rows = try await hall.count("SELECT count(*) FROM registration")
        #expect(rows == 3, "each is counted")
        let signIn = SignInRequest(email: Self.ada, password: "another password")
        let refused = await refusal { try await hall.hall.anonymous.signIn(signIn) }
        #expect(refused?.reason == "wrong_credentials")
    }

    @Test func `a link is good for 24 hours, and answers the same again`() async throws {
        let hall = try SignUpHall()
        try await hall.signUp()
        try await hall.signUp("bob@example.com")
        let ada = try #require(try await hall.tokens(for: Self.ada).first)
        let bob = try #require(try await hall.tokens(for: "bob@example.com").first)

        hall.hall.clock.advance(by: .seconds(24 * 3_600 - 1))
        let first = try await hall.verify(ada)
        let again = try await hall.verify(ada)
        hall.hall.clock.advance(by: .seconds(1))
        let late = await refusal { try await hall.verify(bob) }
        let wrong = await refusal { try await hall.verify("ghv_00") }

        #expect(first == again && !first.userID.isEmpty)
        for status in [late, wrong] {
            #expect(status?.reason == "verification_expired")
            #expect(status.map(ErrorReason.httpStatus(of:)) == 410)
        }
        let users = try await hall.count("SELECT count(*) FROM user")
        #expect(users == 1)
        try await Upkeep(database: hall.hall.database).round(at: hall.hall.clock.now)
        #expect(try await hall.count("SELECT count(*) FROM registration") == 0)
        let waiting = try await hall.count("SELECT count(*) FROM mail WHERE state = 1")
        #expect(waiting == 0, "no link is sent that leads nowhere")
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `who registers the address of somebody else gains nothing`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization)

        try await hall.signUp(password: "chosen by a stranger")
        let admitted = try await hall.hall.platformOwner.addMember(
            AddMemberRequest(
                organizationID: organization.text, email: Self.ada, name: "Ada Lovelace",
                roles: [.owner]))
        let signIn = SignInRequest(email: Self.ada, password: "chosen by a stranger")
        let refused = await refusal { try await hall.hall.anonymous.signIn(signIn) }

        #expect(refused?.reason == "wrong_credentials")
        let user = try await hall.hall.database.read { try $0.user(email: Self.ada) }
        #expect(user?.id.text == admitted.userID && user?.isEmailVerified == false)
        // Neither the token nor the password is in any row but the mail that waits.
        let token = try #require(try await hall.tokens(for: Self.ada).first)
        let kept = try await hall.hall.database.read { snapshot in
            try snapshot.rows(
                "SELECT hex(token_hash), password_hash, name FROM registration LIMIT 9"
            ) { try $0.text(0) + $0.text(1) + $0.text(2) }
        }
        #expect(kept.count == 1)
        for row in kept {
            #expect(!row.lowercased().contains(token.dropFirst(4)), "only a hash is kept")
            #expect(!row.contains("chosen by a stranger") && row.contains("$argon2id$"))
        }
        let mail = try #require(try await hall.mails().first)
        #expect(!mail.text.contains("Ada") && mail.text.contains("do not follow the link"))

        // The person follows the link that the stranger has had sent.
        let followed = await refusal { try await hall.verify(token) }
        let opened = await refusal { try await hall.hall.anonymous.signIn(signIn) }
        try await hall.signUp(password: "chosen by the person")
        let own = try #require(try await hall.tokens(for: Self.ada).last)
        let reply = try await hall.verify(own, password: "chosen by the person")
        let closed = await refusal {
            try await hall.verify(token, password: "chosen by a stranger")
        }
        let late = await refusal { try await hall.hall.anonymous.signIn(signIn) }
        let session = try await hall.hall.anonymous.signIn(
            SignInRequest(email: Self.ada, password: "chosen by the person"))

        for status in [followed, opened, late] { #expect(status?.reason == "wrong_credentials") }
        #expect(closed?.reason == "verification_expired")
        #expect(reply.userID == admitted.userID && session.user?.id == admitted.userID)
        #expect(reply.organizationID == organization.text)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `a link opens nothing without the password of its registration`() async throws {
        let hall = try SignUpHall()
        try await hall.signUp()
        let token = try #require(try await hall.tokens(for: Self.ada).first)

        for password in ["", "another password", String(repeating: "a", count: 257)] {
            let wrong = await refusal { try await hall.verify(token, password: password) }
            #expect(wrong?.reason == "wrong_credentials")
            #expect(wrong.map(ErrorReason.httpStatus(of:)) == 401)
        }
        let users = try await hall.count("SELECT count(*) FROM user")
        let first = try await hall.verify(token)
        let again = try await hall.verify(token)
        let wrong = await refusal { try await hall.verify(token, password: "another password") }

        #expect(users == 0 && hall.registry.questions.count == 1, "nobody is made or asked about")
        #expect(first == again && wrong?.reason == "wrong_credentials")
    }

    @Test func `who guesses the password of a registration waits, and nobody else does`()
        async throws
    {
        let hall = try SignUpHall()
        for email in [Self.ada, "bob@example.com"] { try await hall.signUp(email) }
        let ada = try #require(try await hall.tokens(for: Self.ada).first)
        for _ in 1...SignInFailures.freeFailures {
            let wrong = await refusal { try await hall.verify(ada, password: "another password") }
            #expect(wrong?.reason == "wrong_credentials")
        }

        let early = await refusal { try await hall.verify(ada) }
        let account = await refusal {
            try await hall.hall.anonymous.signIn(
                SignInRequest(email: Self.ada, password: Sample.password))
        }
        let bob = try #require(try await hall.tokens(for: "bob@example.com").first)
        try await hall.verify(bob)
        hall.hall.clock.advance(by: .seconds(1))
        try await hall.verify(ada)

        #expect(early?.reason == "busy" && account?.reason == "wrong_credentials")
    }

    @Test func `the links of an address stay open, and five sign-ups an hour are taken`()
        async throws
    {
        let hall = try SignUpHall()
        for _ in 1...5 {
            try await hall.signUp()
            hall.hall.clock.advance(by: .seconds(1))
        }

        let sixth = await refusal { try await hall.signUp() }
        try await hall.signUp("bob@example.com")
        let tokens = try await hall.tokens(for: Self.ada)
        let open = try await hall.count("SELECT count(*) FROM registration WHERE state = 1")
        let first = try await hall.verify(tokens[0])
        for other in tokens.dropFirst() {
            let refused = await refusal { try await hall.verify(other) }
            #expect(refused?.reason == "verification_expired", "one link is enough")
        }

        #expect(sixth?.reason == "busy" && open == 6 && !first.userID.isEmpty)
        hall.hall.clock.advance(by: HourlyPace.period)
        try await hall.signUp()
        #expect(try await hall.mails().last?.subject == AccountMail.subject)
    }

    @Test func `an address that has an account is limited like any other`() async throws {
        let hall = try SignUpHall(pace: HourlyPace(allMax: 4, ofOneMax: 2))
        try await hall.join()
        try await hall.signUp()

        let third = await refusal { try await hall.signUp() }
        for name in ["bob", "cleo"] { try await hall.signUp("\(name)@example.com") }
        let fifth = await refusal { try await hall.signUp("dan@example.com") }

        #expect(third?.reason == "busy" && fifth?.reason == "busy")
    }

    @Test func `the time tells nothing either`() async throws {
        let hall = try SignUpHall(pace: HourlyPace(allMax: 1_000, ofOneMax: 1_000))
        try await hall.join()
        func shortest(_ email: String) async throws -> Duration {
            var shortest: Duration = .seconds(60)
            for _ in 1...7 {
                let start = ContinuousClock.now
                try await hall.signUp(email)
                shortest = min(shortest, start.duration(to: .now))
            }
            return shortest
        }

        let known = try await shortest(Self.ada)
        let unknown = try await shortest("bob@example.com")

        // The hash of the password is nearly all of it.
        #expect(known > unknown / 2 && unknown > known / 2, "\(known) and \(unknown)")
    }

    @Test func `the same key is one registration, and says nothing to others`() async throws {
        let hall = try SignUpHall()

        try await hall.signUp(key: "one")
        try await hall.signUp(key: "one")
        let other = await refusal { try await hall.signUp(password: "another one", key: "one") }
        try await hall.signUp("bob@example.com", key: "one")

        #expect(other?.reason == "idempotency_mismatch")
        let receivers = try await hall.mails().map(\.receiver)
        #expect(receivers == [Self.ada, "bob@example.com"])
    }

    @Test(arguments: [
        (SignUpRequest(email: "ada", password: Sample.password, name: "Ada"), "email"),
        (SignUpRequest(email: "ä@example.com", password: Sample.password, name: "Ada"), "email"),
        (SignUpRequest(email: "ada@example.com", password: "short", name: "Ada"), "password"),
        (SignUpRequest(email: "ada@example.com", password: Sample.password, name: " "), "name"),
        (
            SignUpRequest(
                email: "ada@example.com", password: Sample.password, name: "Ada",
                customURL: String(repeating: "a", count: 101)), "custom_url"
        ),
    ])
    func `what is wrong is named, and nothing is kept`(
        request: SignUpRequest, field: String
    ) async throws {
        let hall = try SignUpHall()

        let status = try #require(await refusal { try await hall.visitor.signUp(request) })

        let fields = status.details.flatMap { detail -> [String] in
            if case .badRequest(let violations) = detail { violations.map(\.field) } else { [] }
        }
        #expect(fields == [field])
        #expect(try await hall.mails().isEmpty)
        #expect(try await hall.count("SELECT count(*) FROM registration") == 0)
    }

    @Test(arguments: [ErrorReason.customURLDisabled, .customURLReleased, .notFound])
    func `a custom URL that leads nowhere is refused as whoever resolves it is`(
        reason: ErrorReason
    ) async throws {
        let hall = try SignUpHall()
        hall.registry.refuse(with: .refusal(reason, "It leads nowhere."))

        let status = await refusal { try await hall.signUp(customURL: "Springfield") }

        #expect(status?.reason == reason.rawValue)
        #expect(hall.registry.questions.map(\.customURL) == ["springfield"])
        #expect(try await hall.mails().isEmpty)
    }

    @Test func `an account that somebody else made gets the password, unless it has one`()
        async throws
    {
        let hall = try SignUpHall()
        for (name, password) in [("bob", ""), ("cleo", "the first password")] {
            let email = "\(name)@example.com"
            try await hall.signUp(email)
            _ = try await hall.hall.platformOwner.createUser(
                CreateUserRequest(email: email, name: name, password: password))
            let token = try #require(try await hall.tokens(for: email).first)
            let reply = try await hall.verify(token)
            let session = try await hall.hall.anonymous.signIn(
                SignInRequest(
                    email: email, password: password.isEmpty ? Sample.password : password))
            #expect(session.user?.id == reply.userID)
            #expect(session.user?.name == name && session.user?.emailVerified == true)
        }
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `a link that is followed often at once makes one account`() async throws {
        let hall = try SignUpHall()
        try await hall.signUp()
        let token = try #require(try await hall.tokens(for: Self.ada).first)

        let replies = try await withThrowingTaskGroup(of: VerifyEmailReply.self) { group in
            // As many as may be judged at once.
            for _ in 1...SignInFailures.freeFailures {
                group.addTask { try await hall.verify(token) }
            }
            return try await group.reduce(into: Set<VerifyEmailReply>()) { $0.insert($1) }
        }

        #expect(replies.count == 1)
        #expect(try await hall.count("SELECT count(*) FROM user") == 1)
    }
}

extension SignUpHall {
    /// What a query counts.
    func count(_ query: SQL) async throws -> Int {
        try await hall.database.read { try $0.row(query) { try $0.int(0) } } ?? 0
    }
}
