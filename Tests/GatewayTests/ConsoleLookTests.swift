import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The tab with the colors and the logo of an organization.
struct ConsoleLookTests {
    private static let path = ConsoleTab.look.path(of: Guild.school)

    @Test func `each color is shown with where it comes from`() async throws {
        let guild = Guild()
        guild.with { state in
            state.look.own.colors = Colors(advanced: ["banner": "#ffcc00"])
            state.look.effective.advanced["banner"] = SourcedValue(
                value: "#ffcc00", source: ValueSource(organizationID: Guild.school))
            state.look.effective.logo = SourcedValue(
                value: "/assets/ab12", source: ValueSource(organizationID: Guild.district))
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)
            let above = ConsoleTab.look.path(of: Guild.district)

            #expect(page.text.contains(##"fill="#1f4e8c"/></svg><code>#1f4e8c</code>"##))
            #expect(page.text.contains(#"<td class="wide-only">From the platform</td>"#))
            #expect(page.text.contains(#"From <a href="\#(above)">District</a>"#))
            #expect(page.text.contains(#"<td class="wide-only">Set here</td>"#))
            // Only what is the organization's own can be inherited again.
            #expect(page.text.contains(#"name="field" value="advanced.banner""#))
            #expect(!page.text.contains(#"name="field" value="primary""#))
            #expect(page.text.contains(#"<img class="logo" src="/assets/ab12""#))
            #expect(page.text.contains(#"<image href="/assets/ab12""#))
        }
    }

    @Test func `images of the gateway are let on this tab, and nothing else`() async throws {
        try await Stage.visit { browser, _ in
            let look = try await browser.get(Self.path)
            let info = try await browser.get(Guild.schoolPath)

            #expect(look.fields["content-security-policy"]?.contains("img-src 'self'; ") == true)
            #expect(look.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            #expect(info.fields["content-security-policy"]?.contains("img-src") == false)
        }
    }

    @Test func `what is no color is drawn nowhere`() async throws {
        let guild = Guild()
        guild.with {
            $0.look.effective.advanced["link"] = SourcedValue(value: "url(//other.test/x)")
            $0.look.effective.primary = SourcedValue(value: "url(//other.test/p)")
            $0.look.effective.secondary = SourcedValue(value: "url(//other.test/s)")
        }
        try await Stage.visit(guild) { browser, _ in
            let page = try await browser.get(Self.path)

            #expect(page.text.contains("<code>url(//other.test/x)</code>"))
            #expect(!page.text.contains(#"fill="url("#))
            #expect(!page.text.contains(#"stroke="url("#))
            #expect(!page.text.contains(#"fill="""#) && !page.text.contains(#"stroke="""#))
            #expect(page.text.contains(#"<svg class="preview""#))
        }
    }

    @Test func `only colors that were touched are sent, once, for the version that was shown`()
        async throws
    {
        let guild = Guild()
        guild.with { $0.look.own.colors = Colors(primary: "#000000") }
        try await Stage.visit(guild) { browser, guild in
            let form: KeyValuePairs = [
                "do": "colors", "key": "1", "etag": "a1", "primary": "#000000",
                "was.primary": "#000000", "secondary": " #abcdef ", "was.secondary": "",
                "name": "banner", "value": "#ffcc00",
            ]
            let page = try await browser.get(Self.path)
            let answers = [
                try await browser.post(Self.path, form), try await browser.post(Self.path, form),
            ]
            let same = try await browser.post(
                Self.path,
                ["do": "colors", "primary": "#000000", "was.primary": "#000000", "key": "2"])

            #expect(try page.hidden("was.primary") == "#000000")
            #expect(try page.hidden("etag") == "a1")
            #expect(answers.map(\.status) == [303, 303] && same.status == 303)
            #expect(guild.changes == ["color secondary #abcdef, banner #ffcc00"])
        }
    }

    @Test func `a color that is emptied is not lost unawares`() async throws {
        try await Stage.visit { browser, guild in
            let answer = try await browser.post(
                Self.path, ["do": "colors", "primary": " ", "was.primary": "#000000"])

            #expect(answer.status == 422)
            #expect(
                answer.text.contains(
                    #"id="primary-fault">To have it inherited, choose “Inherit” above.</p>"#))
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `a refusal stands at the color that it is about`() async throws {
        let guild = Guild()
        guild.with {
            $0.refusal = Status.invalid([
                FieldFault(field: "colors.advanced.x", sentence: "This is no color <1>."),
                FieldFault(field: "colors.secondary", sentence: "Nor is this."),
            ])
        }
        try await Stage.visit(guild) { browser, _ in
            let answer = try await browser.post(
                Self.path,
                ["do": "colors", "secondary": "blue", "name": "x", "value": "y", "key": "1"])

            #expect(answer.status == 422)
            #expect(answer.text.contains(#"id="value-fault">This is no color &lt;1&gt;.</p>"#))
            #expect(answer.text.contains(#"id="secondary-fault">Nor is this.</p>"#))
            #expect(answer.text.contains(#"value="blue""#))
        }
    }

    @Test func `a change of somebody else is told, and the next save has it so`() async throws {
        try await Stage.visit { browser, guild in
            guild.with { $0.look.own.etag = "a2" }
            let stale = try await browser.post(
                Self.path, ["do": "colors", "etag": "a1", "primary": "#111111", "key": "1"])
            let saved = try await browser.post(
                Self.path,
                [
                    "do": "colors", "etag": try stale.hidden("etag"), "primary": "#111111",
                    "key": try stale.hidden("key"),
                ])

            #expect(stale.status == 412)
            #expect(stale.alert.contains("Somebody else has changed the look meanwhile"))
            #expect(
                stale.text.contains(
                    ##"name="primary" aria-describedby="primary-hint" value="#111111""##))
            #expect(saved.status == 303 && guild.changes == ["color primary #111111"])
        }
    }

    @Test func `white label is switched, and a value inherited again`() async throws {
        try await Stage.visit { browser, guild in
            let off = try await browser.post(
                Self.path, ["do": "whiteLabel", "enabled": "", "etag": "a1", "key": "1"])
            let page = try await browser.get(off.fields["location"] ?? "")
            let on = try await browser.post(
                Self.path, ["do": "whiteLabel", "enabled": "on", "etag": "a1+", "key": "2"])
            let reset = try await browser.post(
                Self.path, ["do": "reset", "field": "logo", "etag": "a1++", "key": "3"])

            #expect(page.text.contains("White label is off; what was set is kept."))
            // What would not count cannot be set.
            #expect(!page.text.contains(#"type="file""#) && !page.text.contains(#"id="primary""#))
            #expect([off, on, reset].map(\.status) == [303, 303, 303])
            #expect(guild.changes == ["white label off", "white label on", "inherit logo"])
        }
    }

    @Test func `a logo arrives as it is, once`() async throws {
        let image: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + (0...255)
        try await Stage.visit { browser, guild in
            let answers = [
                try await browser.upload(
                    Self.path, ["do": "logo", "etag": "a1", "key": "1"], file: image),
                try await browser.upload(
                    Self.path, ["do": "logo", "etag": "a1", "key": "1"], file: image),
            ]
            let stale = try await browser.upload(
                Self.path, ["do": "logo", "etag": "a1", "key": "2"], file: image)

            #expect(answers.map(\.status) == [303, 303])
            #expect(guild.with { $0.look.logo } == image)
            #expect(guild.changes == ["logo"])
            #expect(stale.status == 412)
        }
    }

    @Test func `what is no logo is refused at its field`() async throws {
        try await Stage.visit { browser, guild in
            let none = try await browser.upload(Self.path, ["do": "logo"], file: nil)
            let large = try await browser.upload(
                Self.path, ["do": "logo"], file: [UInt8](repeating: 1, count: 1_100_000))
            guild.with {
                $0.refusal = Status.invalid("image", "A logo is a PNG or JPEG image.")
            }
            let other = try await browser.upload(Self.path, ["do": "logo"], file: [1])

            #expect(none.status == 422 && none.text.contains("Please choose an image."))
            #expect(large.status == 413)
            #expect(other.status == 422)
            #expect(
                other.text.contains(#"id="file-fault">A logo is a PNG or JPEG image.</p>"#))
            #expect(guild.changes.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a logo of somebody who has not signed in is not read`() async throws {
        try await Stage.visit { browser, _ in
            let head = """
                POST \(Self.path) HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\
                Sec-Fetch-Site: same-origin\r\nContent-Length: 900000\r\n\
                Content-Type: multipart/form-data; boundary=\(PageClient.boundary)\r\n\r\n
                """
            let answer = try await browser.http.send(raw: Array(head.utf8))

            #expect(answer.status == 303)
            #expect(answer.fields["location"]?.hasPrefix("/login?next=") == true)
        }
    }

    @Test(arguments: ["", "/users", "/limits"])
    func `no other tab takes a form with a file`(tab: String) async throws {
        try await Stage.visit { browser, guild in
            let answer = try await browser.upload(
                Guild.schoolPath + tab, ["do": "add"], file: [1])

            #expect(answer.status == 415)
            #expect(guild.changes.isEmpty)
        }
    }
}
