import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What programs have to do with an organization, in the console: API keys and hooks.
struct ConsoleProgramTests {
    private static let path = ConsoleTab.programs.path(of: Guild.school)
    private static let keyPath = path + "/keys/\(Guild.key)/delete"
    private static let hookPath = path + "/hooks/\(Guild.hook)"

    // MARK: API keys

    @Test func `keys and hooks are listed`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.status == 200)
            #expect(page.text.contains(#"<span class="name">Timetable</span>"#))
            #expect(page.text.contains("<code>ghk_abcd…</code> made on 2026-11-30"))
            #expect(page.text.contains("2027-01-15, 08:00 UTC"))
            #expect(page.text.contains("2026-11-30, 01:54 UTC"))
            #expect(page.text.contains(#"href="\#(Self.keyPath)""#))
            #expect(page.text.contains(#"href="\#(Self.hookPath)">https://b.org/in</a>"#))
        }
    }

    @Test func `the secret of a key is on the answer that made it, and nowhere else`() async throws
    {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.path)
            let form: KeyValuePairs<String, String> = [
                "do": "key", "key": try page.hidden("key"), "name": "CI <b>", "role": "10",
                "expiresAt": " 2030-01-31 ",
            ]
            let made = try await browser.post(Self.path, form)
            let again = try await browser.post(Self.path, form)
            let asked = guild.with { $0.askedKey }

            #expect(made.status == 200 && again.status == 200)
            for answer in [made, again] {
                #expect(answer.text.contains("<code>\(Guild.keySecret)</code>"))
                #expect(answer.fields["cache-control"] == "no-store")
                #expect(answer.fields["location"] == nil)
            }
            #expect(made.text.contains("CI &lt;b&gt;") && !made.text.contains("<b>"))
            #expect(made.text.contains("<dt>Expires</dt><dd>2030-01-31</dd>"))
            // Two clicks make one key.
            #expect(guild.changes == ["make key CI <b>"])
            #expect(asked.role == .userAdmin && asked.organizationID == Guild.school)
            // The last day counts to its end.
            #expect(asked.expiresAt == Timestamp(seconds: 1_896_134_400))
            for path in [Self.path, Self.keyPath, Guild.schoolPath] {
                #expect(try await !browser.get(path).text.contains(Guild.keySecret), "\(path)")
            }
        }
    }

    @Test func `a key that is refused is made later, with what was typed`() async throws {
        try await Stage.visit { browser, guild in
            let nameless = try await browser.post(
                Self.path, ["do": "key", "key": "k", "role": "11", "expiresAt": "2030-01-31"])
            let day = try await browser.post(
                Self.path, ["do": "key", "name": "CI", "role": "11", "expiresAt": "2030-02-30"])

            #expect(nameless.status == 422)
            #expect(nameless.alert.contains("The API key was not made yet"))
            #expect(nameless.text.contains(#"id="name-fault">A name is needed.</p>"#))
            #expect(nameless.text.contains(#"<option value="11" selected>Teacher</option>"#))
            #expect(nameless.text.contains(#"value="2030-01-31""#))
            #expect(try nameless.hidden("key") != "k")
            #expect(day.status == 422)
            #expect(day.text.contains(#"id="expiresAt-fault">A day such as 2030-01-31"#))
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `a key is offered the roles that its maker may give`() async throws {
        let guild = Guild.withPrograms()
        guild.with {
            $0.grants = [Messages.Grant(role: .orgAdmin, organizationID: Guild.school)]
            $0.keys[0].grant = Messages.Grant(role: .owner, organizationID: Guild.school)
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.text.contains(#"<option value="7">Administrator</option>"#))
            #expect(!page.text.contains(#"<option value="6">Owner</option>"#))
            // Nor is the key of an owner to be ended by somebody else.
            #expect(page.text.contains("Timetable") && !page.text.contains(Self.keyPath))
        }
    }

    @Test func `a key is deleted after a question`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, guild in
            let question = try await browser.get(Self.keyPath)
            let before = guild.changes
            let form: KeyValuePairs = ["key": try question.hidden("key")]
            let deleted = try await browser.post(Self.keyPath, form)
            let again = try await browser.post(Self.keyPath, form)
            let page = try await browser.get(deleted.fields["location"] ?? "")
            let gone = try await browser.get(Self.keyPath)

            #expect(question.text.contains("<h1>Delete the API key Timetable?</h1>"))
            #expect(question.text.contains(#"<a href="\#(Self.path)">Keep it</a>"#))
            #expect(before.isEmpty && guild.changes == ["delete key \(Guild.key)"])
            #expect(deleted.status == 303 && again.status == 303)
            #expect(page.text.contains("The API key is deleted."))
            #expect(page.text.contains("There are no API keys."))
            #expect(gone.status == 404)
        }
    }

    @Test func `a key that is deleted is good for nothing at once`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, _ in
            func status() async throws -> Int {
                let path = "/v1/organizations/\(Guild.school)"
                let program = ["Authorization": "Bearer \(Guild.keySecret)"]
                return try await browser.http.send("GET", path, program).status
            }
            let before = try await status()
            _ = try await browser.post(Self.keyPath)
            let after = try await status()

            #expect(before == 200 && after == 401)
        }
    }

    // MARK: Hooks

    @Test func `the secret of a hook is on the answer that made it, and nowhere else`()
        async throws
    {
        try await Stage.visit { browser, guild in
            let form: KeyValuePairs = [
                "do": "hook", "key": "k", "url": " https://b.org/in?a=1&b=<b> ", "kinds": "1",
                "kinds": "4",
            ]
            let made = try await browser.post(Self.path, form)
            let again = try await browser.post(Self.path, form)

            #expect([made.status, again.status] == [200, 200])
            #expect(made.text.contains("<code>\(Guild.hookSecret)</code>"))
            #expect(made.fields["cache-control"] == "no-store")
            #expect(made.text.contains("https://b.org/in?a=1&amp;b=&lt;b&gt;"))
            #expect(!made.text.contains("<b>"))
            #expect(made.text.contains(#"href="\#(Self.hookPath)""#))
            #expect(guild.changes == ["hook https://b.org/in?a=1&b=<b>"])
            #expect(
                guild.with { $0.hooks[0].kinds } == [.organizationCreated, .organizationRestored])
            for path in [Self.path, Self.hookPath] {
                #expect(try await !browser.get(path).text.contains(Guild.hookSecret), "\(path)")
            }
        }
    }

    @Test func `an address that is refused is told at its field, what was typed stays`()
        async throws
    {
        try await Stage.visit { browser, _ in
            let refused = try await browser.post(
                Self.path, ["do": "hook", "url": "http://b.org", "kinds": "2"])

            #expect(refused.status == 422)
            #expect(refused.alert.contains(##"<a href="#url">Address</a>"##))
            #expect(refused.text.contains(#"id="url-fault">The address must begin with"#))
            #expect(refused.text.contains(#"value="http://b.org""#))
            #expect(refused.text.contains(#"name="kinds" value="2" checked"#))
        }
    }

    @Test func `only what was changed of a hook is sent, with its version`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, guild in
            let page = try await browser.get(Self.hookPath)
            let same = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h0", "url": "https://b.org/in",
                    "was.url": try page.hidden("was.url"), "kinds": "1",
                    "was.kinds": try page.hidden("was.kinds"),
                ])
            let wrong = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h1", "url": "b.org", "was.url": "https://b.org/in",
                    "kinds": "1", "was.kinds": "1",
                ])
            let saved = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h1", "url": "https://b.org/in",
                    "was.url": "https://b.org/in", "was.kinds": "1", "key": "2",
                ])
            let everything = try await browser.get(saved.fields["location"] ?? "")

            #expect(page.text.contains(#"name="kinds" value="1" checked"#))
            #expect(same.status == 303)
            #expect(wrong.status == 422)
            #expect(wrong.text.contains(#"id="url-fault">The address must begin with"#))
            #expect(wrong.text.contains(#"value="b.org""#))
            #expect(guild.changes == ["update hook: kinds"])
            #expect(everything.text.contains("Your changes are saved."))
            #expect(guild.with { $0.hooks[0].kinds } == [])
        }
    }

    @Test func `a hook that somebody else has changed is told, and nothing is lost`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, guild in
            guild.with { state in
                (state.hooks[0].kinds, state.hooks[0].etag) = ([.organizationUpdated], "h2")
            }
            let stale = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h1", "url": "https://b.org/new",
                    "was.url": "https://b.org/in", "kinds": "1", "was.kinds": "1",
                ])
            let off = try await browser.post(
                Self.hookPath, ["do": "off", "etag": "h1", "key": "2"])

            #expect(stale.status == 412 && off.status == 412 && guild.changes.isEmpty)
            #expect(stale.alert.contains("It was changed meanwhile"))
            #expect(stale.alert.contains(##"<a href="#url">Address</a>: now https://b.org/in"##))
            #expect(!stale.alert.contains("What it is told"))
            #expect(stale.text.contains(#"value="https://b.org/new""#))
            #expect(stale.text.contains(#"name="kinds" value="2" checked"#))
            #expect(try stale.hidden("was.kinds") == "2")
        }
    }

    @Test func `kinds that two people change are each as who touched them wants`() async throws {
        let kinds = [Int32(1), 2, 3].map { HookEventKind(rawValue: $0) }
        try await Stage.visit(Guild.withPrograms()) { browser, guild in
            guild.with { ($0.hooks[0].kinds, $0.hooks[0].etag) = (kinds, "h2") }
            let stale = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h1", "url": "https://b.org/in",
                    "was.url": "https://b.org/in", "kinds": "1", "kinds": "4", "was.kinds": "1 3",
                ])
            // None is everything, which is more than what is left of the ticks.
            let everything = try await browser.post(
                Self.hookPath,
                [
                    "do": "save", "etag": "h1", "url": "https://b.org/in",
                    "was.url": "https://b.org/in", "was.kinds": "1",
                ])

            #expect(stale.status == 412 && everything.status == 412)
            for (kind, isTicked) in [(1, true), (2, true), (3, false), (4, true)] {
                let box = #"name="kinds" value="\#(kind)" checked"#
                #expect(stale.text.contains(box) == isTicked, "\(kind)")
                #expect(!everything.text.contains(box), "\(kind)")
            }
            #expect(try stale.hidden("was.kinds") == "1 2 3")
        }
    }

    @Test func `a hook is switched, tried and its calls sent again`() async throws {
        let guild = Guild.withPrograms()
        guild.with { $0.nextPage = "c/2" }
        try await Stage.visit(guild) { browser, guild in
            let page = try await browser.get(Self.hookPath + "?state=3&page=c1")
            let asked = guild.with { $0.askedCalls }
            let tested = try await browser.post(Self.hookPath, ["do": "test", "key": "1"])
            let retried = try await browser.post(
                Self.hookPath,
                ["do": "retry", "delivery": "d-1", "state": "3", "page": "c1", "key": "2"])
            let off = try await browser.post(
                Self.hookPath, ["do": "off", "etag": "h1", "key": "3"])
            let switched = try await browser.get(off.fields["location"] ?? "")
            let on = try await browser.post(Self.hookPath, ["do": "on", "etag": "h1+", "key": "4"])

            #expect(asked.state == .failed && asked.pageToken == "c1")
            #expect(page.text.contains("&quot;type&quot;:&quot;organization.created&quot;"))
            #expect(page.text.contains("Answered 500. It did not answer well."))
            #expect(page.text.contains("state=3&amp;page=c%2F2"))
            // What waits is sent anyway.
            #expect(page.text.split(separator: ">Send again<").count == 2)
            #expect(tested.fields["location"] == Self.hookPath + "?done=tested")
            #expect(
                retried.fields["location"] == Self.hookPath + "?done=retried&state=3&page=c1")
            #expect(switched.text.contains("The hook is switched off."))
            #expect(!switched.text.contains(">Send again<"))
            #expect(!switched.text.contains("Send a test call"))
            #expect(on.fields["location"] == Self.hookPath + "?done=hookOn")
            #expect(
                guild.changes == [
                    "test hook", "retry d-1", "update hook: enabled", "update hook: enabled",
                ])
        }
    }

    @Test func `a hook that gave up says why`() async throws {
        let guild = Guild.withPrograms()
        guild.with {
            $0.hooks[0].enabled = false
            $0.hooks[0].disabledReason = "Nothing has arrived <b> for 5 days."
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.hookPath)

            #expect(page.text.contains("It was switched off by itself. Nothing has arrived"))
            #expect(!page.text.contains("<b>"))
            #expect(page.text.contains(">Switch on</button>"))
        }
    }

    @Test func `a hook is deleted after a question, in the version that was shown`() async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, guild in
            let question = try await browser.get(Self.hookPath + "/delete")
            guild.with { $0.hooks[0].etag = "h2" }
            let stale = try await browser.post(
                Self.hookPath + "/delete", ["etag": try question.hidden("etag"), "key": "1"])
            let untouched = guild.changes
            let deleted = try await browser.post(
                Self.hookPath + "/delete", ["etag": try stale.hidden("etag"), "key": "2"])

            #expect(question.text.contains("https://b.org/in is called no more"))
            #expect(stale.status == 412 && untouched.isEmpty)
            #expect(deleted.fields["location"] == Self.path + "?done=hookDeleted")
            #expect(guild.changes == ["delete hook"])
        }
    }

    // MARK: Who

    @Test func `whoever looks after no keys is shown the hooks alone`() async throws {
        let guild = Guild.withPrograms()
        guild.with {
            $0.grants = [Messages.Grant(role: .partner, organizationID: Guild.school)]
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.text.contains("https://b.org/in") && page.text.contains("Add the hook"))
            #expect(!page.text.contains("Timetable") && !page.text.contains("API key"))
        }
    }

    @Test(arguments: ["/keys", "/keys/\(Guild.key)", "/hooks/7", "/hooks/\(Guild.key)", "/x/y/z"])
    func `a page of nothing is not there`(place: String) async throws {
        try await Stage.visit(Guild.withPrograms()) { browser, _ in
            let page = try await browser.get(Self.path + place)

            #expect(page.status == 404)
        }
    }

    @Test func `a form of another site makes no key`() async throws {
        try await Stage.visit { browser, guild in
            var other = browser
            other.origin = ["Sec-Fetch-Site": "cross-site"]
            let answer = try await other.post(Self.path, ["do": "key", "name": "CI", "role": "10"])

            #expect(answer.status == 403 && guild.changes.isEmpty)
            #expect(!answer.text.contains(Guild.keySecret))
        }
    }
}
