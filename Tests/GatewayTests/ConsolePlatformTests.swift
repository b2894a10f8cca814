import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The pages of what the platform offers to all organizations.
struct ConsolePlatformTests {
    private static let types = "/console/types"
    private static let typePath = "/console/types/\(Guild.type)"
    private static let modulePath = "/console/catalog/\(Guild.algebra)"
    private static let coursePath = "\(modulePath)/\(Guild.course)"

    // MARK: Who comes there

    @Test func `only who runs the platform is led to its pages`() async throws {
        try await Stage.visit { browser, _ in
            for path in ["/console/organizations", Self.types, Guild.schoolPath, "/console/none"] {
                let page = try await browser.get(path)
                for part in PlatformPart.allCases {
                    #expect(page.text.contains(#"<a href="\#(part.path)">\#(part.title)</a>"#))
                }
            }
        }
        let guild = Guild()
        guild.with {
            $0.grants = [Messages.Grant(role: .owner, organizationID: Guild.school)]
            $0.offers.refusal = Status.refusal(.forbidden, "Not for owners.")
        }
        try await Stage.visit(guild) { browser, _ in
            let list = try await browser.get("/console/organizations")

            #expect(!list.text.contains(#"<a href="/console/imports">"#))
            for part in PlatformPart.allCases {
                #expect(!list.text.contains(part.path))
                let page = try await browser.get(part.path)
                #expect(page.status == 403 && page.text.contains("Not for owners."))
            }
        }
    }

    @Test(arguments: [
        "/console/types/x", "/console/types/\(Guild.type)/x", "/console/catalog/x",
        "/console/catalog/\(Guild.algebra)/x", "/console/catalog/x/\(Guild.course)",
        "/console/licenseTypes", "/console/other", "/console/types/", "/console/imports/a/b",
    ])
    func `where there is nothing nothing is asked`(path: String) async throws {
        try await Stage.visit { browser, _ in
            let page = try await browser.get(path)
            let form = try await browser.post(path, ["name": "A"])

            #expect(page.status == 404 && form.status == 404)
        }
    }

    // MARK: Organization types

    @Test func `types are listed with what they say`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.offers.type.defaultSeatTypeID = Guild.seatType }
            let page = try await browser.get(Self.types)
            let form = try await browser.post(Self.types)

            #expect(
                page.text.contains(#"<a class="name" href="\#(Self.typePath)">K-12 &lt;type&gt;"#))
            #expect(page.text.contains("Whoever may set a type"))
            #expect(page.text.contains(#"<td class="wide-only">Open</td>"#))
            #expect(page.text.contains(#"<td class="wide-only">Standard seat</td>"#))
            #expect(page.text.contains(#"href="/console/types/new">New organization type</a>"#))
            #expect(form.status == 405)
        }
    }

    @Test func `a type is made once, with seats and modules as they begin`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.types + "/new")
            let form: KeyValuePairs = [
                "key": try page.hidden("key"), "name": "Schools", "visibility": "2",
                "defaultSeatTypeId": Guild.seatType, "access.requiresApproval": "on",
                "modules": Guild.botany, "manager.takesSeat": "on",
                "member.licenses": Guild.licenseType, "member.courses": Guild.course,
            ]
            let answers = [
                try await browser.post(Self.types + "/new", form),
                try await browser.post(Self.types + "/new", form),
            ]
            let made = guild.with { $0.offers.madeType }

            #expect(
                page.text.contains(
                    #"name="allModules" aria-describedby="allModules-hint" value="on" checked"#))
            #expect(!page.text.contains(#"name="owner.takesSeat" value="on" checked"#))
            #expect(page.text.contains(#"name="manager.takesSeat" value="on" checked"#))
            #expect(
                answers.map { $0.fields["location"] }
                    == .init(
                        repeating: Self.typePath + "?done=made", count: 2))
            #expect(guild.changes == ["make type"])
            #expect(made.visibility == .private && made.defaultSeatTypeID == Guild.seatType)
            #expect(
                made.access
                    == OrganizationTypeAccess(
                        requiresApproval: true,
                        defaultModules: ModuleSelection(moduleIDs: [Guild.botany])))
            #expect(
                made.seatBenefits
                    == SeatBenefits(
                        owner: SeatBenefit(), manager: SeatBenefit(takesSeat: true),
                        member: SeatBenefit(
                            licenseTypes: [Guild.licenseType], courses: [Guild.course])))
        }
    }

    /// The form of the only type as its page shows it, with another name and approval.
    private static func typed(
        _ page: HTTPClient.Answer, name: String
    ) throws -> KeyValuePairs<String, String> {
        [
            "key": try page.hidden("key"), "etag": try page.hidden("etag"), "name": name,
            "was.name": "K-12 <type>", "visibility": "1", "was.visibility": "1",
            "defaultSeatTypeId": "", "was.defaultSeatTypeId": "", "access.signupAllowed": "on",
            "was.access.signupAllowed": "on", "access.requiresApproval": "on",
            "was.access.requiresApproval": "", "allModules": "on", "was.allModules": "on",
            "modules": Guild.botany, "was.modules": "", "manager.takesSeat": "on",
            "was.manager.takesSeat": "on", "member.takesSeat": "on", "was.member.takesSeat": "on",
            "owner.courses": Guild.course, "was.owner.courses": "",
        ]
    }

    @Test func `only what was touched of a type is changed`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.typePath)
            let saved = try await browser.post(
                Self.typePath, try Self.typed(page, name: "K-12 <type>"))
            let asked = guild.with { $0.offers.askedType }

            #expect(saved.fields["location"] == Self.typePath + "?done=saved")
            #expect(
                asked.updateMask?.paths == ["access.requires_approval", "seat_benefits.owner"])
            #expect(asked.organizationType?.id == Guild.type)
            #expect(
                asked.organizationType?.seatBenefits?.owner
                    == SeatBenefit(courses: [Guild.course]))
        }
    }

    @Test func `a type that somebody else has changed keeps what both want`() async throws {
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.typePath)
            guild.with { state in
                state.offers.type.name = "Schools"
                state.offers.type.visibility = .private
                state.offers.type.etag = "o2"
            }
            let stale = try await browser.post(Self.typePath, try Self.typed(page, name: "Mine"))
            let other = try await browser.post(
                Self.typePath,
                [
                    "key": "2", "etag": "o1", "name": "Schools", "was.name": "Schools",
                    "visibility": "1", "was.visibility": "2",
                ])

            #expect(stale.status == 412 && guild.changes.isEmpty)
            #expect(stale.alert.contains(##"<a href="#name">Name</a>: now Schools"##))
            #expect(!stale.alert.contains("Who may assign it"))
            #expect(stale.text.contains(#"value="Mine""#))
            #expect(stale.text.contains(#"<option value="2" selected>"#))
            #expect(try stale.hidden("etag") == "o2")
            #expect(try stale.hidden("was.name") == "Schools")
            #expect(other.alert.contains("</a>: now Staff of the platform</li>"))
        }
    }

    @Test func `refusals stand at their fields, with all that was typed`() async throws {
        let guild = Guild()
        guild.with {
            $0.refusal = Status.invalid([
                FieldFault(field: "name", sentence: "Another type has this name."),
                FieldFault(
                    field: "seat_benefits.member.courses[0]", sentence: "There is no such course."),
            ])
        }
        try await Stage.visit(guild) { browser, _ in
            let answer = try await browser.post(
                Self.types + "/new",
                ["name": "A <b>", "member.courses": Guild.course, "key": "old"])

            #expect(answer.status == 422)
            #expect(answer.text.contains(#"id="name-fault">Another type has this name.</p>"#))
            #expect(answer.text.contains(#"<p class="fault">There is no such course.</p>"#))
            #expect(answer.text.contains(#"value="A &lt;b&gt;""#))
            #expect(
                answer.text.contains(#"name="member.courses" value="\#(Guild.course)" checked"#))
            #expect(try answer.hidden("key") != "old")
        }
    }

    @Test func `a type that is in use stays, and says so`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.refusal = Status.refusal(.typeInUse, "2 organizations have it.") }
            let refused = try await browser.post(
                Self.typePath, ["do": "delete", "key": "1", "etag": "o1"])
            let deleted = try await browser.post(
                Self.typePath, ["do": "delete", "key": "2", "etag": "o1"])

            #expect(refused.status == 409)
            #expect(refused.alert.contains("It was not deleted"))
            #expect(refused.alert.contains("2 organizations have it."))
            #expect(deleted.fields["location"] == Self.types + "?done=removed")
            #expect(guild.changes == ["delete type"])
        }
    }

    // MARK: Modules and courses

    @Test func `a module is made with its chapters, a line each`() async throws {
        try await Stage.visit { browser, guild in
            let list = try await browser.get("/console/catalog")
            let made = try await browser.post(
                "/console/catalog/new",
                ["key": "1", "name": "Chemistry", "newChapters": "Acids\r\n\r\n Bases \r\n"])

            #expect(list.text.contains(#"href="\#(Self.modulePath)">Algebra &lt;1&gt;</a>"#))
            #expect(made.fields["location"] == Self.modulePath + "?done=made")
            #expect(
                guild.with { $0.offers.madeModule.chapters.map(\.title) } == ["Acids", "Bases"])
        }
    }

    @Test func `chapters keep who they are when they are renamed, moved and removed`()
        async throws
    {
        let (sets, rings) = ("chapter.\(Guild.sets)", "chapter.\(Guild.rings)")
        let (first, second) = ("place.\(Guild.sets)", "place.\(Guild.rings)")
        try await Stage.visit { browser, guild in
            let page = try await browser.get(Self.modulePath)
            func form(
                _ key: String, sets title: String, _ place: String, rings: String = "Rings",
                etag: String = "m1"
            ) -> KeyValuePairs<String, String> {
                [
                    "key": key, "etag": etag, "name": "Algebra <1>", "was.name": "Algebra <1>",
                    sets: title, "was.\(sets)": "Sets", first: place, "was.\(first)": "1",
                    "chapter.\(Guild.rings)": rings, "was.chapter.\(Guild.rings)": "Rings",
                    second: "2", "was.\(second)": "2", "newChapters": "Fields",
                ]
            }
            let moved = try await browser.post(
                Self.modulePath, form("1", sets: "All sets", "3"))
            let asked = guild.with { $0.offers.askedModule }
            _ = try await browser.post(
                Self.modulePath, form("2", sets: "Sets", "1", rings: " ", etag: "m1+"))
            let removed = guild.with { $0.offers.askedModule.module?.chapters.map(\.title) }
            let wrong = try await browser.post(
                Self.modulePath, form("3", sets: "Sets", "first", etag: "m1++"))

            #expect(page.text.contains(#"name="\#(rings)" value="Rings""#))
            #expect(moved.status == 303)
            #expect(asked.updateMask?.paths == ["chapters"])
            #expect(
                asked.module?.chapters == [
                    Chapter(id: Guild.rings, title: "Rings"),
                    Chapter(id: Guild.sets, title: "All sets"), Chapter(title: "Fields"),
                ])
            #expect(removed == ["Sets", "Fields"])
            #expect(wrong.status == 422)
            #expect(wrong.text.contains(#"id="\#(first)-fault">A number is expected.</p>"#))
            #expect(wrong.text.contains(#"value="first""#))
        }
    }

    @Test func `a course belongs to the module at which it is made, and may move`() async throws {
        try await Stage.visit { browser, guild in
            let module = try await browser.get(Self.modulePath)
            let made = try await browser.post(
                Self.modulePath + "/new",
                ["key": "1", "name": "Second steps", "chapterId": Guild.sets])
            let moved = try await browser.post(
                Self.coursePath,
                [
                    "key": "2", "etag": "k1", "name": "First steps", "was.name": "First steps",
                    "moduleId": Guild.botany, "was.moduleId": Guild.algebra,
                    "chapterId": Guild.sets,
                    "was.chapterId": Guild.sets,
                ])
            let asked = guild.with { $0.offers.askedCourse }
            let deleted = try await browser.post(
                Self.coursePath, ["do": "delete", "key": "3", "etag": "k1+"])

            #expect(module.text.contains(#"href="\#(Self.coursePath)">First steps</a>"#))
            #expect(made.fields["location"] == Self.coursePath + "?done=made")
            #expect(moved.status == 303)
            // A chapter of the module before is none of the one after.
            #expect(asked.updateMask?.paths == ["module_id", "chapter_id"])
            #expect(asked.course?.chapterID == "")
            #expect(deleted.fields["location"] == Self.modulePath + "?done=removed")
            #expect(
                guild.changes == [
                    "make course Second steps in sets", "change course", "delete course",
                ])
        }
    }

    // MARK: Seat and license types

    @Test func `seat types are looked after, and the platform's own stays`() async throws {
        let path = "/console/seatTypes/\(Guild.seatType)"
        try await Stage.visit { browser, guild in
            let list = try await browser.get("/console/seatTypes")
            let page = try await browser.get(path)
            let saved = try await browser.post(
                path,
                [
                    "key": "1", "etag": "t1", "name": "Standard seat", "was.name": "Standard seat",
                    "licenses": Guild.licenseType, "was.licenses": "", "courses": Guild.course,
                    "was.courses": Guild.course,
                ])
            let made = try await browser.post(
                "/console/seatTypes/new", ["key": "2", "name": "Lab seat"])
            let asked = guild.with { $0.offers.askedSeat }

            #expect(list.text.contains(#"href="\#(path)">Standard seat</a>"#))
            #expect(list.text.contains("Where an organization type names none."))
            #expect(list.text.contains(#"href="/console/licenseTypes/\#(Guild.licenseType)""#))
            #expect(!page.text.contains(#"value="delete""#))
            #expect(page.text.contains(#"name="courses" value="\#(Guild.course)" checked"#))
            #expect(saved.status == 303 && made.status == 303)
            #expect(asked.updateMask?.paths == ["license_type_ids"])
            #expect(asked.seatType?.licenseTypeIDs == [Guild.licenseType])
            #expect(guild.changes == ["change seat type", "make seat type Lab seat"])
        }
    }

    @Test func `license types are made and deleted`() async throws {
        let path = "/console/licenseTypes/\(Guild.licenseType)"
        try await Stage.visit { browser, guild in
            let made = try await browser.post(
                "/console/licenseTypes/new",
                ["key": "1", "name": "Lab", "courses": Guild.course])
            let page = try await browser.get(path)
            let deleted = try await browser.post(
                path, ["do": "delete", "key": "2", "etag": try page.hidden("etag")])

            #expect(made.fields["location"] == path + "?done=made")
            #expect(deleted.fields["location"] == "/console/seatTypes?done=removed")
            #expect(guild.changes == ["make license type Lab: 1", "delete license type"])
        }
    }

    @Test func `more boxes may be ticked than a form of the public has fields`() async throws {
        let courses = (0..<500).map { "courses=\($0)" }.joined(separator: "&")
        try await Stage.visit { browser, guild in
            var fields = browser.origin
            fields["Cookie"] = browser.cookie
            fields["Content-Type"] = "application/x-www-form-urlencoded"
            let most = try await browser.http.send(
                "POST", "/console/licenseTypes/new", fields, body: "key=1&name=A&" + courses)
            let more = try await browser.http.send(
                "POST", "/console/licenseTypes/new", fields,
                body: String(repeating: "courses=1&", count: 2_501))

            #expect(most.status == 303)
            #expect(guild.changes == ["make license type A: 500"])
            #expect(more.status == 400)
        }
    }
}
