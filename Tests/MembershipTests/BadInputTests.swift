import Access
import Messages
import RPC
import Testing

@testable import Membership

/// A call with a defect, and the field that the answer names.
private struct BadCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let field: String
    let call: @Sendable (MembershipClient, _ organization: String) async throws -> Void

    init(
        _ testDescription: String, _ field: String,
        _ call: @escaping @Sendable (MembershipClient, String) async throws -> Void
    ) {
        self.testDescription = testDescription
        self.field = field
        self.call = call
    }

    static let user = Sample.organization(9).text

    static let all: [BadCall] = people + members + limits

    private static let people = [
        BadCall("CreateUser without an address", "email") { client, _ in
            _ = try await client.createUser(CreateUserRequest(name: "Ada"))
        },
        BadCall("CreateUser without a name", "name") { client, _ in
            _ = try await client.createUser(CreateUserRequest(email: "a@example.com", name: " "))
        },
        BadCall("CreateUser with a short password", "password") { client, _ in
            _ = try await client.createUser(
                CreateUserRequest(email: "a@example.com", name: "Ada", password: "short"))
        },
        BadCall("GetUser without an identifier", "id") { client, _ in
            _ = try await client.getUser(GetUserRequest(id: "1"))
        },
        BadCall("SignOut without a token", "token") { client, _ in
            _ = try await client.signOut(SignOutRequest())
        },
    ]

    private static let members = [
        BadCall("AddMember without an organization", "organization_id") { client, _ in
            _ = try await client.addMember(AddMemberRequest(userID: user))
        },
        BadCall("AddMember for nobody", "user_id") { client, organization in
            _ = try await client.addMember(AddMemberRequest(organizationID: organization))
        },
        BadCall("AddMember for two", "user_id") { client, organization in
            _ = try await client.addMember(
                AddMemberRequest(
                    organizationID: organization, userID: user, email: "a@example.com"))
        },
        BadCall("AddMember without a name", "name") { client, organization in
            _ = try await client.addMember(
                AddMemberRequest(organizationID: organization, email: "a@example.com"))
        },
        BadCall("AddMember as platform owner", "roles") { client, organization in
            _ = try await client.addMember(
                AddMemberRequest(
                    organizationID: organization, userID: user, roles: [.platformOwner]))
        },
        BadCall("AddMember in a role that nobody knows", "roles") { client, organization in
            _ = try await client.addMember(
                AddMemberRequest(
                    organizationID: organization, userID: user,
                    roles: [Messages.Role(rawValue: 1_000_000)]))
        },
        BadCall("AddMember in no role", "roles") { client, organization in
            _ = try await client.addMember(
                AddMemberRequest(
                    organizationID: organization, userID: user, roles: [.unspecified]))
        },
        BadCall("GetMember without a user", "user_id") { client, organization in
            _ = try await client.getMember(GetMemberRequest(organizationID: organization))
        },
        BadCall("ListMembers with a negative page", "page_size") { client, organization in
            _ = try await client.listMembers(
                ListMembersRequest(organizationID: organization, pageSize: -1))
        },
        BadCall("ListMembers with a made-up token", "page_token") { client, organization in
            _ = try await client.listMembers(
                ListMembersRequest(organizationID: organization, pageToken: "AAAA"))
        },
        BadCall("ListMembers in an unknown state", "state") { client, organization in
            _ = try await client.listMembers(
                ListMembersRequest(
                    organizationID: organization, state: MemberState(rawValue: 77)))
        },
        BadCall("RemoveMember without a user", "user_id") { client, organization in
            _ = try await client.removeMember(RemoveMemberRequest(organizationID: organization))
        },
        BadCall("BlockMember without a user", "user_id") { client, organization in
            _ = try await client.blockMember(BlockMemberRequest(organizationID: organization))
        },
        BadCall("UnblockMember without a user", "user_id") { client, organization in
            _ = try await client.unblockMember(UnblockMemberRequest(organizationID: organization))
        },
        BadCall("ExplainAdmission of no user", "user_id") { client, organization in
            _ = try await client.explainAdmission(
                ExplainAdmissionRequest(organizationID: organization, userID: "x"))
        },
    ]

    private static let limits = [
        BadCall("GetCaps without an organization", "organization_id") { client, _ in
            _ = try await client.getCaps(GetCapsRequest(organizationID: "x"))
        },
        BadCall("UpdateCaps without a limit", "members") { client, organization in
            _ = try await client.updateCaps(UpdateCapsRequest(organizationID: organization))
        },
        BadCall("UpdateCaps below nobody", "students") { client, organization in
            _ = try await client.updateCaps(
                UpdateCapsRequest(organizationID: organization, students: -1))
        },
        BadCall("UpdateCaps beyond reason", "teachers") { client, organization in
            _ = try await client.updateCaps(
                UpdateCapsRequest(organizationID: organization, teachers: .max))
        },
        BadCall("UpdateCaps setting and removing", "remove") { client, organization in
            _ = try await client.updateCaps(
                UpdateCapsRequest(organizationID: organization, members: 1, remove: ["members"]))
        },
        BadCall("UpdateCaps removing seats", "remove") { client, organization in
            _ = try await client.updateCaps(
                UpdateCapsRequest(organizationID: organization, remove: ["seat"]))
        },
        BadCall("GetUsage without an organization", "organization_id") { client, _ in
            _ = try await client.getUsage(GetUsageRequest())
        },
        BadCall("GetSeats without an organization", "organization_id") { client, _ in
            _ = try await client.getSeats(GetSeatsRequest())
        },
        BadCall("UpdateSeats without a number", "seat_count") { client, organization in
            _ = try await client.updateSeats(UpdateSeatsRequest(organizationID: organization))
        },
        BadCall("UpdateSeats below none", "seat_count") { client, organization in
            _ = try await client.updateSeats(
                UpdateSeatsRequest(organizationID: organization, seatCount: .min))
        },
        BadCall("ListSeatLedger with a made-up token", "page_token") { client, organization in
            _ = try await client.listSeatLedger(
                ListSeatLedgerRequest(organizationID: organization, pageToken: "é"))
        },
        BadCall("ListWorkspaces without an organization", "organization_id") { client, _ in
            _ = try await client.listWorkspaces(ListWorkspacesRequest())
        },
    ]
}

@Suite struct `bad input` {
    private func fields(_ status: Status?) -> [String] {
        for case .badRequest(let violations) in status?.details ?? [] {
            return violations.map(\.field)
        }
        return []
    }

    @Test(arguments: BadCall.all)
    fileprivate func `is refused with the field that is wrong`(_ bad: BadCall) async throws {
        let hall = try Hall()
        let organization = try await hall.organization()

        let status = await refusal { try await bad.call(hall.platformOwner, organization.text) }

        #expect(status?.code == .invalidArgument)
        #expect(fields(status) == [bad.field])
    }

    @Test func `of services is refused in the same way`() async throws {
        let hall = try Hall()
        let organization = try await hall.organization()
        let partners = hall.service("partners")

        let none = await refusal {
            try await partners.grantSeats(
                GrantSeatsRequest(organizationID: organization.text, quantity: 0, saleID: "s"))
        }
        let sale = await refusal {
            try await partners.grantSeats(
                GrantSeatsRequest(organizationID: organization.text, quantity: 1))
        }
        let key = await refusal {
            try await partners.cancelSeatGrant(
                CancelSeatGrantRequest(organizationID: organization.text, grantKey: ""))
        }
        let sequence = await refusal {
            try await hall.service("organizations").awaitTree(AwaitTreeRequest(sequence: -1))
        }

        #expect(fields(none) == ["quantity"])
        #expect(fields(sale) == ["sale_id"])
        #expect(key?.code == .invalidArgument)
        #expect(fields(sequence) == ["sequence"])
    }

    @Test func `whoever asks about themselves does not learn which organizations there are`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let nowhere: OrganizationID = hall.identifiers.next()
        let ada = try await hall.person()
        func answer(_ organization: OrganizationID, _ grants: Access.Grant...) async -> Status? {
            await refusal {
                try await hall.acting(ada, grants).getMember(
                    GetMemberRequest(organizationID: organization.text, userID: ada.text))
            }
        }

        let foreign = await answer(school)
        let seen = await answer(school, Access.Grant(.globalAdmin))

        #expect(foreign?.code == .notFound)
        #expect(foreign == (await answer(nowhere)))
        #expect(seen?.message == "There is no such member.")
        try await hall.admit(ada, to: school)
        #expect(await answer(school) == nil)
    }

    @Test func `no principal, or none who may be here, opens nothing`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let other = try await hall.organization()
        let ada = try await hall.admit(to: school, as: [.student])
        let request = GetMemberRequest(organizationID: school.text, userID: ada.text)
        let stranger = hall.acting(.owner, at: other)
        let student = hall.acting(.student, at: school)

        #expect(
            await refusal { try await hall.anonymous.getMember(request) }?.code == .unauthenticated)
        #expect(await refusal { try await stranger.getMember(request) }?.code == .notFound)
        #expect(await refusal { try await student.getMember(request) }?.code == .permissionDenied)
        #expect(try await hall.acting(ada, []).getMe(GetMeRequest()).memberships.count == 1)
        #expect(
            await refusal {
                try await stranger.blockMember(
                    BlockMemberRequest(organizationID: school.text, userID: ada.text))
            }?.code == .notFound)
        #expect(
            await refusal {
                try await student.updateSeats(
                    UpdateSeatsRequest(organizationID: school.text, seatCount: 1))
            }?.code == .permissionDenied)
    }

    @Test func `what was not found for want of a right is found once the right is there`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let manager: UserID = hall.identifiers.next()
        let person = try await hall.person()
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = "one-key"
        let request = AddMemberRequest(organizationID: school.text, userID: person.text)

        let before = await refusal {
            try await hall.acting(manager, []).addMember(request, options: options)
        }
        let after = try await hall.acting(manager, [Access.Grant(.manager, at: school)])
            .addMember(request, options: options)

        #expect(before?.code == .notFound)
        #expect(after.state == .active)
    }

    @Test func `nobody makes or stops somebody stronger, or changes the own roles`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let owner = try await hall.admit(to: school, as: [.owner])
        let ada = try await hall.admit(to: school, as: [.orgAdmin])
        let administrator = hall.acting(ada, [Access.Grant(.orgAdmin, at: school)])
        let person = try await hall.person()

        let promotion = await refusal {
            try await administrator.addMember(
                AddMemberRequest(
                    organizationID: school.text, userID: person.text, roles: [.owner]))
        }
        let fall = await refusal {
            try await administrator.blockMember(
                BlockMemberRequest(organizationID: school.text, userID: owner.text))
        }
        let own = await refusal {
            try await administrator.blockMember(
                BlockMemberRequest(organizationID: school.text, userID: ada.text))
        }

        #expect(promotion?.code == .permissionDenied)
        #expect(fall?.code == .permissionDenied)
        #expect(own?.code == .permissionDenied)
        _ = try await administrator.addMember(
            AddMemberRequest(organizationID: school.text, userID: person.text, roles: [.manager]))
    }

    @Test func `people of a paused organization learn that it is paused, roles above go on`()
        async throws
    {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school, as: [.teacher])
        try await hall.organization(school, below: district, status: .inactive)
        let owner = hall.acting(.owner, at: school)
        let above = hall.acting(.owner, at: district)
        let teacher = hall.acting(ada, [Access.Grant(.teacher, at: school)])
        let id = school.text
        func calls(_ client: MembershipClient) async -> [Status?] {
            [
                await refusal { try await client.listMembers(.init(organizationID: id)) },
                await refusal { try await client.getUsage(.init(organizationID: id)) },
                await refusal { try await client.getSeats(.init(organizationID: id)) },
                await refusal {
                    try await client.updateSeats(.init(organizationID: id, seatCount: 9))
                },
                await refusal {
                    try await client.blockMember(.init(organizationID: id, userID: ada.text))
                },
            ]
        }

        let suspended = await calls(owner)
        let admission = await refusal {
            try await owner.addMember(
                .init(organizationID: id, email: "bo@example.com", name: "Bo"))
        }
        let workspaces = await refusal {
            try await teacher.listWorkspaces(.init(organizationID: id))
        }

        #expect(suspended.map { $0?.reason } == Array(repeating: "org_not_active", count: 5))
        #expect(suspended.allSatisfy { $0?.facts["at"] == id })
        #expect(admission?.reason == "org_not_active")
        #expect(workspaces?.reason == "org_not_active")
        let own = try await teacher.getMember(.init(organizationID: id, userID: ada.text))
        #expect(own.state == .active)
        #expect(await calls(above) == [nil, nil, nil, nil, nil])
    }

    @Test func `who may set the number of seats may read it`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let manager = hall.acting(.manager, at: school)
        _ = try await manager.updateSeats(.init(organizationID: school.text, seatCount: 5))

        let seats = try await manager.getSeats(.init(organizationID: school.text))
        let usage = await refusal { try await manager.getUsage(.init(organizationID: school.text)) }

        #expect(seats.seatCount == 5)
        #expect(usage?.code == .permissionDenied)
        #expect(
            await refusal {
                try await hall.acting(.teacher, at: school).getSeats(
                    .init(organizationID: school.text))
            }?.code == .permissionDenied)
    }

    @Test func `limits are set from above, seats from within`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let owner = hall.acting(.owner, at: district)

        #expect(
            await refusal {
                try await owner.updateCaps(
                    UpdateCapsRequest(organizationID: district.text, members: 5))
            }?.code == .permissionDenied)
        #expect(
            await refusal {
                try await owner.updateCaps(
                    UpdateCapsRequest(organizationID: school.text, students: 5))
            }?.code == .permissionDenied)
        _ = try await owner.updateCaps(
            UpdateCapsRequest(organizationID: school.text, members: 5))
        _ = try await owner.updateSeats(
            UpdateSeatsRequest(organizationID: district.text, seatCount: 5))
    }
}
