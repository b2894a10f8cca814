import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Dry runs of moves: everything that would be otherwise, from four services, and what is not told.
struct MoveTrialTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func receive(
        _ receivers: [ContactKind: [String]], at organization: Organization
    ) async throws {
        let contacts = ContactsClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await contacts.setContactReceivers(
            SetContactReceiversRequest(
                organizationID: organization.id,
                receivers: receivers.map { KindReceivers(kind: $0.key, addresses: $0.value) }))
    }

    @Test func `it tells who would receive what people write`() async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        try await receive(
            [.booking: ["a@x.example"], .suggestions: ["s@x.example"], .account: ["o@x.example"]],
            at: one[0])
        try await receive([.account: ["own@x.example"]], at: one[1])
        try await receive(
            [
                .booking: ["b@x.example", "c@x.example"], .suggestions: ["s@x.example"],
                .product: ["p@x.example"], .account: ["t@x.example"],
            ], at: two)

        let below = try await owner.tryMove(one[1], below: two)
        let root = try await owner.tryMove(one[1], below: nil)
        let nowhere = try await owner.tryMove(one[1], below: one[0])

        let platform = "owner@guildhall.example"
        #expect(
            below.effects == [
                MoveEffect(
                    aspect: "contact_receivers.booking", fromOrganizationID: one[0].id,
                    toOrganizationID: two.id, fromValue: "a@x.example",
                    toValue: "b@x.example, c@x.example"),
                MoveEffect(
                    aspect: "contact_receivers.product", toOrganizationID: two.id,
                    fromValue: platform, toValue: "p@x.example"),
                MoveEffect(
                    aspect: "contact_receivers.suggestions", fromOrganizationID: one[0].id,
                    toOrganizationID: two.id, fromValue: "s@x.example",
                    toValue: "s@x.example"),
            ])
        #expect(
            root.effects == [
                MoveEffect(
                    aspect: "contact_receivers.booking", fromOrganizationID: one[0].id,
                    fromValue: "a@x.example", toValue: platform),
                MoveEffect(
                    aspect: "contact_receivers.suggestions", fromOrganizationID: one[0].id,
                    fromValue: "s@x.example", toValue: platform),
            ])
        #expect(nowhere.effects.isEmpty)
    }

    @Test(arguments: [
        (ContactKind.account, "account"), (.courseContent, "course_content"),
        (.booking, "booking"), (.supportTeam, "support_team"), (.product, "product"),
        (.suggestions, "suggestions"), (.miscellaneous, "miscellaneous"),
    ])
    func `each of the seven kinds has its word`(kind: ContactKind, word: String) async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        try await receive([kind: ["a@x.example"]], at: two)

        let reply = try await owner.tryMove(one, below: two)

        #expect(reply.effects.map(\.aspect) == ["contact_receivers.\(word)"])
        #expect(reply.effects.map(\.toValue) == ["a@x.example"])
    }

    @Test func `what other services say comes after what is known here`() async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        try await receive([.booking: ["b@x.example"]], at: two)
        await installation.answer(.everything(from: one[0].id, to: two.id))

        let reply = try await owner.tryMove(one[1], below: two)
        _ = try await owner.tryMove(one[1], below: nil)

        #expect(
            reply.effects == [
                MoveEffect(
                    aspect: "contact_receivers.booking", toOrganizationID: two.id,
                    fromValue: "owner@guildhall.example", toValue: "b@x.example"),
                MoveEffect(aspect: "members_limit", toOrganizationID: two.id, toValue: "5"),
                MoveEffect(
                    aspect: "branding.primary", fromOrganizationID: one[0].id,
                    toOrganizationID: two.id, fromValue: "#aaaaaa", toValue: "#bbbbbb"),
                MoveEffect(
                    aspect: "branding.logo", fromOrganizationID: one[0].id,
                    fromValue: "/assets/1"),
                MoveEffect(
                    aspect: "partner", fromOrganizationID: one[0].id, toOrganizationID: two.id,
                    fromValue: "Northwind", toValue: "Contoso"),
                MoveEffect(
                    aspect: "modules", fromOrganizationID: one[0].id, toOrganizationID: two.id,
                    fromValue: "Algebra, Chess", toValue: "Algebra"),
            ])
        #expect(reply.obstacles.map(\.code) == ["members_limit_reached"])
        #expect(reply.obstacles.map(\.organizationID) == [two.id])
        #expect(reply.unknownAspects.isEmpty)
        let looks = await installation.branding.trials.asked
        let assignments = await installation.partners.trials.asked
        #expect(looks.map(\.organizationID) == [one[1].id, one[1].id])
        #expect(looks.map(\.newParentID) == [two.id, ""])
        #expect(assignments.map(\.organizationID) == [one[1].id, one[1].id])
        #expect(assignments.map(\.newParentID) == [two.id, ""])
        let modules = await installation.partners.moduleTrials.asked
        #expect(modules.map(\.organizationID) == [one[1].id, one[1].id])
        #expect(modules.map(\.newParentID) == [two.id, ""])
    }

    @Test func `a partner that stays is no effect`() async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        let place = PartnerPlace(
            partnerID: "p", partnerName: "Northwind", organizationID: one.id)
        await installation.partners.answer(with: .init(from: place, to: place))

        let reply = try await owner.tryMove(one, below: two)

        #expect(reply.effects.isEmpty && reply.unknownAspects.isEmpty)
    }

    @Test(arguments: [
        Status.Code.unavailable, .deadlineExceeded, .resourceExhausted, .notFound,
        .unimplemented,
    ])
    func `a service that does not answer leaves a gap with its name`(
        code: Status.Code
    ) async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School")
        let two = try await owner.chain("Two", "SCHOOL")
        await installation.answer(.everything(from: one[0].id, to: two[0].id))
        let silence = Status(code, "Nobody answers.")

        await installation.people.failTrials(with: silence)
        let withoutCounts = try await owner.tryMove(one[1], below: two[0])
        await installation.branding.failTrials(with: silence)
        let withoutLooks = try await owner.tryMove(one[1], below: two[0])
        await installation.partners.failTrials(with: silence)
        let alone = try await owner.tryMove(one[1], below: two[0])

        #expect(withoutCounts.unknownAspects == ["limits"])
        #expect(
            withoutCounts.effects.map(\.aspect)
                == ["branding.primary", "branding.logo", "partner", "modules"])
        #expect(withoutLooks.unknownAspects == ["limits", "branding"])
        #expect(withoutLooks.effects.map(\.aspect) == ["partner", "modules"])
        #expect(alone.unknownAspects == ["limits", "branding", "partner", "modules"])
        #expect(alone.effects.isEmpty)
        #expect(alone.obstacles.map(\.code) == ["name_taken"])
    }

    @Test(arguments: [Status.Code.internal, .permissionDenied, .failedPrecondition])
    func `what is no silence fails the dry run`(code: Status.Code) async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        await installation.branding.failTrials(with: Status(code, "Something is wrong."))

        let refused = try await refusal { try await owner.tryMove(one, below: two) }

        #expect(refused.code == code)
    }

    @Test func `the other services are asked at the same time`() async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        let meeting = Meeting(of: 4)
        await installation.people.meet(at: meeting)
        await installation.branding.meet(at: meeting)
        await installation.partners.meet(at: meeting)

        let reply = try await owner.tryMove(one, below: two)

        #expect(reply.unknownAspects.isEmpty)
    }

    @Test func `each has so long to answer, and less when the call has less`() async throws {
        var limits = Limits()
        limits.acknowledgementTimeMax = .seconds(10)
        let installation = try Installation(limits: limits)
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        let request = MoveOrganizationRequest(id: one.id, newParentID: two.id, dryRun: true)

        _ = try await owner.moveOrganization(request)
        _ = try await owner.moveOrganization(
            request, options: CallOptions(timeout: .seconds(5)))

        for timeouts in [
            await installation.people.trials.timeouts,
            await installation.branding.trials.timeouts,
            await installation.partners.trials.timeouts,
            await installation.partners.moduleTrials.timeouts,
        ] {
            #expect(timeouts.count == 2 && timeouts[0] == .seconds(10))
            let hasRest = timeouts[1].map { $0 > .zero && $0 <= .milliseconds(4_500) }
            #expect(hasRest == true, "\(timeouts)")
        }
    }

    @Test func `of what cannot be nobody is asked`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")

        let reply = try await owner.tryMove(chain[0], below: chain[1])

        #expect(reply.obstacles.map(\.code).first == "cycle")
        #expect(reply.unknownAspects.isEmpty)
        #expect(await installation.people.trials.asked.isEmpty)
        #expect(await installation.branding.trials.asked.isEmpty)
        #expect(await installation.partners.trials.asked.isEmpty)
        #expect(await installation.partners.moduleTrials.asked.isEmpty)
    }

    @Test func `organizations outside of the caller's scope are not named`() async throws {
        let platform = try installation.platformOwner()
        let line = try await platform.chain("Region", "District", "North", "School")
        let south = try await platform.create("South", below: line[1])
        try await receive([.booking: ["r@x.example"]], at: line[0])
        try await receive([.booking: ["n@x.example"]], at: line[2])
        await installation.answer(.everything(from: line[2].id, to: line[0].id))
        let owner = try installation.user(Access.Grant(.owner, at: try line[1].organizationID))

        let mine = try await owner.tryMove(line[3], below: south)
        let all = try await platform.tryMove(line[3], below: south)

        #expect(
            mine.effects.map(\.aspect) == [
                "contact_receivers.booking", "members_limit", "branding.primary",
                "branding.logo", "partner", "modules",
            ])
        #expect(
            mine.effects.map(\.fromOrganizationID)
                == [line[2].id, "", line[2].id, line[2].id, line[2].id, line[2].id])
        #expect(mine.effects.map(\.toOrganizationID) == ["", "", "", "", "", ""])
        #expect(mine.obstacles.map(\.organizationID) == [""])
        // What would hold at the organization is its owner's to know.
        #expect(mine.effects.map(\.toValue) == all.effects.map(\.toValue))
        #expect(mine.effects.first?.toValue == "r@x.example")
        #expect(
            all.effects.map(\.toOrganizationID)
                == [line[0].id, line[0].id, line[0].id, "", line[0].id, line[0].id])
        #expect(all.obstacles.map(\.organizationID) == [line[0].id])
    }

    @Test func `an organization that neither place has is not named to anybody`() async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        let elsewhere = try await owner.create("Elsewhere")
        await installation.answer(.everything(from: elsewhere.id, to: two.id))

        let reply = try await owner.tryMove(one, below: two)

        #expect(reply.effects.count == 5)
        #expect(reply.effects.allSatisfy { $0.fromOrganizationID.isEmpty })
    }

    @Test func `where a new parent is paused, the obstacle names it`() async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.create("One")
        let two = try await owner.chain("Two", "Below")
        _ = try await owner.deactivateOrganization(.init(id: two[0].id))

        let reply = try await owner.tryMove(one, below: two[1])

        #expect(reply.obstacles.map(\.code) == ["org_not_active"])
        #expect(reply.obstacles.map(\.organizationID) == [two[0].id])
        #expect(reply.effects.map(\.aspect) == ["state"])
    }
}

/// What the three other services say of a move.
private struct Opinions {
    let counts: MoveSubtreeReply
    let looks: PreviewAppearanceReply
    let assignment: PreviewAssignmentReply
    let modules: PreviewModulesReply

    /// Something of each, from one organization to another.
    static func everything(from one: String, to other: String) -> Opinions {
        func source(_ id: String) -> ValueSource { ValueSource(organizationID: id, distance: 1) }
        return Opinions(
            counts: MoveSubtreeReply(
                gates: [
                    AdmissionGate(
                        code: "members_limit_reached", organizationID: other, kind: "members",
                        used: 5, cap: 5)
                ],
                capChanges: [
                    CapChange(kind: "members", organizationID: other, cap: 5, begins: true)
                ]),
            looks: PreviewAppearanceReply(changes: [
                AppearanceChange(
                    field: "primary", from: SourcedValue(value: "#aaaaaa", source: source(one)),
                    to: SourcedValue(value: "#bbbbbb", source: source(other))),
                AppearanceChange(
                    field: "logo", from: SourcedValue(value: "/assets/1", source: source(one))),
            ]),
            assignment: PreviewAssignmentReply(
                from: PartnerPlace(
                    partnerID: "1", partnerName: "Northwind", organizationID: one),
                to: PartnerPlace(
                    partnerID: "2", partnerName: "Contoso", organizationID: other)),
            modules: PreviewModulesReply(
                from: ModulePlace(moduleNames: ["Algebra", "Chess"], organizationID: one),
                to: ModulePlace(moduleNames: ["Algebra"], organizationID: other)))
    }
}

extension Installation {
    fileprivate func answer(_ opinions: Opinions) async {
        await people.answer(with: opinions.counts)
        await branding.answer(with: opinions.looks)
        await partners.answer(with: opinions.assignment)
        await partners.answer(with: opinions.modules)
    }
}

extension OrganizationsClient {
    /// What would come of a move; below nothing: to the root.
    func tryMove(
        _ organization: Organization, below parent: Organization?
    ) async throws -> MoveOrganizationReply {
        try await moveOrganization(
            MoveOrganizationRequest(
                id: organization.id, newParentID: parent?.id ?? "", dryRun: true,
                toRoot: parent == nil))
    }
}
