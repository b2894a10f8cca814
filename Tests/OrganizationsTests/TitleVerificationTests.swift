import Access
import Messages
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What is kept beside titles, broken by hand and found by `verify`.
struct TitleVerificationTests {
    private let installation: Installation
    private let school: String

    init() async throws {
        installation = try Installation()
        let owner = try installation.platformOwner()
        school = try await owner.create("School").id
        for title in ["Ärzte in der Straße", "北京大学", "PE", "Школа № 5"] {
            _ = try await owner.create(title)
        }
        _ = try await owner.deleteOrganization(
            DeleteOrganizationRequest(id: try await owner.create("Gone").id))
    }

    @Test func `what is whole differs in nothing`() async throws {
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a title that is missing in the index of parts is found`() async throws {
        try await change("delete", "school")

        #expect(
            try await findings() == [
                "index of parts of titles: Organization SCHOOL is not in the index.",
                "parts of titles in the index: Parts in the index of organization SCHOOL: 0; "
                    + "its title has 4.",
            ])
    }

    @Test func `a title of nobody in the index of parts is found`() async throws {
        try await installation.database.write { transaction in
            try transaction.execute(
                "INSERT INTO organization_part (rowid, title_key) VALUES (99, 'academy')")
        }

        #expect(
            try await findings() == [
                "index of parts of titles: The index holds a title that no organization has any "
                    + "more.",
                "parts of titles in the index: Parts in the index that belong to no "
                    + "organization: 5.",
            ])
    }

    @Test func `another title in the index of parts is found`() async throws {
        try await change("delete", "school")
        try await change("insert", "museum")

        #expect(
            try await findings() == [
                "parts of titles in the index: Parts in the index that the title of organization "
                    + "SCHOOL lacks: 4."
            ])
    }

    @Test func `a single part that is missing in the index is found`() async throws {
        try await change("delete", "sch")
        // Too short to have a part, and a title is there again.
        try await change("insert", "ab")

        #expect(
            try await findings() == [
                "parts of titles in the index: Parts in the index of organization SCHOOL: 3; "
                    + "its title has 4."
            ])
    }

    @Test func `a single part too many in the index is found`() async throws {
        try await change("insert", "xyz")

        #expect(
            try await findings() == [
                "parts of titles in the index: Parts in the index that the title of organization "
                    + "SCHOOL lacks: 1.",
                "parts of titles in the index: Parts in the index of organization SCHOOL: 5; "
                    + "its title has 4.",
            ])
    }

    @Test func `a place in the order of titles that is not that of its title is found`()
        async throws
    {
        try await installation.database.write { transaction in
            try transaction.execute(
                "UPDATE organization SET title_plain = 'zoo' WHERE title_key = 'school'")
            try transaction.execute(
                "UPDATE organization SET title_plain = NULL WHERE title = 'Ärzte in der Straße'")
        }

        let found = try await findings().filter { $0.hasPrefix("keys of titles") }

        #expect(found.count == 2)
        #expect(found.contains { $0.contains("SCHOOL has the title School in the place of zoo.") })
    }

    /// Changes what the index holds of the school, and not the school.
    private func change(_ command: String, _ titleKey: String) async throws {
        try await installation.database.write { transaction in
            if command == "insert" {
                try transaction.execute(
                    """
                    INSERT INTO organization_part (rowid, title_key)
                    SELECT recency, \(titleKey) FROM organization WHERE title_key = 'school'
                    """)
            } else {
                try transaction.execute(
                    """
                    INSERT INTO organization_part (organization_part, rowid, title_key)
                    SELECT \(command), recency, \(titleKey) FROM organization
                    WHERE title_key = 'school'
                    """)
            }
        }
    }

    /// What differs, with a word for the identifier of the school.
    private func findings() async throws -> [String] {
        let name = school.uppercased().replacing("-", with: "")
        return try await installation.findings().map { $0.replacing(name, with: "SCHOOL") }
    }
}
