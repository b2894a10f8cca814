import Messages
import RPC
import Testing

@testable import Gateway

/// Signing in and out with a browser.
struct SignInPageTests {
    private static let typed: KeyValuePairs = [
        "email": "ada@example.org", "password": Guild.password,
    ]

    @Test(arguments: [
        (
            "http://gateway.test",
            "guildhall-session=\(Stage.token); Path=/; HttpOnly; SameSite=Lax"
        ),
        (
            "https://guildhall.example",
            "__Host-guildhall-session=\(Stage.token); Path=/; HttpOnly; SameSite=Lax; Secure"
        ),
    ])
    func `the session is a cookie that no script reads and no other site sends`(
        publicURL: String, cookie: String
    ) async throws {
        try await Stage.visit(publicURL: publicURL) { browser, _ in
            var browser = browser
            browser.cookie = nil
            let answer = try await browser.post("/login", Self.typed)
            browser.cookie = cookie.split(separator: ";").first.map(String.init)
            let page = try await browser.get("/console/organizations")

            #expect(answer.status == 303)
            #expect(answer.fields["set-cookie"] == cookie)
            #expect(answer.fields["location"] == "/console")
            #expect(answer.fields["cache-control"] == "no-store")
            #expect(!answer.text.contains(Stage.token))
            #expect(page.status == 200)
        }
    }

    @Test func `over HTTPS a cookie that a neighbour may have set is none`() async throws {
        try await Stage.visit(publicURL: "https://guildhall.example") { browser, _ in
            let page = try await browser.get("/console/organizations")

            #expect(page.status == 303)
            #expect(page.fields["location"]?.hasPrefix("/login") == true)
        }
    }

    @Test func `the API takes no cookie`() async throws {
        try await Stage.visit { browser, _ in
            let cookie = try await browser.get("/v1/organizations")
            let header = try await browser.http.send(
                "GET", "/v1/organizations", ["Authorization": "Bearer \(Stage.token)"])

            #expect(cookie.status == 401)
            #expect(header.status == 200)
        }
    }

    @Test func `a wrong password is told in the words of the service, and is not sent back`()
        async throws
    {
        try await Stage.visit { browser, _ in
            let answer = try await browser.post(
                "/login", ["email": "ada@example.org", "password": "secret-guess", "next": "/docs"])

            #expect(answer.status == 401)
            #expect(answer.fields["set-cookie"] == nil)
            #expect(answer.fields["www-authenticate"] == nil)
            #expect(answer.alert.contains("Email or password is wrong."))
            #expect(answer.text.contains(#"value="ada@example.org""#))
            #expect(!answer.text.contains("secret-guess"))
            #expect(try answer.hidden("next") == "/docs")
        }
    }

    @Test(arguments: [
        ("/console/organizations?q=a%20b", "/console/organizations?q=a%20b"), ("/", "/"),
        ("https://other.test/", "/console"), ("//other.test/", "/console"),
        ("/\\other.test", "/console"), ("/\t/other.test", "/console"), ("/a b", "/console"),
        ("javascript:alert(1)", "/console"), ("console", "/console"), ("", "/console"),
        ("/é", "/console"), ("/" + String(repeating: "x", count: 1_024), "/console"),
        ("/ok\r\nSet-Cookie: a=b", "/console"),
    ])
    func `whoever signs in goes on at a path of the gateway, and nowhere else`(
        next: String, place: String
    ) async throws {
        try await Stage.visit { browser, _ in
            let answer = try await browser.post(
                "/login",
                ["email": "ada@example.org", "password": Guild.password, "next": next])
            let page = try await browser.get("/login?next=\(PercentEncoding.encode(next))")

            #expect(answer.fields["location"] == place)
            #expect(!page.text.contains("other.test") && !page.text.contains("javascript"))
        }
    }

    @Test func `whoever has not signed in is led there, and back`() async throws {
        try await Stage.visit { browser, _ in
            var browser = browser
            browser.cookie = nil
            let page = try await browser.get("/console/organizations?q=x&order=title")

            #expect(page.status == 303)
            #expect(
                page.fields["location"]
                    == "/login?next=%2Fconsole%2Forganizations%3Fq%3Dx%26order%3Dtitle")
        }
    }

    @Test func `a session that has ended is told, and its cookie is taken away`() async throws {
        let guild = Guild()
        guild.with { $0.isSessionOver = true }
        try await Stage.visit(guild) { browser, guild in
            let page = try await browser.get(Guild.schoolPath)
            let form = try await browser.post(
                Guild.schoolPath + "/users",
                ["do": "add", "key": "k", "name": "<b>", "roles": "12", "roles": "11"])
            let login = try await browser.get(page.fields["location"] ?? "")

            for answer in [page, form] {
                #expect(
                    answer.fields["set-cookie"]
                        == "guildhall-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
            }
            #expect(page.status == 303)
            // What was typed is kept on the page, to be sent again with the same key.
            #expect(form.status == 401)
            #expect(form.text.contains(#"action="\#(Guild.schoolPath)/users""#))
            #expect(try form.hidden("name") == "&lt;b&gt;" && form.hidden("key") == "k")
            #expect(form.text.contains(#"name="roles" value="11""#))
            #expect(try form.hidden("roles") == "12")
            #expect(login.text.contains("Your session has ended."))
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `signing out ends the session itself`() async throws {
        try await Stage.visit { browser, guild in
            let before = try await browser.get("/console/organizations")
            let answer = try await browser.post("/logout")
            let after = try await browser.get("/console/organizations")
            let page = try await browser.get("/logout")

            #expect(before.status == 200)
            #expect(answer.status == 303)
            #expect(answer.fields["location"] == "/login?said=out")
            #expect(answer.fields["set-cookie"]?.contains("Max-Age=0") == true)
            #expect(guild.with { $0.signedOut } == [Stage.token])
            #expect(after.status == 303)
            #expect(page.status == 405)
        }
    }

    @Test(arguments: [
        ("", "/signup/organization"), ("/console", "/signup/organization"),
        ("/console/organizations", "/signup/organization"),
        (Guild.schoolPath, Guild.schoolPath),
        ("/console/organizations?q=School", "/console/organizations?q=School"),
    ])
    func `somebody who may make an organization is asked for it first, unless they come for a page`(
        next: String, place: String
    ) async throws {
        let guild = Guild()
        guild.with { $0.prompts = [.createOrganization] }
        try await Stage.visit(guild) { browser, guild in
            let typed: KeyValuePairs = [
                "email": "ada@example.org", "password": Guild.password, "next": next,
            ]
            let asked = try await browser.post("/login", typed)
            guild.with { $0.prompts = [] }
            let other = try await browser.post("/login", typed)

            #expect(asked.fields["location"] == place)
            #expect(other.fields["location"] == (next.isEmpty ? "/console" : next))
        }
    }

    @Test func `an empty list leads whoever may make an organization to it`() async throws {
        let guild = Guild()
        guild.with {
            $0.organizations = [:]
            $0.prompts = [.createOrganization]
        }
        try await Stage.visit(guild) { browser, guild in
            let asked = try await browser.get("/console/organizations")
            let search = try await browser.get("/console/organizations?q=zzz")
            guild.with { $0.prompts = [] }
            let other = try await browser.get("/console/organizations")

            let link = #"<a href="/signup/organization">"#
            #expect(asked.status == 200 && asked.text.contains(link))
            #expect(!search.text.contains(link) && !other.text.contains(link))
        }
    }

    @Test(arguments: [
        "/login", "/console/organizations", "/console/organizations/new", Guild.schoolPath,
        Guild.schoolPath + "/users", Guild.schoolPath + "/delete", "/signup", "/signup/sent",
        "/signup/verify?token=x", "/signup/organization", "/springfield",
    ])
    func `no page is kept by a cache, or runs a script`(path: String) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(path)

            #expect(page.status == 200)
            #expect(page.fields["cache-control"] == "no-store")
            #expect(page.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            #expect(page.fields["content-security-policy"]?.contains("script") == false)
            #expect(page.fields["x-content-type-options"] == "nosniff")
            #expect(!page.text.contains("<script") && !page.text.contains(" style="))
        }
    }
}
