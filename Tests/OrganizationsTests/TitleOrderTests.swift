import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// The order of titles in letters with marks.
struct TitleOrderTests {
    /// In the order that people expect.
    static let titles = [
        "5. Schule", "Arzt", "Ärzte", "Asyl", "École", "Eule", "Łódź", "Lübeck", "Oslo", "Østfold",
        "Ouest", "Straßburg", "Zürich", "Zwickau", "Άλφα", "Βήτα", "Ёлка", "Жук", "Иван", "Йод",
        "Кот", "北京大学",
    ]

    @Test func `letters with marks are ordered as those without`() async throws {
        let owner = try Installation().platformOwner()
        let district = try await owner.create("District")
        for title in Self.titles.reversed() { _ = try await owner.create(title, below: district) }

        for size in [2, 50] as [Int32] {
            let up = try await owner.pages(below: district, size: size, orderBy: "title")
            let down = try await owner.pages(below: district, size: size, orderBy: "title desc")
            let everywhere = try await owner.pages(
                below: nil, size: size, orderBy: "title"
            ) { $0.subtree = true }
            // Few that match are put together and ordered here, not by the database.
            let scoped = try await owner.pages(
                below: district, size: size, orderBy: "title"
            ) { $0.subtree = true }

            #expect(up.flatMap(\.organizations).map(\.title) == Self.titles)
            #expect(down.flatMap(\.organizations).map(\.title) == Self.titles.reversed())
            #expect(
                everywhere.flatMap(\.organizations).map(\.title).filter { $0 != "District" }
                    == Self.titles)
            #expect(scoped.flatMap(\.organizations).map(\.title) == Self.titles)
        }
    }

    @Test func `a token from before the order was changed is refused, and skips nobody`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        for title in ["Mainz", "Ärzte"] { _ = try await owner.create(title) }
        var request = ListOrganizationsRequest(orderBy: "title")
        let page = try installation.pageTokens.page(
            CallContext(
                method: OrganizationsMethods.listOrganizations, deadline: .never,
                peer: Peer("test")),
            size: 0, token: "", arguments: request)
        request.pageToken = page.token(after: ["mainz", Int64(1)])

        let refused = try await refusal { [request] in
            try await owner.listOrganizations(request)
        }

        #expect(refused.reason == ErrorReason.pageTokenInvalid.rawValue)
    }

    @Test func `the place of a title follows a change, and equal ones go by number`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        for title in ["Übung", "Zebra", "Ubung", "Uhr"] { _ = try await owner.create(title) }
        let zebra = try #require(
            try await owner.listOrganizations(ListOrganizationsRequest(orderBy: "title desc"))
                .organizations.first)
        _ = try await owner.update(zebra, paths: ["title"]) { $0.title = "Çebra" }

        let listed = try await owner.pages(below: nil, size: 1, orderBy: "title")
            .flatMap(\.organizations)

        #expect(listed.map(\.title) == ["Çebra", "Übung", "Ubung", "Uhr"])
        #expect(try await installation.findings().isEmpty)
    }

    @Test(
        arguments: [
            (key: "arzt", plain: nil), (key: "ärzte", plain: "arzte"),
            (key: "æsir", plain: "aesir"), (key: "øre", plain: "ore"),
            (key: "x\u{302}y", plain: "xy"), (key: "ǣ", plain: "ae"),
            (key: "йод", plain: nil), (key: "ёж", plain: "еж"), (key: "ήλιος", plain: "ηλιος"),
            (key: "ក្រុង", plain: nil), (key: "हिन्दी", plain: nil), (key: "東京", plain: nil),
            (key: "≠", plain: nil), (key: "số", plain: "so"),
        ] as [(key: String, plain: String?)])
    func `marks of three alphabets are left out, and no others`(key: String, plain: String?) {
        let made = TitleOrder.plainText(of: key)

        #expect(made.map { Array($0.utf8) } == plain.map { Array($0.utf8) })
        #expect(TitleOrder.text(of: key).utf8.elementsEqual((plain ?? key).utf8))
    }
}
