import Foundation
import Testing

/// What is acknowledged is there once, whichever process dies, whenever it dies.
@Suite(.serialized) struct CrashTests {
    /// The first step of a sale that a service does.
    private static let steps = [
        "organizations": "prepare_organization", "membership": "grant_seats",
        "branding": "prepare_appearance",
    ]

    /// The service that dies, and the one that is held so that the sale is in its middle then.
    ///
    /// One that is held itself dies with its step unanswered. One that is not dies after its
    /// step was committed, while the sale stands at the step of the one that is held.
    @Test(arguments: [
        (killed: "organizations", held: "organizations"),
        (killed: "organizations", held: "branding"),
        (killed: "membership", held: "membership"),
        (killed: "membership", held: "branding"),
        (killed: "branding", held: "branding"),
        (killed: "partners", held: "branding"),
        (killed: "gateway", held: "branding"),
    ])
    func `a service killed in the middle of a sale leaves exactly one of everything`(
        killed: String, held: String
    ) async throws {
        let step = try #require(Self.steps[held])
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            try await district.setLogo()
            let sale = try await Sale.register(api, below: district.id, quantity: 25)
            let holder = try installation.processIdentifier(of: held)

            try installation.signal(held, SIGSTOP)
            // The answer may be lost with the gateway: the sale is not.
            async let answer = try? sale.approve()
            try await sale.stands(at: step, in: installation)
            // Approval is answered once its wait is over: the step has been sent by then.
            if killed == held { _ = await answer }
            try await installation.killAndAwaitRestart(killed)
            // Sent to the process that was held: it may be gone by now.
            _ = kill(holder, SIGCONT)
            _ = await answer

            try await installation.until("the gateway answers") {
                // Until it listens again the connection is refused.
                (try? await api.get("/readyz"))?.status == 200
            }
            let again = try await sale.approve()
            #expect(again.status == 200, "the same key finds the same sale: \(again.body)")
            let buyer = try await sale.fulfilled(in: installation)
            try await Sale.expectExactlyOne(api, below: district.id, buyer: buyer, seats: 25)
        }
    }

    @Test func `members added while membership is killed again and again are there once`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 40)

            try await withThrowingTaskGroup { group in
                group.addTask {
                    for _ in 0..<3 { try await installation.killAndAwaitRestart("membership") }
                }
                for half in 0..<2 {
                    group.addTask {
                        for number in 1...20 {
                            try await addUntilAnswered(
                                "p\(half)-\(number)", to: district.schools[half], of: district,
                                in: installation)
                        }
                    }
                }
                try await group.waitForAll()
            }

            #expect(try await district.people() == 40)
            for school in district.schools {
                let page = try await api.get("/v1/organizations/\(school)/members?pageSize=100")
                #expect(page.body.members.items.count == 20)
            }
        }
    }

    private func addUntilAnswered(
        _ person: String, to school: String, of district: District,
        in installation: RunningInstallation
    ) async throws {
        try await installation.until("\(person) is added") {
            let answer = try await district.add(person, to: school, key: "add-\(person)")
            return answer.status == 201
        }
    }

    @Test func `membership rebuilds its copy of the tree from nothing`() async throws {
        let data = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)")
        let made = Made()
        try await RunningInstallation.run(data: data) { installation in
            let district = try await District.make(try await API(installation), limit: 3)
            try await district.fill(district.schools[0], "p", with: 3)
            await made.set(district)
        }
        try await Shell.run("sqlite3 '\(data.path)/membership.db' 'DELETE FROM tree_node'")

        try await RunningInstallation.run(data: data) { installation in
            let before = try #require(await made.district)
            let district = District(
                api: try await API(installation), id: before.id, schools: before.schools)
            try await installation.until("the tree is back") {
                try await district.people() == 3
            }
            let refused = try await district.add("fourth", to: district.schools[1])
            #expect(refused.body.code.string == "members_limit_reached")
            let workspaces = try await district.api.get(
                "/v1/organizations/\(district.schools[0])/workspaces")
            #expect(workspaces.body.workspaces.items.count == 1)
        }
        try FileManager.default.removeItem(at: data)
    }

    /// Hands the district from the first run to the second.
    private actor Made {
        private(set) var district: District?
        func set(_ district: District) { self.district = district }
    }
}
