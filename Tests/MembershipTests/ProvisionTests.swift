import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// People whom an outside system brings along, with their organizations.
@Suite struct `provisioning of members` {
    private let office = OrganizationOffice()
    private let hall: Hall
    private let district: OrganizationID

    init() async throws {
        hall = try office.hall()
        district = try await hall.organization(title: "District")
    }

    private var staff: ProvisioningClient { client(.globalAdmin) }
    private var owner: ProvisioningClient { client(.owner, at: district) }

    private func client(_ role: Access.Role, at node: OrganizationID? = nil) -> ProvisioningClient {
        ProvisioningClient(hall.program(as: role, at: node))
    }

    private func request(
        _ email: String = "ada@example.com", of externalID: String = "lti:7",
        below parent: OrganizationID? = nil, as roles: [Messages.Role] = []
    ) -> ProvisionMemberRequest {
        ProvisionMemberRequest(
            externalID: externalID, title: "School", parentID: parent?.text ?? "", email: email,
            name: "Ada", roles: roles)
    }

    private func user(_ email: String = "ada@example.com") async throws -> UserRecord? {
        try await hall.database.read { try $0.user(email: email) }
    }

    @Test func `the first who comes brings organization, user and membership`() async throws {
        let member = try await staff.provisionMember(request("Ada@Example.com", as: [.teacher]))

        let school = try #require(office.organization("lti:7"))
        #expect(member.organizationID == school.text && member.state == .active)
        #expect(member.roles == [.teacher] && member.takesSeat)
        #expect(member.email == "ada@example.com" && member.name == "Ada")
        #expect(try await user()?.isEmailVerified == true)
        #expect(try await hall.used(school) == 1)
    }

    @Test func `who comes again stays as they are`() async throws {
        let first = try await staff.provisionMember(request())
        let school = try #require(office.organization("lti:7"))

        let again = try await staff.provisionMember(request(as: [.manager]))

        #expect(again == first)
        #expect(try await hall.used(school, .seat) == 1)
        #expect(try await hall.ledger(school).filter { $0.hasPrefix("seat take") }.count == 1)
        #expect(office.asked.count == 2)
    }

    @Test func `a call that is repeated asks nobody`() async throws {
        let program = ProvisioningClient(hall.channel(subject, grants))
        let first = try await program.provisionMember(request(), options: .keyed("k"))
        office.refuse(with: Status(.unavailable, "down"))

        let again = try await program.provisionMember(request(), options: .keyed("k"))
        let changed = await refusal {
            try await program.provisionMember(request("bo@example.com"), options: .keyed("k"))
        }

        #expect(again == first && changed?.reason == "idempotency_mismatch")
        #expect(office.asked.count == 1)
    }

    private let subject = Access.Principal.Subject.apiKey(APIKeyID(high: 1, low: 2))
    private let grants = [Access.Grant(.globalAdmin)]

    @Test func `Organizations is asked in the caller's name, under one key for one call`()
        async throws
    {
        let program = ProvisioningClient(hall.channel(subject, grants))
        office.refuse(with: Status(.unavailable, "down"))
        _ = await refusal {
            try await program.provisionMember(request(), options: .keyed("k"))
        }
        office.refuse(with: nil)
        _ = try await program.provisionMember(request(), options: .keyed("k"))
        _ = try await program.provisionMember(request("bo@example.com"), options: .keyed("l"))

        let keys = office.asked.map { $0.metadata[text: MetadataKey.idempotencyKey] }
        #expect(keys.count == 3 && keys[0] == keys[1] && keys[1] != keys[2])
        let statement = try #require(office.asked.last?.metadata[bytes: MetadataKey.principal])
        let signed = try SignedPrincipal(decoding: statement)
        let principal = try Messages.Principal(decoding: signed.principal)
        #expect(signed.keyName == "gateway")
        #expect(principal.subject == .apiKeyID(APIKeyID(high: 1, low: 2).text))
        #expect(office.asked.allSatisfy { $0.timeout.map { $0 <= .seconds(5) } ?? false })
    }

    @Test func `of twenty who come at once one brings the organization, and each is one user`()
        async throws
    {
        let members = try await withThrowingTaskGroup(of: Member.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await staff.provisionMember(request("person\(number % 2)@example.com"))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        let school = try #require(office.organization("lti:7"))
        #expect(Set(members.map(\.organizationID)) == [school.text])
        #expect(Set(members.map(\.userID)).count == 2)
        #expect(try await hall.used(school) == 2)
        #expect(try await hall.used(school, .seat) == 2)
    }

    @Test func `refusals are those of the door, and nobody is made by them`() async throws {
        _ = try await owner.provisionMember(request("first@example.com", below: district))
        let school = try #require(office.organization("lti:7"))
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: 1))

        let full = await refusal {
            try await owner.provisionMember(request(below: district))
        }
        #expect(full?.gates == ["members_limit_reached"])
        #expect(try await user() == nil)

        let first = try #require(try await user("first@example.com"))
        let place = BlockMemberRequest(organizationID: school.text, userID: first.id.text)
        _ = try await hall.platformOwner.blockMember(place)
        let blocked = await refusal {
            try await owner.provisionMember(request("first@example.com", below: district))
        }
        #expect(blocked?.gates == ["member_blocked"])
        try await hall.organization(district, title: "District", status: .inactive)
        let paused = await refusal {
            try await staff.provisionMember(request(below: district))
        }
        #expect(paused?.gates.first == "org_not_active")
    }

    @Test func `who left comes back by the next login`() async throws {
        let member = try await staff.provisionMember(request())
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: member.organizationID, userID: member.userID))

        let again = try await staff.provisionMember(request())

        #expect(again.userID == member.userID && again.state == .active)
    }

    @Test(
        arguments: [
            (Access.Role.owner, true, "owner", nil), (.orgAdmin, true, "teacher", nil),
            (.orgAdmin, true, "owner", "forbidden"), (.platformAdmin, true, "owner", nil),
            (.manager, true, "member", "forbidden"), (.userAdmin, true, "member", "forbidden"),
            (.member, true, "member", "forbidden"), (.owner, false, "member", "forbidden"),
            (.partner, false, "member", "forbidden"), (.reseller, false, "member", "forbidden"),
        ] as [(Access.Role, Bool, String, String?)])
    func `both rights are needed before anything is made`(
        caller: Access.Role, isBelow: Bool, role: String, reason: String?
    ) async throws {
        let wanted = try #require(Access.Role.allCases.first { $0.name == role })
        let refused = await refusal {
            try await client(caller, at: district).provisionMember(
                request(below: isBelow ? district : nil, as: [Messages.Role(wanted)]))
        }

        #expect(refused?.reason == reason)
        #expect(office.asked.isEmpty == (reason != nil))
    }

    @Test func `a parent out of sight is not there`() async throws {
        let stranger = try await hall.organization()
        for parent in [stranger, hall.identifiers.next()] {
            let refused = await refusal {
                try await owner.provisionMember(request(below: parent))
            }
            #expect(refused?.reason == "not_found")
        }
        #expect(office.asked.isEmpty)
    }

    @Test func `an organization that is elsewhere gives no right there`() async throws {
        _ = try await staff.provisionMember(request("first@example.com"))

        let refused = await refusal { try await owner.provisionMember(request(below: district)) }

        #expect(refused?.reason == "not_found")
        #expect(try await user() == nil)
    }

    @Test func `a person may do it as well, but not for themselves`() async throws {
        let ada = try await hall.person()
        let person = ProvisioningClient(
            hall.channel(.user(ada), [Access.Grant(.owner, at: district)]))

        let other = try await person.provisionMember(request("bo@example.com", below: district))
        let own = await refusal {
            try await person.provisionMember(
                request("\(ada.text)@example.com", of: "lti:8", below: district))
        }

        #expect(other.state == .active && own?.reason == "forbidden")
        // No organization was made for it.
        #expect(office.asked.count == 1 && office.organization("lti:8") == nil)
    }

    @Test func `no word makes an address that of whoever chose a password for it`() async throws {
        for (name, password) in [("with", Sample.password), ("without", "")] {
            _ = try await hall.platformOwner.createUser(
                CreateUserRequest(email: "\(name)@example.com", name: "Ada", password: password))
        }

        for name in ["with", "without"] {
            _ = try await owner.provisionMember(
                request("\(name)@example.com", below: district))
            #expect(try await user("\(name)@example.com")?.isEmailVerified == false)
            _ = try await staff.provisionMember(
                request("\(name)@example.com", below: district))
        }
        _ = try await owner.provisionMember(request("new@example.com", below: district))

        #expect(try await user("with@example.com")?.isEmailVerified == false)
        #expect(try await user("without@example.com")?.isEmailVerified == true)
        #expect(try await user("new@example.com")?.isEmailVerified == false)
    }

    @Test func `nobody is admitted before the organization has arrived`() async throws {
        office.beSilent(true)
        let early = await refusal {
            try await staff.provisionMember(request(), options: .keyed("k"))
        }
        #expect(early?.code == .unavailable && early?.reason == "unavailable")
        #expect(try await user() == nil)

        office.beSilent(false)
        #expect(try await staff.provisionMember(request()).state == .active)
    }

    @Test func `what Organizations decides is told, its silence is named`() async throws {
        office.refuse(with: Status(.alreadyExists, "An organization has this name already."))
        let named = await refusal { try await staff.provisionMember(request()) }
        office.refuse(with: Status(.deadlineExceeded, "late"))
        let silent = await refusal { try await staff.provisionMember(request()) }

        #expect(named?.message == "An organization has this name already.")
        #expect(silent?.reason == "not_acknowledged")
        #expect(try await user() == nil)
    }

    @Test(
        arguments: [
            (.forbidden(), "forbidden"), (.refusal(.orgMoving, "It moves."), "org_moving"),
            (.invalid("title", "This is too long."), "validation"),
            (Status(.permissionDenied, "This process may not call."), "not_acknowledged"),
            (.unauthenticated(), "not_acknowledged"),
            (Status(.aborted, "later"), "not_acknowledged"),
        ] as [(Status, String)])
    func `only what is about the caller is told to the caller`(
        fault: Status, reason: String
    ) async throws {
        office.refuse(with: fault)
        let refused = await refusal { try await staff.provisionMember(request()) }

        #expect(refused?.reason == reason)
    }

    @Test func `an answer that names no organization is no fault of the request`() async throws {
        office.answer(with: Organization(id: "7"))
        let refused = await refusal { try await staff.provisionMember(request()) }

        #expect(refused?.code == .internal && refused?.reason == "internal")
        #expect(refused?.invalidFields.isEmpty == true)
        #expect(try await user() == nil)
    }

    @Test func `who has little time leaves Organizations less`() async throws {
        _ = try await staff.provisionMember(
            request(), options: CallOptions(timeout: .seconds(4)))

        let timeout = try #require(office.asked.last?.timeout)
        #expect(timeout <= .milliseconds(3600))
    }

    @Test(arguments: [
        ("email", "no address", "Ada", [Messages.Role]()), ("name", "ada@example.com", "", []),
        ("roles", "ada@example.com", "Ada", [.globalAdmin]),
    ])
    func `what is wrong is named`(
        field: String, email: String, name: String, roles: [Messages.Role]
    ) async throws {
        var request = request(email, as: roles)
        request.name = name
        let refused = await refusal { try await staff.provisionMember(request) }

        #expect(refused?.invalidFields == [field] && office.asked.isEmpty)
    }
}
