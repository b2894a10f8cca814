import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What the console says where a service, or a form, has other words for it.
struct ConsoleWordsTests {
    private static func path(_ tab: ConsoleTab) -> String { tab.path(of: Guild.school) }

    @Test func `only of a new organization today is said to stand for never`() async throws {
        try await Stage.visit { browser, _ in
            let new = try await browser.get("/console/organizations/new")
            let info = try await browser.get(Guild.schoolPath)

            #expect(new.text.contains("Today, or nothing, stands for never."))
            #expect(info.text.contains("The last day, as YYYY-MM-DD; nothing: never."))
            #expect(!info.text.contains("stands for never"))
        }
    }

    @Test(arguments: ["user_id", "email"])
    func `whoever names nobody is asked for an email address`(field: String) async throws {
        let guild = Guild()
        guild.with {
            $0.refusal = Status.invalid([
                FieldFault(field: field, sentence: "Give either user_id, or email and name.")
            ])
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path(.users))
            let answer = try await browser.post(
                Self.path(.users), ["do": "add", "email": " ", "name": "C"])

            #expect(page.text.contains(#"<p class="hint" id="roles-hint">None: Member.</p>"#))
            #expect(answer.status == 422)
            #expect(answer.text.contains(#"id="email-fault">Please type an email address.</p>"#))
            #expect(answer.alert.contains(##"<a href="#email">Email address</a>"##))
            #expect(!answer.text.contains("user_id"))
            #expect(answer.text.contains(#"value="C""#))
        }
    }

    @Test func `a limit below what is used is marked, and told once it is saved`() async throws {
        let guild = Guild()
        guild.with { state in
            state.usage.caps = [
                CapUsage(organizationID: Guild.school, kind: "students", cap: 7, used: 8),
                CapUsage(organizationID: Guild.district, kind: "members", cap: 5, used: 5),
            ]
            state.caps.warnings = [
                CapWarning(code: "ineffective_limit", message: ""),
                CapWarning(code: "over_limit", message: ""),
                CapWarning(code: "over_limit", message: ""),
            ]
        }
        try await Stage.visit(guild) { browser, _ in
            let path = Self.path(.limits)
            let page = try await browser.get(path)
            let saved = try await browser.post(
                path, ["do": "caps", "students": "6", "was.students": "7", "etag": "c1"])
            let told = try await browser.get(saved.fields["location"] ?? "")

            #expect(page.text.contains(#"7<p class="fault">over its limit</p></td>"#))
            #expect(page.text.split(separator: "over its limit").count == 2)
            #expect(
                saved.fields["location"]
                    == path + "?done=saved&remark=over_limit&remark=ineffective_limit")
            #expect(told.text.contains("More people are here than a limit admits."))
            #expect(told.text.contains("A limit has no effect:"))
            #expect(!page.text.contains("A limit has no effect:"))
        }
    }

    @Test func `without white label no custom URL is asked for`() async throws {
        let guild = Guild()
        guild.with {
            $0.look.own.whiteLabel = false
            $0.urls = [CustomUrl(slug: "springfield", state: .enabled)]
        }
        try await Stage.visit(guild) { browser, guild in
            let path = Self.path(.urls)
            let page = try await browser.get(path)
            guild.with {
                $0.refusal = Status.refusal(
                    .whiteLabelDisabled, "White label is off for this organization.")
            }
            // Switched off while somebody typed: what was typed stays.
            let refused = try await browser.post(path, ["do": "add", "slug": "new-one"])
            guild.with { $0.look.own.whiteLabel = true }
            let on = try await browser.get(path)

            #expect(page.text.contains("Staff of the platform switch it on."))
            #expect(!page.text.contains(#"id="slug""#))
            #expect(page.text.contains(#"aria-label="Shut down springfield""#))
            #expect(refused.alert.contains("White label is off for this organization."))
            #expect(refused.text.contains(#"value="new-one""#))
            #expect(on.text.contains(#"id="slug""#) && !on.text.contains("Staff of the platform"))
        }
    }

    @Test func `what stands below is told with the name of the box`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.refusal = Status.refusal(.hasChildren, "All at once with “cascade”.") }
            let answer = try await browser.post(Guild.schoolPath + "/delete")

            #expect(answer.status == 409)
            #expect(answer.alert.contains("all at once with “Delete everything below it, too”."))
            #expect(!answer.alert.contains("cascade”"))
        }
    }
}
