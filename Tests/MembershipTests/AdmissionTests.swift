import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

@Suite struct `members of a district` {
    /// A district with a limit, and two schools.
    private func district(limit: Int64) async throws -> (
        hall: Hall, district: OrganizationID, schools: [OrganizationID]
    ) {
        let hall = try Hall()
        let district = try await hall.organization(title: "Riverside School District")
        let schools = [
            try await hall.organization(below: district),
            try await hall.organization(below: district),
        ]
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: limit))
        return (hall, district, schools)
    }

    @Test func `a limit of 100 holds for two schools together, and the refusal names it`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 100)
        var people: [UserID] = []
        for school in schools {
            for _ in 0..<50 { people.append(try await hall.admit(to: school)) }
        }

        let refused = await refusal { try await hall.admit(to: schools[0]) }

        #expect(refused?.code == .failedPrecondition)
        #expect(refused?.reason == "members_limit_reached")
        #expect(
            refused?.facts
                == ["at": district.text, "kind": "members", "used": "100", "cap": "100"])
        #expect(refused?.gates == ["members_limit_reached"])
        #expect(
            refused?.message
                == "The members limit of Riverside School District is reached: 100 of 100.")

        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: schools[0].text, userID: people[0].text))
        try await hall.admit(to: schools[1])
        let again = await refusal {
            try await hall.platformOwner.unblockMember(
                UnblockMemberRequest(organizationID: schools[0].text, userID: people[0].text))
        }
        #expect(again?.reason == "members_limit_reached")
        try await expectInvariants(hall)
    }

    @Test func `whoever is known is added by the address alone, and somebody new with a name`()
        async throws
    {
        let (hall, _, schools) = try await district(limit: 10)
        let ada = try await hall.platformOwner.createUser(
            CreateUserRequest(email: "ada@example.com", name: "Ada"))

        let added = try await hall.platformOwner.addMember(
            AddMemberRequest(organizationID: schools[0].text, email: "ada@example.com"))
        let refused = await refusal {
            try await hall.platformOwner.addMember(
                AddMemberRequest(organizationID: schools[0].text, email: "bo@example.com"))
        }

        #expect(added.userID == ada.id && added.name == "Ada")
        #expect(refused?.code == .invalidArgument)
        #expect(refused?.message == "This must not be empty.")
        try await expectInvariants(hall)
    }

    @Test func `a refusal does not name an organization above to whoever may not know of it`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 0)
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, teachers: 0))
        let ada = try await hall.person()

        let refused = await refusal {
            try await hall.acting(.owner, at: schools[0]).addMember(
                AddMemberRequest(
                    organizationID: schools[0].text, userID: ada.text, roles: [.teacher]))
        }

        #expect(
            refused?.sentences == [
                "The members limit of an organization above is reached: 0 of 0.",
                "The limit of teachers of an organization above is reached: 0 of 0.",
            ])
        #expect(refused?.message == refused?.sentences.first)
    }

    @Test func `a person counted in the district gets a second membership when it is full`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 1)
        let ada = try await hall.admit(to: schools[0])

        try await hall.admit(ada, to: schools[1])

        let usage = try await hall.platformOwner.getUsage(
            GetUsageRequest(organizationID: district.text))
        #expect(usage.people == 1)
        #expect(await refusal { try await hall.admit(to: schools[1]) } != nil)
        try await expectInvariants(hall)
    }

    @Test func `use is counted before there is a limit`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        for _ in 0..<3 { try await hall.admit(to: school) }

        let caps = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: 3))

        #expect(caps.warnings.isEmpty)
        #expect(await refusal { try await hall.admit(to: school) } != nil)
    }

    @Test func `quotas count students and teachers, each by its own`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: school.text, students: 1, teachers: 1))
        try await hall.admit(to: school, as: [.student])
        try await hall.admit(to: school, as: [.teacher])
        try await hall.admit(to: school)

        let student = await refusal { try await hall.admit(to: school, as: [.student]) }
        let both = await refusal { try await hall.admit(to: school, as: [.teacher, .student]) }

        #expect(student?.reason == "role_quota_reached")
        #expect(student?.facts["kind"] == "students")
        #expect(both?.gates == ["role_quota_reached", "role_quota_reached"])
        try await expectInvariants(hall)
    }

    @Test func `an admission repeated with its key answers the same bytes and counts once`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 1)
        let ada = try await hall.person()
        let client = hall.acting(.globalAdmin)
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = "one-key"
        let request = AddMemberRequest(organizationID: schools[0].text, userID: ada.text)

        let first = try await client.addMember(request, options: options)
        hall.clock.advance(by: .seconds(5))
        let second = try await client.addMember(request, options: options)
        let other = await refusal {
            try await client.addMember(
                AddMemberRequest(organizationID: schools[1].text, userID: ada.text),
                options: options)
        }

        #expect(first == second)
        #expect(other?.reason == "idempotency_mismatch")
        let usage = try await hall.platformOwner.getUsage(
            GetUsageRequest(organizationID: district.text))
        #expect(usage.people == 1)
    }

    @Test func `a refusal repeated with its key is the same though there is room by then`()
        async throws
    {
        let (hall, _, schools) = try await district(limit: 1)
        let ada = try await hall.admit(to: schools[0])
        let client = hall.acting(.globalAdmin)
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = "refused"
        let grace = try await hall.person("Grace")
        let request = AddMemberRequest(organizationID: schools[1].text, userID: grace.text)
        let first = await refusal { try await client.addMember(request, options: options) }

        _ = try await client.removeMember(
            RemoveMemberRequest(organizationID: schools[0].text, userID: ada.text))
        let second = await refusal { try await client.addMember(request, options: options) }

        #expect(first?.reason == "members_limit_reached")
        #expect(first == second)
        _ = try await client.addMember(request)
    }

    @Test func `somebody new is admitted by address, and found by it the next time`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let college = try await hall.organization()

        let first = try await hall.platformOwner.addMember(
            AddMemberRequest(
                organizationID: school.text, email: " Ada@Example.com", name: "Ada Lovelace"))
        let second = try await hall.platformOwner.addMember(
            AddMemberRequest(
                organizationID: college.text, email: "ada@example.com", name: "Somebody"))

        #expect(first.email == "ada@example.com")
        #expect(first.userID == second.userID)
        #expect(second.name == "Ada Lovelace")
        #expect(first.roles == [.member])
        #expect(first.state == .active)
        #expect(first.takesSeat)
    }

    @Test func `a refused admission leaves nobody behind`() async throws {
        let (hall, _, schools) = try await district(limit: 0)

        let refused = await refusal {
            try await hall.platformOwner.addMember(
                AddMemberRequest(
                    organizationID: schools[0].text, email: "ada@example.com", name: "Ada"))
        }

        #expect(refused?.reason == "members_limit_reached")
        #expect(try hall.database.readInline { try $0.user(email: "ada@example.com") } == nil)
    }

    @Test func `nobody comes in where the organization or one above is not active`() async throws {
        let (hall, district, schools) = try await district(limit: 10)
        try await hall.organization(district, status: .inactive)

        let refused = await refusal { try await hall.admit(to: schools[0]) }

        #expect(refused?.reason == "org_not_active")
        #expect(refused?.facts["at"] == district.text)
        try await hall.organization(district, status: .active)
        try await hall.admit(to: schools[0])
    }

    @Test func `whoever is in, blocked or gone is told so`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        let client = hall.platformOwner
        let block = BlockMemberRequest(organizationID: school.text, userID: ada.text)

        #expect(await refusal { try await hall.admit(ada, to: school) }?.reason == "already_member")
        let blocked = try await client.blockMember(block)
        #expect(blocked.state == .blocked)
        #expect(!blocked.takesSeat)
        #expect(try await client.blockMember(block) == blocked)
        #expect(await refusal { try await hall.admit(ada, to: school) }?.reason == "member_blocked")
        let removed = try await client.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: ada.text))
        #expect(removed.state == .removed)
        #expect(await refusal { try await client.blockMember(block) }?.code == .notFound)
        try await hall.admit(ada, to: school)
        try await expectInvariants(hall)
    }

    @Test func `every gate of a refusal carries its use and its limit`() async throws {
        let (hall, district, schools) = try await district(limit: 1)
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, students: 1, teachers: 1))
        _ = try await hall.platformOwner.updateSeats(
            UpdateSeatsRequest(organizationID: schools[0].text, seatCount: 1))
        try await hall.admit(to: schools[0], as: [.student, .teacher])

        let refused = await refusal {
            try await hall.admit(to: schools[0], as: [.student, .teacher])
        }

        let facts = (refused?.details ?? []).compactMap { detail -> [String?]? in
            guard case .errorInfo(let reason, _, let facts) = detail else { return nil }
            return [reason, facts["kind"], facts["used"], facts["cap"]]
        }
        #expect(
            facts == [
                ["seats_exhausted", "seat", "1", "1"],
                ["members_limit_reached", "members", "1", "1"],
                ["role_quota_reached", "students", "1", "1"],
                ["role_quota_reached", "teachers", "1", "1"],
            ])
    }

    @Test func `a member that has changed since it was read is not removed, blocked or unblocked`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        let client = hall.platformOwner
        var stale = CallOptions()
        stale.metadata[text: MetadataKey.ifMatch] = "v7"
        let options = stale

        let refusals = [
            await refusal {
                try await client.removeMember(
                    RemoveMemberRequest(organizationID: school.text, userID: ada.text),
                    options: options)
            },
            await refusal {
                try await client.blockMember(
                    BlockMemberRequest(organizationID: school.text, userID: ada.text),
                    options: options)
            },
            await refusal {
                try await client.unblockMember(
                    UnblockMemberRequest(organizationID: school.text, userID: ada.text),
                    options: options)
            },
        ]

        #expect(refusals.map { $0?.reason } == Array(repeating: "version_mismatch", count: 3))
    }

    @Test func `what explains an admission is what decides it, and it changes nothing`()
        async throws
    {
        let (hall, district, schools) = try await district(limit: 1)
        let ada = try await hall.admit(to: schools[0])
        let client = hall.platformOwner

        let stranger = try await client.explainAdmission(
            ExplainAdmissionRequest(organizationID: schools[1].text))
        let known = try await client.explainAdmission(
            ExplainAdmissionRequest(organizationID: schools[1].text, userID: ada.text))

        #expect(!stranger.admitted)
        #expect(
            stranger.gates == [
                AdmissionGate(
                    code: "members_limit_reached", organizationID: district.text, kind: "members",
                    used: 1, cap: 1)
            ])
        #expect(known.admitted)
        try await expectInvariants(hall)
    }

    @Test func `members are listed by name in pages`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        for name in ["Edsger", "ada", "Grace", "Barbara", "Ada"] {
            try await hall.admit(try await hall.person(name), to: school)
        }
        let client = hall.platformOwner

        var names: [String] = []
        var token = ""
        repeat {
            let page = try await client.listMembers(
                ListMembersRequest(organizationID: school.text, pageSize: 2, pageToken: token))
            #expect(page.totalSize == 5)
            names += page.members.map(\.name)
            token = page.nextPageToken
        } while !token.isEmpty

        #expect(names.map { $0.lowercased() } == ["ada", "ada", "barbara", "edsger", "grace"])
        #expect(Set(names).count == 5)
    }

    @Test func `every change of a member is in the feed with the whole state`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: ada.text))

        let events = try await hall.database.feed.events(after: 0, limit: 100)

        let members = try events.map { try Member(decoding: $0.body) }
        #expect(members.map(\.state) == [.active, .blocked])
        #expect(members.map(\.version) == [1, 2])
        #expect(Set(events.map(\.aggregate)).count == 1)
        #expect(events.allSatisfy { $0.kind == "guildhall.membership.v1.Member" })
    }
}
