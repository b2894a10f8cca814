import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The forms of the console in which organizations are made and changed.
struct ConsoleFormTests {
    private static let newPath = "/console/organizations/new"

    @Test func `mandatory fields are marked, and refused in the words of the service`()
        async throws
    {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.newPath)
            let answer = try await browser.post(
                Self.newPath, ["title": "", "description": "Kept <b>", "trial.enabled": "on"])

            for label in ["Title", "Category", "Country"] {
                #expect(page.text.contains("\(label) <span>(required)</span></label>"))
            }
            #expect(page.text.contains(#"name="title" aria-required="true""#))
            #expect(answer.status == 422)
            #expect(answer.alert.contains(##"<a href="#title">Title</a>: A title is needed."##))
            #expect(answer.text.contains(#"id="category-fault">A category is needed.</p>"#))
            #expect(answer.text.contains(#"aria-invalid="true" aria-describedby="title-fault""#))
            #expect(answer.text.contains("Kept &lt;b&gt;</textarea>"))
            #expect(answer.text.contains(#"name="trial.enabled" value="on" checked"#))
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `a name that is taken is said, and another one is asked for`() async throws {
        try await Stage.visit { browser, _ in
            let answer = try await browser.post(
                Self.newPath, ["title": "School", "category": "1", "country": "US"])

            #expect(answer.status == 409)
            #expect(
                answer.alert.contains(
                    "An organization with this name already exists. Please, type another name"))
            #expect(answer.text.contains(#"id="title-fault">This name is taken.</p>"#))
            #expect(answer.text.contains(#"<option value="US" selected>United States</option>"#))
        }
    }

    @Test func `two clicks make one organization, which is in the list at once`() async throws {
        try await Stage.visit { browser, guild in
            let key = try await browser.get(Self.newPath).hidden("key")
            async let first = browser.post(
                Self.newPath, ["key": key, "title": "New", "category": "1", "country": "US"])
            async let second = browser.post(
                Self.newPath, ["key": key, "title": "New", "category": "1", "country": "US"])
            let answers = try await [first, second]
            let list = try await browser.get("/console/organizations")
            let page = try await browser.get(answers[0].fields["location"] ?? "")

            #expect(answers.map(\.status) == [303, 303])
            #expect(answers[0].fields["location"] == answers[1].fields["location"])
            #expect(guild.changes == ["create"])
            #expect(list.text.contains(">New</a>"))
            #expect(page.text.contains("The organization is saved."))
        }
    }

    @Test func `each form has a key of its own, and one that was refused a new one`() async throws {
        try await Stage.visit { browser, guild in
            let keys = try await [
                browser.get(Self.newPath).hidden("key"), browser.get(Self.newPath).hidden("key"),
            ]
            let refused = try await browser.post(Self.newPath, ["key": "old", "title": ""])
            guild.with { $0.refusal = Status(.unavailable, "10.0.0.7") }
            let unknown = try await browser.post(
                Self.newPath, ["key": "old", "title": "New", "category": "1"])

            #expect(keys[0] != keys[1])
            #expect(try refused.hidden("key") != "old")
            // Whether it was done nobody knows: the next click is the same change.
            #expect(unknown.status == 503)
            #expect(try unknown.hidden("key") == "old")
            #expect(unknown.alert.contains("what you typed is kept"))
            #expect(!unknown.text.contains("10.0.0.7"))
        }
    }

    @Test func `what somebody should know is said once it is saved`() async throws {
        try await Stage.visit { browser, _ in
            let answer = try await browser.post(
                Self.newPath, ["title": "Twin", "category": "1", "country": "US"])
            let page = try await browser.get(answer.fields["location"] ?? "")

            #expect(page.text.contains("Another organization elsewhere has the same title."))
        }
    }

    @Test func `a suborganization is offered its parent`() async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(Self.newPath + "?parent=\(Guild.school)")

            #expect(
                page.text.contains(
                    #"<option value="\#(Guild.school)" selected>District › School</option>"#))
        }
    }

    // MARK: Info

    /// The info as the page shows it, with changes.
    private static func typed(
        _ page: HTTPClient.Answer, title: String = "School",
        description: String = "Line one\r\nline two", country: String = "US"
    ) throws -> KeyValuePairs<String, String> {
        [
            "key": try page.hidden("key"), "etag": try page.hidden("etag"), "title": title,
            "description": description, "category": "1", "country": country, "kind": "",
            "typeId": "", "salesRepEmail": "", "trial.enabled": "on",
            "trial.validUntil": "2030-01-31", "expiresAt": "",
            "was.title": try page.hidden("was.title"),
            "was.description": try page.hidden("was.description"), "was.category": "1",
            "was.country": try page.hidden("was.country"), "was.trial.enabled": "on",
            "was.trial.validUntil": "2030-01-31",
        ]
    }

    @Test func `only what was changed is sent, with the version that was shown`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Guild.schoolPath)
            let same = try await browser.post(Guild.schoolPath, try Self.typed(page))
            let other = try await browser.post(
                Guild.schoolPath, try Self.typed(page, title: "Academy"))
            let again = try await browser.post(
                Guild.schoolPath, try Self.typed(page, title: "Academy"))

            #expect(page.text.contains("Line one\nline two</textarea>"))
            #expect(
                page.text.contains(#"<option value="\#(Guild.type)">K-12 &lt;type&gt;</option>"#))
            #expect([same, other, again].map(\.status) == [303, 303, 303])
            #expect(guild.changes == ["update"])
            #expect(guild.with { $0.updated.updateMask?.paths } == ["title"])
            #expect(guild.school.title == "Academy" && guild.school.description.count == 17)
        }
    }

    @Test func `a change of somebody else is told, and nothing of either is lost`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Guild.schoolPath)
            guild.with { state in
                var school = state.organizations[Guild.school] ?? Organization()
                (school.title, school.country, school.etag) = ("Gymnasium", "DE", "v7")
                state.organizations[Guild.school] = school
            }
            let answer = try await browser.post(
                Guild.schoolPath, try Self.typed(page, title: "Academy", description: "Mine"))

            #expect(answer.status == 412)
            #expect(guild.changes.isEmpty && guild.school.title == "Gymnasium")
            #expect(answer.alert.contains("It was changed meanwhile"))
            #expect(answer.alert.contains(##"<a href="#title">Title</a>: now Gymnasium"##))
            // What was typed stays, and what was not touched is theirs.
            #expect(answer.text.contains(#"name="title" aria-required="true" value="Academy""#))
            #expect(answer.text.contains("Mine</textarea>"))
            #expect(answer.text.contains(#"<option value="DE" selected>Germany</option>"#))
            #expect(!answer.alert.contains("Country"))

            let saved = try await browser.post(
                Guild.schoolPath,
                try Self.typed(answer, title: "Academy", description: "Mine", country: "DE"))
            #expect(saved.status == 303)
            #expect(guild.school.title == "Academy" && guild.school.country == "DE")
            #expect(guild.with { $0.updated.updateMask?.paths } == ["title", "description"])
        }
    }

    @Test func `a refusal is shown at its field`() async throws {
        try await Stage.visit { browser, guild in
            guild.with {
                $0.refusal = Status.refusal(
                    .trialNeedsDate, "A trial needs a last day, today or later.",
                    fields: [
                        .init(
                            field: "organization.trial.valid_until", description: "A day is needed."
                        )
                    ])
            }
            let page = try await browser.get(Guild.schoolPath)
            let answer = try await browser.post(
                Guild.schoolPath, try Self.typed(page, title: "Academy"))

            #expect(answer.status == 422)
            #expect(answer.alert.contains("A trial needs a last day"))
            #expect(answer.text.contains(#"id="trial.validUntil-fault">A day is needed.</p>"#))
        }
    }

    @Test func `it is paused and resumed by a button, and deleted after a question`() async throws {
        try await Stage.visit { browser, guild in
            let paused = try await browser.post(Guild.schoolPath, ["do": "deactivate"])
            let page = try await browser.get(Guild.schoolPath)
            let resumed = try await browser.post(Guild.schoolPath, ["do": "activate"])
            let nonsense = try await browser.post(Guild.schoolPath, ["do": "explode"])
            let question = try await browser.get(Guild.schoolPath + "/delete")
            let deleted = try await browser.post(
                Guild.schoolPath + "/delete", ["cascade": "on", "key": "k"])
            let list = try await browser.get(deleted.fields["location"] ?? "")

            #expect(paused.fields["location"] == Guild.schoolPath + "?done=deactivated")
            #expect(page.text.contains(#"name="do" value="activate""#))
            #expect(resumed.status == 303)
            #expect(nonsense.status == 400)
            #expect(question.text.contains("<h1>Delete School?</h1>"))
            #expect(deleted.status == 303)
            #expect(list.text.contains("in the archive"))
            #expect(guild.changes == ["deactivate", "activate", "delete all"])
        }
    }

    @Test func `an organization below another that is not active says why`() async throws {
        let guild = Guild()
        guild.with { state in
            state.organizations[Guild.school]?.effectiveState = .expired
            state.organizations[Guild.school]?.stateReason = StateReason(
                organizationID: Guild.district, state: .expired)
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)

            #expect(page.text.contains(#"<span class="state off">Expired</span>"#))
            #expect(page.text.contains("It is not active because"))
            #expect(page.text.contains("is expired."))
        }
    }

    @Test func `every country is offered once, as the services know them`() {
        let codes = Countries.options.map(\.value)

        #expect(codes.count == 249 && Set(codes).count == 249)
        #expect(codes.allSatisfy { Country($0)?.code == $0 })
        #expect(Countries.options.allSatisfy { $0.label.count > 2 })
    }
}
