import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Who may change whose roles, and where.
@Suite struct RoleRightTests {
    /// What somebody in a role at the school may make of what, and what not.
    static let cases: [(caller: Access.Role, from: [Messages.Role], to: [Messages.Role], Bool)] = [
        (.owner, [.teacher], [.owner], true),
        (.owner, [.owner], [.teacher], true),
        (.orgAdmin, [.teacher], [.owner], false),
        (.orgAdmin, [.owner], [.teacher], false),
        (.orgAdmin, [.teacher], [.orgAdmin, .billingAdmin], true),
        (.orgAdmin, [.orgAdmin], [.member], true),
        (.manager, [.teacher], [.manager], true),
        (.manager, [.teacher], [.orgAdmin], false),
        (.manager, [.orgAdmin], [.teacher], false),
        (.manager, [.teacher], [.userAdmin], false),
        (.userAdmin, [.student], [.manager], true),
        (.userAdmin, [.billingAdmin], [.student], false),
        (.teacher, [.student], [.teacher], false),
        (.billingAdmin, [.student], [.teacher], false),
        (.reseller, [.teacher], [.owner], false),
        (.partner, [.teacher], [.owner], true),
        // What stays asks for no right: nothing of it is given or taken.
        (.manager, [.orgAdmin, .teacher], [.orgAdmin, .student], true),
        (.orgAdmin, [.owner], [.owner, .teacher], true),
        (.manager, [.owner], [.owner], true),
    ]

    @Test(arguments: cases.indices)
    func `each role that is given or taken needs the right to give it`(number: Int) async throws {
        let (caller, from, to, isAllowed) = Self.cases[number]
        let place = try await RoleHall()
        try await place.hall.admit(to: place.school, as: [.owner])
        let ada = try await place.hall.admit(to: place.school, as: from)

        let refused = await refusal {
            try await place.change(
                ada, to: to, by: place.hall.acting(caller, at: place.school))
        }

        #expect((refused == nil) == isAllowed)
        #expect(refused == nil || refused?.reason == "forbidden")
        let roles = try await place.member(ada).roles
        #expect(Set(roles) == Set(isAllowed ? to : from))
    }

    @Test func `nobody changes the own roles, but whose rights are the platform's`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        try await hall.admit(to: school, as: [.owner])
        let ada = try await hall.admit(to: school, as: [.owner])
        let owner = hall.acting(ada, [Access.Grant(.owner, at: school)])
        let staff = hall.acting(ada, [Access.Grant(.globalAdmin)])

        let up = await refusal { try await place.change(ada, to: [.owner, .manager], by: owner) }
        let down = await refusal { try await place.change(ada, to: [.member], by: owner) }
        let same = await refusal { try await place.change(ada, to: [.owner], by: owner) }
        let changed = try await place.change(ada, to: [.member], by: staff)

        #expect([up, down, same].map { $0?.reason } == ["forbidden", "forbidden", "forbidden"])
        #expect(changed.roles == [.member])
    }

    @Test func `outside of the caller's scope there is no member, and no organization`()
        async throws
    {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school)
        let other = try await place.hall.organization()

        let refused = await refusal {
            try await place.change(
                ada, to: [.teacher], by: place.hall.acting(.owner, at: other))
        }
        let service = await refusal {
            try await place.change(ada, to: [.teacher], by: place.hall.service("partners"))
        }
        let above = try await place.change(
            ada, to: [.orgAdmin], by: place.hall.acting(.orgAdmin, at: place.district))

        #expect(refused?.code == .notFound)
        #expect(service?.code == .permissionDenied)
        #expect(above.roles == [.orgAdmin])
    }

    @Test func `while an organization is paused nobody gets other roles there`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let (ada, bo) = (
            try await hall.admit(to: school, as: [.teacher]), try await hall.admit(to: school)
        )
        try await place.block(bo)
        let before = try await place.member(ada)
        try await hall.organization(school, below: place.district, status: .inactive)

        for client in [hall.platformOwner, hall.acting(.owner, at: school)] {
            for user in [ada, bo] {
                let refused = await refusal {
                    try await place.change(user, to: [.student], by: client)
                }
                #expect(refused?.reason == "org_not_active")
                #expect(refused?.facts["at"] == school.text)
            }
        }
        #expect(try await place.member(ada) == before)
        try await hall.organization(school, below: place.district)
        #expect(try await place.change(ada, to: [.student]).roles == [.student])
        try await expectInvariants(hall)
    }

    @Test func `in the archive nothing is found`() async throws {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school)
        try await place.hall.organization(place.school, below: place.district, archived: true)

        let refused = await refusal { try await place.change(ada, to: [.teacher]) }

        #expect(refused?.code == .notFound)
    }

    @Test func `what was changed is what the next question of the gateway is answered`()
        async throws
    {
        let place = try await RoleHall()
        let hall = place.hall
        let made = try await hall.platformOwner.createUser(
            CreateUserRequest(email: "ada@example.com", name: "Ada", password: Sample.password))
        let ada = try UserID(requestText: made.id, field: "id")
        try await hall.admit(ada, to: place.school, as: [.teacher])
        let session = try await hall.anonymous.signIn(
            SignInRequest(email: "ada@example.com", password: Sample.password))
        func roles() async throws -> [Messages.Role] {
            try await hall.service("gateway").authenticate(
                AuthenticateRequest(token: session.token)
            ).grants.map(\.role)
        }

        let before = try await roles()
        try await place.change(ada, to: [.orgAdmin, .student])

        #expect(before == [.teacher])
        #expect(try await roles() == [.orgAdmin, .student])
    }
}

/// What is explained of members whose roles would change.
@Suite struct RoleExplanationTests {
    private func explain(
        _ place: RoleHall, _ user: UserID, _ roles: [Messages.Role] = []
    ) async throws -> ExplainAdmissionReply {
        try await place.hall.platformOwner.explainAdmission(
            ExplainAdmissionRequest(
                organizationID: place.school.text, userID: user.text, roles: roles))
    }

    @Test func `of a member it says so, and then what refuses other roles`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        try await hall.admit(to: school, as: [.owner])
        let ada = try await hall.admit(to: school, as: [.owner])
        try await place.seats(0)
        try await place.limit(school, members: 0, teachers: 0)

        for roles in [[.teacher], [.manager], [.owner, .teacher]] as [[Messages.Role]] {
            let refused = await refusal { try await place.change(ada, to: roles) }
            let explained = try await explain(place, ada, roles)

            #expect(!explained.admitted)
            #expect(explained.gates.first?.code == "already_member")
            #expect(explained.gates.dropFirst().map(\.code) == refused?.gates)
            let facts = refused?.facts ?? [:]
            let gate = explained.gates.dropFirst().first
            #expect(gate?.kind == facts["kind"] && gate?.organizationID == facts["at"])
            #expect(gate.map { "\($0.used)/\($0.cap)" } == "0/0")
        }
        for roles in [[], [.owner], [.owner, .manager]] as [[Messages.Role]] {
            #expect(try await explain(place, ada, roles).gates.map(\.code) == ["already_member"])
        }
        let same = await refusal { try await hall.admit(ada, to: school, as: [.teacher]) }
        #expect(same?.gates == ["already_member"])
    }

    @Test func `of somebody blocked, without roles, it asks for those of the membership`()
        async throws
    {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school, as: [.teacher])
        try await place.block(ada)
        try await place.limit(school, teachers: 0)

        let refused = await refusal {
            try await hall.platformOwner.unblockMember(
                UnblockMemberRequest(organizationID: school.text, userID: ada.text))
        }
        let explained = try await explain(place, ada)
        let asStudent = try await explain(place, ada, [.student])

        #expect(refused?.gates == ["role_quota_reached"])
        #expect(explained.gates.map(\.code) == ["member_blocked", "role_quota_reached"])
        #expect(asStudent.gates.map(\.code) == ["member_blocked"])
    }

    @Test func `of who was removed it asks as of somebody new`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school, as: [.teacher])
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: ada.text))
        try await place.limit(school, teachers: 0)

        #expect(try await explain(place, ada).admitted)
        let gates = try await explain(place, ada, [.teacher]).gates
        #expect(gates.map(\.code) == ["role_quota_reached"])
    }
}
