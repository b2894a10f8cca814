import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The list of organizations in the console.
struct ConsoleListTests {
    private static let path = "/console/organizations"

    @Test func `the console begins with the list`() async throws {
        try await Stage.visit { browser, guild in
            let start = try await browser.get("/console")
            let list = try await browser.get(Self.path)

            #expect(start.status == 303 && start.fields["location"] == Self.path)
            #expect(list.text.contains(#"<a class="button" href="/console/organizations/new">"#))
            #expect(list.text.contains(#"<p class="path">District</p>"#))
            #expect(list.text.contains(#"href="\#(Guild.schoolPath)">School</a>"#))
            #expect(list.text.contains("Line one\nline two"))
            #expect(list.text.contains("1,234 members"))
            #expect(list.text.contains("2 organizations"))
            #expect(guild.with { $0.asked.subtree && $0.asked.orderBy.isEmpty })
        }
    }

    @Test func `what people call things is never read as HTML`() async throws {
        let guild = Guild()
        let hostile = #"<script>alert("1")</script>'><img src=x onerror=alert(1)>&amp;"#
        guild.with { state in
            var school = state.organizations[Guild.school] ?? Organization()
            school.title = hostile
            school.description = "</textarea>" + hostile
            school.services = ["\"><b>"]
            school.path = [PathElement(id: Guild.district, title: hostile)]
            state.organizations[Guild.school] = school
            state.members = [
                Member(userID: "\"><i>", email: hostile, name: hostile, state: .active)
            ]
            state.masks = [
                EmailMask(value: hostile, state: .pendingVerification, challenge: hostile)
            ]
            state.urls = [CustomUrl(slug: "\"><i>", state: .disabled)]
            state.receivers = [KindReceivers(kind: .account, addresses: [hostile])]
            state.waiting = [PendingSignUp(userID: "\"><i>", email: hostile, name: hostile)]
            state.keys = [ApiKey(id: Guild.key, name: hostile, prefix: hostile)]
            state.hooks = [Hook(id: Guild.hook, url: hostile, disabledReason: hostile)]
            state.calls = [HookDelivery(id: hostile, lastError: hostile, body: hostile)]
        }
        try await Stage.visit(guild) { browser, _ in
            let tabs = ConsoleTab.allCases.map { $0.path(of: Guild.school) }
            let places = ["/delete", "/programs/hooks/\(Guild.hook)"].map { Guild.schoolPath + $0 }
            let deletions = [
                "keys/\(Guild.key)/delete", "hooks/\(Guild.hook)/delete",
            ].map { "\(Guild.schoolPath)/programs/\($0)" }
            for path in tabs + places + deletions + [Self.path, Self.path + "/new"] {
                let page = try await browser.get(path)

                #expect(page.status == 200)
                #expect(!page.text.contains("<script") && !page.text.contains("<img"), "\(path)")
                #expect(!page.text.contains("<i>") && !page.text.contains("<b>"), "\(path)")
                #expect(page.text.contains("&lt;script&gt;alert(&quot;1&quot;)"), "\(path)")
            }
            let search = try await browser.get(
                Self.path + "?q=\(PercentEncoding.encode(hostile))&order=%22%3E%3Cb%3E")
            #expect(!search.text.contains("<script") && !search.text.contains("<b>"))
        }
    }

    @Test func `a search is handed on, its days inclusive`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(
                Self.path + "?q=Scho&state=2&from=2026-11-01&to=2026-11-27&order=members+desc"
                    + "&page=abc")

            #expect(page.status == 200)
            let asked = guild.with { $0.asked }
            #expect(asked.q == "Scho" && asked.state == .inactive)
            #expect(asked.orderBy == "members desc" && asked.pageToken == "abc")
            #expect(asked.updatedAfter == Timestamp(seconds: 1_793_491_200))
            // The first instant of the day after the last.
            #expect(asked.updatedBefore == Timestamp(seconds: 1_795_824_000))
            #expect(page.text.contains(#"value="Scho""#))
            #expect(page.text.contains(#"<option value="2" selected>"#))
        }
    }

    @Test(arguments: [
        ("", "order=title", "order=members%20desc", "none", "none"),
        ("title", "order=title%20desc", "order=members%20desc", "ascending", "none"),
        ("title desc", "order=title", "order=members%20desc", "descending", "none"),
        ("members desc", "order=title", "order=members", "none", "descending"),
        ("members", "order=title", "order=members%20desc", "none", "ascending"),
    ])
    func `the head of a column turns the order round`(
        order: String, title: String, members: String, titleSort: String, membersSort: String
    ) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(
                Self.path + "?q=School&order=\(PercentEncoding.encode(order))")
            let heads = page.text.split(separator: "<th scope=\"col\"").dropFirst().map(String.init)

            #expect(heads[0].contains("href=\"\(Self.path)?q=School&amp;\(title)\""))
            #expect(heads[1].contains("href=\"\(Self.path)?q=School&amp;\(members)\""))
            #expect(heads[0].contains("aria-sort=\"\(titleSort)\"") == (titleSort != "none"))
            #expect(heads[1].contains("aria-sort=\"\(membersSort)\"") == (membersSort != "none"))
        }
    }

    @Test func `the archive has an order of its own, and offers no other`() async throws {
        try await Stage.visit { browser, guild in
            let archived = "state=\(EffectiveState.archived.rawValue)"
            let page = try await browser.get(Self.path + "?\(archived)&order=title")
            let asked = guild.with { $0.asked }
            let heads = page.text.split(separator: "<th scope=\"col\"").dropFirst().map(String.init)

            #expect(page.status == 200)
            #expect(asked.state == .archived && asked.orderBy.isEmpty)
            #expect(!heads[0].contains("<a ") && !heads[0].contains("aria-sort"))
            #expect(!heads[1].contains("aria-sort"))
        }
    }

    @Test func `an order that is refused is told at its field`() async throws {
        let guild = Guild()
        guild.with {
            $0.listRefusal = Status.invalid([
                FieldFault(field: "order_by", sentence: "Please order by title.")
            ])
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path + "?order=size")

            #expect(page.status == 422)
            #expect(page.text.contains(#"id="order-fault">Please order by title.</p>"#))
            #expect(page.alert.contains(##"<a href="#order">Order</a>"##))
        }
    }

    @Test func `a long list goes on by its token, and keeps what was looked for`() async throws {
        let guild = Guild()
        guild.with { $0.nextPage = "a/b+c=" }
        try await Stage.visit(guild) { browser, _ in
            let first = try await browser.get(Self.path + "?q=School")
            let later = try await browser.get(Self.path + "?q=School&page=x")

            let next = #"href="/console/organizations?q=School&amp;page=a%2Fb%2Bc%3D" rel="next""#
            #expect(first.text.contains(next) && !first.text.contains("First page"))
            #expect(
                later.text.contains(#"<a href="/console/organizations?q=School">First page</a>"#))
        }
    }

    @Test func `an empty list, a search without result and a refusal each say so`() async throws {
        let guild = Guild()
        try await Stage.visit(guild) { browser, guild in
            let nothing = try await browser.get(Self.path + "?q=zzz")
            let broken = try await browser.get(Self.path + "?from=2026-02-30")
            guild.with { $0.organizations = [:] }
            let empty = try await browser.get(Self.path)
            guild.with { $0.listRefusal = Status.refusal(.forbidden, "Not for you.") }
            let refused = try await browser.get(Self.path)

            #expect(nothing.text.contains("No organization is like that."))
            #expect(broken.status == 422)
            #expect(broken.text.contains(#"id="from-fault""#))
            #expect(empty.text.contains("There are no organizations yet."))
            #expect(refused.status == 403)
            #expect(refused.alert.contains("Not for you."))
        }
    }

    @Test func `the list is handed out as a file, to the person alone`() async throws {
        try await Stage.visit { browser, _ in
            let file = try await browser.get(
                Self.path + "/export?format=csv&parent=\(Guild.school)")
            let refused = try await browser.get(Self.path + "/export?format=pdf")
            var stranger = browser
            stranger.cookie = nil
            let none = try await stranger.get(Self.path + "/export?format=csv")

            #expect(file.status == 200)
            #expect(file.text == "csv of \(Guild.school) for \(Stage.ada.text)")
            #expect(
                file.fields["content-disposition"] == "attachment; filename=\"organizations.csv\"")
            #expect(refused.status == 422)
            #expect(refused.text.contains("xlsx or csv") && refused.text.contains("<h1>"))
            #expect(none.status == 303)
        }
    }

    @Test func `the suborganizations of one are a list of their own`() async throws {
        try await Stage.visit { browser, guild in
            let path = "/console/organizations/\(Guild.district)/suborganizations"
            let page = try await browser.get(path)
            let form = try await browser.post(path)

            let asked = guild.with { $0.asked }
            #expect(asked.parent == Guild.district && !asked.subtree)
            #expect(page.text.contains(#"href="\#(Guild.schoolPath)">School</a>"#))
            #expect(
                page.text.contains(#"href="/console/organizations/new?parent=\#(Guild.district)""#))
            #expect(page.text.contains("export?format=xlsx&amp;parent=\(Guild.district)"))
            #expect(form.status == 405)
        }
    }

    @Test(arguments: [
        "/console/nothing", "/console/organizations/7", "/console/organizations/x/y/z",
        Guild.schoolPath + "/nothing", Guild.schoolPath + "/info/",
        "/console/organizations/\(Stage.ada.text)",
    ])
    func `what is not there is told on a page`(path: String) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(path)

            #expect(page.status == 404)
            #expect(page.text.contains("<h1>There is nothing here</h1>"))
            #expect(page.text.contains(#"<a href="/console/organizations">"#))
        }
    }
}

extension Guild {
    /// A file that says what it is of, and for whom.
    static let export = RegisteredMethod(
        ImportsMethods.exportOrganizations,
        .serverStreaming { payload, context, replies in
            let request = try ExportOrganizationsRequest(decoding: payload.bytes)
            guard ["", "xlsx", "csv"].contains(request.format) else {
                throw Status.invalid([
                    FieldFault(field: "format", sentence: "This must be xlsx or csv.")
                ])
            }
            let user = try context.principal.userID?.text ?? "nobody"
            let text = "\(request.format) of \(request.parent) for \(user)"
            try await replies.write(
                .message(
                    FilePart(
                        name: "organizations.csv", contentType: "text/csv; charset=utf-8",
                        data: Array(text.utf8))))
        })
}
