import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Pages of the console as a browser shows them: imports, the look, modules, and the platform's.
struct ConsoleSightTests {
    /// The smallest picture: one dot.
    private static let dot: [UInt8] = [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0,
        0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0D, 0x49, 0x44, 0x41,
        0x54, 0x78, 0x9C, 0x63, 0xF8, 0xCF, 0xC0, 0xF0, 0x1F, 0, 5, 0, 1, 0xFF, 0x56, 0xC7, 0x2F,
        0x0D, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
    ]

    /// A guild with something on every page.
    private static func guild() -> Guild {
        let guild = Guild()
        guild.with { state in
            state.importing.run = Import(
                id: Guild.importID, parent: Guild.district, state: .planned, rowCount: 1_204,
                createdCount: 1_000, updatedCount: 3, unchangedCount: 200, errorCount: 1,
                createdAt: Timestamp(seconds: 1_796_000_000))
            state.importing.asksUntilPlanned = 2
            state.importing.rows = [
                ImportRow(
                    row: 2, outcome: .updated, path: ["District", "School"],
                    organizationID: Guild.school,
                    differences: [
                        ImportDifference(
                            field: "discount_percentage", oldValue: "10", newValue: "15"),
                        ImportDifference(
                            field: "email_masks", oldValue: "",
                            newValue: "a-school-with-a-rather-long-name.springfield.example"),
                    ], warnings: ["A plain 0.15 is read as 0.15%."]),
                ImportRow(row: 3, outcome: .created, path: ["District", "North School"]),
                ImportRow(
                    row: 4, outcome: .error, path: ["District", "South School"],
                    faults: [
                        ImportFault(
                            code: "duplicate_row", column: "Title",
                            message: "Row 9 names the same organization.")
                    ]),
                ImportRow(row: 5, outcome: .unchanged, path: ["District", "West School"]),
            ]
            state.look.own.colors = Colors(
                primary: "#5b2a86", advanced: ["banner": "#ffcc00"])
            state.look.own.logoHash = "ab12"
            state.look.effective.primary = SourcedValue(
                value: "#5b2a86", source: ValueSource(organizationID: Guild.school))
            state.look.effective.advanced["banner"] = SourcedValue(
                value: "#ffcc00", source: ValueSource(organizationID: Guild.school))
            state.look.effective.logo = SourcedValue(
                value: "/assets/ab12", source: ValueSource(organizationID: Guild.school))
            state.offers.set.unrestricted = false
            state.offers.set.own = ModuleGrants(modules: [
                ModuleGrant(moduleID: Guild.algebra, chapterIDs: [Guild.sets]),
                ModuleGrant(moduleID: Guild.botany),
            ])
            state.offers.set.effective = [
                ModuleAccess(moduleID: Guild.algebra, name: "Algebra", chapterIDs: [Guild.sets]),
                ModuleAccess(moduleID: Guild.botany, name: "Botany", whole: true),
            ]
            state.offers.set.restrictedBy = [
                ModuleRestriction(organizationID: Guild.school, source: .own),
                ModuleRestriction(organizationID: Guild.district, source: .type),
            ]
            state.offers.subscription = Subscription(
                plan: "All courses, yearly", courseIDs: [Guild.course], state: .active,
                periodEnd: "2027-01-31", givesUntil: 20_864, etag: "s1")
            state.offers.courses += [
                Course(id: Guild.sets, name: "Leaves", moduleID: Guild.botany),
                Course(id: Guild.rings, name: "Roots", moduleID: Guild.botany),
            ]
        }
        return guild
    }

    @Test(.timeLimit(.minutes(5)))
    func `every page fits its screen, and can be used without scripts`() async throws {
        let asset = serve(BrandingMethods.getAsset) { (request: GetAssetRequest, _) -> Asset in
            Asset(hash: request.hash, contentType: "image/png", data: Self.dot)
        }
        try await Stage.run(Self.guild().methods + [asset, Guild.export]) { stage in
            let tabs = [ConsoleTab.suborganizations, .look, .modules, .subscription]
                .map { $0.path(of: Guild.school) }
            let pages = [
                "/console/organizations", "/console/imports/new?parent=\(Guild.school)",
                "/console/imports", "/console/types", "/console/types/new",
                "/console/types/\(Guild.type)", "/console/catalog", "/console/catalog/new",
                "/console/catalog/\(Guild.algebra)",
                "/console/catalog/\(Guild.algebra)/\(Guild.course)", "/console/seatTypes",
                "/console/seatTypes/\(Guild.seatType)",
                "/console/licenseTypes/\(Guild.licenseType)",
                "/console/imports/\(Guild.importID)",
            ]
            let said = try await Python.run(
                "look_at_console.py",
                ["http://127.0.0.1:\(stage.http.port)", Stage.token] + tabs + pages)

            #expect(said == "the pages can be looked at\n")
        }
    }
}
