import Foundation
import Testing

/// Organizations by the gateway with every process running: files, moves, the archive, counts.
@Suite(.serialized) struct OrganizationTests {
    private static let csv = "text/csv"

    @Test func `a structure goes in as a file, comes out as one, and changes nothing again`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let file = Data(
                """
                Title,Suborganization 2,Email mask,Discount percentage,Discount expiration date
                District,,district.example,,
                District,North,,15%,2035-01-01
                District,South,,,
                """.utf8)

            let plan = try await api.importing(file, in: installation)
            #expect(plan.state.string == "IMPORT_STATE_PLANNED", "\(plan)")
            #expect(plan.createdCount.integer == 3)
            let id = try #require(plan.id.string)
            let begun = try await api.post("/v1/imports/\(id):apply")
            #expect(begun.status == 200, "\(begun.body)")
            let applied = try await api.ended(id, in: installation)
            #expect(applied.state.string == "IMPORT_STATE_APPLIED", "\(applied)")
            let made = try await api.get("/v1/imports/\(id)/rows").body.rows.items
            #expect(Set(made.map { $0.organizationId.string ?? "" }).subtracting([""]).count == 3)

            for format in ["xlsx", "csv"] {
                let export = try await api.get("/v1/organizations:export?format=\(format)")
                #expect(export.status == 200)
                #expect(export.headers["content-disposition"]?.hasSuffix("\(format)\"") == true)
                let again = try await api.importing(export.data, in: installation)
                #expect(again.errorCount.integer == 0 && again.createdCount.integer == 0)
                #expect(again.updatedCount.integer == 0, "\(again)")
            }
            let example = try await api.get("/v1/imports/example")
            #expect(example.status == 200 && example.data.starts(with: Data("PK".utf8)))
            let wrong = try await api.importing(Data("no spreadsheet".utf8), in: installation)
            #expect(wrong.state.string == "IMPORT_STATE_FAILED")
            let large = try await api.call(
                "POST", "/v1/imports", body: Data(count: 16 * 1_024 * 1_024 + 1),
                contentType: Self.csv)
            #expect(large.status == 413)
        }
    }

    @Test func `a school moves with its people, or stays where its people are too many`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            for (index, school) in district.schools.enumerated() {
                try await district.fill(school, "person\(index)-", with: 5)
            }
            let other = try await api.organization("Other", limit: 4)

            let refused = try await api.post(
                "/v1/organizations/\(district.schools[0]):move", ["newParentId": .text(other)])
            let limit = try await api.patch(
                "/v1/organizations/\(other)/caps", ["members": .text("5")])
            try #require(limit.status == 200, "\(limit.body)")
            let tried = try await api.post(
                "/v1/organizations/\(district.schools[0]):move",
                ["newParentId": .text(other), "dryRun": .flag(true)])
            let moved = try await api.post(
                "/v1/organizations/\(district.schools[0]):move", ["newParentId": .text(other)])

            #expect(refused.status == 409, "\(refused.body)")
            #expect(refused.body.code.string == "members_limit_reached")
            #expect(tried.body.obstacles.items.isEmpty, "\(tried.body)")
            #expect(moved.status == 200, "\(moved.body)")
            #expect(moved.body.organization.parentId.string == other)
            #expect(try await district.people() == 5)
            let usage = try await api.get("/v1/organizations/\(other)/usage")
            #expect(usage.body.people.integer == 5)
            try await installation.until("the lists count the people") {
                let list = try await api.get("/v1/organizations?orderBy=members%20desc&q=other")
                return list.body.organizations.items.first?.memberCount.integer == 5
            }
        }
    }

    @Test func `what is archived counts nobody, and comes back with its people`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            for (index, school) in district.schools.enumerated() {
                try await district.fill(school, "person\(index)-", with: 5)
            }
            let school = district.schools[0]

            let deleted = try await api.call("DELETE", "/v1/organizations/\(school)")
            #expect(deleted.status == 200, "\(deleted.body)")
            #expect(try await district.people() == 5)
            let members = try await api.get("/v1/organizations/\(school)/members")
            #expect(members.status == 404)
            let restored = try await api.post("/v1/organizations/\(school):restore")
            #expect(restored.status == 200, "\(restored.body)")

            #expect(try await district.people() == 10)
            let listed = try await api.get("/v1/organizations/\(school)/members")
            #expect(listed.body.totalSize.integer == 5)
        }
    }

    @Test func `a mask is applied to those who are there, as far as there is room`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let company = try await api.organization("Company", limit: 2)
            let branch = try await api.organization("Branch", limit: 10)
            for (organization, value) in [
                (company, "*.company.example"), (branch, "*.b.company.example"),
            ] {
                let mask = try await api.post(
                    "/v1/organizations/\(organization)/emailMasks", ["value": .text(value)])
                try #require(mask.status == 201, "\(mask.body)")
            }
            for (email, isVerified) in [
                ("one@company.example", true), ("two@a.company.example", true),
                ("three@company.example", true), ("four@company.example", false),
                ("five@x.b.company.example", true),
            ] {
                let user = try await api.post(
                    "/v1/users",
                    ["email": .text(email), "name": "Ada", "emailVerified": .flag(isVerified)])
                try #require(user.status == 201, "\(user.body)")
            }
            let path = "/v1/organizations/\(company)/emailMasks/*.company.example"

            let preview = try await api.post("\(path):preview")
            let applied = try await api.post("\(path):apply", key: "first")
            let again = try await api.post("\(path):apply", key: "first")
            let left = try await api.post("\(path):preview")
            let near = try await api.post(
                "/v1/organizations/\(branch)/emailMasks/*.b.company.example:apply")

            #expect(preview.status == 200, "\(preview.body)")
            #expect(preview.body.matchingCount.integer == 3)
            #expect(applied.status == 200, "\(applied.body)")
            #expect(applied.body.admittedCount.integer == 2)
            let refusals = applied.body.refusals.items
            #expect(refusals.map(\.code.string) == ["members_limit_reached"])
            #expect(refusals.map(\.organizationId.string) == [company])
            #expect(refusals.map(\.peopleCount.integer) == [1])
            #expect(again.data == applied.data)
            #expect(left.body.matchingCount.integer == 1)
            #expect(near.body.admittedCount.integer == 1, "\(near.body)")
            for (organization, emails) in [
                (company, ["one@company.example", "two@a.company.example"]),
                (branch, ["five@x.b.company.example"]),
            ] {
                let members = try await api.get("/v1/organizations/\(organization)/members")
                #expect(Set(members.body.members.items.map(\.email.string)) == Set(emails))
            }
        }
    }
}

extension API {
    /// Makes a root with a limit of people.
    fileprivate func organization(_ title: String, limit: Int) async throws -> String {
        let made = try await post(
            "/v1/organizations",
            [
                "title": .text(title), "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                "country": "US",
            ])
        let id = try #require(made.body.id.string, "\(made.body)")
        let set = try await patch("/v1/organizations/\(id)/caps", ["members": .text("\(limit)")])
        try #require(set.status == 200, "\(set.body)")
        return id
    }
}
