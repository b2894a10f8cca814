import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The page of an organization in the archive.
struct ConsoleArchiveTests {
    /// A guild with a school that was deleted.
    private static func guild() -> Guild {
        let guild = Guild()
        guild.with { state in
            state.organizations[Guild.school]?.effectiveState = .archived
            state.organizations[Guild.school]?.archivedAt = Timestamp(seconds: 1_796_000_000)
        }
        return guild
    }

    @Test func `what was deleted can be read, and nothing of it changed`() async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)

            #expect(page.status == 200)
            #expect(
                page.text.contains(
                    "It was deleted on 2026-11-30, and is kept in the archive for 90 days."))
            #expect(page.text.contains("<dt>Title</dt><dd>School</dd>"))
            #expect(page.text.contains("<dt>Description</dt><dd>Line one\nline two</dd>"))
            #expect(page.text.contains("<dt>Category</dt><dd>Academic: K-12</dd>"))
            #expect(page.text.contains("<dt>Country</dt><dd>United States</dd>"))
            #expect(page.text.contains("<dt>Trial until</dt><dd>2030-01-31</dd>"))
            #expect(page.text.contains(#"<button type="submit">Restore</button>"#))
            for missing in [">Save<", "Deactivate", "Delete…", #"class="tabs""#] {
                #expect(!page.text.contains(missing), "\(missing)")
            }
        }
    }

    @Test func `every other page of it leads back to the one there is`() async throws {
        try await Stage.visit(Self.guild()) { browser, guild in
            for place in ConsoleTab.allCases.dropFirst().map(\.rawValue) + ["delete"] {
                let answer = try await browser.get("\(Guild.schoolPath)/\(place)")
                #expect(answer.fields["location"] == Guild.schoolPath, "\(place)")
            }
            guild.with { $0.refusal = Status.notFound("There is no such organization.") }
            let again = try await browser.post(Guild.schoolPath + "/delete", ["cascade": "on"])
            let list = try await browser.get("/console/organizations")

            #expect(again.fields["location"] == Guild.schoolPath)
            #expect(list.text.contains(#"href="\#(Guild.schoolPath)">Info</a>"#))
            #expect(!list.text.contains(#"href="\#(Guild.schoolPath)/users""#))
        }
    }

    @Test func `it is restored once, and what did not come back is named`() async throws {
        let guild = Self.guild()
        guild.with { $0.notRestored = ["*.b.org", "old"] }
        try await Stage.visit(guild) { browser, guild in
            let key = try await browser.get(Guild.schoolPath).hidden("key")
            var answers: [HTTPClient.Answer] = []
            for _ in 1...2 {
                answers.append(
                    try await browser.post(
                        Guild.schoolPath,
                        ["do": "restore", "key": key, "title": " Academy ", "members": "on"]))
            }
            let page = try await browser.get(answers[0].fields["location"] ?? "")

            let place = "?done=restored&notRestored=%2A.b.org&notRestored=old"
            #expect(answers.map(\.status) == [303, 303])
            #expect(answers.allSatisfy { $0.fields["location"] == Guild.schoolPath + place })
            #expect(guild.changes == ["restore Academy, blocked"])
            #expect(page.text.contains("<p>It is restored.</p>"))
            #expect(page.text.contains("so they did not come back: *.b.org, old."))
            #expect(page.text.contains(#"class="tabs""#))
            #expect(page.text.contains(#"value="Academy""#))
        }
    }

    @Test func `a title that is taken by now is said at its field, and another one asked for`()
        async throws
    {
        let guild = Self.guild()
        guild.with { state in
            let id = Guild.district
            state.organizations[id]?.title = "School"
        }
        try await Stage.visit(guild) { browser, guild in
            let taken = try await browser.post(
                Guild.schoolPath, ["do": "restore", "key": "k", "members": "on"])
            let restored = try await browser.post(
                Guild.schoolPath, ["do": "restore", "title": "Academy", "key": "k2"])

            #expect(taken.status == 409)
            #expect(taken.alert.contains("It was not restored yet"))
            #expect(taken.alert.contains(##"<a href="#title">Another title</a>"##))
            #expect(taken.text.contains(#"id="title-fault">This name is taken.</p>"#))
            #expect(taken.text.contains(#"name="members" value="on" checked"#))
            #expect(try taken.hidden("key") != "k")
            #expect(restored.status == 303 && guild.changes == ["restore Academy"])
        }
    }

    @Test func `a form of before the deletion is refused, and kept`() async throws {
        try await Stage.visit(Self.guild()) { browser, guild in
            guild.with { $0.refusal = Status.notFound("There is no such organization.") }
            let path = ConsoleTab.users.path(of: Guild.school)
            let answer = try await browser.post(path, ["do": "add", "email": "c@b.org"])

            #expect(answer.status == 404)
            #expect(answer.alert.contains("There is no such organization."))
            #expect(answer.text.contains(#"action="\#(path)""#))
            #expect(try answer.hidden("email") == "c@b.org")
            #expect(answer.text.contains("Send it again") && guild.changes.isEmpty)
        }
    }
}
