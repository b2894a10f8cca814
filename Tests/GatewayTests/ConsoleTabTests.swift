import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The tabs of an organization beside its info, each saved by itself.
struct ConsoleTabTests {
    private static func path(_ tab: ConsoleTab) -> String { tab.path(of: Guild.school) }

    @Test func `every tab leads to all of them, and says which it is`() async throws {
        try await Stage.visit { browser, _ in
            for tab in ConsoleTab.allCases {
                let page = try await browser.get(Self.path(tab))
                for other in ConsoleTab.allCases {
                    let mark = other == tab ? #" aria-current="page""# : ""
                    let link = #"<a href="\#(Self.path(other))"\#(mark)>\#(other.title)</a>"#
                    #expect(page.text.contains(link), "\(tab) \(other)")
                }
            }
        }
    }

    @Test func `a tab that somebody may not see says so, and leads to the others`() async throws {
        let guild = Guild()
        guild.with { $0.listRefusal = Status.refusal(.forbidden, "Not for teachers.") }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path(.users))

            #expect(page.status == 403)
            #expect(page.alert.contains("Not for teachers."))
            #expect(page.text.contains(#"href="\#(Self.path(.services))">Services</a>"#))
        }
    }

    @Test func `people are added with their roles, blocked, unblocked and removed`() async throws {
        let guild = Guild()
        guild.with {
            $0.members = [
                Member(
                    userID: "u-1", email: "a@b.org", name: "Ada", roles: [.teacher],
                    state: .active),
                Member(userID: "u-2", email: "b@b.org", name: "Bob", state: .blocked),
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let path = Self.path(.users)
            let page = try await browser.get(path)
            let added = try await browser.post(
                path,
                ["do": "add", "email": " c@b.org ", "name": "C", "roles": "12", "roles": "11"])
            _ = try await browser.post(path, ["do": "block", "user": "u-1", "key": "1"])
            _ = try await browser.post(path, ["do": "unblock", "user": "u-2", "key": "2"])
            let removed = try await browser.post(path, ["do": "remove", "user": "u-1", "key": "3"])

            #expect(page.text.contains("Nobody owns this organization yet."))
            #expect(page.text.contains(#"aria-label="Block Ada""#))
            #expect(page.text.contains(#"aria-label="Unblock Bob""#))
            #expect(page.text.contains("<td class=\"wide-only\">Teacher</td>"))
            #expect(added.fields["location"] == path + "?done=added")
            #expect(removed.status == 303)
            let member = guild.with { $0.members.last }
            #expect(member?.email == "c@b.org" && member?.roles == [.student, .teacher])
            #expect(guild.changes == ["add", "block u-1", "unblock u-2", "remove u-1"])
        }
    }

    @Test func `whoever changes a member stays at their part of the list`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.members = [Member(userID: "u-1", name: "Ada", state: .active)] }
            let path = Self.path(.users)
            let page = try await browser.get(path + "?state=1&page=p2")
            let blocked = try await browser.post(
                path, ["do": "block", "user": "u-1", "key": "1", "state": "1", "page": "p2"])
            guild.with { $0.refusal = Status.refusal(.forbidden, "Not for you.") }
            let refused = try await browser.post(
                path, ["do": "remove", "user": "u-1", "key": "2", "state": "2", "page": "p3"])
            let asked = guild.with { $0.askedMembers }

            // Three forms stand on the page: to block, to remove and to add.
            let kept = #"<input type="hidden" name="page" value="p2">"#
            #expect(page.text.split(separator: kept).count == 4)
            #expect(try page.hidden("state") == "1")
            #expect(blocked.fields["location"] == path + "?done=blocked&state=1&page=p2")
            #expect(refused.status == 403)
            #expect(asked.state == .blocked && asked.pageToken == "p3")
            #expect(try refused.hidden("page") == "p3")
        }
    }

    @Test func `every limit that refuses somebody is told, and what was typed stays`() async throws
    {
        let guild = Guild()
        guild.with {
            $0.refusal = Status.refusal(
                .membersLimitReached, "The limit of members is reached.",
                violations: [
                    .init(
                        type: "members_limit_reached", subject: Guild.district,
                        description: "District has 5 of 5 members."),
                    .init(
                        type: "seats_exhausted", subject: Guild.school,
                        description: "School has no seat left."),
                ])
        }
        try await Stage.visit(guild) { browser, _ in
            let answer = try await browser.post(
                Self.path(.users), ["do": "add", "email": "c@b.org", "roles": "8"])

            #expect(answer.status == 409)
            #expect(answer.alert.contains("The limit of members is reached."))
            #expect(answer.alert.contains("<li>District has 5 of 5 members.</li>"))
            #expect(answer.alert.contains("<li>School has no seat left.</li>"))
            #expect(answer.text.contains(#"value="c@b.org""#))
            #expect(answer.text.contains(#"id="role-8" name="roles" value="8" checked"#))
        }
    }

    @Test func `services are switched, PLS among them`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.path(.services))
            let answer = try await browser.post(
                Self.path(.services),
                [
                    "do": "services", "etag": try page.hidden("etag"), "services": "pls",
                    "more": " lab ",
                ])
            let saved = try await browser.get(Self.path(.services))

            #expect(page.text.contains(#"value="pls" checked"#))
            #expect(answer.status == 303)
            #expect(guild.school.services == ["pls", "lab"])
            #expect(saved.text.contains(#"value="lab" checked"#))
        }
    }

    @Test func `receivers are shown with where they come from, and saved by kind`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.contacts)
            let page = try await browser.get(path)
            let saved = try await browser.post(
                path,
                ["do": "contacts", "kind-1": "a@b.org\r\n c@b.org,\r\n", "kind-7": "d@b.org"])
            guild.with {
                $0.refusal = Status.invalid([
                    FieldFault(field: "receivers[1].addresses", sentence: "No address.")
                ])
            }
            let refused = try await browser.post(
                path, ["do": "contacts", "kind-2": "x@b.org", "kind-5": "none"])

            #expect(page.text.contains("Inherited from District: desk@district.example"))
            #expect(page.text.contains("From the platform: us@platform.example"))
            #expect(saved.status == 303)
            #expect(
                guild.with { $0.receivers } == [
                    KindReceivers(kind: .account, addresses: ["a@b.org", "c@b.org"]),
                    KindReceivers(kind: .miscellaneous, addresses: ["d@b.org"]),
                ])
            #expect(refused.text.contains(#"id="kind-5-fault">No address.</p>"#))
            #expect(refused.text.contains("none</textarea>"))
        }
    }

    @Test func `email domains are added, proved and removed`() async throws {
        let guild = Guild()
        guild.with {
            $0.masks = [
                EmailMask(
                    value: "*.b.org", state: .pendingVerification, challenge: "guildhall=1",
                    challengeName: "_guildhall-challenge.b.org")
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let path = Self.path(.domains)
            let page = try await browser.get(path)
            for (number, action) in ["add", "verify", "confirm", "remove"].enumerated() {
                let answer = try await browser.post(
                    path, ["do": action, "value": "*.b.org", "mode": "1", "key": "\(number)"])
                #expect(answer.status == 303)
            }

            #expect(page.text.contains("<code>_guildhall-challenge.b.org</code>"))
            #expect(
                guild.changes == [
                    "mask *.b.org", "verify *.b.org", "confirm *.b.org", "unmask *.b.org",
                ])
        }
    }

    @Test func `custom URLs are added, shut down, opened and released`() async throws {
        let guild = Guild()
        guild.with {
            $0.urls = [
                CustomUrl(slug: "springfield", state: .enabled),
                CustomUrl(slug: "old", state: .disabled),
                CustomUrl(slug: "gone", state: .released),
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let path = Self.path(.urls)
            let page = try await browser.get(path)
            for (number, action) in ["add", "disable", "enable", "release"].enumerated() {
                let answer = try await browser.post(
                    path, ["do": action, "slug": "new-one", "key": "\(number)"])
                #expect(answer.status == 303)
            }
            guild.with {
                $0.refusal = Status.refusal(
                    .slugTaken, "This custom URL is already in use.",
                    fields: [.init(field: "slug", description: "This is in use.")])
            }
            let taken = try await browser.post(path, ["do": "add", "slug": "taken"])

            #expect(page.text.contains(#"href="/springfield">http://gateway.test/springfield</a>"#))
            #expect(page.text.contains(#"aria-label="Open old""#))
            #expect(page.text.contains(#"aria-label="Take back gone""#))
            #expect(
                guild.changes == [
                    "url new-one", "disable new-one", "enable new-one", "release new-one",
                ])
            #expect(taken.status == 409)
            #expect(taken.text.contains(#"id="slug-fault">This is in use.</p>"#))
        }
    }

    @Test func `limits are set and taken away, and seats are counted`() async throws {
        try await Stage.visit { browser, guild in
            let path = Self.path(.limits)
            let page = try await browser.get(path)
            let caps = try await browser.post(
                path,
                [
                    "do": "caps", "etag": "c1", "members": "40", "was.members": "",
                    "students": "", "was.students": "7", "teachers": "", "was.teachers": "",
                    "key": "1",
                ])
            let seats = try await browser.post(
                path,
                [
                    "do": "seats", "seatCount": "20", "etag": "s1", "was.seatCount": "10",
                    "key": "2",
                ])
            let same = try await browser.post(
                path, ["do": "caps", "members": "40", "was.members": "40"])
            let wrong = try await browser.post(path, ["do": "caps", "members": "many"])
            guild.with { $0.listRefusal = Status.refusal(.forbidden, "Not your limits.") }
            let part = try await browser.get(path)

            #expect(page.text.contains("3 people here and below."))
            #expect(page.text.contains(#"name="students" value="7""#))
            #expect(page.text.contains("2 seats are taken. At most 25 were sold."))
            #expect([caps, seats, same].map(\.status) == [303, 303, 303])
            // Whoever may set one limit and not another saves that one.
            #expect(guild.changes == ["caps: members 40, no students", "seats 20 of s1"])
            #expect(wrong.status == 422)
            #expect(wrong.text.contains(#"id="members-fault">A number is expected.</p>"#))
            #expect(wrong.text.contains(#"value="many""#))
            #expect(part.status == 200 && part.text.contains("Not your limits."))
            #expect(
                part.text.contains("2 seats are taken.") && !part.text.contains("name=\"members\""))
        }
    }
}
