import Foundation
import Testing

/// The story of the product over real processes, from HTTP to four databases.
@Suite(.serialized) struct StoryTests {
    @Test func `a district fills to its members limit and refuses one more`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            try await district.fill(district.schools[0], "l", with: 50)
            try await district.fill(district.schools[1], "w", with: 50)

            let refused = try await district.add("one.too.many", to: district.schools[0])

            #expect(refused.status == 409)
            #expect(refused.body.code.string == "members_limit_reached")
            #expect(refused.body.violations[0].at.string == district.id)
            #expect(refused.body.violations[0].used.integer == 100)
            #expect(refused.body.violations[0].cap.integer == 100)
            #expect(try await district.people() == 100)
            try await blockingOneMakesRoomForOne(district)
        }
    }

    private func blockingOneMakesRoomForOne(_ district: District) async throws {
        let school = district.schools[0]
        let page = try await district.api.get("/v1/organizations/\(school)/members?pageSize=1")
        let user = try #require(page.body.members[0].userId.string)

        let blocked = try await district.api.post(
            "/v1/organizations/\(school)/members/\(user):block")
        #expect(blocked.status == 200)
        #expect(try await district.people() == 99)

        let added = try await district.add("just.in.time", to: district.schools[1])
        #expect(added.status == 201)
        #expect(try await district.people() == 100)

        let unblocked = try await district.api.post(
            "/v1/organizations/\(school)/members/\(user):unblock")
        #expect(unblocked.status == 409)
        #expect(unblocked.body.code.string == "members_limit_reached")
    }

    @Test func `a sale makes organization, seats, workspace and inherited logo`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            try await district.setLogo()

            let sale = try await Sale.approve(api, below: district.id, quantity: 25)

            let buyer = try await sale.fulfilled(in: installation)
            try await Sale.expectExactlyOne(api, below: district.id, buyer: buyer, seats: 25)
            let appearance = try await api.get(
                "/v1/organizations/\(buyer)/appearance:effective")
            #expect(appearance.body.primary.value.string == "#8a3b12")
            #expect(appearance.body.primary.source.distance.integer == 0)
            #expect(appearance.body.primary.source.organizationId.string == buyer)
            let asset = try await api.get(try #require(appearance.body.logo.value.string))
            #expect(asset.status == 200)
            #expect(asset.data == Picture.png)
            #expect(asset.headers["x-content-type-options"] == "nosniff")
        }
    }

    @Test func `a refused sale leaves nothing behind and says why`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)

            let sale = try await Sale.approve(
                api, below: district.id, quantity: 5, title: "lincoln  ELEMENTARY")

            try await installation.until("the sale is a draft again") {
                try await sale.now().state.string == "SALE_STATE_DRAFT"
            }
            #expect(try await sale.now().refusal.code.string == "name_taken")
            let children = try await api.get("/v1/organizations?parent=\(district.id)")
            #expect(children.body.organizations.items.count == 2)
        }
    }

    @Test func `a second start finds the data again`() async throws {
        let data = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)")
        try await RunningInstallation.run(data: data, demonstration: true) { installation in
            let api = try await API(installation)
            let roots = try await api.get("/v1/organizations?orderBy=title").body.organizations
                .items
            let titles = roots.compactMap(\.title.string)
            #expect(titles == ["Northwind Learning", "Riverside School District"])
        }
        try await RunningInstallation.run(data: data, demonstration: true) { installation in
            let api = try await API(installation)
            let roots = try await api.get("/v1/organizations?orderBy=title").body.organizations
                .items
            #expect(roots.count == 2)
            let district = District(
                api: api, id: try #require(roots[1].id.string), schools: [])
            #expect(try await district.people() == 100)
            try await curlLinesWork(installation)
        }
        try FileManager.default.removeItem(at: data)
    }

    /// The three lines are run as they were printed.
    private func curlLinesWork(_ installation: RunningInstallation) async throws {
        let lines = installation.output.filter { $0.hasPrefix("curl ") }
        try #require(lines.count == 3)
        #expect(try await Shell.run(lines[0]).contains("\"token\""))
        #expect(try await Shell.run(lines[1]).contains("Riverside School District"))
        #expect(try await Shell.run(lines[2]).contains("members_limit_reached"))
    }
}
