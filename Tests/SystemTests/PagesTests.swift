import Foundation
import Testing

/// What the gateway says for itself, before real services.
@Suite(.serialized) struct PagesTests {
    @Test func `a refusal names an explanation that answers, and tells why`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 1)
            let other = try await District.create(api, "Elsewhere", below: nil)
            let school = district.schools[0]
            let administrator = try await api.administrator(of: school)

            let full = try await district.add("second", to: school)
            let fullBy = try #require(full.body.explainUrl.string, "\(full.body)")
            let explained = try await api.post(
                fullBy, ["organizationId": .text(school), "roles": .array(["ROLE_MEMBER"])])
            try #require(explained.status == 200, "\(fullBy): \(explained.body)")
            #expect(full.body.code.string == "members_limit_reached")
            #expect(explained.body.gates[0].code.string == "members_limit_reached")

            let paused = try await api.post("/v1/organizations/\(district.id):deactivate")
            try #require(paused.status == 200, "\(paused.body)")
            let refusals = [
                try await district.add("third", to: school),
                try await api.post(
                    "/v1/organizations",
                    [
                        "title": "New", "parentId": .text(school), "country": "US",
                        "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                    ]),
                try await api.post(
                    "/v1/organizations/\(other):move", ["newParentId": .text(school)]),
                try await administrator.patch(
                    "/v1/organizations/\(school)", ["description": "New"]),
            ]
            for refusal in refusals {
                #expect(refusal.body.code.string == "org_not_active", "\(refusal.body)")
                let path = refusal.body.explainUrl.string
                #expect(path == "/v1/organizations/\(school):explainState")
                let why = try await api.get(path ?? "/")
                #expect(why.status == 200, "\(why.body)")
                #expect(why.body.stateReason.organizationId.string == district.id)
            }
        }
    }

    @Test func `answers are as the document of the routes says`() async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/check_answers.py").path
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 10)
            _ = try await district.add("somebody", to: district.id)
            let address = api.url.absoluteString
            let token = try #require(api.token)

            let said = try await Shell.run(
                "'\(python)' '\(script)' '\(address)' '\(token)' '\(district.id)'")

            let count = try #require(said.split(separator: " ").first.flatMap { Int($0) })
            #expect(said.hasSuffix("answers are as described\n"), "\(said)")
            #expect(count >= 20)
        }
    }

    @Test func `what is written into the form is taken by Organizations`() async throws {
        try await RunningInstallation.run { installation in
            let address = try #require(installation.url).absoluteString
            func send(_ fields: String) async throws -> String {
                try await Shell.run(
                    "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' \(fields)"
                        + " '\(address)/contact'")
            }
            let typed = "-d name=Ada -d email=ada@example.org -d kind=3 -d subject=School"

            let empty = try await send(typed)
            let taken = try await send(typed + " -d text=Hello")

            #expect(empty.hasPrefix("422"))
            #expect(taken.hasPrefix("303 ") && taken.hasSuffix("/contact/sent"), "\(taken)")
            let kept = try await Shell.run(
                "sqlite3 'file:\(installation.data.path)/organizations.db?mode=ro'"
                    + " 'SELECT count(*), max(content) FROM contact_message'")
            #expect(kept.hasPrefix("1|Hello\n\nAda"), "\(kept)")
        }
    }
}

extension API {
    /// The API as somebody who administers an organization uses it.
    fileprivate func administrator(of organization: String) async throws -> API {
        let (email, password) = (JSON.text("admin@people.example"), JSON.text("longer than eight"))
        let user = try await post(
            "/v1/users", ["email": email, "name": "Ada", "password": password])
        let id = try #require(user.body.id.string, "\(user.body)")
        let member = try await post(
            "/v1/organizations/\(organization)/members",
            ["userId": .text(id), "roles": .array(["ROLE_ORG_ADMIN"])])
        try #require(member.status == 201, "\(member.body)")
        let session = try await post("/v1/sessions", ["email": email, "password": password])
        let token: String = try #require(session.body.token.string, "\(session.body)")
        var administrator = self
        administrator.token = token
        return administrator
    }
}
