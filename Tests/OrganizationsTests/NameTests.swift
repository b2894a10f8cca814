import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Names.
struct NameTests {
    private static let sentence =
        "An organization with this name already exists. Please, type another name for your "
        + "organization."

    @Test(arguments: [
        ("Straße", "STRASSE"), ("Riverside", "riverside"),
        ("Riverside  School", "Riverside School"),
        (" Riverside ", "Riverside"), ("Ｒｉｖｅｒ", "River"), ("ﬁrst", "First"),
        ("Re\u{301}union", "Réunion"), ("School №1", "school no1"), ("ｶﾞｯｺｳ", "ガッコウ"),
        ("River\u{200D}side", "Riverside"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("A\u{A0}B", "a b"),
        ("ẞ", "ss"), ("\u{212B}ngström", "Ångström"),
    ])
    func `titles that read the same are one name`(one: String, other: String) throws {
        let (one, other) = (try Title(one, field: "title"), try Title(other, field: "title"))

        #expect(one.key.utf8.elementsEqual(other.key.utf8))
    }

    @Test(arguments: [("Süd", "Sud"), ("North", "Nord"), ("School 1", "School 11"), ("ı", "i")])
    func `titles that read differently are two names`(one: String, other: String) throws {
        #expect(try Title(one, field: "title").key != Title(other, field: "title").key)
    }

    @Test func `a sibling's name is refused with the sentence of the platform`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let district = try await owner.create("District")
        _ = try await owner.create("Straße", below: district)

        let refused = try await refusal { try await owner.create("STRASSE", below: district) }

        #expect(refused.code == .alreadyExists)
        #expect(refused.reason == "name_taken")
        #expect(refused.message == Self.sentence)
    }

    @Test func `roots are siblings of one another`() async throws {
        let owner = try Installation().platformOwner()
        _ = try await owner.create("Acme")

        let refused = try await refusal { try await owner.create("acme") }

        #expect(refused.reason == "name_taken")
    }

    @Test func `a name elsewhere in the scope is accepted with a warning`() async throws {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("District", "North")

        let again = try await owner.create("DISTRICT", below: chain[1])

        #expect(again.warnings.map(\.code) == ["name_exists_elsewhere"])
    }

    @Test func `a name outside of the scope gives no warning`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let mine = try await owner.create("Mine")
        _ = try await owner.create("Secret")
        let admin = try installation.user(Access.Grant(.orgAdmin, at: try mine.organizationID))

        let secret = try await admin.create("Secret", below: mine)

        #expect(secret.warnings.isEmpty)
    }

    @Test func `of fifty creations of one name at once exactly one succeeds`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let district = try await owner.create("District")

        let reasons = await withTaskGroup(of: String.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do {
                        _ = try await owner.createOrganization(
                            .named("School", below: district.id),
                            options: CallOptions(timeout: .seconds(20)))
                        return "created"
                    } catch let status as Status {
                        return status.reason ?? "\(status)"
                    } catch {
                        return "\(error)"
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }

        #expect(reasons == ["created": 1, "name_taken": 49])
        let list = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: district.id))
        #expect(list.totalSize == 1)
    }

    @Test func `the schema itself refuses a second live sibling of one name`() async throws {
        let installation = try Installation()
        let now = installation.clock.now
        let (details, _) = try Details.new(
            DetailsInput(title: "A", category: 1, country: "US"), today: now.day)
        let nodes = (1...2).map { number in
            Node(
                id: installation.identifiers.next(), number: Int64(number), below: nil, details,
                standing: .present, origin: .manual, at: now)
        }
        try await installation.database.write {
            try $0.insert(nodes[0], below: nil, by: "test")
        }

        await #expect(throws: Refusal.nameTaken) {
            try await installation.database.write {
                try $0.insert(nodes[1], below: nil, by: "test")
            }
        }
    }

    @Test func `an organization may change how its own name is written`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("riverside school")

        let renamed = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: school.id, title: "Riverside School")))

        #expect(renamed.title == "Riverside School")
        #expect(renamed.version == 2)
    }

    @Test func `renaming to a sibling's name changes nothing`() async throws {
        let owner = try Installation().platformOwner()
        let one = try await owner.create("One")
        _ = try await owner.create("Two")

        let refused = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(organization: Organization(id: one.id, title: "TWO")))
        }

        #expect(refused.reason == "name_taken")
        #expect(try await owner.getOrganization(GetOrganizationRequest(id: one.id)) == one)
    }

    @Test(arguments: [
        "", "   ", "\u{200B}", "a\u{7}b", "a\nb", "a\u{2028}b", "a\u{202E}b",
        "a\u{2066}b", String(repeating: "x", count: 121),
        String(repeating: "x", count: 100_000),
    ])
    func `a title that is no title is refused`(title: String) async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal { try await owner.create(title) }

        #expect(refused.code == .invalidArgument)
        #expect(refused.reason == "validation")
        #expect(refused.invalidFields == ["title"])
    }

    @Test func `a title of 120 characters is accepted`() async throws {
        let title = String(repeating: "ß", count: 120)

        let created = try await Installation().platformOwner().create(title)

        #expect(created.title == title)
    }

    @Test func `a title is kept as typed, without white space around it`() async throws {
        let created = try await Installation().platformOwner().create("  Riverside  School ")

        #expect(created.title == "Riverside  School")
    }
}
