import Testing

/// Roles that change over real processes: what somebody may do follows with the next request.
@Suite(.serialized) struct RoleTests {
    @Test func `who is promoted administers at once, and who is demoted no more`() async throws {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let district = try await District.make(owner, limit: 100)
            let school = district.schools[0]
            let email: JSON = "ada@people.example"
            let made = try await owner.post(
                "/v1/users", ["email": email, "name": "Ada", "password": "correct horse battery"])
            let ada = try #require(made.body.id.string)
            let member = "/v1/organizations/\(school)/members/\(ada)"
            _ = try await owner.post(
                "/v1/organizations/\(school)/members",
                ["userId": .text(ada), "roles": ["ROLE_TEACHER"]])
            var teacher = owner
            let session = try await owner.post(
                "/v1/sessions", ["email": email, "password": "correct horse battery"])
            let token: String = try #require(session.body.token.string)
            teacher.token = token
            let list = "/v1/organizations/\(school)/members"
            #expect(try await teacher.get(list).status == 403)

            let promoted = try await owner.patch(member, ["roles": ["ROLE_ORG_ADMIN"]])
            let asAdministrator = try await teacher.get(list)
            let own = try await teacher.patch(member, ["roles": ["ROLE_OWNER"]])
            let demoted = try await owner.patch(
                member, ["roles": ["ROLE_STUDENT"], "etag": promoted.body.etag])
            let asStudent = try await teacher.get(list)
            let stale = try await owner.patch(
                member, ["roles": ["ROLE_TEACHER"], "etag": promoted.body.etag])

            #expect(promoted.status == 200, "\(promoted.body)")
            #expect(promoted.body.roles.items.compactMap(\.string) == ["ROLE_ORG_ADMIN"])
            #expect(asAdministrator.status == 200)
            #expect(own.status == 403)
            #expect(demoted.status == 200, "\(demoted.body)")
            #expect(asStudent.status == 403)
            #expect(stale.status == 412)
            try await limitsRefuse(district, member)
        }
    }

    /// A quota of the district refuses, says so at the district, and where it is explained.
    private func limitsRefuse(_ district: District, _ member: String) async throws {
        _ = try await district.api.patch(
            "/v1/organizations/\(district.id)/caps", ["teachers": 0])

        let refused = try await district.api.patch(member, ["roles": ["ROLE_TEACHER"]])
        let place = try #require(refused.body.explainUrl.string)
        let parts = member.split(separator: "/").map(String.init)
        let explained = try await district.api.post(
            place,
            [
                "organizationId": .text(parts[2]), "userId": .text(parts[4]),
                "roles": ["ROLE_TEACHER"],
            ])

        #expect(refused.status == 409)
        #expect(refused.body.code.string == "role_quota_reached")
        #expect(refused.body.violations[0].at.string == district.id)
        #expect(place == "/v1/explain/admission")
        let codes = explained.body.gates.items.compactMap(\.code.string)
        #expect(codes == ["already_member", "role_quota_reached"])
        #expect(explained.body.gates[1].organizationId.string == district.id)
    }
}
