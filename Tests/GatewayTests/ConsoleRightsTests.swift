import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What pages offer to whom: what somebody may not change is text, and what is refused has no
/// button.
struct ConsoleRightsTests {
    private static func path(_ tab: ConsoleTab) -> String { tab.path(of: Guild.school) }

    /// A guild in which the visitor has a role at the school, or at the district above it; as staff
    /// of the platform without a place.
    private static func guild(
        _ role: Messages.Role, at place: String = Guild.school
    ) -> Guild {
        let guild = Guild.withPrograms()
        guild.with { state in
            state.grants = [Messages.Grant(role: role, organizationID: place)]
            state.members = [
                Member(
                    userID: "u-1", email: "o@b.org", name: "Olga", roles: [.owner], state: .active),
                Member(
                    userID: "u-2", email: "t@b.org", name: "Tom", roles: [.teacher],
                    state: .active),
            ]
            state.masks = [
                EmailMask(value: "b.org", mode: .join, state: .pendingVerification),
                EmailMask(value: "c.org", mode: .allow, state: .active),
            ]
            state.urls = [CustomUrl(slug: "springfield", state: .enabled)]
            state.receivers = [KindReceivers(kind: .account, addresses: ["desk@b.org"])]
            state.waiting = [PendingSignUp(userID: "w-1", email: "w@b.org", name: "Wanda")]
        }
        return guild
    }

    private static let everything = ConsoleTab.allCases

    @Test(arguments: [
        (Messages.Role.platformOwner, everything), (.owner, everything), (.orgAdmin, everything),
        (.userAdmin, [.info, .suborganizations, .users, .limits]),
        (.billingAdmin, [.info, .suborganizations, .subscription, .limits]),
        (.manager, [.info, .users, .limits]), (.teacher, [.info]), (.member, [.info]),
    ])
    func `there are the tabs on which somebody has something to see`(
        role: Messages.Role, tabs: [ConsoleTab]
    ) async throws {
        try await Stage.visit(Self.guild(role)) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)
            let list = try await browser.get(Console.listPath)

            #expect(page.status == 200)
            #expect(page.text.contains(#"class="tabs""#) == (tabs.count > 1))
            for tab in ConsoleTab.allCases {
                // The link of the info on a page of its own tab is not the only one to it.
                let link = #"<a href="\#(Self.path(tab))">\#(tab.title)</a>"#
                #expect(list.text.contains(link) == tabs.contains(tab), "\(tab)")
                guard tab != .info else { continue }
                #expect(page.text.contains(link) == tabs.contains(tab), "\(tab)")
            }
        }
    }

    @Test(arguments: [
        (
            Messages.Role.platformOwner,
            ["title", "description", "country", "typeId", "trial.enabled", "expiresAt"],
            ["deactivate", "delete"]
        ),
        (.owner, ["title", "description", "country"], ["deactivate", "delete"]),
        (.orgAdmin, ["title", "description", "country"], []),
        (.manager, ["title"], []), (.userAdmin, [], []), (.member, [], []),
    ])
    func `the info has the fields and buttons that somebody may use`(
        role: Messages.Role, fields: [String], buttons: [String]
    ) async throws {
        try await Stage.visit(Self.guild(role)) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)
            let delete = try await browser.get(Guild.schoolPath + "/delete")

            let all = ["title", "description", "country", "typeId", "trial.enabled", "expiresAt"]
            for name in all {
                #expect(
                    page.text.contains(#" name="\#(name)""#) == fields.contains(name), "\(name)")
            }
            #expect(page.text.contains(">Save</button>") == !fields.isEmpty)
            #expect(
                page.text.contains(#"value="deactivate""#) == buttons.contains("deactivate"))
            #expect(page.text.contains("Delete…") == buttons.contains("delete"))
            #expect((delete.status == 200) == buttons.contains("delete"))
            #expect(page.text.contains("<dt>Your roles</dt><dd>\(role.words)</dd>"))
        }
    }

    @Test func `a manager reads what is not theirs to change, and saves the title`() async throws {
        try await Stage.visit(Self.guild(.manager)) { browser, guild in
            let page = try await browser.get(Guild.schoolPath)
            let saved = try await browser.post(
                Guild.schoolPath,
                [
                    "etag": try page.hidden("etag"), "title": "Academy",
                    "was.title": try page.hidden("was.title"),
                ])

            #expect(page.text.contains("<dt>Description</dt><dd>Line one\nline two</dd>"))
            #expect(page.text.contains("<dt>Category</dt><dd>Academic: K-12</dd>"))
            #expect(page.text.contains("<dt>Trial until</dt><dd>2030-01-31</dd>"))
            #expect(!page.text.contains("<dt>Title</dt>"))
            // What does not stand in the form is not taken for empty.
            #expect(saved.status == 303)
            #expect(guild.with { $0.updated.updateMask?.paths } == ["title"])
        }
    }

    @Test(arguments: [
        (Messages.Role.platformOwner, ["own", "begin", "colors", "whiteLabel"]),
        (.owner, ["begin", "colors"]), (.orgAdmin, ["colors"]),
    ])
    func `modules, subscription and look have the forms that somebody may use`(
        role: Messages.Role, actions: [String]
    ) async throws {
        let guild = Self.guild(role)
        guild.with { $0.look.own.whiteLabel = true }
        try await Stage.visit(guild) { browser, _ in
            for (tab, words, forms) in [
                (ConsoleTab.modules, "What it may use", ["own"]),
                (.subscription, "There is no subscription yet", ["begin"]),
                (.look, "Colors that hold", ["colors", "whiteLabel"]),
            ] {
                let page = try await browser.get(Self.path(tab))

                #expect(page.text.contains(words), "\(tab)")
                for action in forms {
                    #expect(
                        page.text.contains(#"name="do" value="\#(action)""#)
                            == actions.contains(action), "\(tab) \(action)")
                }
            }
        }
    }

    @Test func `a member reads what the organization is, and no more`() async throws {
        try await Stage.visit(Self.guild(.member)) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)

            #expect(page.text.contains("<h1>School</h1>"))
            #expect(page.text.contains(#"<span class="state good">Active</span>"#))
            #expect(page.text.contains("<dd>Line one\nline two</dd>"))
            #expect(page.text.contains("<dt>Your roles</dt><dd>Member</dd>"))
            for hidden in ["Category", "Trial", "1,234", "Identifier", "<dt>Members</dt>"] {
                #expect(!page.text.contains(hidden), "\(hidden)")
            }
            // The one form is that to sign out.
            #expect(page.text.split(separator: "<form").count == 2)
        }
    }

    @Test func `a role that comes from above is named with its place`() async throws {
        try await Stage.visit(Self.guild(.owner, at: Guild.district)) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)

            #expect(page.text.contains("<dt>Your roles</dt><dd>Owner of District</dd>"))
        }
    }

    @Test(arguments: [
        (Messages.Role.platformOwner, 8), (.owner, 8), (.orgAdmin, 7), (.manager, 4),
        (.userAdmin, 4),
    ])
    func `the roles that somebody may give are offered, and no members whom they may not change`(
        role: Messages.Role, count: Int
    ) async throws {
        try await Stage.visit(Self.guild(role)) { browser, _ in
            let page = try await browser.get(Self.path(.users))

            #expect(page.text.split(separator: #"name="roles""#).count == count + 1)
            #expect(page.text.contains(#"id="role-6""#) == (count == 8))
            #expect(page.text.contains(#"aria-label="Remove Tom""#))
            #expect(page.text.contains(#"aria-label="Remove Olga""#) == (count == 8))
            #expect(page.text.contains("Waiting for approval (1)") == (role != .manager))
        }
    }

    @Test(arguments: [
        (Messages.Role.platformOwner, Guild.school, ["members", "students", "seatCount"]),
        (.partner, Guild.school, ["members", "students", "seatCount"]),
        (.owner, Guild.school, ["seatCount"]),
        (.owner, Guild.district, ["members", "seatCount"]),
        (.billingAdmin, Guild.school, []),
    ])
    func `limits are fields or text`(
        role: Messages.Role, place: String, fields: [String]
    ) async throws {
        try await Stage.visit(Self.guild(role, at: place)) { browser, _ in
            let page = try await browser.get(Self.path(.limits))

            for name in ["members", "students", "seatCount"] {
                #expect(
                    page.text.contains(#" name="\#(name)""#) == fields.contains(name), "\(name)")
            }
            #expect(
                page.text.contains("<dt>Students</dt><dd>7</dd>") == !fields.contains("students"))
            #expect(
                page.text.contains("<dt>Seats</dt><dd>10</dd>") == !fields.contains("seatCount"))
        }
    }

    @Test func `a manager sees the seats, and not why the limits are not shown`() async throws {
        let guild = Self.guild(.manager)
        guild.with { $0.listRefusal = Status.refusal(.forbidden, "Not your limits.") }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path(.limits))

            #expect(page.status == 200 && page.text.contains(#" name="seatCount""#))
            #expect(!page.text.contains("Not your limits."))
        }
    }

    @Test func `a reseller reads email domains, an owner enters those by which people join`()
        async throws
    {
        try await Stage.visit(Self.guild(.reseller)) { browser, _ in
            let page = try await browser.get(Self.path(.domains))
            #expect(page.text.contains("b.org") && !page.text.contains("Add an email domain"))
            #expect(!page.text.contains(#"aria-label="Remove"#))
        }
        try await Stage.visit(Self.guild(.owner)) { browser, _ in
            let page = try await browser.get(Self.path(.domains))
            #expect(page.text.contains("People with it join"))
            #expect(!page.text.contains("People with it need no approval"))
            #expect(page.text.contains(#"aria-label="Check the record of b.org""#))
            #expect(!page.text.contains(#"aria-label="Confirm b.org""#))
            #expect(page.text.contains(#"aria-label="Remove b.org""#))
            #expect(!page.text.contains(#"aria-label="Remove c.org""#))
        }
    }

    @Test func `tabs that somebody comes to by their address are text for them`() async throws {
        try await Stage.visit(Self.guild(.manager)) { browser, _ in
            let services = try await browser.get(Self.path(.services))
            let contacts = try await browser.get(Self.path(.contacts))
            let urls = try await browser.get(Self.path(.urls))

            #expect(services.text.contains("<dt>Switched on</dt><dd>PLS</dd>"))
            #expect(contacts.text.contains("<dd>desk@b.org</dd>"))
            #expect(
                contacts.text.contains("<dd>Inherited from District: desk@district.example</dd>"))
            #expect(urls.text.contains(#"href="/springfield""#))
            for page in [services, contacts, urls] {
                #expect(page.status == 200)
                #expect(page.text.split(separator: "<form").count == 2)
            }
        }
    }

    @Test(arguments: [
        (Messages.Role.platformOwner, true, true), (.orgAdmin, true, false),
        (.manager, false, false), (.member, false, false),
    ])
    func `new organizations and exports are offered to who may have them`(
        role: Messages.Role, mayCreate: Bool, mayExport: Bool
    ) async throws {
        try await Stage.visit(Self.guild(role)) { browser, _ in
            let list = try await browser.get(Console.listPath)
            let new = try await browser.get(Console.newPath)
            let below = try await browser.get(Self.path(.suborganizations))

            #expect(list.text.contains("New organization") == mayCreate)
            #expect(list.text.contains("Export .csv") == mayExport)
            #expect((new.status == 200) == mayCreate)
            #expect(new.text.contains(#" name="typeId""#) == mayExport)
            #expect(below.text.contains("New suborganization") == mayCreate)
            #expect(below.text.contains("Export .csv") == mayExport)
        }
    }

    /// A guild whose school is paused.
    private static func paused(_ guild: Guild) -> Guild {
        guild.with { state in
            state.organizations[Guild.school]?.status = .inactive
            state.organizations[Guild.school]?.effectiveState = .inactive
            state.organizations[Guild.school]?.stateReason = StateReason(
                organizationID: Guild.school, state: .inactive)
        }
        return guild
    }

    @Test(arguments: [
        (Messages.Role.billingAdmin, Guild.school, true), (.owner, Guild.school, false),
        (.orgAdmin, Guild.school, false), (.owner, Guild.district, true),
    ])
    func `in a pause the subscription is for the roles that pay, and for those above`(
        role: Messages.Role, place: String, isTheirs: Bool
    ) async throws {
        try await Stage.visit(Self.paused(Self.guild(role, at: place))) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)
            let tab = try await browser.get(Self.path(.subscription))

            let link = #"<a href="\#(Self.path(.subscription))">Subscription</a>"#
            #expect(page.text.contains(link) == isTheirs)
            #expect(tab.text.contains(#"name="do" value="begin""#) == isTheirs)
        }
    }

    @Test func `in a pause an owner is offered its end, and nothing that it suspends`() async throws
    {
        try await Stage.visit(Self.paused(Self.guild(.owner))) { browser, _ in
            let page = try await browser.get(Guild.schoolPath)
            let programs = try await browser.get(Self.path(.programs))

            #expect(page.text.contains(#"value="activate""#) && page.text.contains("Delete…"))
            #expect(!page.text.contains(#" name="title""#))
            for tab in [ConsoleTab.users, .services, .suborganizations, .limits] {
                #expect(!page.text.contains(#"href="\#(Self.path(tab))""#), "\(tab)")
            }
            // A key can be looked up and taken away, and none is made.
            #expect(programs.text.contains("Timetable") && programs.text.contains("Delete…"))
            #expect(!programs.text.contains("Make the key"))
        }
    }

    @Test func `what is not offered is for the service to decide all the same`() async throws {
        try await Stage.visit(Self.guild(.member)) { browser, guild in
            let sent = try await browser.post(Guild.schoolPath, ["title": "Academy"])
            guild.with { $0.refusal = Status.refusal(.forbidden, "Not for members.") }
            let refused = try await browser.post(
                Guild.schoolPath, ["title": "Gymnasium", "description": "Mine"])

            #expect(sent.status == 303 && guild.changes == ["update"])
            #expect(refused.status == 403)
            #expect(refused.alert.contains("Not for members."))
            // What was typed stays.
            #expect(refused.text.contains(#"value="Gymnasium""#))
            #expect(refused.text.contains("Mine</textarea>"))
            #expect(!refused.text.contains(#" name="country""#))
        }
    }
}
