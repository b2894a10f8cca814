import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import Membership

/// Who may make and end keys, and what their programs may do.
@Suite struct `rights of API keys` {
    private let hall: Hall
    private let district: OrganizationID
    private let school: OrganizationID
    private let stranger: OrganizationID

    init() async throws {
        hall = try Hall()
        district = try await hall.organization(title: "District")
        school = try await hall.organization(below: district)
        stranger = try await hall.organization(title: "Stranger")
    }

    private func make(
        _ role: Access.Role, at node: OrganizationID?, _ keys: ApiKeysClient
    ) async throws -> CreateApiKeyReply {
        try await keys.createApiKey(
            CreateApiKeyRequest(
                name: "Key", role: Messages.Role(role), organizationID: node?.text ?? ""))
    }

    /// Who asks for a key with which role, and why not.
    @Test(
        arguments: [
            (Access.Role.owner, Access.Role.owner, nil), (.owner, .orgAdmin, nil),
            (.owner, .member, nil),
            (.orgAdmin, .orgAdmin, nil), (.orgAdmin, .student, nil),
            (.orgAdmin, .owner, "forbidden"),
            (.platformOwner, .owner, nil), (.globalAdmin, .owner, nil),
            (.platformAdmin, .owner, nil),
            (.manager, .member, "forbidden"), (.userAdmin, .member, "forbidden"),
            (.billingAdmin, .member, "forbidden"), (.member, .member, "forbidden"),
            (.partner, .member, "forbidden"), (.reseller, .member, "forbidden"),
        ] as [(Access.Role, Access.Role, String?)])
    func `nobody makes a key with a role that they may not give`(
        caller: Access.Role, role: Access.Role, reason: String?
    ) async throws {
        let keys = hall.keys(as: caller, at: school)

        let refused = await refusal { try await make(role, at: school, keys) }
        let listed = await refusal {
            try await keys.listApiKeys(ListApiKeysRequest(organizationID: school.text))
        }

        #expect(refused?.reason == reason)
        // Who may make some key sees them all.
        #expect((listed == nil) == (reason == nil || caller == .orgAdmin))
    }

    @Test(
        arguments: [
            (Access.Role.platformOwner, Access.Role.platformOwner, nil),
            (.platformOwner, .platformAdmin, nil), (.globalAdmin, .globalAdmin, nil),
            (.globalAdmin, .platformOwner, "forbidden"),
            (.platformAdmin, .platformAdmin, "forbidden"),
        ] as [(Access.Role, Access.Role, String?)])
    func `keys of the platform are made by those who set it up`(
        caller: Access.Role, role: Access.Role, reason: String?
    ) async throws {
        let refused = await refusal { try await make(role, at: nil, hall.keys(as: caller)) }

        #expect(refused?.reason == reason)
    }

    @Test func `who is above may, who is beside learns nothing`() async throws {
        let made = try await make(.owner, at: school, hall.keys(as: .owner, at: district))
        let id = try #require(made.apiKey?.id)
        let outsiders = [
            hall.keys(as: .owner, at: stranger), hall.keys(as: .member, at: district),
        ]

        for outsider in outsiders {
            let deleted = await refusal {
                try await outsider.deleteApiKey(DeleteApiKeyRequest(id: id))
            }
            let unknown = await refusal {
                try await outsider.deleteApiKey(
                    DeleteApiKeyRequest(id: (hall.identifiers.next() as APIKeyID).text))
            }
            #expect(deleted?.reason == "not_found" && deleted == unknown)
            #expect(
                await refusal { try await make(.member, at: school, outsider) }?.reason
                    == "not_found")
            #expect(
                await refusal {
                    try await outsider.listApiKeys(ListApiKeysRequest(organizationID: school.text))
                }?.reason == "not_found")
        }
        // Who may not give the role may not take it away either.
        let administrator = hall.keys(as: .orgAdmin, at: school)
        #expect(
            await refusal { try await administrator.deleteApiKey(DeleteApiKeyRequest(id: id)) }?
                .reason == "forbidden")
        #expect(try await hall.owner(of: made.secret).apiKeyID == id)
        _ = try await hall.keys(as: .owner, at: school).deleteApiKey(DeleteApiKeyRequest(id: id))
        #expect(await refusal { try await hall.owner(of: made.secret) } != nil)
    }

    @Test func `who looks after no keys at a place learns of none there`() async throws {
        let platform = try await make(.platformOwner, at: nil, hall.keys(as: .platformOwner))
        let own = try await make(.member, at: school, hall.keys(as: .owner, at: school))
        let (staff, owner) = (hall.keys(as: .globalAdmin), hall.keys(as: .owner, at: school))
        let (platformID, ownID) = (platform.apiKey?.id ?? "", own.apiKey?.id ?? "")
        let unknown = await refusal {
            try await staff.deleteApiKey(
                DeleteApiKeyRequest(id: (hall.identifiers.next() as APIKeyID).text))
        }
        #expect(unknown?.reason == "not_found")

        for (caller, id) in [
            (owner, platformID), (hall.keys(as: .platformAdmin), platformID),
            (hall.keys(as: .manager, at: school), ownID),
            (hall.keys(as: .owner, at: stranger), ownID),
        ] {
            let refused = await refusal {
                try await caller.deleteApiKey(DeleteApiKeyRequest(id: id))
            }
            #expect(refused == unknown)
        }
        // Who sees the key is told that its role is too strong.
        let tooStrong = await refusal {
            try await staff.deleteApiKey(DeleteApiKeyRequest(id: platformID))
        }
        #expect(tooStrong?.reason == "forbidden")
        #expect(try await hall.owner(of: platform.secret).apiKeyID == platformID)
        #expect(try await hall.owner(of: own.secret).apiKeyID == ownID)
    }

    @Test func `a key that is not there asks nobody, and is no answer for good`() async throws {
        let catchUps = Atomic(0)
        let hall = try Hall(
            tree: TreeBarrier(
                catchUp: { _ = catchUps.add(1, ordering: .relaxed) }, wait: { _, _ in }))
        let person: UserID = hall.identifiers.next()
        let id: APIKeyID = hall.identifiers.next()
        let keys = ApiKeysClient(hall.channel(.user(person), [Access.Grant(.platformOwner)]))
        let request = DeleteApiKeyRequest(id: id.text)

        let refused = await refusal {
            try await keys.deleteApiKey(request, options: .keyed("k"))
        }
        #expect(refused?.message == "There is no such API key.")
        #expect(catchUps.load(ordering: .relaxed) == 0)

        let key = APIKeyRecord(
            id: id, name: "Key", role: .globalAdmin, organization: nil, prefix: "ghk_12345678",
            creator: person, created: hall.clock.now, expires: nil)
        try await hall.database.write {
            try $0.add(key, secretHash: Array(repeating: 7, count: 32))
        }
        _ = try await keys.deleteApiKey(request, options: .keyed("k"))
        let left = try await hall.database.read { try $0.apiKey(id) }
        #expect(left == nil)
    }

    @Test func `what is a person's alone no program can do`() async throws {
        let made = try await make(.owner, at: school, hall.keys(as: .owner, at: school))
        let channel = hall.program(as: .platformOwner)
        let (keys, membership) = (ApiKeysClient(channel), MembershipClient(channel))

        let refusals = [
            await refusal { try await make(.member, at: school, keys) },
            await refusal { try await make(.platformOwner, at: nil, keys) },
            await refusal { try await keys.listApiKeys(ListApiKeysRequest()) },
            await refusal {
                try await keys.deleteApiKey(DeleteApiKeyRequest(id: made.apiKey?.id ?? ""))
            },
            await refusal { try await membership.getMe(GetMeRequest()) },
            await refusal {
                try await hall.anonymous.signOut(SignOutRequest(token: made.secret))
            },
        ]

        for refused in refusals {
            #expect(refused?.reason == "forbidden")
            #expect(
                refused?.message
                    == "This is for people who are signed in: no API key or service can do it.")
        }
        #expect(try await hall.owner(of: made.secret).apiKeyID == made.apiKey?.id)
    }

    @Test func `a program does what its role may, and no more`() async throws {
        let person = try await hall.admit(to: school, as: [.manager])
        let owner = MembershipClient(hall.program(as: .owner, at: school))
        let member = MembershipClient(hall.program(as: .member, at: school))

        let list = ListMembersRequest(organizationID: school.text)
        #expect(try await owner.listMembers(list).members.map(\.userID) == [person.text])
        let added = try await owner.addMember(
            AddMemberRequest(organizationID: school.text, email: "ada@example.com", name: "Ada"))
        #expect(added.state == .active)
        #expect(
            await refusal {
                try await owner.listMembers(ListMembersRequest(organizationID: district.text))
            }?.reason == "not_found")

        #expect(await refusal { try await member.listMembers(list) }?.reason == "forbidden")
        #expect(
            await refusal {
                try await member.getMember(
                    GetMemberRequest(organizationID: school.text, userID: person.text))
            }?.reason == "forbidden")
        #expect(
            await refusal { try await member.getUser(GetUserRequest(id: person.text)) }?.reason
                == "not_found")
        #expect(
            await refusal {
                try await member.authenticate(AuthenticateRequest(token: "a"))
            }?.reason == "forbidden")
    }

    @Test func `calls of a key and of a person are not mixed up by their keys`() async throws {
        let id: UserID = hall.identifiers.next()
        let grants = [Access.Grant(.owner, at: school)]
        let person = MembershipClient(hall.channel(.user(id), grants))
        let program = MembershipClient(
            hall.channel(.apiKey(APIKeyID(high: id.high, low: id.low)), grants))
        func request(_ name: String) -> AddMemberRequest {
            AddMemberRequest(
                organizationID: school.text, email: "\(name)@example.com", name: name)
        }

        let one = try await person.addMember(request("ada"), options: .keyed("1"))
        let other = try await program.addMember(request("bo"), options: .keyed("1"))

        #expect(one.email == "ada@example.com" && other.email == "bo@example.com")
    }

    @Test func `a pause suspends a key, the archive ends what it may do`() async throws {
        let owner = hall.keys(as: .owner, at: school)
        let made = try await make(.owner, at: school, owner)
        let grant = Access.Grant(.owner, at: school)
        let program = MembershipClient(hall.channel(.apiKey(hall.identifiers.next()), [grant]))
        let seats = UpdateSeatsRequest(organizationID: school.text, seatCount: 5)
        _ = try await program.updateSeats(seats)

        try await hall.organization(school, below: district, status: .inactive)
        #expect(await refusal { try await program.updateSeats(seats) }?.reason == "org_not_active")
        #expect(
            await refusal { try await make(.member, at: school, owner) }?.reason == "org_not_active"
        )
        #expect(try await hall.owner(of: made.secret).grants == [Messages.Grant(grant)])

        try await hall.organization(district, archived: true)
        #expect(try await hall.owner(of: made.secret).grants.isEmpty)
        #expect(await refusal { try await program.updateSeats(seats) }?.reason == "not_found")

        try await hall.organization(district)
        try await hall.organization(school, below: district)
        #expect(try await hall.owner(of: made.secret).grants == [Messages.Grant(grant)])
    }

    @Test func `a pause keeps nobody from ending a key`() async throws {
        let owner = hall.keys(as: .owner, at: school)
        let made = try await make(.owner, at: school, owner)
        try await hall.organization(school, below: district, status: .inactive)

        let listed = try await owner.listApiKeys(ListApiKeysRequest(organizationID: school.text))
        _ = try await owner.deleteApiKey(DeleteApiKeyRequest(id: made.apiKey?.id ?? ""))

        #expect(listed.apiKeys.count == 1)
        #expect(await refusal { try await hall.owner(of: made.secret) } != nil)
    }

    @Test(arguments: [true, false])
    func `keys come back with the people, unless these are blocked`(areBlocked: Bool)
        async throws
    {
        let made = try await make(.owner, at: school, hall.keys(as: .owner, at: school))
        let above = try await make(.owner, at: district, hall.keys(as: .owner, at: district))
        try await hall.organization(school, below: district, archived: true)

        try await hall.restore([school], below: district, blocked: areBlocked)

        let refused = await refusal { try await hall.owner(of: made.secret) }
        let expected: Status.Code? = areBlocked ? .unauthenticated : nil
        #expect(refused?.code == expected)
        #expect(try await hall.owner(of: above.secret).apiKeyID == above.apiKey?.id)
    }

    @Test func `who may take an organization out of the archive ends its keys there`()
        async throws
    {
        let owner = hall.keys(as: .owner, at: school)
        let staff = hall.keys(as: .globalAdmin)
        let made = try await make(.owner, at: school, owner)
        let list = ListApiKeysRequest(organizationID: school.text)
        let delete = DeleteApiKeyRequest(id: made.apiKey?.id ?? "")
        try await hall.organization(school, below: district, archived: true)

        #expect(await refusal { try await owner.listApiKeys(list) }?.reason == "not_found")
        #expect(await refusal { try await owner.deleteApiKey(delete) }?.reason == "not_found")
        #expect(
            await refusal { try await make(.member, at: school, staff) }?.reason == "not_found")
        #expect(try await staff.listApiKeys(list).apiKeys.map(\.id) == [delete.id])
        _ = try await staff.deleteApiKey(delete)

        try await hall.organization(school, below: district)
        #expect(await refusal { try await hall.owner(of: made.secret) }?.code == .unauthenticated)
    }

    @Test func `an organization that is gone for good takes its keys with it`() async throws {
        let made = try await make(.owner, at: school, hall.keys(as: .owner, at: school))

        try await hall.organization(school, below: district, removed: true)

        #expect(await refusal { try await hall.owner(of: made.secret) }?.code == .unauthenticated)
    }
}
