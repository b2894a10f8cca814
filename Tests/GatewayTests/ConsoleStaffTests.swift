import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What is for those who run the platform: to others lists are text, and forms are none of theirs.
struct ConsoleStaffTests {
    /// A guild that a member visits; its services answer them all that is asked.
    private static func guild() -> Guild {
        let guild = Guild()
        guild.with { state in
            state.grants = [Messages.Grant(role: .member, organizationID: Guild.school)]
            state.importing.run = Import(
                id: Guild.importID, state: .planned, rowCount: 2, createdCount: 2)
        }
        return guild
    }

    @Test(arguments: PlatformPart.allCases)
    func `lists of the platform lead a member to no form`(part: PlatformPart) async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let page = try await browser.get(part.path)

            #expect(page.status == 200)
            #expect(page.text.contains(#"<span class="name">"#))
            #expect(!page.text.contains(part.path + "/"))
            #expect(!page.text.contains(PlatformDesk.licensesPath))
            #expect(!page.text.contains(">New "))
            // The one form is that to sign out.
            #expect(page.text.split(separator: "<form").count == 2)
        }
    }

    @Test(arguments: [
        "/console/types/new", "/console/types/\(Guild.type)", "/console/catalog/new",
        "/console/catalog/\(Guild.algebra)", "/console/catalog/\(Guild.algebra)/\(Guild.course)",
        "/console/seatTypes/new", "/console/seatTypes/\(Guild.seatType)",
        "/console/licenseTypes/new", "/console/licenseTypes/\(Guild.licenseType)",
        "/console/imports/new", "/console/imports/new?parent=\(Guild.school)",
    ])
    func `a page that is a form is not shown to a member`(path: String) async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let page = try await browser.get(path)

            #expect(page.status == 403)
            #expect(page.text.contains("<h1>You may not do this</h1>"))
            #expect(page.text.split(separator: "<form").count == 2)
        }
    }

    @Test func `what a member sends is for the services to decide, and no form follows`()
        async throws
    {
        let guild = Self.guild()
        guild.with {
            $0.refusal = Status.refusal(.forbidden, "Not for members.")
            $0.importing.refusal = Status.refusal(.forbidden, "No imports.")
        }
        try await Stage.visit(guild) { browser, guild in
            let deletion = try await browser.post(
                "/console/types/\(Guild.type)", ["do": "delete", "key": "1", "etag": "o1"])
            let file = try await browser.upload(ImportDesk.newPath, file: [1])

            #expect(deletion.status == 403 && deletion.text.contains("Not for members."))
            #expect(file.status == 403 && file.text.contains("No imports."))
            for page in [deletion, file] {
                #expect(page.text.split(separator: "<form").count == 2)
            }
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `imports have no buttons for who may not import`() async throws {
        try await Stage.visit(Self.guild()) { browser, _ in
            let list = try await browser.get(ImportDesk.path)
            let page = try await browser.get(ImportDesk.path(of: Guild.importID))

            #expect(list.status == 200 && page.status == 200)
            #expect(list.text.contains(ImportDesk.path(of: Guild.importID)))
            #expect(page.text.contains("What the file would change"))
            for answer in [list, page] {
                #expect(!answer.text.contains(ImportDesk.newPath))
                #expect(!answer.text.contains(#"name="do""#))
            }
        }
    }
}
