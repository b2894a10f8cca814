import Foundation
import Subprocess
import Testing

/// The console as people of different roles use it, before real services: members, those who wait,
/// and programs.
@Suite(.serialized) struct ConsolePeopleTests {
    private static let password = "a long enough password"
    /// Hooks of this machine, where nobody listens.
    private static let variables: [Environment.Key: String] = [
        "GUILDHALL_HOOK_NETWORKS": "127.0.0.0/8", "GUILDHALL_HOOK_PLAINTEXT": "true",
    ]

    @Test(.timeLimit(.minutes(5)))
    func `members and programs are looked after with a browser, by those who may`() async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/use_people_pages.py").path
        try await RunningInstallation.run(variables: Self.variables) { installation in
            let owner = try await API(installation)
            let district = try await District.create(owner, "District", below: nil)
            let school = try await District.create(owner, "School", below: district)
            for (name, role) in [
                ("Olga", "ROLE_OWNER"), ("Mona", "ROLE_MANAGER"), ("Mel", "ROLE_MEMBER"),
            ] {
                try await Self.admit(name, role, to: school, owner)
            }
            let url = try await owner.post(
                "/v1/organizations/\(school)/customUrls", ["slug": "springfield"])
            try #require(url.status == 201, "\(url.body)")
            let set = try await owner.patch("/v1/platformSettings", ["signUpApproval": .flag(true)])
            try #require(set.status == 200, "\(set.body)")
            for email in ["lisa@example.com", "bart@example.com"] {
                _ = try await Visitor.join(email, over: "springfield", installation)
            }
            let address = try #require(installation.url).absoluteString
            let (email, password) = installation.owner

            let said = try await Shell.run(
                """
                '\(python)' '\(script)' '\(address)' '\(school)' '\(Self.password)' '\(email)' \
                '\(password)'
                """)

            #expect(said.hasSuffix("the pages of people can be used\n"), "\(said)")
        }
    }

    private static func admit(
        _ name: String, _ role: String, to organization: String, _ owner: API
    ) async throws {
        let user = try await owner.post(
            "/v1/users",
            [
                "email": .text("\(name.lowercased())@school.example"), "name": .text(name),
                "password": .text(password),
            ])
        let id = try #require(user.body.id.string, "\(user.body)")
        let member = try await owner.post(
            "/v1/organizations/\(organization)/members",
            ["userId": .text(id), "roles": .array([.text(role)])])
        try #require(member.status == 201, "\(member.body)")
    }
}
