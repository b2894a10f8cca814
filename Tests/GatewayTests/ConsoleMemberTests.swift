import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The page of one member, and those who wait to become members.
struct ConsoleMemberTests {
    private static let users = ConsoleTab.users.path(of: Guild.school)
    private static let bob = UserID(millisecondsSince1970: 2, random: (2, 2)).text
    private static let path = users + "/" + bob

    private static func guild(
        _ role: Messages.Role = .platformOwner, roles: [Messages.Role] = [.teacher, .member]
    ) -> Guild {
        let guild = Guild()
        guild.with { state in
            state.grants = [
                Messages.Grant(
                    role: role, organizationID: role == .platformOwner ? "" : Guild.school)
            ]
            state.members = [
                Member(
                    organizationID: Guild.school, userID: bob, email: "b@b.org", name: "Bob <i>",
                    roles: roles, state: .active, takesSeat: true,
                    joinedAt: Timestamp(seconds: 1_796_000_000), version: 1, etag: "m1")
            ]
        }
        return guild
    }

    @Test func `a member has a page to which the list leads`() async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let list = try await browser.get(Self.users)
            let page = try await browser.get(Self.path)

            #expect(list.text.contains(#"<a class="name" href="\#(Self.path)">Bob &lt;i&gt;</a>"#))
            #expect(page.status == 200)
            #expect(page.text.contains("<h1>Bob &lt;i&gt;</h1>") && !page.text.contains("<i>"))
            #expect(page.text.contains("<dd>b@b.org</dd>"))
            #expect(page.text.contains("<dt>Joined</dt><dd>2026-11-30</dd>"))
            #expect(page.text.contains(#"id="role-11" name="roles" value="11" checked"#))
            #expect(!page.text.contains(#"id="role-12" name="roles" value="12" checked"#))
            #expect(page.text.contains(#"<a href="\#(Self.users)">Users</a>"#))
        }
    }

    @Test func `roles are changed once, with the version that was shown`() async throws {
        try await Stage.visit(Self.guild()) { browser, guild in
            let page = try await browser.get(Self.path)
            let form: KeyValuePairs<String, String> = [
                "do": "roles", "key": try page.hidden("key"), "etag": try page.hidden("etag"),
                "was.roles": try page.hidden("was.roles"), "roles": "8", "roles": "11",
            ]
            let answers = [
                try await browser.post(Self.path, form), try await browser.post(Self.path, form),
            ]
            let after = try await browser.get(answers[0].fields["location"] ?? "")

            #expect(try page.hidden("was.roles") == "11 13")
            #expect(answers.map(\.status) == [303, 303])
            #expect(guild.changes == ["roles: Manager, Teacher"])
            #expect(after.text.contains("Your changes are saved."))
            #expect(after.text.contains(#"value="8" checked"#))
        }
    }

    @Test func `roles that are not touched are not sent`() async throws {
        try await Stage.visit(Self.guild()) { browser, guild in
            let same = try await browser.post(
                Self.path,
                [
                    "do": "roles", "etag": "m0", "was.roles": "11 13", "roles": "13",
                    "roles": "11",
                ])

            #expect(same.status == 303 && guild.changes.isEmpty)
        }
    }

    @Test func `roles that somebody else has changed are told, and what was ticked stays`()
        async throws
    {
        try await Stage.visit(Self.guild()) { browser, guild in
            let page = try await browser.get(Self.path)
            guild.with { state in
                state.members[0].roles = [.teacher, .member, .userAdmin]
                state.members[0].etag = "m2"
            }
            // Teacher is taken, manager given; member is not touched.
            let stale = try await browser.post(
                Self.path,
                [
                    "do": "roles", "etag": try page.hidden("etag"),
                    "was.roles": try page.hidden("was.roles"), "roles": "8", "roles": "13",
                ])

            #expect(stale.status == 412 && guild.changes.isEmpty)
            #expect(stale.alert.contains("It was changed meanwhile"))
            #expect(stale.alert.contains(##"<a href="#roles">Manager</a>: now not given"##))
            #expect(stale.alert.contains(##"<a href="#roles">Teacher</a>: now given"##))
            #expect(!stale.alert.contains("User administrator"))
            for (role, isTicked) in [("8", true), ("10", true), ("11", false), ("13", true)] {
                #expect(
                    stale.text.contains(#"name="roles" value="\#(role)" checked"#) == isTicked,
                    "\(role)")
            }
            #expect(try stale.hidden("etag") == "m2")
            #expect(try stale.hidden("was.roles") == "11 13 10")
        }
    }

    @Test func `every gate that refuses a role is told, and none is named at the boxes`()
        async throws
    {
        try await Stage.visit(Self.guild()) { browser, guild in
            guild.with {
                $0.refusal = Status.refusal(
                    .seatsExhausted, "3 of 3 seats are taken.",
                    violations: [
                        .init(
                            type: "seats_exhausted", subject: Guild.school,
                            description: "3 of 3 seats are taken."),
                        .init(
                            type: "role_quota_reached", subject: Guild.district,
                            description: "The limit of students of District is reached: 7 of 7."),
                    ])
            }
            let full = try await browser.post(
                Self.path,
                ["do": "roles", "etag": "m1", "was.roles": "11 13", "roles": "12", "key": "k"])
            let none = try await browser.post(
                Self.path, ["do": "roles", "etag": "m1", "was.roles": "11 13"])

            #expect(full.status == 409)
            #expect(full.alert.contains("3 of 3 seats are taken."))
            #expect(full.alert.contains("<li>The limit of students of District is reached"))
            #expect(full.text.contains(#"name="roles" value="12" checked"#))
            #expect(try full.hidden("key") != "k")
            #expect(none.status == 422)
            #expect(none.text.contains(#"<p class="fault">A member has at least one role.</p>"#))
        }
    }

    @Test func `roles that somebody may not give stay, unseen among the boxes`() async throws {
        let guild = Self.guild(.orgAdmin, roles: [.owner, .teacher])
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.text.contains(#"<input type="hidden" name="roles" value="6">"#))
            #expect(!page.text.contains(#"id="role-6""#))
            #expect(page.text.contains("Beside these: Owner, which you may not take."))
            // An owner is for owners to block and remove.
            #expect(!page.text.contains("Block or remove"))
        }
    }

    @Test func `nobody is offered to change themselves`() async throws {
        let guild = Self.guild(.orgAdmin)
        guild.with { $0.members[0].userID = Stage.ada.text }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.users + "/" + Stage.ada.text)

            #expect(page.text.contains("This is you. Somebody else changes your roles."))
            #expect(page.text.contains("<dt>Roles</dt><dd>Teacher, Member</dd>"))
            #expect(page.text.split(separator: "<form").count == 2)
        }
    }

    @Test func `a member is blocked, unblocked and removed on their page`() async throws {
        try await Stage.visit(Self.guild()) { browser, guild in
            let blocked = try await browser.post(Self.path, ["do": "block", "key": "1"])
            let unblocked = try await browser.post(Self.path, ["do": "unblock", "key": "2"])
            guild.with { $0.refusal = Status.refusal(.lastOwner, "The last owner stays.") }
            let refused = try await browser.post(Self.path, ["do": "remove", "key": "3"])
            let removed = try await browser.post(Self.path, ["do": "remove", "key": "4"])
            let nonsense = try await browser.post(Self.path, ["do": "explode", "key": "5"])

            #expect(blocked.fields["location"] == Self.path + "?done=blocked")
            #expect(unblocked.fields["location"] == Self.path + "?done=unblocked")
            #expect(refused.status == 409 && refused.alert.contains("The last owner stays."))
            #expect(removed.fields["location"] == Self.users + "?done=removed")
            #expect(nonsense.status == 400)
            #expect(
                guild.changes == ["block \(Self.bob)", "unblock \(Self.bob)", "remove \(Self.bob)"])
        }
    }

    @Test(arguments: ["/users/none", "/users/\(bob)/more", "/limits/\(bob)", "/users/"])
    func `a page of nobody is not there`(place: String) async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let page = try await browser.get(Guild.schoolPath + place)

            #expect(page.status == 404)
        }
    }

    // MARK: Waiting

    @Test func `those who wait are counted, let in once and turned down`() async throws {
        let guild = Self.guild()
        guild.with {
            $0.waiting = [
                PendingSignUp(
                    userID: "w-1", email: "w@b.org", name: "Wanda <b>", reason: .noMask,
                    createdAt: Timestamp(seconds: 1_796_000_000)),
                PendingSignUp(userID: "w-2", email: "v@b.org", reason: .limitReached),
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let page = try await browser.get(Self.users + "?waiting=t1")
            let form: KeyValuePairs = ["do": "approve", "user": "w-1", "key": "1", "waiting": "t1"]
            let approved = try await browser.post(Self.users, form)
            let again = try await browser.post(Self.users, form)
            let rejected = try await browser.post(
                Self.users, ["do": "reject", "user": "w-2", "key": "2"])
            let after = try await browser.get(rejected.fields["location"] ?? "")

            #expect(page.text.contains("<h2>Waiting for approval (2)</h2>"))
            #expect(page.text.contains("Wanda &lt;b&gt;") && !page.text.contains("<b>"))
            #expect(page.text.contains("No email domain covers the address"))
            #expect(page.text.contains(#"aria-label="Turn down v@b.org""#))
            #expect(approved.fields["location"] == Self.users + "?done=approved&waiting=t1")
            #expect(again.status == 303)
            #expect(guild.changes == ["approve w-1", "reject w-2"])
            #expect(after.text.contains("The sign-up is turned down; the account stays."))
            #expect(!after.text.contains("Waiting for approval"))
        }
    }

    @Test func `from a later part a link leads to the first, which follows the last one let in`()
        async throws
    {
        let guild = Self.guild()
        guild.with {
            $0.waiting = [PendingSignUp(userID: "w-1", email: "w@b.org", name: "Wanda")]
            $0.laterWaiting = [PendingSignUp(userID: "w-9", email: "z@b.org", name: "Zoe")]
        }
        try await Stage.visit(guild) { browser, _ in
            let later = try await browser.get(Self.users + "?waiting=t1")
            let approved = try await browser.post(
                Self.users, ["do": "approve", "user": "w-9", "key": "1", "waiting": "t1"])
            let after = try await browser.get(approved.fields["location"] ?? "")
            let first = try await browser.get(Self.users)

            let link = #"<a href="\#(Self.users)">First page</a>"#
            #expect(later.text.contains("Zoe") && !later.text.contains("Wanda"))
            #expect(later.text.contains(link))
            #expect(after.text.contains("<h2>Waiting for approval (1)</h2>"))
            #expect(after.text.contains("Wanda") && !after.text.contains(link))
            #expect(first.text.contains("Wanda") && !first.text.contains(link))
        }
    }

    @Test func `the gate that keeps somebody waiting is shown, and they wait on`() async throws {
        let guild = Self.guild()
        guild.with {
            $0.waiting = [PendingSignUp(userID: "w-1", email: "w@b.org", name: "Wanda")]
            $0.refusal = Status.refusal(
                .membersLimitReached, "The members limit of District is reached: 5 of 5.",
                violations: [
                    .init(
                        type: "members_limit_reached", subject: Guild.district,
                        description: "The members limit of District is reached: 5 of 5.")
                ])
        }
        try await Stage.visit(guild) { browser, guild in
            let refused = try await browser.post(Self.users, ["do": "approve", "user": "w-1"])

            #expect(refused.status == 409)
            #expect(refused.alert.contains("Nobody was let in yet"))
            #expect(refused.alert.contains("The members limit of District is reached: 5 of 5."))
            #expect(refused.text.contains("Waiting for approval (1)"))
            #expect(guild.changes.isEmpty)
        }
    }
}
