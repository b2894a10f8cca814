import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Orders, searches, ranges and scopes of lists, each with its numbers.
struct ListOrderTests {
    @Test func `the latest changed comes first, in pages of any size`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        var made: [Organization] = []
        for title in ["a", "b", "c", "d", "e"] {
            installation.clock.advance(by: .seconds(1))
            made.append(try await owner.create(title))
        }
        installation.clock.advance(by: .seconds(1))
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: made[1].id, description: "New")))

        for size in [1, 2, 5] as [Int32] {
            let pages = try await owner.pages(below: nil, size: size, orderBy: "")
            #expect(pages.flatMap(\.organizations).map(\.title) == ["b", "e", "d", "c", "a"])
            #expect(pages.allSatisfy { $0.totalSize == 5 && !$0.totalIsMinimum })
        }
        let oldest = try await owner.pages(below: nil, size: 2, orderBy: "updated_at")
        #expect(oldest.flatMap(\.organizations).map(\.title) == ["a", "c", "d", "e", "b"])
    }

    @Test func `many changed at one instant are listed once each, in both directions`()
        async throws
    {
        let owner = try Installation().platformOwner()
        let titles = (0..<23).map { "School \($0)" }
        for title in titles { _ = try await owner.create(title) }

        for order in ["updated_at", "updated_at desc", "title desc", "members", "members desc"] {
            let listed = try await owner.pages(below: nil, size: 4, orderBy: order)
                .flatMap(\.organizations).map(\.title)
            #expect(listed.count == 23 && Set(listed) == Set(titles), "\(order)")
        }
        let down = try await owner.pages(below: nil, size: 4, orderBy: "title desc")
        let up = try await owner.pages(below: nil, size: 5, orderBy: "title")
        #expect(
            down.flatMap(\.organizations).map(\.title)
                == up.flatMap(\.organizations).map(\.title).reversed())
    }

    @Test(arguments: ["name", "title down", "title desc desc", "updated_at, title"])
    func `an order that is none is refused`(order: String) async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.listOrganizations(ListOrganizationsRequest(orderBy: order))
        }

        #expect(refused.invalidFields == ["order_by"])
    }

    @Test(arguments: [
        (part: "side", found: ["Riverside School", "SIDEWALK"]),
        (part: "RIVERSIDE s", found: ["Riverside School"]),
        (part: "ＳＩＤＥ", found: ["Riverside School", "SIDEWALK"]),
        (part: "strasse", found: ["Schule Lange Straße"]),
        (part: "北京", found: ["北京大学"]),
        (part: "京大学", found: ["北京大学"]),
        (part: "школа", found: ["Школа № 5"]),
        (part: "5", found: ["Школа № 5"]),
        (part: "100%", found: ["100% Wool"]),
        (part: "0_0", found: []),
        (part: "\"or\"", found: []),
        (part: "side*", found: []),
    ])
    func `a part of a title finds it in any alphabet`(
        part: String, found: [String]
    ) async throws {
        let owner = try Installation().platformOwner()
        let district = try await owner.create("District")
        for title in [
            "Riverside School", "SIDEWALK", "Schule Lange Straße", "北京大学", "Школа № 5",
            "100% Wool", "000",
        ] {
            _ = try await owner.create(title, below: district)
        }

        let everywhere = try await owner.pages(below: nil, size: 2) { request in
            request.q = part
            request.subtree = true
        }
        let below = try await owner.pages(below: district, size: 2) { $0.q = part }
        let roots = try await owner.pages(below: nil, size: 2) { $0.q = part }

        #expect(everywhere.flatMap(\.organizations).map(\.title).sorted() == found.sorted())
        #expect(below.flatMap(\.organizations).map(\.title).sorted() == found.sorted())
        #expect(roots.flatMap(\.organizations).isEmpty)
        #expect(below.allSatisfy { $0.totalIsMinimum || $0.totalSize == found.count })
    }

    @Test func `a search follows a title that changes`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("Northern School")
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(organization: Organization(id: school.id, title: "Southern")))

        let old = try await owner.listOrganizations(ListOrganizationsRequest(q: "northern"))
        let new = try await owner.listOrganizations(ListOrganizationsRequest(q: "southern"))

        #expect(old.organizations.isEmpty)
        #expect(new.organizations.map(\.id) == [school.id])
    }

    @Test func `a range of changes begins with its first instant and ends before its last`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        var made: [Organization] = []
        for title in ["a", "b", "c", "d"] {
            made.append(try await owner.create(title))
            installation.clock.advance(by: .seconds(60))
        }

        for order in ["updated_at", "updated_at desc", "title", "members desc"] {
            let pages = try await owner.pages(below: nil, size: 1, orderBy: order) { request in
                request.updatedAfter = made[1].updatedAt
                request.updatedBefore = made[3].updatedAt
            }
            #expect(
                Set(pages.flatMap(\.organizations).map(\.title)) == ["b", "c"], "\(order)")
        }
    }

    @Test func `a subtree is listed at every level, without its top`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "One A", "One AA", "One AAA")
        _ = try await owner.chain("Two", "Two A")

        let below = try await owner.pages(below: one[0], size: 2) { $0.subtree = true }
        let all = try await owner.pages(below: nil, size: 4) { $0.subtree = true }

        #expect(below.flatMap(\.organizations).map(\.title) == ["One A", "One AA", "One AAA"])
        #expect(below.allSatisfy { $0.totalSize == 3 && !$0.totalIsMinimum })
        #expect(all.flatMap(\.organizations).count == 6)
        #expect(all.allSatisfy { $0.totalSize == 6 })
        #expect(all.flatMap(\.organizations).last?.path.map(\.title) == ["Two"])
    }

    @Test func `a subtree in the scope of grants holds what they reach, and no more`()
        async throws
    {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let one = try await platform.chain("One", "One A", "One AA")
        let two = try await platform.chain("Two", "Two A", "Two AA")
        _ = try await platform.create("Three")
        let user = try installation.user(
            Access.Grant(.owner, at: try one[1].organizationID),
            Access.Grant(.member, at: try two[0].organizationID))

        let listed = try await user.pages(below: nil, size: 1) { $0.subtree = true }

        let titles = listed.flatMap(\.organizations).map(\.title)
        #expect(titles == ["One A", "One AA", "Two"])
    }

    @Test func `a state finds what is in it, by its ancestors too`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let paused = try await owner.chain("Paused", "Below")
        _ = try await owner.create("Active")
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: paused[0].id))

        let inactive = try await owner.pages(below: nil, size: 1) { request in
            request.subtree = true
            request.state = .inactive
        }
        let active = try await owner.pages(below: nil, size: 1) { request in
            request.subtree = true
            request.state = .active
        }

        #expect(inactive.flatMap(\.organizations).map(\.title) == ["Below", "Paused"])
        #expect(active.flatMap(\.organizations).map(\.title) == ["Active"])
    }

    @Test func `more matches than are put together are walked, none missed and none twice`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let now = installation.clock.now
        let identifiers = installation.identifiers
        try await installation.database.write { transaction in
            for number in 1...5_200 {
                let (details, _) = try Details.new(
                    DetailsInput(
                        title: number % 100 == 0 ? "College \(number)" : "School \(number)",
                        category: 1, country: "US"),
                    today: now.day)
                let node = Node(
                    id: identifiers.next(), number: Int64(number), below: nil, details,
                    standing: .present, origin: .manual, at: now)
                try transaction.insert(node, below: nil, by: "test")
            }
        }

        let common = try await owner.pages(below: nil, size: 500) { $0.q = "school" }
        let rare = try await owner.pages(below: nil, size: 10) { $0.q = "college" }
        let short = try await owner.pages(below: nil, size: 10) { $0.q = "00" }

        let titles = common.flatMap(\.organizations).map(\.title)
        #expect(titles.count == 5_148 && Set(titles).count == 5_148)
        #expect(rare.flatMap(\.organizations).count == 52)
        #expect(rare.allSatisfy { $0.totalSize == 52 && !$0.totalIsMinimum })
        let withZeros = (1...5_200).filter { String($0).contains("00") }
        #expect(short.flatMap(\.organizations).count == withZeros.count)
    }

    @Test(arguments: [ListKey.updated, .title, .members], [true, false])
    func `every order is read from an index, from any place`(
        key: ListKey, isDescending: Bool
    ) async throws {
        let installation = try Installation()
        let order = ListOrder(key: key, isDescending: isDescending)
        let place = ListPlace.start(of: order)

        let plans = try await installation.database.read { snapshot in
            [
                try snapshot.plan(
                    of: Statements.children(of: 7, in: order, after: place, limit: 10)),
                try snapshot.plan(
                    of: Statements.everywhere(in: order, after: place, limit: 10)),
            ]
        }

        for plan in plans {
            #expect(plan.count == 1)
            // Both keys lead on: however many are equal in the first.
            #expect(plan[0].contains(",serial)\(isDescending ? "<" : ">")(?,?)"), "\(plan)")
        }
    }
}

extension Reading {
    fileprivate func plan(of statement: SQL) throws -> [String] {
        try rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
    }
}
