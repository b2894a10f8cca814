import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import TreeCopy

@testable import Membership

/// A sign-up that ends without a membership.
private struct Way {
    let name: String
    let refusal: String
    let waitsFor: PendingSignUpReason
    let prepare: () -> Void

    init(
        _ name: String, _ refusal: String = "", waitsFor: PendingSignUpReason = .unspecified,
        prepare: @escaping () -> Void = {}
    ) {
        (self.name, self.refusal, self.waitsFor) = (name, refusal, waitsFor)
        self.prepare = prepare
    }
}

/// What becomes of somebody whose address is verified, and of those who wait.
@Suite struct `Joining by a sign-up` {
    private static let ada = "ada@example.com"

    @Test(arguments: [JoinSource.emailMask, .customURL])
    func `who may join is a member at once`(source: JoinSource) async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization(title: "Springfield")
        hall.registry.lead(to: organization, by: source)
        let slug = source == .customURL ? "springfield" : ""

        try await hall.signUp(customURL: slug)
        let token = try #require(try await hall.tokens(for: Self.ada).first)
        let reply = try await hall.verify(token)

        #expect(reply.organizationID == organization.text)
        #expect(reply.organizationTitle == "Springfield")
        #expect(hall.registry.questions.last?.customURL == slug)
        #expect(hall.registry.questions.last?.email == Self.ada)
        let user = try UserID(requestText: reply.userID, field: "user_id")
        let me = try await hall.me(user)
        #expect(me.memberships.map(\.roles) == [[.member]] && me.prompts.isEmpty)
        #expect(try await hall.hall.used(organization) == 1)
        #expect(try await hall.pending(organization).isEmpty)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `who does not join is answered alike, and has an account`() async throws {
        let hall = try SignUpHall()
        let open = try await hall.hall.organization()
        let paused = try await hall.hall.organization(status: .inactive)
        let archived = try await hall.hall.organization(archived: true)
        let limited = try await hall.hall.organization()
        _ = try await hall.hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: limited.text, members: 0))
        let registry = hall.registry
        let ways = [
            Way("none"),
            Way("barred", "signup_not_allowed") { registry.lead(to: open, isAllowed: false) },
            Way("paused", "org_not_active") { registry.lead(to: paused) },
            Way("archived", "org_not_active") { registry.lead(to: archived) },
            Way("unknown", "org_not_active") { registry.lead(to: Sample.organization(9)) },
            Way("mask", waitsFor: .noMask) { registry.lead(to: open, approval: .noMask) },
            Way("type", waitsFor: .typeRequires) {
                registry.lead(to: open, approval: .typeRequires)
            },
            Way("full", waitsFor: .limitReached) { registry.lead(to: limited) },
            Way("closed", "custom_url_disabled") {
                registry.refuse(with: .refusal(.customURLDisabled, "It is disabled."))
            },
        ]
        for way in ways {
            way.prepare()
            let (name, waitsFor) = (way.name, way.waitsFor)
            let email = "\(name)@example.com"
            let told = try await hall.acting(.platformOwner).explainJoin(
                ExplainJoinRequest(email: email))
            let changed = try await hall.count("SELECT count(*) FROM pending_sign_up")
            let reply = try await hall.join(email)
            let waiting = try await hall.count("SELECT count(*) FROM pending_sign_up")

            #expect(reply.organizationID.isEmpty && reply.organizationTitle.isEmpty, "\(name)")
            #expect(told.refusal == way.refusal && told.waitsFor == waitsFor, "\(name)")
            #expect(waiting - changed == (waitsFor == .unspecified ? 0 : 1), "\(name)")
            let user = try UserID(requestText: reply.userID, field: "user_id")
            let me = try await hall.me(user)
            #expect(me.memberships.isEmpty && me.prompts == [.createOrganization], "\(name)")
        }
        let reasons = try await hall.pending(open).map(\.reason)
        #expect(reasons == [.noMask, .typeRequires])
        #expect(try await hall.pending(limited).map(\.reason) == [.limitReached])
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `a block holds, and a membership that is there stays`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization)
        for (name, isBlocked) in [("bob", true), ("cleo", false)] {
            let email = "\(name)@example.com"
            let member = try await hall.hall.platformOwner.addMember(
                AddMemberRequest(
                    organizationID: organization.text, email: email, name: name,
                    roles: [.teacher]))
            if isBlocked {
                _ = try await hall.hall.platformOwner.blockMember(
                    BlockMemberRequest(organizationID: organization.text, userID: member.userID))
            }

            let reply = try await hall.join(email)

            #expect(reply.userID == member.userID)
            #expect(reply.organizationID == (isBlocked ? "" : organization.text))
            let user = try UserID(requestText: member.userID, field: "user_id")
            let state = try await hall.hall.state(of: user, in: organization)
            #expect(state == (isBlocked ? .blocked : .active))
        }
        #expect(try await hall.pending(organization).isEmpty)
    }

    @Test func `approving admits by all gates, and a refusal leaves the person waiting`()
        async throws
    {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .noMask)
        let people = [try await hall.join("a@x.example"), try await hall.join("b@x.example")]
        let approver = hall.acting(.userAdmin, at: organization)
        func approve(_ index: Int) async throws -> PendingSignUp {
            try await approver.approvePendingSignUp(
                ApprovePendingSignUpRequest(
                    organizationID: organization.text, userID: people[index].userID))
        }
        _ = try await hall.hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: organization.text, members: 1))

        let first = try await approve(0)
        let full = await refusal { try await approve(1) }
        let waiting = try await hall.pending(organization)
        let twice = await refusal { try await approve(0) }
        _ = try await hall.hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: organization.text, members: 2))
        let second = try await approve(1)

        #expect(first.state == .approved && first.decidedAt != nil)
        #expect(full?.gates == ["members_limit_reached"])
        #expect(waiting.map(\.userID) == [people[1].userID])
        #expect(twice?.reason == "wrong_state" && second.state == .approved)
        #expect(try await hall.hall.used(organization) == 2)
        #expect(try await hall.pending(organization, .approved).count == 2)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `whoever lets somebody in ends the waiting`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .noMask)
        let person = try await hall.join()

        try await hall.hall.admit(
            UserID(requestText: person.userID, field: "user_id"), to: organization)

        #expect(try await hall.pending(organization).isEmpty)
        #expect(try await hall.pending(organization, .approved).count == 1)
    }

    @Test func `who is rejected keeps the account, and nothing else`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .typeRequires)
        let reply = try await hall.join()

        let rejected = try await hall.acting(.owner, at: organization).rejectPendingSignUp(
            RejectPendingSignUpRequest(
                organizationID: organization.text, userID: reply.userID))

        #expect(rejected.state == .rejected && rejected.email == Self.ada)
        #expect(try await hall.pending(organization).isEmpty)
        #expect(try await hall.pending(organization, .rejected).count == 1)
        #expect(try await hall.hall.used(organization) == 0)
        let user = try UserID(requestText: reply.userID, field: "user_id")
        #expect(try await hall.me(user).memberships.isEmpty)
    }

    @Test func `only those of the permission row see and decide`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        let other = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .noMask)
        let person = try await hall.join()
        func codes(_ client: SignUpsClient) async -> [Status.Code?] {
            [
                await refusal {
                    try await client.listPendingSignUps(
                        ListPendingSignUpsRequest(organizationID: organization.text))
                }?.code,
                await refusal {
                    try await client.approvePendingSignUp(
                        ApprovePendingSignUpRequest(
                            organizationID: organization.text, userID: person.userID))
                }?.code,
                await refusal {
                    try await client.rejectPendingSignUp(
                        RejectPendingSignUpRequest(
                            organizationID: organization.text, userID: person.userID))
                }?.code,
            ]
        }

        for role in [Access.Role.manager, .billingAdmin, .teacher, .member] {
            let found = await codes(hall.acting(role, at: organization))
            #expect(found == Array(repeating: .permissionDenied, count: 3), "\(role)")
        }
        let outside = await codes(hall.acting(.owner, at: other))
        #expect(outside == Array(repeating: .notFound, count: 3))
        for role in [Access.Role.owner, .orgAdmin, .userAdmin, .partner, .reseller] {
            let seen = try await hall.acting(role, at: organization).listPendingSignUps(
                ListPendingSignUpsRequest(organizationID: organization.text))
            #expect(seen.totalSize == 1, "\(role)")
        }
        for role in [Access.Role.owner, .platformAdmin] {
            let told = await refusal {
                try await hall.acting(role, at: organization).explainJoin(
                    ExplainJoinRequest(email: Self.ada))
            }
            #expect(told?.code == .permissionDenied, "\(role)")
        }
    }

    @Test func `those who wait are listed in pages, the oldest first`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .noMask)
        for number in 1...5 {
            try await hall.join("person\(number)@x.example")
            hall.hall.clock.advance(by: .seconds(1))
        }
        let client = hall.acting(.platformOwner)
        var request = ListPendingSignUpsRequest(organizationID: organization.text, pageSize: 2)
        var seen: [String] = []
        repeat {
            let page = try await client.listPendingSignUps(request)
            #expect(page.totalSize == 5)
            seen += page.pendingSignUps.map(\.email)
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty

        #expect(seen == (1...5).map { "person\($0)@x.example" })
    }

    @Test func `the archive rejects those who wait`() async throws {
        let hall = try SignUpHall()
        let organization = try await hall.hall.organization()
        hall.registry.lead(to: organization, approval: .noMask)
        try await hall.join()

        try await hall.hall.organization(organization, archived: true)
        try await hall.hall.organization(organization, archived: false)

        #expect(try await hall.pending(organization).isEmpty)
        #expect(try await hall.pending(organization, .rejected).count == 1)
    }

    @Test func `a copy that is filled anew rejects those who wait in the archive`() async throws {
        let hall = try SignUpHall()
        let (archived, live) = (
            try await hall.hall.organization(), try await hall.hall.organization()
        )
        for (organization, email) in [(archived, Self.ada), (live, "bob@example.com")] {
            hall.registry.lead(to: organization, approval: .noMask)
            try await hall.join(email)
        }

        let nodes = [
            hall.hall.node(archived), hall.hall.node(live),
            hall.hall.node(archived, archived: true),
        ]
        try await hall.hall.database.write { [follower = hall.hall.follower] transaction in
            try TreeCopy.reset(in: transaction)
            for node in nodes {
                let event = Messages.FeedEvent(
                    sequence: node.version, kind: OrganizationNode.messageName,
                    aggregateID: [], version: node.version, body: node.encoded())
                try follower.apply(event, in: transaction)
            }
            try follower.caughtUp(in: transaction)
        }
        try await hall.hall.organization(archived, archived: false)

        #expect(try await hall.pending(archived).isEmpty)
        #expect(try await hall.pending(archived, .rejected).count == 1)
        #expect(try await hall.pending(live).count == 1)
    }

    @Test func `nothing is verified while Organizations does not answer`() async throws {
        let hall = try SignUpHall()
        try await hall.signUp()
        let token = try #require(try await hall.tokens(for: Self.ada).first)
        hall.registry.refuse(with: Status(.unavailable, "Nobody answers."))

        let refused = await refusal { try await hall.verify(token) }
        hall.registry.refuse(with: nil)
        let reply = try await hall.verify(token)

        #expect(refused?.code == .unavailable && !reply.userID.isEmpty)
    }
}
