import Foundation
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Spreadsheets of organizations, handed in with a browser and applied.
struct ConsoleImportTests {
    private static let newPath = "/console/imports/new"
    private static let path = "/console/imports/\(Guild.importID)"

    /// A guild with an import that came so far.
    private static func guild(_ run: Import) -> Guild {
        let guild = Guild()
        guild.with { state in
            state.importing.run = run
            state.importing.run.id = Guild.importID
            state.importing.run.createdAt = Timestamp(seconds: 1_796_000_000)
        }
        return guild
    }

    private static let planned = Import(
        state: .planned, rowCount: 1_204, rowsDone: 1_204, createdCount: 1_000, updatedCount: 4,
        unchangedCount: 200)

    // MARK: Handing in

    @Test func `it is asked for from the list and from an organization`() async throws {
        try await Stage.visit { browser, _ in
            let list = try await browser.get("/console/organizations")
            let below = try await browser.get(ConsoleTab.suborganizations.path(of: Guild.school))
            let page = try await browser.get(Self.newPath + "?parent=\(Guild.school)")

            #expect(list.text.contains(#"href="/console/imports/new">Import</a>"#))
            #expect(list.text.contains(#"<a href="/console/imports">Imports</a>"#))
            #expect(
                below.text.contains(#"href="/console/imports/new?parent=\#(Guild.school)">Import"#))
            #expect(
                page.text.contains(
                    """
                    <form method="post" enctype="multipart/form-data" \
                    action="/console/imports/new?parent=\(Guild.school)" novalidate>
                    """))
            #expect(page.text.contains(#"<input type="file" id="file" name="file""#))
            #expect(page.text.contains(#">School</a> on: the first column, Title, names it"#))
            #expect(page.text.contains(#"href="/console/imports/example?format=xlsx">"#))
        }
    }

    @Test func `an example shows how it is written`() async throws {
        try await Stage.visit { browser, _ in
            let file = try await browser.get("/console/imports/example?format=csv")

            #expect(file.status == 200 && file.text == "Title\n")
            #expect(
                file.fields["content-disposition"] == #"attachment; filename="example.csv""#)
        }
    }

    @Test func `a file arrives as it is, at its organization, and leads to its plan`()
        async throws
    {
        let file = Array("Title\r\n\(PageClient.boundary)\r\n--\r\n".utf8) + (0...255)
        try await Stage.visit { browser, guild in
            let answer = try await browser.upload(
                Self.newPath + "?parent=\(Guild.school)", file: file)
            let everywhere = try await browser.upload(Self.newPath, file: [1])

            #expect(answer.status == 303 && everywhere.status == 303)
            #expect(answer.fields["location"] == Self.path)
            #expect(guild.with { $0.importing.files.map(\.content) } == [file, [1]])
            #expect(guild.with { $0.importing.files.map(\.parent) } == [Guild.school, ""])
        }
    }

    @Test func `a file has at most 16 MiB`() async throws {
        let most = [UInt8](repeating: 0x0D, count: 16 * 1_024 * 1_024)
        try await Stage.visit { browser, guild in
            let taken = try await browser.upload(Self.newPath, file: most)
            let refused = try await browser.upload(Self.newPath, file: most + [1])

            #expect(taken.status == 303)
            #expect(refused.status == 413)
            #expect(
                refused.text.contains(
                    #"id="file-fault">The file is too large: 16 MiB at most.</p>"#))
            #expect(!refused.alert.contains("shorten"))
            #expect(guild.with { $0.importing.files.map(\.content.count) } == [most.count])
        }
    }

    @Test func `without a file, or with what is no form, nothing is handed in`() async throws {
        try await Stage.visit { browser, guild in
            let none = try await browser.upload(Self.newPath, file: nil)
            let cut = try await browser.send(
                Self.newPath, PageClient.body([:], file: [1]).dropLast(10))
            let other = try await browser.post(Self.newPath, ["file": "a.csv"])

            #expect(none.status == 422)
            #expect(none.text.contains(#"id="file-fault">Please choose a file.</p>"#))
            #expect(cut.status == 400 && cut.alert.contains("The form could not be read."))
            #expect(other.status == 415)
            for page in [none, cut, other] {
                #expect(page.text.contains(#"<input type="file""#))
                #expect(page.alert.contains("The file was not taken"))
            }
            #expect(guild.with { $0.importing.files.isEmpty })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `whoever may not import is refused before the file is sent`() async throws {
        let guild = Guild()
        guild.with {
            $0.importing.refusal = Status.refusal(.forbidden, "Imports are not for teachers.")
        }
        try await Stage.visit(guild) { browser, guild in
            let type = "multipart/form-data; boundary=\(PageClient.boundary)"
            let head = """
                POST \(Self.newPath) HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\
                Cookie: \(browser.cookie ?? "")\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: \(type)\r\nContent-Length: 5000000\r\n\r\n
                """
            let answer = try await browser.http.send(raw: Array(head.utf8))

            #expect(answer.status == 403)
            #expect(answer.alert.contains("Imports are not for teachers."))
            #expect(guild.with { $0.importing.files.isEmpty })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a file that is under way has a turn, and one person has two`() async throws {
        var limits = Limits()
        // Two files never arrive as a whole: this is how long they keep their turns.
        limits.bodyTimeout = .seconds(5)
        let guild = Guild()
        try await Stage.run(guild.methods, limits: limits) { stage in
            let browser = PageClient(http: stage.http)
            let half = """
                POST \(Self.newPath) HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\
                Cookie: \(browser.cookie ?? "")\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: multipart/form-data; boundary=\(PageClient.boundary)\r\n\
                Content-Length: 5000000\r\n\r\n--\(PageClient.boundary)\r\n
                """
            async let first = browser.http.exchange(Array(half.utf8))
            async let second = browser.http.exchange(Array(half.utf8))
            // A third that came before would take the turn of one of them.
            while guild.with({ $0.importing.checks }) < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await Task.sleep(for: .milliseconds(500))
            let third = try await browser.upload(Self.newPath, file: [1])
            _ = try await (first, second)
            let fourth = try await browser.upload(Self.newPath, file: [1])

            #expect(third.status == 429 && third.fields["retry-after"] == "2")
            #expect(third.alert.contains("At most 2 of your files at a time."))
            #expect(third.text.contains(#"<input type="file""#))
            #expect(fourth.status == 303)
        }
    }

    @Test func `whoever has not signed in signs in first, and comes back`() async throws {
        try await Stage.visit { browser, guild in
            var browser = browser
            browser.cookie = nil
            let answer = try await browser.upload(Self.newPath, file: [1])

            #expect(answer.status == 303)
            #expect(answer.fields["location"]?.hasPrefix("/login?next=") == true)
            #expect(guild.with { $0.importing.files.isEmpty })
        }
    }

    // MARK: The plan

    @Test func `while it is under way the page looks again by itself, and only then`()
        async throws
    {
        let guild = Self.guild(Import(state: .planning))
        try await Stage.visit(guild) { browser, guild in
            let reading = try await browser.get(Self.path)
            guild.with { $0.importing.run = Import(id: Guild.importID, state: .applying) }
            guild.with { state in
                state.importing.run.rowCount = 1_204
                state.importing.run.rowsDone = 500
            }
            let applying = try await browser.get(Self.path)
            guild.with { $0.importing.run.state = .planned }
            let planned = try await browser.get(Self.path)

            #expect(reading.fields["refresh"] == "2" && applying.fields["refresh"] == "2")
            #expect(planned.fields["refresh"] == nil)
            #expect(reading.text.contains("The rows are being counted."))
            #expect(applying.text.contains(#"max="1204" value="500"></progress>"#))
            #expect(applying.text.contains(#"<p role="status">500 of 1,204 rows</p>"#))
            #expect(applying.text.contains(">Cancel and undo</button>"))
            #expect(!planned.text.contains("<progress"))
        }
    }

    @Test func `it goes on looking while nobody answers, and says so only when it does`()
        async throws
    {
        let guild = Self.guild(Import(state: .applying))
        try await Stage.visit(guild) { browser, guild in
            guild.with { $0.sessionRefusal = Status(.unavailable, "10.0.0.7") }
            let unknown = try await browser.get(Self.path)
            guild.with { $0.sessionRefusal = nil }
            guild.with { $0.importing.readRefusal = Status(.unavailable, "10.0.0.7") }
            let silent = try await browser.get(Self.path)
            guild.with { $0.importing.readRefusal = nil }
            guild.with { $0.refusal = Status.refusal(.forbidden, "Not now.") }
            let refused = try await browser.post(Self.path, ["do": "cancel", "key": "1"])

            #expect(unknown.status == 503 && unknown.fields["refresh"] == "2")
            #expect(silent.status == 503 && silent.fields["refresh"] == "2")
            #expect(refused.status == 403 && refused.fields["refresh"] == nil)
            #expect(!refused.text.contains("looks again"))
            #expect(refused.text.contains(#"href="\#(Self.path)">Look how far it is</a>"#))
        }
    }

    @Test func `rows are shown with what changes, and what is wrong with them`() async throws {
        let guild = Self.guild(Self.planned)
        guild.with { state in
            state.importing.nextPage = "r2"
            state.importing.rows = [
                ImportRow(
                    row: 1_002, outcome: .updated, path: ["District", "School <b>"],
                    organizationID: Guild.school,
                    differences: [
                        ImportDifference(
                            field: "discount_percentage", oldValue: "10", newValue: "<15>"),
                        ImportDifference(field: "email_masks", oldValue: "a.org", newValue: ""),
                    ], warnings: ["0.15 is read as 0.15%."]),
                ImportRow(
                    row: 3, outcome: .error, path: ["District"],
                    faults: [
                        ImportFault(
                            code: "duplicate_row", column: "Title", message: "Row 2 is the same.")
                    ]),
            ]
        }
        try await Stage.visit(guild) { browser, guild in
            let page = try await browser.get(Self.path + "?show=2&page=r1")
            let asked = guild.with { $0.importing.askedRows }

            #expect(page.text.contains("<dt>Rows</dt><dd>1,204</dd>"))
            #expect(page.text.contains("<dt>New</dt><dd>1,000</dd>"))
            #expect(page.text.contains(#"href="\#(Guild.schoolPath)">School &lt;b&gt;</a>"#))
            #expect(page.text.contains(#"<p class="path">District</p>"#))
            #expect(
                page.text.contains(
                    """
                    Discount percentage: <del>10</del> <span aria-hidden="true">→</span>\
                    <span class="unseen">becomes</span> <ins>&lt;15&gt;</ins>
                    """))
            #expect(page.text.contains("Email mask: <del>a.org</del>"))
            #expect(page.text.contains("<ins>nothing</ins>"))
            #expect(page.text.contains("Look at this: 0.15 is read as 0.15%."))
            #expect(page.text.contains(#"<li class="bad">Title: Row 2 is the same.</li>"#))
            #expect(
                page.text.contains(
                    #"<a href="\#(Self.path)?show=2" aria-current="page">Changed (4)</a>"#))
            #expect(page.text.contains(#"href="\#(Self.path)?show=2&amp;page=r2" rel="next""#))
            #expect(asked.outcome == .updated && asked.pageToken == "r1")
        }
    }

    @Test(arguments: [
        (created: Int64(3), errors: Int64(0), has: ["apply"], not: ["skip"]),
        (created: 3, errors: 2, has: ["skip"], not: ["apply"]),
        (created: 0, errors: 2, has: [], not: ["apply", "skip"]),
        (created: 0, errors: 0, has: [], not: ["apply", "skip"]),
    ])
    func `what may be applied depends on what it would do`(
        created: Int64, errors: Int64, has: [String], not: [String]
    ) async throws {
        let run = Import(state: .planned, rowCount: 9, createdCount: created, errorCount: errors)
        try await Stage.visit(Self.guild(run)) { browser, _ in
            let page = try await browser.get(Self.path)

            for action in has + ["cancel"] {
                #expect(page.text.contains(#"name="do" value="\#(action)""#), "\(action)")
            }
            for action in not {
                #expect(!page.text.contains(#"name="do" value="\#(action)""#), "\(action)")
            }
            if errors == 2, created > 0 {
                #expect(page.text.contains("Apply without the 2 rows with errors"))
            }
        }
    }

    @Test func `two clicks apply it once`() async throws {
        try await Stage.visit(Self.guild(Self.planned)) { browser, guild in
            let key = try await browser.get(Self.path).hidden("key")
            async let first = browser.post(Self.path, ["do": "apply", "key": key])
            async let second = browser.post(Self.path, ["do": "apply", "key": key])
            let answers = try await [first, second]

            #expect(answers.map(\.status) == [303, 303])
            #expect(answers.allSatisfy { $0.fields["location"] == Self.path })
            #expect(guild.changes == ["apply"])
        }
    }

    @Test func `rows with errors are left out, and an import is cancelled`() async throws {
        try await Stage.visit(Self.guild(Self.planned)) { browser, guild in
            _ = try await browser.post(Self.path, ["do": "skip", "key": "1"])
            _ = try await browser.post(Self.path, ["do": "cancel", "key": "2"])
            let other = try await browser.post(Self.path, ["do": "delete", "key": "3"])
            let page = try await browser.get(Self.path)

            #expect(guild.changes == ["apply without errors", "cancel import"])
            #expect(other.status == 400)
            #expect(page.text.contains("The import is cancelled"))
            #expect(page.text.contains(#"href="/console/imports/new">Hand the file in again</a>"#))
        }
    }

    @Test func `a plan that is out of date is told by its rows, with a way to another one`()
        async throws
    {
        var run = Self.planned
        run.parent = Guild.school
        let guild = Self.guild(run)
        guild.with {
            $0.refusal = Status.refusal(
                .planStale, "Organizations have changed since the file was planned.",
                violations: [
                    .init(
                        type: "plan_stale", subject: "row 7", description: "It has changed <now>.")
                ])
        }
        try await Stage.visit(guild) { browser, _ in
            let answer = try await browser.post(Self.path, ["do": "apply", "key": "1"])

            #expect(answer.status == 409)
            #expect(answer.alert.contains("Organizations have changed since"))
            #expect(answer.alert.contains("<li>Row 7: It has changed &lt;now&gt;.</li>"))
            #expect(
                answer.text.contains(
                    #"href="/console/imports/new?parent=\#(Guild.school)">Hand the file in again"#))
            #expect(answer.fields["refresh"] == nil)
        }
    }

    @Test func `its end is told`() async throws {
        var applied = Self.planned
        applied.state = .applied
        let guild = Self.guild(applied)
        try await Stage.visit(guild) { browser, guild in
            let done = try await browser.get(Self.path)
            guild.with {
                $0.importing.run = Import(
                    id: Guild.importID, state: .failed, faultCode: "encrypted",
                    fault: "The file is <encrypted>.", faultRow: 12)
            }
            let failed = try await browser.get(Self.path)
            let missing = try await browser.get("/console/imports/other")

            #expect(done.text.contains("1,000 organizations are new, 4 changed."))
            #expect(done.text.contains(#"href="/console/organizations">Look at the organizations"#))
            #expect(!done.text.contains(#"name="do""#))
            #expect(failed.alert.contains("Row 12: The file is &lt;encrypted&gt;."))
            #expect(failed.text.contains("Hand the file in again"))
            #expect(missing.status == 404)
        }
    }

    @Test func `imports are listed, narrowed and paged`() async throws {
        var run = Self.planned
        run.parent = Guild.school
        let guild = Self.guild(run)
        guild.with { $0.importing.nextPage = "i2" }
        try await Stage.visit(guild) { browser, guild in
            let list = try await browser.get("/console/imports?state=2&page=i1")
            let asked = guild.with { $0.importing.askedList }
            guild.with { $0.importing.run = Import() }
            let empty = try await browser.get("/console/imports")

            #expect(list.text.contains(#"<a class="name" href="\#(Self.path)">2026-11-30, "#))
            #expect(list.text.contains("From School on"))
            #expect(list.text.contains("1,204 rows: 1,000 new, 4 changed"))
            #expect(list.text.contains("Waits to be applied"))
            #expect(list.text.contains("/console/imports?state=2&amp;page=i2"))
            #expect(asked.state == .planned && asked.pageToken == "i1")
            #expect(empty.text.contains("Nothing was imported yet."))
        }
    }
}
