import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What becomes of a form of the console that is not taken: nothing that was typed is lost, and
/// nothing that somebody else has changed meanwhile.
struct ConsoleKeptFormTests {
    private static func path(_ tab: ConsoleTab) -> String { tab.path(of: Guild.school) }

    // MARK: Typed in part

    /// Of what is typed in part a browser sends nothing from its own fields for numbers and days.
    @Test(arguments: [
        Guild.schoolPath, Guild.schoolPath + "/limits", "/console/organizations/new",
    ])
    func `no field is one of which a browser sends less than was typed`(
        path: String
    ) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(path)

            #expect(page.status == 200 && page.text.contains(#"<input type="text""#))
            #expect(!page.text.contains(#"type="number""#))
            #expect(!page.text.contains(#"type="date""#))
        }
    }

    @Test func `what is typed in part takes no limit and no last day away`() async throws {
        try await Stage.visit { browser, guild in
            let limits = try await browser.get(Self.path(.limits))
            let number = try await browser.post(
                Self.path(.limits), try Self.caps(limits, members: "", students: "1e"))
            let info = try await browser.get(Guild.schoolPath)
            let day = try await browser.post(
                Guild.schoolPath,
                [
                    "etag": try info.hidden("etag"), "title": "School",
                    "description": "Line one\r\nline two", "category": "1", "country": "US",
                    "trial.enabled": "on", "trial.validUntil": "2030-01-31",
                    "expiresAt": "2030-01",
                ])

            #expect(number.status == 422)
            #expect(number.text.contains(#"id="students-fault">A number is expected.</p>"#))
            #expect(try number.typed("students") == "1e")
            #expect(guild.with { $0.caps.students } == 7)
            // Whether it is a day is for the service to say.
            #expect(day.status == 303)
            #expect(guild.with { $0.updated.updateMask?.paths } == ["expires_at"])
            #expect(guild.with { $0.updated.organization?.expiresAt } == "2030-01")
        }
    }

    // MARK: Changed meanwhile

    private static func caps(
        _ page: HTTPClient.Answer, members: String, students: String
    ) throws -> KeyValuePairs<String, String> {
        [
            "do": "caps", "key": try page.hidden("key"), "etag": try page.hidden("etag"),
            "members": members, "students": students, "teachers": "",
            "was.members": try page.hidden("was.members"),
            "was.students": try page.hidden("was.students"),
            "was.teachers": try page.hidden("was.teachers"),
        ]
    }

    @Test func `a limit that somebody else has set stays, however often one saves`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.limits)
            let page = try await browser.get(path)
            guild.with { state in
                state.caps.members = 50
                state.caps.etag = "c2"
            }
            let stale = try await browser.post(
                path, try Self.caps(page, members: "", students: "30"))
            let untouched = guild.changes
            let saved = try await browser.post(
                path,
                try Self.caps(
                    stale, members: try stale.typed("members"),
                    students: try stale.typed("students")))

            #expect(stale.status == 412)
            #expect(untouched.isEmpty)
            #expect(try stale.typed("members") == "50")
            #expect(try stale.typed("students") == "30")
            #expect(stale.alert.contains("It was changed meanwhile"))
            #expect(stale.alert.contains(##"<a href="#students">Students</a>: now 7"##))
            #expect(!stale.alert.contains("Members"))
            #expect(saved.status == 303)
            #expect(guild.changes == ["caps: students 30"])
            #expect(guild.with { $0.caps.members } == 50)
            #expect(guild.with { $0.caps.students } == 30)
        }
    }

    @Test func `seats that somebody else has changed are told, and no call is made for none`()
        async throws
    {
        try await Stage.visit { browser, guild in
            let path = Self.path(.limits)
            guild.with { state in
                state.seats.seatCount = 15
                state.seats.etag = "s2"
            }
            let stale = try await browser.post(
                path, ["do": "seats", "etag": "s1", "seatCount": "20", "was.seatCount": "10"])
            let same = try await browser.post(
                path, ["do": "seats", "etag": "s1", "seatCount": "10", "was.seatCount": "10"])

            #expect(stale.status == 412)
            #expect(stale.alert.contains(##"<a href="#seatCount">Seats</a>: now 15"##))
            #expect(try stale.typed("seatCount") == "20")
            #expect(try stale.hidden("was.seatCount") == "15")
            #expect(same.status == 303)
            #expect(guild.changes.isEmpty)
            #expect(guild.with { $0.seats.seatCount } == 15)
        }
    }

    @Test func `receivers that somebody else has set stay`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.contacts)
            let page = try await browser.get(path)
            guild.with { state in
                state.receivers = [
                    KindReceivers(kind: .account, addresses: ["b@b.org", "c@b.org"])
                ]
                state.receiversTag = "r2"
            }
            let stale = try await browser.post(
                path,
                [
                    "do": "contacts", "etag": try page.hidden("etag"), "kind-1": "",
                    "was.kind-1": try page.hidden("was.kind-1"), "kind-2": "x@b.org",
                    "was.kind-2": try page.hidden("was.kind-2"),
                ])
            let untouched = guild.changes
            let saved = try await browser.post(
                path,
                [
                    "do": "contacts", "etag": try stale.hidden("etag"),
                    "kind-1": "b@b.org\r\nc@b.org",
                    "was.kind-1": try stale.hidden("was.kind-1"), "kind-2": "x@b.org",
                    "was.kind-2": try stale.hidden("was.kind-2"),
                ])

            #expect(stale.status == 412)
            #expect(untouched.isEmpty)
            #expect(stale.text.contains("\nb@b.org\nc@b.org</textarea>"))
            #expect(stale.text.contains("\nx@b.org</textarea>"))
            #expect(
                stale.alert.contains(
                    ##"<a href="#kind-2">Content of a course</a>: now nobody of its own"##))
            #expect(!stale.alert.contains("kind-1"))
            #expect(saved.status == 303)
            #expect(
                guild.with { $0.receivers } == [
                    KindReceivers(kind: .account, addresses: ["b@b.org", "c@b.org"]),
                    KindReceivers(kind: .courseContent, addresses: ["x@b.org"]),
                ])
        }
    }

    @Test func `services that somebody else has switched stay so`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.services)
            let page = try await browser.get(path)
            guild.with { state in
                state.organizations[Guild.school]?.services = ["pls", "exam"]
                state.organizations[Guild.school]?.etag = "v7"
            }
            let stale = try await browser.post(
                path,
                [
                    "do": "services", "etag": try page.hidden("etag"),
                    "was.services": try page.hidden("was.services"), "more": "lab",
                ])
            let untouched = guild.changes
            let saved = try await browser.post(
                path,
                [
                    "do": "services", "etag": try stale.hidden("etag"), "services": "exam",
                    "was.services": try stale.hidden("was.services"), "more": "lab",
                ])

            #expect(stale.status == 412)
            #expect(untouched.isEmpty)
            #expect(stale.text.contains(#"value="exam" checked"#))
            #expect(!stale.text.contains(#"value="pls" checked"#))
            #expect(stale.alert.contains(##"<a href="#services">PLS</a>: now on"##))
            #expect(try stale.typed("more") == "lab")
            #expect(saved.status == 303)
            #expect(guild.school.services == ["exam", "lab"])
        }
    }

    // MARK: Not to be reached

    private static let addition: KeyValuePairs = [
        "do": "add", "key": "k", "email": "c@b.org", "name": "<b>", "roles": "12", "roles": "11",
    ]

    @Test func `a form that comes to no known end is kept on a page, with its key`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.users)
            guild.with { $0.readRefusal = Status(.unavailable, "10.0.0.7") }
            let kept = try await browser.post(path, Self.addition)
            guild.with { $0.readRefusal = nil }
            let sent = try await browser.post(path, Self.addition)

            #expect(kept.status == 503)
            #expect(kept.text.contains("Send it again") && !kept.text.contains("10.0.0.7"))
            #expect(kept.text.contains(#"action="\#(path)""#))
            #expect(try kept.hidden("key") == "k" && kept.hidden("name") == "&lt;b&gt;")
            #expect(try kept.hidden("roles") == "12")
            #expect(kept.text.contains(#"name="roles" value="11""#))
            #expect(sent.status == 303 && guild.changes == ["add"])
        }
    }

    @Test(arguments: [Guild.schoolPath + "/users", "/signup/organization"])
    func `a form is kept while nobody can say who sent it`(path: String) async throws {
        let guild = Guild()
        guild.with { $0.sessionRefusal = Status(.unavailable, "10.0.0.7") }
        try await Stage.visit(guild) { browser, guild in
            let kept = try await browser.post(path, Self.addition)

            #expect(kept.status == 503)
            #expect(kept.text.contains("Send it again"))
            #expect(kept.text.contains(#"action="\#(path)""#))
            #expect(try kept.hidden("key") == "k" && kept.hidden("email") == "c@b.org")
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `of a form with a file all is kept but the file, which is asked for`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.look)
            guild.with { $0.readRefusal = Status(.unavailable, "10.0.0.7") }
            let kept = try await browser.upload(
                path, ["do": "logo", "etag": "a1", "key": "k"], file: [1])
            let plain = try await browser.post(Self.path(.users), Self.addition)

            #expect(kept.status == 503)
            #expect(kept.text.contains("The file is not kept: it has to be chosen again"))
            #expect(kept.text.contains(#"enctype="multipart/form-data" action="\#(path)""#))
            #expect(kept.text.contains(#"<input type="file" id="file" name="file">"#))
            #expect(try kept.hidden("key") == "k" && kept.hidden("do") == "logo")
            #expect(!plain.text.contains("chosen again"))
            #expect(!plain.text.contains(#"type="file""#))
        }
    }

    @Test func `a session that ends while a form is under way loses nothing of it`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.refusal = Status.unauthenticated() }
            let kept = try await browser.post(Self.path(.users), Self.addition)

            #expect(kept.status == 401)
            #expect(kept.text.contains("<h1>Your session has ended</h1>"))
            #expect(try kept.hidden("key") == "k" && kept.hidden("email") == "c@b.org")
        }
    }

    @Test func `a tab that cannot be shown after a refusal keeps the form`() async throws {
        try await Stage.visit { browser, guild in
            let limits = try await browser.get(Self.path(.limits))
            guild.with {
                $0.listRefusal = Status(.unavailable, "10.0.0.7")
                $0.refusal = Status.refusal(.forbidden, "Not for you.")
            }
            let users = try await browser.post(Self.path(.users), Self.addition)
            guild.with { $0.refusal = Status.refusal(.forbidden, "Not for you.") }
            let caps = try await browser.post(
                Self.path(.limits), try Self.caps(limits, members: "60", students: "7"))

            #expect(users.status == 403 && caps.status == 403)
            #expect(users.alert.contains("Not for you.") && caps.alert.contains("Not for you."))
            #expect(try users.hidden("email") == "c@b.org" && users.hidden("key") != "k")
            #expect(try caps.hidden("members") == "60" && caps.hidden("was.students") == "7")
            #expect(users.text.contains("Send it again") && caps.text.contains("Send it again"))
        }
    }
}

extension HTTPClient.Answer {
    /// What stands in a line of text of the page.
    fileprivate func typed(_ name: String) throws -> String {
        let field = try #require(text.firstRange(of: " name=\"\(name)\""), "\(name) in \(text)")
        let rest = text[field.upperBound...]
        let start = try #require(rest.firstRange(of: "value=\"")).upperBound
        return String(rest[start...].prefix { $0 != "\"" })
    }
}
