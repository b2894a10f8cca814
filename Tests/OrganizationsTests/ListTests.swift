import Access
import Messages
import RPC
import Storage
import Testing

@testable import Organizations

/// Lists by title, in pages.
struct ListTests {
    @Test(arguments: [1, 3, 7, 50])
    func `pages are complete and in order`(size: Int32) async throws {
        let owner = try Installation().platformOwner()
        let district = try await owner.create("District")
        let titles = ["b", "A", "ä", "Z", "É", "zz", "a b", "10", "9", "ß", "e"]
        for title in titles { _ = try await owner.create(title, below: district) }

        let pages = try await owner.pages(below: district, size: size)

        let listed = pages.flatMap(\.organizations)
        #expect(
            listed.map(\.title) == [
                "10", "9", "A", "ä", "a b", "b", "É", "e", "ß", "Z", "zz",
            ])
        #expect(pages.allSatisfy { $0.totalSize == 11 })
        #expect(pages.dropLast().allSatisfy { $0.organizations.count == Int(size) })
        #expect(listed.allSatisfy { $0.path.map(\.title) == ["District"] })
    }

    @Test func `a page is stable while others come and go`() async throws {
        let owner = try Installation().platformOwner()
        for title in ["b", "d", "f", "h"] { _ = try await owner.create(title) }
        let first = try await owner.listOrganizations(
            ListOrganizationsRequest(pageSize: 2, orderBy: "title"))
        for title in ["a", "c", "g"] { _ = try await owner.create(title) }

        let second = try await owner.listOrganizations(
            ListOrganizationsRequest(
                pageSize: 2, pageToken: first.nextPageToken, orderBy: "title"))

        #expect(first.organizations.map(\.title) == ["b", "d"])
        #expect(second.organizations.map(\.title) == ["f", "g"])
    }

    @Test func `the roots of a scope are what its grants name`() async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let one = try await platform.chain("One", "One North", "One North Class")
        let two = try await platform.chain("Two", "Two North")
        _ = try await platform.create("Three")
        let user = try installation.user(
            Access.Grant(.owner, at: try one[0].organizationID),
            Access.Grant(.member, at: try one[2].organizationID),
            Access.Grant(.member, at: try two[1].organizationID),
            Access.Grant(.teacher, at: try two[1].organizationID))

        let roots = try await user.pages(below: nil, size: 1)

        #expect(roots.flatMap(\.organizations).map(\.title) == ["One", "Two North"])
        #expect(roots.allSatisfy { $0.totalSize == 2 })
    }

    @Test func `below an organization whoever sees only it lists what grants name`()
        async throws
    {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let chain = try await platform.chain("District", "Mine")
        _ = try await platform.create("Other", below: chain[0])
        let user = try installation.user(
            Access.Grant(.member, at: try chain[0].organizationID),
            Access.Grant(.member, at: try chain[1].organizationID))

        let list = try await user.listOrganizations(
            ListOrganizationsRequest(parent: chain[0].id))

        #expect(list.organizations.map(\.title) == ["Mine"])
        #expect(list.totalSize == 1)
    }

    @Test func `a token is good for its list alone`() async throws {
        let owner = try Installation().platformOwner()
        let district = try await owner.create("District")
        for title in ["a", "b", "c"] { _ = try await owner.create(title, below: district) }
        let page = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: district.id, pageSize: 1))

        for token in [page.nextPageToken, "x", page.nextPageToken + "A"] {
            let refused = try await refusal {
                try await owner.listOrganizations(
                    ListOrganizationsRequest(pageSize: 1, pageToken: token))
            }
            #expect(refused.reason == "page_token_invalid")
        }
    }

    @Test func `page sizes are bounded`() async throws {
        let owner = try Installation().platformOwner()

        let negative = try await refusal {
            try await owner.listOrganizations(ListOrganizationsRequest(pageSize: -1))
        }
        let large = try await owner.listOrganizations(
            ListOrganizationsRequest(pageSize: .max))

        #expect(negative.code == .invalidArgument)
        #expect(large.organizations.isEmpty)
        #expect(large.nextPageToken == "")
    }
}

extension OrganizationsClient {
    /// Every page of a list.
    func pages(
        below parent: Organization?, size: Int32, orderBy order: String = "title",
        _ change: (inout ListOrganizationsRequest) -> Void = { _ in }
    ) async throws -> [ListOrganizationsReply] {
        var pages: [ListOrganizationsReply] = []
        repeat {
            var request = ListOrganizationsRequest(
                parent: parent?.id ?? "", pageSize: size,
                pageToken: pages.last?.nextPageToken ?? "", orderBy: order)
            change(&request)
            pages.append(try await listOrganizations(request))
        } while pages.last?.nextPageToken.isEmpty == false && pages.count < 100
        return pages
    }
}
