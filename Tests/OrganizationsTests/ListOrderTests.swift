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
        (part: "_o_", found: []),
        (part: "e_s", found: []),
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

    @Test func `a search of everything shows the latest changed first, or last`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        var made: [Organization] = []
        for title in ["North School", "South School", "East School", "West School", "College"] {
            installation.clock.advance(by: .seconds(1))
            made.append(try await owner.create(title))
        }
        installation.clock.advance(by: .seconds(1))
        _ = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: made[1].id, description: "New")))
        _ = try await owner.deleteOrganization(DeleteOrganizationRequest(id: made[2].id))

        for size in [1, 2, 50] as [Int32] {
            let latest = try await owner.pages(
                below: nil, size: size, orderBy: ""
            ) { request in
                request.subtree = true
                request.q = "school"
            }
            let earliest = try await owner.pages(
                below: nil, size: size, orderBy: "updated_at"
            ) { request in
                request.subtree = true
                request.q = "school"
            }
            let ranged = try await owner.pages(
                below: nil, size: size, orderBy: ""
            ) { request in
                request.subtree = true
                request.q = "school"
                request.updatedAfter = made[0].updatedAt
                request.updatedBefore = made[4].updatedAt
            }

            let titles = ["South School", "West School", "North School"]
            #expect(latest.flatMap(\.organizations).map(\.title) == titles)
            #expect(earliest.flatMap(\.organizations).map(\.title) == titles.reversed())
            #expect(ranged.flatMap(\.organizations).map(\.title) == Array(titles.dropFirst()))
            #expect(latest.allSatisfy { $0.totalSize == 3 && !$0.totalIsMinimum })
            #expect(ranged.allSatisfy { $0.totalSize == 2 && !$0.totalIsMinimum })
        }
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

        let everywhere = try await owner.pages(below: nil, size: 500, orderBy: "") { request in
            request.subtree = true
            request.q = "school"
        }

        for pages in [common, everywhere] {
            let titles = pages.flatMap(\.organizations).map(\.title)
            #expect(titles.count == 5_148 && Set(titles).count == 5_148)
        }
        #expect(everywhere.first?.totalIsMinimum == true)
        #expect(rare.flatMap(\.organizations).count == 52)
        #expect(rare.allSatisfy { $0.totalSize == 52 && !$0.totalIsMinimum })
        let none = try await owner.pages(below: nil, size: 10) { $0.q = "zq" }
        // Nothing is known to be there, be it that more is looked at.
        #expect(none.map(\.totalSize) == [0, 0])
        #expect(none.map(\.totalIsMinimum) == [true, true])
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

    @Test func `a page token of a search goes on in no other order`() async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        for title in ["North School", "South School", "East School"] {
            _ = try await platform.create(title)
        }
        let request = ListOrganizationsRequest(pageSize: 1, subtree: true, q: "school")
        var next = request
        next.pageToken = try await platform.listOrganizations(request).nextPageToken
        let school = try #require(
            try await platform.listOrganizations(ListOrganizationsRequest()).organizations.first)
        let user = try installation.user(
            Access.Grant(.owner, at: try school.organizationID))

        let refused = try await refusal { [next] in try await user.listOrganizations(next) }

        #expect(refused.reason == ErrorReason.pageTokenInvalid.rawValue)
    }

    @Test func `a search of everything is read from the index of parts, from any place`()
        async throws
    {
        let part = try #require(try TitlePart.optional("school", field: "q"))
        let place = ListPlace(value: .integer(7), number: 7)

        let installation = try Installation()
        let (latest, earliest) = try await installation.database.read { snapshot in
            (
                try snapshot.plan(of: Statements.latest(withPart: part, before: place, limit: 10)),
                try snapshot.plan(of: Statements.earliest(withPart: part, after: place, limit: 10))
            )
        }

        for (plan, bound) in [(latest, "<"), (earliest, ">")] {
            // The part and the place, and in the order of the index: nothing is sorted there.
            let search = plan.first { $0.contains("organization_part") }
            #expect(search?.contains("VIRTUAL TABLE INDEX") == true, "\(plan)")
            #expect(search?.hasSuffix(":L0\(bound)") == true, "\(plan)")
            #expect(plan.contains { $0.contains("organization_recency (recency=?)") }, "\(plan)")
            #expect(plan.count { $0.contains("TEMP B-TREE") } <= 1, "\(plan)")
        }
    }
}

extension Reading {
    fileprivate func plan(of statement: SQL) throws -> [String] {
        try rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
    }
}
