import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The pages by which people come by themselves.
struct SignUpPageTests {
    @Test func `whoever registers is told to look into the mail`() async throws {
        try await Stage.visit { browser, guild in
            var browser = browser
            browser.cookie = nil
            let page = try await browser.get("/signup?at=springfield")
            let refused = try await browser.post(
                "/signup", ["email": "a@b.org", "name": "Ada", "password": "short"])
            let answer = try await browser.post(
                "/signup",
                [
                    "email": " a@b.org ", "name": "Ada", "password": "long enough",
                    "at": "springfield",
                ])
            let sent = try await browser.get(answer.fields["location"] ?? "")

            #expect(page.text.contains("You come by <strong>springfield</strong>; if it takes"))
            #expect(!page.text.contains("without it"))
            #expect(try page.hidden("at") == "springfield")
            #expect(refused.status == 422)
            #expect(refused.text.contains(#"id="password-fault">At least 8 characters.</p>"#))
            #expect(!refused.text.contains(#"value="short""#))
            #expect(answer.status == 303)
            #expect(sent.text.contains("<h1>Look into your mail</h1>"))
            #expect(
                guild.with { $0.signUp }
                    == SignUpRequest(
                        email: "a@b.org", password: "long enough", name: "Ada",
                        customURL: "springfield"))
        }
    }

    @Test func `whoever is refused at a custom URL may come without it`() async throws {
        try await Stage.visit { browser, _ in
            var browser = browser
            browser.cookie = nil
            let typed: KeyValuePairs = ["email": "a@b.org", "name": "Ada", "password": "short"]
            let alone = try await browser.post("/signup", typed)
            let there = try await browser.post("/signup?at=springfield", typed)
            let refused = try await browser.post(
                "/signup", ["email": "a@b.org", "password": "short", "at": "springfield"])

            let link = #"<a href="/signup">Create an account without it</a>"#
            #expect([alone, there, refused].map(\.status) == [422, 422, 422])
            #expect(refused.text.contains(link))
            // Only the form itself says by which custom URL somebody comes.
            #expect(!alone.text.contains(link) && !there.text.contains(link))
        }
    }

    @Test func `a custom URL that can be none is not shown`() async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get("/signup?at=%3Cb%3E")

            #expect(!page.text.contains("You come by"))
            #expect(!page.text.contains(#"name="at""#))
        }
    }

    @Test func `following the link of a mail changes nothing, its button does`() async throws {
        try await Stage.visit { browser, guild in
            var browser = browser
            browser.cookie = nil
            let page = try await browser.get("/signup/verify?token=good")
            let untouched = guild.changes
            let key = try page.hidden("key")
            let form: KeyValuePairs = ["token": "good", "key": key, "password": Guild.password]
            let answer = try await browser.post("/signup/verify", form)
            let again = try await browser.post("/signup/verify", form)
            let old = try await browser.post("/signup/verify", ["token": "old"])

            #expect(try page.hidden("token") == "good")
            #expect(page.fields["referrer-policy"] == "same-origin")
            #expect(untouched.isEmpty)
            #expect(answer.status == 200 && again.status == 200)
            #expect(answer.text.contains("You belong to <strong>School &lt;b&gt;</strong> now."))
            #expect(guild.changes == ["verify"])
            #expect(old.status == 410)
            #expect(old.alert.contains("This link is no longer good."))
        }
    }

    @Test(arguments: ["", "another password"])
    func `whoever follows the link without its password confirms nothing`(
        password: String
    ) async throws {
        try await Stage.visit { browser, guild in
            var browser = browser
            browser.cookie = nil
            let wrong = try await browser.post(
                "/signup/verify", ["token": "good", "password": password])
            let right = try await browser.post(
                "/signup/verify", ["token": wrong.hidden("token"), "password": Guild.password])

            let sentence = "This is not the password that you chose."
            #expect(wrong.status == 401)
            #expect(wrong.text.contains("The password that you chose"))
            #expect(wrong.text.contains(#"id="password-fault">\#(sentence)</p>"#))
            #expect(wrong.alert.contains(##"<a href="#password">"##))
            #expect(!wrong.alert.contains("The email address"))
            #expect(!wrong.text.contains(#"value="another password""#))
            #expect(right.status == 200 && guild.changes == ["verify"])
        }
    }

    @Test func `somebody who signed up makes their organization, once`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.prompts = [.createOrganization] }
            var stranger = browser
            stranger.cookie = nil
            let login = try await stranger.get("/signup/organization")
            let key = try await browser.get("/signup/organization").hidden("key")
            for _ in 1...2 {
                let answer = try await browser.post(
                    "/signup/organization",
                    ["key": key, "title": "Mine", "reference": "For courses"])
                #expect(answer.fields["location"] == Guild.schoolPath + "?done=created")
            }
            guild.with {
                $0.refusal = Status.refusal(
                    .orgCreationClosed, "If you require more than one Organization, contact us")
            }
            let closed = try await browser.post("/signup/organization", ["title": "Second"])

            #expect(login.fields["location"] == "/login?next=%2Fsignup%2Forganization")
            #expect(guild.changes == ["found Mine: For courses"])
            let founded = try await browser.get(Guild.schoolPath + "?done=created")
            #expect(founded.text.contains("Services and PLS</a>"))
            #expect(closed.status == 403)
            #expect(closed.alert.contains("If you require more than one Organization, contact us"))
            #expect(closed.text.contains(#"value="Second""#))
        }
    }

    @Test func `whoever may make no organization is told so, and led on`() async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get("/signup/organization")

            #expect(page.status == 200)
            #expect(page.text.contains("You cannot make an organization of your own here."))
            #expect(page.text.contains(#"<a href="/contact">contact us</a>"#))
            #expect(page.text.contains(#"<a href="/console">Go to the console</a>"#))
            #expect(!page.text.contains("<form"))
        }
    }

    @Test func `a custom URL is a page with the ways in`() async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.http.send("GET", "/springfield")

            #expect(page.status == 200)
            #expect(page.text.contains("<h1>springfield</h1>"))
            #expect(page.text.contains(#"href="/login""#))
            #expect(page.text.contains(#"href="/signup?at=springfield""#))
            #expect(page.text.contains("if it takes people in, you join it."))
            #expect(page.text.contains(#"href="/contact?organization=springfield""#))
        }
    }

    @Test(arguments: [
        ("/nobody", 404, "There is nothing here"), ("/shut", 410, "This is no longer here"),
        ("/UPPER", 404, "There is nothing here"), ("/a/b", 404, "There is nothing here"),
    ])
    func `what is no custom URL is told on a page, and to programs in JSON`(
        path: String, status: Int, heading: String
    ) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.http.send("GET", path, ["Accept": "text/html,*/*;q=0.8"])
            let json = try await browser.http.send("GET", path)

            #expect(page.status == status)
            #expect(page.text.contains("<h1>\(heading)</h1>"))
            #expect(json.status == status)
            #expect(try json.text("code") == (status == 410 ? "custom_url_disabled" : "not_found"))
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `in a browser the pages work without scripts, on a narrow screen, for everybody`()
        async throws
    {
        let guild = Guild()
        guild.with { state in
            state.nextPage = "next"
            state.members = [
                Member(
                    userID: "u-1", email: "ada.with.a.long.address@springfield-district.example",
                    name: "Ada", roles: [.owner, .teacher], state: .active, takesSeat: true),
                Member(userID: "u-2", email: "bob@springfield.example", state: .blocked),
            ]
            state.urls = [
                CustomUrl(slug: "springfield", state: .enabled),
                CustomUrl(
                    slug: "a-custom-url-that-is-as-long-as-it-may-be", state: .disabled),
                CustomUrl(slug: "gone", state: .released),
            ]
            state.masks = [
                EmailMask(
                    value: "*.springfield-district.example", state: .pendingVerification,
                    challenge: "guildhall-challenge=0123456789abcdef0123456789abcdef",
                    challengeName: "_guildhall-challenge.springfield-district.example"),
                EmailMask(value: "b.example", mode: .allow, state: .active),
            ]
            state.prompts = [.createOrganization]
        }
        try await Stage.visit(guild) { browser, _ in
            let said = try await Python.run(
                "use_sign_up_pages.py", "http://127.0.0.1:\(browser.http.port)", Guild.password,
                Guild.schoolPath)

            #expect(said == "the pages can be used\n")
        }
        #expect(guild.changes == ["sign up", "verify", "found Ada’s school: "])
    }
}
