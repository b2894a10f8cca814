import Foundation
import Testing

/// Backups of a running installation, as an operator makes them and puts them back.
@Suite(.serialized) struct BackupTests {
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "guildhall-\(UUID().uuidString)")

    private var data: URL { folder.appending(path: "data") }
    private var backup: URL { folder.appending(path: "backup") }

    @Test func `all four come back as they were, and what was there is kept`() async throws {
        let made = Made()
        try await RunningInstallation.run(data: data) { installation in
            let district = try await District.make(try await API(installation), limit: 50)
            try await district.fill(district.schools[0], "before", with: 20)
            try await expectRight()
            try await withThrowingTaskGroup(of: Void.self) { group in
                // It is in use meanwhile.
                group.addTask { try await district.fill(district.schools[1], "during", with: 10) }
                try await guildhall("backup '\(backup.path)' --data '\(data.path)'")
                try await group.waitForAll()
            }
            let inUse = try await refusal("restore '\(backup.path)' --data '\(data.path)'")
            #expect(inUse.contains("is in use by another process"))
            try await district.fill(district.schools[1], "after", with: 5)
            #expect(try await district.people() == 35)
            await made.set(district)
        }
        try await Shell.run("cd '\(backup.path)' && sha256sum --check --quiet SHA256SUMS")
        let restored = try await guildhall("restore '\(backup.path)' --data '\(data.path)'")
        #expect(restored.contains("membership.db: restored; the one before is "))

        try await RunningInstallation.run(data: data) { installation in
            let before = try #require(await made.district)
            let district = District(
                api: try await API(installation), id: before.id, schools: before.schools)
            try await installation.until("the tree is read anew") {
                try await district.people() != nil
            }
            let people = try #require(try await district.people())
            #expect((20...30).contains(people), "\(people) people")
            try await expectRight()
            let kept = try await Shell.run(
                "sqlite3 '\(data.path)/membership.db.replaced-1' "
                    + "'SELECT count(*) FROM membership WHERE state = 1'")
            #expect(kept.trimmingCharacters(in: .whitespacesAndNewlines) == "35")
        }
        try FileManager.default.removeItem(at: folder)
    }

    @Test func `a restored installation knows 5,000 organizations when it says that it is ready`()
        async throws
    {
        let made = Made()
        try await RunningInstallation.run(data: data) { installation in
            let api = try await API(installation)
            let header = "Title,Suborganization 2,Email mask,Discount percentage,"
            let rows = (1...4_999).map { "District,School \($0),,,\n" }
            let top = "\(header)Discount expiration date\nDistrict,,,,\n"
            let file = Data((top + rows.joined()).utf8)
            let plan = try await api.importing(file, in: installation)
            try #require(plan.createdCount.integer == 5_000, "\(plan)")
            let id = try #require(plan.id.string)
            let begun = try await api.post("/v1/imports/\(id):apply")
            try #require(begun.status == 200, "\(begun.body)")
            let applied = try await api.ended(id, in: installation)
            try #require(applied.state.string == "IMPORT_STATE_APPLIED", "\(applied)")
            let found = try await api.get("/v1/organizations?subtree=true&q=School%204999")
            let school = try #require(found.body.organizations.items.first?.id.string)
            await made.set(District(api: api, id: school, schools: [school]))
            try await guildhall("backup '\(backup.path)' --data '\(data.path)'")
        }
        try await guildhall("restore '\(backup.path)' --data '\(data.path)'")

        try await RunningInstallation.run(data: data) { installation in
            for service in ["membership", "branding", "partners"] {
                let known = try await Shell.run(
                    "sqlite3 'file:\(data.path)/\(service).db?mode=ro' 'SELECT count(*), "
                        + "(SELECT count(*) FROM tree_rebuild) FROM tree_node WHERE stale = 0'")
                #expect(known == "5000|0\n", "\(service) has not read everything")
            }
            let api = try await API(installation)
            let school = try #require(await made.district).id
            // Each service is asked once, at once.
            let look = try await api.get("/v1/organizations/\(school)/appearance")
            let usage = try await api.get("/v1/organizations/\(school)/usage")
            let discount = try await api.get("/v1/organizations/\(school)/distributorDiscount")

            #expect(look.status == 200, "\(look.body)")
            #expect(usage.status == 200, "\(usage.body)")
            #expect(discount.status == 200, "\(discount.body)")
        }
        try FileManager.default.removeItem(at: folder)
    }

    @Test(arguments: ["organizations", "membership", "branding"])
    func `a service put back to before a sale has the sale's effect again, once`(
        service: String
    ) async throws {
        let made = Made()
        try await RunningInstallation.run(data: data) { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            try await district.setLogo()
            try await guildhall("backup '\(backup.path)' --data '\(data.path)'")
            let sale = try await Sale.approve(api, below: district.id, quantity: 25)
            await made.set(district, buyer: try await sale.fulfilled(in: installation))
            // It has been seen in its present life: a restore is a change.
            try await installation.until("the services are known") {
                let known = """
                    SELECT count(*) FROM storage_feed_position WHERE source LIKE 'seen:%'
                    """
                let count = try await Shell.run(
                    "sqlite3 'file:\(data.path)/partners.db?mode=ro' \"\(known)\"")
                return count.hasPrefix("3")
            }
        }
        try await guildhall(
            "restore '\(backup.path)' --data '\(data.path)' --service \(service)")

        try await RunningInstallation.run(data: data) { installation in
            let api = try await API(installation)
            let district = try #require(await made.district)
            let buyer = try #require(await made.buyer)
            try await installation.until("the steps were sent again") {
                let log = try String(
                    contentsOf: data.appending(path: "logs/partners.log"), encoding: .utf8)
                return log.contains("steps sent again")
            }
            try await Sale.expectExactlyOne(api, below: district.id, buyer: buyer, seats: 25)
            try await expectRight()
        }
        try FileManager.default.removeItem(at: folder)
    }

    @Test func `what is no whole backup is refused, and nothing changes`() async throws {
        try await RunningInstallation.run(data: data) { installation in
            _ = try await District.make(try await API(installation), limit: 5)
            try await guildhall(
                "backup '\(backup.path)' --data '\(data.path)' --service branding "
                    + "--service membership")
            let twice = try await refusal("backup '\(backup.path)' --data '\(data.path)'")
            #expect(twice.contains("is there already"))
        }
        let before = try await Shell.run("cd '\(data.path)' && sha256sum *.db")
        let missing = try await refusal(
            "restore '\(backup.path)' --data '\(data.path)' --service partners")
        #expect(missing.contains("holds no backup of partners.db"))
        try await Shell.run("mv '\(backup.path)/branding.db' '\(backup.path)/membership.db'")
        let exchanged = try await refusal(
            "restore '\(backup.path)' --data '\(data.path)' --service membership")
        #expect(exchanged.contains("its SHA-256 is another"))
        try await Shell.run("cd '\(backup.path)' && sha256sum membership.db >SHA256SUMS")
        let foreign = try await refusal("restore '\(backup.path)' --data '\(data.path)'")
        #expect(foreign.contains("it holds no tables of membership"))
        let nothing = try await refusal("restore /etc --data '\(data.path)'")
        #expect(nothing.contains("is no backup"))
        #expect(try await Shell.run("cd '\(data.path)' && sha256sum *.db") == before)
        try FileManager.default.removeItem(at: folder)
    }

    @discardableResult
    private func guildhall(_ arguments: String) async throws -> String {
        try await Shell.run("'\(RunningInstallation.executable("guildhall").path)' \(arguments)")
    }

    /// What a command says that must fail.
    private func refusal(_ arguments: String) async throws -> String {
        try await Shell.run(
            "! '\(RunningInstallation.executable("guildhall").path)' \(arguments) 2>&1")
    }

    private func expectRight() async throws {
        let report = try await guildhall("verify --data '\(data.path)'")
        #expect(report.contains("Everything is as it should be."), "\(report)")
    }

    /// Hands what was made from the first run to the second.
    private actor Made {
        private(set) var district: District?
        private(set) var buyer: String?

        func set(_ district: District, buyer: String? = nil) {
            self.district = district
            self.buyer = buyer
        }
    }
}
