import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What an organization is given: modules, and a subscription.
struct ConsoleModuleTests {
    private static let path = ConsoleTab.modules.path(of: Guild.school)
    private static let paying = ConsoleTab.subscription.path(of: Guild.school)

    // MARK: Modules

    @Test func `what holds is shown, with what restricts it`() async throws {
        let guild = Guild()
        guild.with {
            $0.offers.set.unrestricted = false
            $0.offers.set.effective = [
                ModuleAccess(
                    moduleID: Guild.algebra, name: "Algebra <1>", chapterIDs: [Guild.rings]),
                ModuleAccess(moduleID: Guild.botany, name: "Botany", whole: true),
            ]
            $0.offers.set.restrictedBy = [
                ModuleRestriction(organizationID: Guild.school, source: .own),
                ModuleRestriction(organizationID: Guild.district, source: .type),
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let page = try await browser.get(Self.path)
            guild.with { $0.offers.set = OrganizationModuleSet(unrestricted: true) }
            let free = try await browser.get(Self.path)

            #expect(page.text.contains(#"<span class="name">Algebra &lt;1&gt;</span>"#))
            #expect(page.text.contains(#"<td class="">Rings</td>"#))
            #expect(page.text.contains("As a whole"))
            #expect(page.text.contains("This organization: what is set there"))
            #expect(
                page.text.contains(">District</a>: what organizations of its type begin with"))
            #expect(free.text.contains("Every module, also those to come"))
            #expect(free.text.contains("Nothing is set here"))
            #expect(free.text.contains("With none ticked nothing may be used."))
            #expect(!free.text.contains("Take the set away"))
        }
    }

    @Test func `modules are given as a whole or by chapters, once`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.path)
            let form: KeyValuePairs = [
                "do": "own", "key": "1", "etag": try page.hidden("etag"), "modules": Guild.botany,
                "chapters": "\(Guild.algebra)/\(Guild.sets)",
                "chapters": "\(Guild.algebra)/\(Guild.rings)",
            ]
            let answers = [
                try await browser.post(Self.path, form), try await browser.post(Self.path, form),
            ]
            let saved = try await browser.get(Self.path)

            #expect(answers.map(\.status) == [303, 303])
            #expect(guild.changes == ["modules 2"])
            #expect(
                guild.with { $0.offers.set.own }
                    == ModuleGrants(modules: [
                        ModuleGrant(moduleID: Guild.botany),
                        ModuleGrant(
                            moduleID: Guild.algebra, chapterIDs: [Guild.sets, Guild.rings]),
                    ]))
            #expect(saved.text.contains(#"value="\#(Guild.botany)" checked>"#))
            #expect(saved.text.contains(#"value="\#(Guild.algebra)/\#(Guild.sets)" checked>"#))
            #expect(saved.text.contains(#"<details class="chapters" open>"#))
        }
    }

    @Test func `a module that is ticked is given as a whole, and none ticked is no module`()
        async throws
    {
        try await Stage.visit { browser, guild in
            _ = try await browser.post(
                Self.path,
                [
                    "do": "own", "key": "1", "etag": "g1", "modules": Guild.algebra,
                    "chapters": "\(Guild.algebra)/\(Guild.sets)", "chapters": "broken",
                ])
            let whole = guild.with { $0.offers.set.own }
            _ = try await browser.post(Self.path, ["do": "own", "key": "2", "etag": "g1+"])
            let none = guild.with { $0.offers.set.own }
            _ = try await browser.post(Self.path, ["do": "inherit", "key": "3", "etag": "g1++"])

            #expect(whole == ModuleGrants(modules: [ModuleGrant(moduleID: Guild.algebra)]))
            #expect(none == ModuleGrants())
            #expect(guild.with { $0.offers.set.own } == nil)
            #expect(guild.changes == ["modules 1", "modules 0", "no modules"])
        }
    }

    @Test func `a set that somebody else has changed is told, and theirs stays where untouched`()
        async throws
    {
        let guild = Guild()
        guild.with {
            $0.offers.set.own = ModuleGrants(modules: [ModuleGrant(moduleID: Guild.botany)])
            $0.offers.set.etag = "g2"
        }
        try await Stage.visit(guild) { browser, guild in
            // Nothing was set when the form was shown; then Algebra was ticked.
            let stale = try await browser.post(
                Self.path,
                [
                    "do": "own", "key": "1", "etag": "g1", "modules": Guild.algebra,
                    "was.modules": "", "was.chapters": "",
                ])

            #expect(stale.status == 412 && guild.changes.isEmpty)
            #expect(stale.alert.contains(##"<a href="#modules">Modules</a>: now Botany"##))
            #expect(stale.text.contains(#"value="\#(Guild.algebra)" checked>"#))
            #expect(stale.text.contains(#"value="\#(Guild.botany)" checked>"#))
            #expect(try stale.hidden("etag") == "g2")
            #expect(try stale.hidden("was.modules") == Guild.botany)
        }
    }

    @Test func `chapters that somebody else has changed are led to where they stand`()
        async throws
    {
        let guild = Guild()
        guild.with {
            $0.offers.set.own = ModuleGrants(modules: [
                ModuleGrant(moduleID: Guild.algebra, chapterIDs: [Guild.sets])
            ])
            $0.offers.set.etag = "g2"
        }
        try await Stage.visit(guild) { browser, _ in
            let stale = try await browser.post(
                Self.path,
                [
                    "do": "own", "key": "1", "etag": "g1",
                    "chapters": "\(Guild.algebra)/\(Guild.rings)", "was.modules": "",
                    "was.chapters": "",
                ])

            #expect(stale.status == 412)
            #expect(
                stale.alert.contains(
                    ##"<a href="#modules">Chapters</a>: now Algebra &lt;1&gt;: Sets</li>"##))
            #expect(stale.text.contains(#"<fieldset id="modules""#))
            #expect(!stale.text.contains(##"href="#chapters""##))
        }
    }

    @Test func `what is set stays though it is not offered, or nothing is`() async throws {
        let guild = Guild()
        let other = ModuleID(millisecondsSince1970: 99, random: (1, 1)).text
        guild.with {
            $0.offers.set.own = ModuleGrants(modules: [ModuleGrant(moduleID: other)])
            $0.offers.refusal = Status.refusal(.forbidden, "The catalog is not for you.")
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.status == 200)
            #expect(page.text.contains("What there is cannot be shown: The catalog is not for"))
            #expect(page.text.contains(#"value="\#(other)" checked>"#))
        }
    }

    // MARK: Subscription

    @Test func `a subscription is begun with its courses, once`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.paying)
            let form: KeyValuePairs = [
                "do": "begin", "key": try page.hidden("key"), "plan": " Yearly ",
                "courses": Guild.course,
            ]
            let answers = [
                try await browser.post(Self.paying, form),
                try await browser.post(Self.paying, form),
            ]
            let begun = try await browser.get(answers[0].fields["location"] ?? "")

            #expect(page.text.contains("There is no subscription yet."))
            #expect(page.text.contains("<legend>Algebra &lt;1&gt;</legend>"))
            #expect(answers.map(\.status) == [303, 303])
            #expect(guild.changes == ["begin Yearly"])
            #expect(guild.with { $0.offers.madeSubscription.courseIDs } == [Guild.course])
            #expect(begun.text.contains("It gives something once it is paid for."))
            #expect(begun.text.contains("Waits for its first payment"))
        }
    }

    private static func guild(_ state: SubscriptionState) -> Guild {
        let guild = Guild()
        guild.with {
            $0.offers.subscription = Subscription(
                plan: "Yearly <2>", courseIDs: [Guild.course], state: state,
                periodEnd: "2027-01-31", givesUntil: 20_864, etag: "s1")
        }
        return guild
    }

    @Test(arguments: [
        (SubscriptionState.active, "Every active member may open its courses.", "change"),
        (.pastDue, "it still gives, for 14 days.", "change"),
        (.pendingPayment, "it gives nothing.", "change"),
        (.cancelled, "until the end of the period.", "begin"),
        (.ended, "It gives nothing any more.", "begin"),
    ])
    func `its state is told in words, and what may follow`(
        state: SubscriptionState, sentence: String, action: String
    ) async throws {
        try await Stage.visit(Self.guild(state)) { browser, _ in
            let page = try await browser.get(Self.paying)

            #expect(page.text.contains(sentence))
            #expect(page.text.contains("<dt>Paid for until</dt><dd>2027-01-31</dd>"))
            #expect(page.text.contains("<dt>Gives until</dt><dd>2027-02-15</dd>"))
            #expect(page.text.contains("<dt>Courses</dt><dd>First steps</dd>"))
            #expect(page.text.contains("Yearly &lt;2&gt;"))
            #expect(try page.hidden("do") == action)
            let cancels = page.text.contains(#"name="do" value="cancel""#)
            #expect(cancels == (action == "change"))
        }
    }

    @Test func `only what was touched of it is changed, and it is cancelled`() async throws {
        try await Stage.visit(Self.guild(.active)) { browser, guild in
            let changed = try await browser.post(
                Self.paying,
                [
                    "do": "change", "key": "1", "etag": "s1", "plan": "Yearly <2>",
                    "was.plan": "Yearly <2>", "was.courses": Guild.course,
                ])
            let asked = guild.with { $0.offers.askedSubscription }
            let stale = try await browser.post(
                Self.paying,
                [
                    "do": "change", "key": "2", "etag": "s1", "plan": "Monthly",
                    "was.plan": "Yearly <2>", "was.courses": "",
                ])
            let cancelled = try await browser.post(
                Self.paying, ["do": "cancel", "key": "3", "etag": "s1+"])

            #expect(changed.status == 303 && cancelled.status == 303)
            #expect(asked.updateMask?.paths == ["course_ids"])
            #expect(asked.subscription?.courseIDs == [])
            #expect(stale.status == 412)
            #expect(stale.alert.contains(##"<a href="#plan">Plan</a>: now Yearly &lt;2&gt;"##))
            #expect(stale.text.contains(#"value="Monthly""#))
            #expect(guild.changes == ["change subscription", "cancel subscription"])
        }
    }

    @Test func `a refusal stands at its field`() async throws {
        let guild = Guild()
        guild.with {
            $0.refusal = Status.invalid([
                FieldFault(field: "plan", sentence: "A plan has a name."),
                FieldFault(field: "course_ids[0]", sentence: "There is no such course."),
            ])
        }
        try await Stage.visit(guild) { browser, _ in
            let answer = try await browser.post(
                Self.paying, ["do": "begin", "courses": Guild.course, "key": "1"])

            #expect(answer.status == 422)
            #expect(answer.text.contains(#"id="plan-fault">A plan has a name.</p>"#))
            #expect(answer.text.contains(#"<p class="fault">There is no such course.</p>"#))
            #expect(answer.alert.contains(##"<a href="#courses">Courses</a>: There is no such"##))
            #expect(answer.text.contains(#"value="\#(Guild.course)" checked>"#))
        }
    }
}
