import Foundation
import Testing

/// Programs with API keys over real processes: from the making of a key to its end.
@Suite(.serialized) struct APIKeyTests {
    @Test func `a program makes organizations and brings people, until its key is deleted`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let made = try await owner.post(
                "/v1/apiKeys", ["name": "Timetable", "role": "ROLE_GLOBAL_ADMIN"], key: "make-1")
            try #require(made.status == 201, "\(made.body)")
            let secret = try #require(made.body.secret.string)
            let id = try #require(made.body.apiKey.id.string)
            let again = try await owner.post(
                "/v1/apiKeys", ["name": "Timetable", "role": "ROLE_GLOBAL_ADMIN"], key: "make-1")
            #expect(again.body.secret.string == secret && again.body.apiKey.id.string == id)
            var program = owner
            program.token = secret

            try await createsByTheAPI(program)
            try await provisions(program, owner)
            try await isNoPerson(program)

            let listed = try await owner.get("/v1/apiKeys").body.apiKeys
            #expect(listed.items.count == 1 && listed[0].prefix.string == String(secret.prefix(12)))
            #expect(listed[0].lastUsedAt.string != nil)
            #expect(try await program.get("/v1/organizations").status == 200)
            let deleted = try await owner.call("DELETE", "/v1/apiKeys/\(id)")
            #expect(deleted.status == 200)
            let refused = try await program.get("/v1/organizations")
            #expect(refused.status == 401 && refused.body.code.string == "unauthenticated")
        }
    }

    private func createsByTheAPI(_ program: API) async throws {
        let district = try await program.post(
            "/v1/organizations",
            [
                "title": "District", "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                "country": "US",
            ])
        #expect(district.status == 201, "\(district.body)")
        #expect(district.body.origin.string == "ORGANIZATION_ORIGIN_API")
    }

    /// Two people sign in elsewhere at once, for the first time and then again.
    private func provisions(_ program: API, _ owner: API) async throws {
        @Sendable func signIn(_ name: String) async throws -> API.Answer {
            try await program.post(
                "/v1/members:provision",
                [
                    "externalId": "sso:springfield", "title": "Springfield",
                    "email": .text("\(name)@springfield.example"), "name": .text(name),
                    "roles": ["ROLE_TEACHER"],
                ])
        }
        async let ada = signIn("ada")
        async let bo = signIn("bo")
        let first = try await [ada, bo]
        #expect(first.allSatisfy { $0.status == 201 }, "\(first.map(\.body))")
        let school = try #require(first[0].body.organizationId.string)
        #expect(first[1].body.organizationId.string == school)

        let again = try await signIn("ada")
        #expect(again.status == 201 && again.body.userId.string == first[0].body.userId.string)
        let organization = try await owner.get("/v1/organizations/\(school)").body
        #expect(organization.origin.string == "ORGANIZATION_ORIGIN_AUTO")
        #expect(organization.externalId.string == "sso:springfield")
        let seats = try await owner.get("/v1/organizations/\(school)/seats").body
        #expect(seats.used.integer == 2)
    }

    private func isNoPerson(_ program: API) async throws {
        let answers = [
            try await program.get("/v1/me"),
            try await program.call("DELETE", "/v1/sessions/current"),
            try await program.get("/v1/apiKeys"),
            try await program.post("/v1/apiKeys", ["name": "More", "role": "ROLE_GLOBAL_ADMIN"]),
        ]
        for answer in answers {
            #expect(answer.status == 403 && answer.body.code.string == "forbidden")
            #expect(answer.body.message.string?.hasPrefix("This is for people") == true)
        }
    }

    @Test func `a key of an organization reaches no further`() async throws {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let district = try await District.make(owner, limit: 100)
            let made = try await owner.post(
                "/v1/apiKeys",
                [
                    "name": "Roster", "role": "ROLE_ORG_ADMIN",
                    "organizationId": .text(district.schools[0]),
                ])
            var program = owner
            let secret: String = try #require(made.body.secret.string, "\(made.body)")
            program.token = secret

            let added = try await program.post(
                "/v1/organizations/\(district.schools[0])/members",
                ["email": "ada@example.com", "name": "Ada"])
            #expect(added.status == 201, "\(added.body)")
            let child = try await program.post(
                "/v1/organizations",
                [
                    "title": "Class", "parentId": .text(district.schools[0]),
                    "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12", "country": "US",
                ])
            #expect(child.body.origin.string == "ORGANIZATION_ORIGIN_API", "\(child.body)")
            let beside = try await program.get("/v1/organizations/\(district.schools[1])")
            #expect(beside.status == 404)
            let owned = try await program.post(
                "/v1/members:provision",
                [
                    "externalId": "x", "title": "Root", "email": "bo@example.com", "name": "Bo",
                ])
            #expect(owned.status == 403)

            _ = try await owner.post("/v1/organizations/\(district.schools[0]):deactivate")
            let paused = try await program.patch(
                "/v1/organizations/\(child.body.id.string ?? "")", ["title": "Paused"])
            #expect(paused.body.code.string == "org_not_active", "\(paused.body)")
        }
    }
}
