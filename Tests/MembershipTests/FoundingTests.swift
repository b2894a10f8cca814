import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import TreeCopy

@testable import Membership

/// The one organization that somebody makes who signed up.
@Suite struct `An organization of one's own` {
    private static let sentence = "If you require more than one Organization, contact us."

    private func create(
        _ hall: SignUpHall, _ user: UserID, _ title: String = "Ada's", key: String? = nil
    ) async throws -> CreateOwnOrganizationReply {
        try await hall.acting(user).createOwnOrganization(
            CreateOwnOrganizationRequest(
                title: title, description: "Machines", country: "GB", kind: .company,
                reference: "Told by a friend"), options: .key(key))
    }

    @Test func `its founder owns it, and makes no second one, not even after the archive`()
        async throws
    {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        #expect(try await hall.me(user).prompts == [.createOrganization])

        let made = try await create(hall, user)
        let second = await refusal { try await create(hall, user) }
        let me = try await hall.me(user)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")

        #expect(made.title == "Ada's")
        #expect(me.memberships.map(\.roles) == [[.owner]] && me.prompts.isEmpty)
        #expect(me.memberships.first?.organizationID == made.organizationID)
        #expect(second?.reason == "org_creation_closed" && second?.message == Self.sentence)
        #expect(second.map(ErrorReason.httpStatus(of:)) == 403)
        let plan = try #require(hall.registry.prepared.first)
        #expect(plan.origin == .signup && plan.category == .unspecified)
        #expect(plan.description == "Machines" && plan.kind == .company && plan.country == "GB")
        #expect(hall.registry.steps == ["prepare", "commit"])
        let workspaces = try await hall.hall.acting(user, [Access.Grant(.owner, at: organization)])
            .listWorkspaces(ListWorkspacesRequest(organizationID: made.organizationID))
        #expect(workspaces.workspaces.map(\.title) == ["Default Workspace"])
        #expect(try await hall.hall.used(organization) == 1)

        try await hall.hall.organization(organization, archived: true)
        let later = await refusal { try await create(hall, user) }
        #expect(later?.reason == "org_creation_closed")
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `an organization that is being prepared admits its founder, and nobody else`()
        async throws
    {
        let hall = try SignUpHall()
        let (organization, person) = (
            try await hall.hall.organization(status: .provisioning), try await hall.hall.person()
        )
        let day = hall.hall.clock.now.day
        let gates = try await hall.hall.database.read { snapshot in
            let path = try #require(try TreeCopy.path(of: organization, in: snapshot, on: day))
            let facts = try snapshot.admissionFacts(
                of: person, in: .owner, at: path, membership: nil)
            return [Entry.founding, .joining, .unblocking].map { entry in
                Admission.gates(facts, entry: entry).map(\.code)
            }
        }
        hall.registry.lead(to: organization)

        let admitted = try await hall.hall.service("organizations").admitUsers(
            AdmitUsersRequest(organizationID: organization.text, userIDs: [person.text]))
        let reply = try await hall.join()

        #expect(gates == [[], ["org_not_active"], ["org_not_active"]])
        #expect(admitted.refusals.map { $0.gate?.code } == ["org_not_active"])
        #expect(reply.organizationID.isEmpty)
        #expect(try await hall.hall.used(organization) == 0)
    }

    @Test func `of many calls at once one makes it`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()

        let made = await withTaskGroup(of: String?.self) { group in
            for number in 1...8 {
                group.addTask {
                    try? await create(hall, user, "Title \(number)").organizationID
                }
            }
            return await group.reduce(into: [String]()) { if let id = $1 { $0.append(id) } }
        }

        #expect(made.count == 1)
        #expect(hall.registry.prepared.map(\.id) == made)
        #expect(try await hall.me(user).memberships.count == 1)
        let count = try await hall.count("SELECT count(*) FROM own_organization")
        #expect(count == 1)
    }

    @Test func `what Organizations refuses is answered, and uses nothing up`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        hall.registry.refusePreparing(with: .refusal(.nameTaken, "The name is taken."))

        let refused = await refusal { try await create(hall, user, key: "one") }
        hall.registry.refusePreparing(with: nil)
        let again = await refusal { try await create(hall, user, key: "one") }
        let prompts = try await hall.me(user).prompts
        let made = try await create(hall, user, "Another", key: "two")
        let repeated = try await create(hall, user, "Another", key: "two")

        #expect(refused?.reason == "name_taken" && again?.reason == "name_taken")
        #expect(prompts == [.createOrganization])
        #expect(made.title == "Another" && made == repeated)
        #expect(hall.registry.prepared.count == 1)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `an organization that cannot be completed leaves nobody its owner`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        hall.registry.refuseCommitting(with: .notFound("There is no such preparation."))

        let refused = await refusal { try await create(hall, user) }
        let me = try await hall.me(user)

        #expect(refused?.code == .notFound)
        #expect(hall.registry.steps == ["prepare", "commit", "cancel"])
        #expect(me.memberships.isEmpty && me.prompts == [.createOrganization])
        #expect(try await hall.count("SELECT count(*) FROM place") == 0)
        #expect(try await hall.count("SELECT count(*) FROM usage WHERE used > 0") == 0)
        #expect(try await hall.findings().isEmpty)
    }

    @Test(arguments: ["prepare", "commit"], Stall.allCases)
    func `what a crash interrupts goes on, under the same key with the same answer`(
        step: String, stall: Stall
    ) async throws {
        let registry = Registry()
        let first = try Hall()
        var hall: SignUpHall? = try SignUpHall(in: first, registry)
        let user = try #require(try await hall?.founder())
        registry.stall(step, stall)
        let waiting = await refusal { [hall] in
            try await create(#require(hall), user, key: "one")
        }
        #expect(waiting?.reason == "not_acknowledged")
        if (step, stall) != ("commit", .after) {
            #expect(try await hall?.me(user).memberships.isEmpty == true, "nobody sees it yet")
        }
        hall = nil
        first.database.close()

        registry.stall(step, nil)
        let next = try SignUpHall(in: try Hall(after: first), registry)
        let made = try await create(next, user, key: "one")
        let again = try await create(next, user, key: "one")

        #expect(made == again && registry.prepared.map(\.id) == [made.organizationID])
        let me = try await next.me(user)
        #expect(me.memberships.map(\.organizationID) == [made.organizationID])
        #expect(me.memberships.first?.roles == [.owner])
        #expect(registry.steps == ["prepare", "commit"], "each once")
        #expect(try await next.findings().isEmpty)
    }

    @Test func `a step that is sent again makes nobody owner twice`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        hall.registry.stall("commit", .before)
        let waiting = await refusal { try await create(hall, user, key: "one") }
        #expect(waiting?.reason == "not_acknowledged")
        let found = try await hall.hall.database.workflows.list()
        let id = try #require(found.first?.id)
        let workflow = try #require(try hall.hall.database.workflows.get(id))
        let step = try #require(
            hall.founding.definition.steps.first { $0.name == FoundingStep.makeOwner.rawValue })

        let outcomes = [await step.action(workflow), await step.action(workflow)]
        let members = try await hall.count("SELECT count(*) FROM membership WHERE state = 1")
        hall.registry.stall("commit", nil)
        let made = try await create(hall, user, key: "one")

        #expect(found.count == 1 && outcomes == [.done([]), .done([])] && members == 1)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")
        #expect(try await hall.hall.used(organization) == 1)
        #expect(try await hall.me(user).memberships.count == 1)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `an organization that was gone and comes again counts its founder`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        let made = try await create(hall, user)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")

        // Organizations is put back to before: its history does not name the organization.
        try await hall.hall.database.write { [follower = hall.hall.follower] transaction in
            try TreeCopy.reset(in: transaction)
            try follower.caughtUp(in: transaction)
        }
        let gone = try await hall.hall.used(organization)
        try await hall.hall.organization(organization, status: .provisioning)
        try await hall.hall.organization(organization)

        #expect(gone == 0)
        #expect(try await hall.hall.used(organization) == 1)
        #expect(try await hall.hall.used(organization, .seat) == 0)
        try await expectInvariants(hall.hall)
        #expect(try await hall.findings().isEmpty)
    }

    @Test(arguments: [
        (CreateOwnOrganizationRequest(title: "A", country: "XX"), "country"),
        (CreateOwnOrganizationRequest(title: "A", country: "Britain"), "country"),
        (
            CreateOwnOrganizationRequest(
                title: "A", description: String(repeating: "a", count: 2_001)), "description"
        ),
    ])
    func `what no organization may have is named, and nothing is begun`(
        request: CreateOwnOrganizationRequest, field: String
    ) async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()

        let status = try #require(
            await refusal { try await hall.acting(user).createOwnOrganization(request) })

        let fields = status.details.flatMap { detail -> [String] in
            if case .badRequest(let violations) = detail { violations.map(\.field) } else { [] }
        }
        #expect(fields == [field])
        #expect(try await hall.count("SELECT count(*) FROM own_organization") == 0)
    }

    @Test func `who is refused twenty times within an hour waits, and old attempts are forgotten`()
        async throws
    {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        hall.registry.refusePreparing(with: .refusal(.nameTaken, "The name is taken."))
        for _ in 1...SignUpLimits.refusedFoundingsMax {
            let refused = await refusal { try await create(hall, user) }
            #expect(refused?.reason == "name_taken")
        }
        hall.registry.refusePreparing(with: nil)

        let early = await refusal { try await create(hall, user, key: "one") }
        hall.hall.clock.advance(by: SignUpLimits.refusedFoundingsPeriod)
        let made = try await create(hall, user, key: "one")
        let upkeep = Upkeep(database: hall.hall.database)
        try await upkeep.round(at: hall.hall.clock.now)
        let kept = try await hall.count("SELECT count(*) FROM own_organization WHERE state = 3")
        hall.hall.clock.advance(by: SignUpLimits.refusedFoundingsRetention)
        try await upkeep.round(at: hall.hall.clock.now)

        #expect(early?.reason == "busy" && !made.organizationID.isEmpty)
        #expect(early.map(ErrorReason.httpStatus(of:)) == 429)
        #expect(kept == SignUpLimits.refusedFoundingsMax)
        let left = try await hall.count("SELECT count(*) FROM own_organization")
        #expect(left == 1, "the one that was made stays")
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `only who signed up and belongs nowhere makes one`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        let (made, member) = (try await hall.hall.person(), try await hall.founder())
        try await hall.hall.admit(member, to: organization)

        for user in [made, member] {
            let refused = await refusal { try await create(hall, user) }
            #expect(refused?.reason == "org_creation_closed")
            #expect(try await hall.me(user).prompts.isEmpty)
        }
        let nobody = await refusal {
            try await hall.visitor.createOwnOrganization(CreateOwnOrganizationRequest(title: "A"))
        }
        #expect(nobody?.code == .unauthenticated && hall.registry.steps.isEmpty)
    }

    @Test func `who has left the first makes no second, unless staff have raised the allowance`()
        async throws
    {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        let made = try await create(hall, user)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")
        try await hall.hall.admit(to: organization, as: [.owner])
        _ = try await hall.hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: made.organizationID, userID: user.text))

        let second = await refusal { try await create(hall, user, "B") }
        let prompts = try await hall.me(user).prompts
        try await hall.hall.database.write { transaction in
            try transaction.execute(
                "UPDATE user SET organization_allowance = 2 WHERE id = \(user)")
        }
        let third = try await create(hall, user, "B")

        #expect(second?.reason == "org_creation_closed" && prompts.isEmpty)
        #expect(third.title == "B")
    }

    @Test func `steps that are sent again bring back no owner who has left`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        let made = try await create(hall, user)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")
        try await hall.hall.admit(to: organization, as: [.owner])
        _ = try await hall.hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: made.organizationID, userID: user.text))

        _ = try await hall.runner.repeatSteps(since: WallTime(microseconds: 0))

        let state = try await hall.hall.database.read {
            try $0.membership(of: user, in: organization)?.state
        }
        #expect(state == .removed)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `what the founder told is for staff of the platform alone`() async throws {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        let made = try await create(hall, user)
        let organization = try OrganizationID(requestText: made.organizationID, field: "id")
        let request = GetSignUpDataRequest(organizationID: made.organizationID)

        for role in [Access.Role.platformOwner, .globalAdmin] {
            let data = try await hall.acting(role).getSignUpData(request)
            #expect(data.reference == "Told by a friend" && data.userID == user.text)
        }
        let owner = hall.acting(user, [Access.Grant(.owner, at: organization)])
        let forOwner = await refusal { try await owner.getSignUpData(request) }
        let stranger = hall.acting(.owner, at: Sample.organization(1))
        let forStranger = await refusal { try await stranger.getSignUpData(request) }
        let other = try await hall.hall.organization()
        let none = await refusal {
            try await hall.acting(.platformOwner).getSignUpData(
                GetSignUpDataRequest(organizationID: other.text))
        }
        #expect(forOwner?.code == .permissionDenied && forStranger?.code == .notFound)
        #expect(none?.code == .notFound)
    }
}
