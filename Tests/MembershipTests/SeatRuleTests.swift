import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Whether an admission takes a seat, by the type of the organization.
@Suite struct SeatRuleTests {
    /// A type by which owners and others take seats, or not.
    private func type(owner: Bool?, manager: Bool?, member: Bool?) -> OrganizationType {
        func benefit(_ takesSeat: Bool?) -> SeatBenefit? {
            takesSeat.map { SeatBenefit(takesSeat: $0) }
        }
        return OrganizationType(
            name: "School",
            seatBenefits: SeatBenefits(
                owner: benefit(owner), manager: benefit(manager), member: benefit(member)))
    }

    private func takesSeat(
        _ hall: Hall, _ user: UserID, in organization: OrganizationID
    ) async throws -> Bool {
        try await hall.platformOwner.getMember(
            GetMemberRequest(organizationID: organization.text, userID: user.text)
        ).takesSeat
    }

    private func setSeats(_ count: Int64, _ hall: Hall, at organization: OrganizationID)
        async throws
    {
        _ = try await hall.platformOwner.updateSeats(
            UpdateSeatsRequest(organizationID: organization.text, seatCount: count))
    }

    @Test func `the strongest role decides; where a type says nothing it is as without one`() {
        let rule = SeatRule([.owner: true, .member: false])

        #expect(rule.takesSeat([.owner, .teacher]))
        #expect(rule.takesSeat([.manager, .student]))
        for role in Access.Role.allCases
        where role.isMembershipRole && role != .owner && role != .manager {
            #expect(!rule.takesSeat(RoleSet(role)))
        }
        #expect(RoleSet([.member, .manager, .owner]).strongest == .owner)
    }

    @Test func `owners take seats and others none where the type says so`() async throws {
        let hall = try Hall()
        let school = try await hall.organization(
            of: try await hall.tell(type(owner: true, manager: nil, member: false)))
        try await setSeats(2, hall, at: school)

        let owner = try await hall.admit(to: school, as: [.owner, .student])
        let manager = try await hall.admit(to: school, as: [.manager])
        for _ in 0..<3 { try await hall.admit(to: school, as: [.student]) }

        #expect(try await takesSeat(hall, owner, in: school))
        #expect(try await takesSeat(hall, manager, in: school))
        #expect(try await hall.used(school, .seat) == 2)
        #expect(try await hall.used(school) == 5)
        // The seats are gone for those who need one, and for nobody else.
        let another = await refusal { try await hall.admit(to: school, as: [.owner]) }
        #expect(another?.reason == "seats_exhausted")
        let explained = try await hall.platformOwner.explainAdmission(
            ExplainAdmissionRequest(organizationID: school.text, roles: [.owner]))
        #expect(explained.gates.map(\.code) == ["seats_exhausted"])
        try await hall.admit(to: school, as: [.teacher])
        try await expectInvariants(hall)
    }

    @Test func `an edited type changes nobody's seat, and holds for everything that comes`()
        async throws
    {
        let hall = try Hall()
        let id = try await hall.tell(type(owner: nil, manager: nil, member: false))
        let school = try await hall.organization(of: id)
        let (ada, bob) = (
            try await hall.admit(to: school), try await hall.admit(to: school)
        )
        #expect(try await hall.used(school, .seat) == 0)

        var edited = type(owner: nil, manager: nil, member: true)
        edited.id = id.text
        try await hall.tell(edited)

        #expect(try await hall.used(school, .seat) == 0)
        #expect(try await !takesSeat(hall, ada, in: school))
        try await hall.admit(to: school)
        #expect(try await hall.used(school, .seat) == 1)
        // A block and its end are an admission: Ada takes a seat by now, Bob has none to release.
        let change = (organization: school.text, user: ada.text)
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: change.organization, userID: change.user))
        #expect(try await hall.used(school, .seat) == 1)
        _ = try await hall.platformOwner.unblockMember(
            UnblockMemberRequest(organizationID: change.organization, userID: change.user))
        #expect(try await hall.used(school, .seat) == 2)
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: bob.text))
        #expect(try await hall.used(school, .seat) == 2)
        try await expectInvariants(hall)
    }

    @Test func `by an edited type the seat is decided anew only with another strongest role`()
        async throws
    {
        let hall = try Hall()
        let id = try await hall.tell(type(owner: nil, manager: nil, member: false))
        let school = try await hall.organization(of: id)
        let ada = try await hall.admit(to: school, as: [.student])
        try await setSeats(0, hall, at: school)
        var edited = type(owner: nil, manager: nil, member: true)
        edited.id = id.text
        try await hall.tell(edited)
        func explained(_ roles: [Messages.Role]) async throws -> [String] {
            try await hall.platformOwner.explainAdmission(
                ExplainAdmissionRequest(
                    organizationID: school.text, userID: ada.text, roles: roles)
            ).gates.map(\.code)
        }
        func change(to roles: [Messages.Role]) async throws {
            _ = try await hall.platformOwner.updateMember(
                UpdateMemberRequest(organizationID: school.text, userID: ada.text, roles: roles))
        }

        #expect(try await explained([.teacher]) == ["already_member"])
        try await change(to: [.teacher])
        #expect(try await !takesSeat(hall, ada, in: school))
        #expect(
            try await explained([.manager, .teacher]) == ["already_member", "seats_exhausted"])
        let refused = await refusal { try await change(to: [.manager, .teacher]) }
        #expect(refused?.reason == "seats_exhausted")

        try await setSeats(1, hall, at: school)
        try await change(to: [.manager, .teacher])
        #expect(try await takesSeat(hall, ada, in: school))
        edited.seatBenefits = SeatBenefits(manager: SeatBenefit(takesSeat: false))
        try await hall.tell(edited)
        try await change(to: [.manager, .student])
        #expect(try await takesSeat(hall, ada, in: school))
        #expect(try await hall.used(school, .seat) == 1)
        try await expectInvariants(hall)
    }

    @Test func `an end of a block that needs a seat is refused where none is free`() async throws {
        let hall = try Hall()
        let id = try await hall.tell(type(owner: nil, manager: nil, member: false))
        let school = try await hall.organization(of: id)
        let ada = try await hall.admit(to: school)
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: ada.text))
        try await setSeats(0, hall, at: school)
        // The organization has no type any more: members take seats.
        try await hall.organization(school, of: nil)

        let refused = await refusal {
            try await hall.platformOwner.unblockMember(
                UnblockMemberRequest(organizationID: school.text, userID: ada.text))
        }

        #expect(refused?.reason == "seats_exhausted")
        #expect(try await hall.state(of: ada, in: school) == .blocked)
        try await expectInvariants(hall)
    }

    @Test func `who comes back from the archive takes a seat by the type as it is then`()
        async throws
    {
        let hall = try Hall()
        let id = try await hall.tell(type(owner: nil, manager: true, member: false))
        let school = try await hall.organization(of: id)
        let ada = try await hall.admit(to: school, as: [.student])
        let bob = try await hall.admit(to: school, as: [.manager])
        let owner = try await hall.admit(to: school, as: [.owner])
        try await setSeats(1, hall, at: school)
        try await hall.organization(school, of: id, archived: true)
        var edited = type(owner: true, manager: false, member: true)
        edited.id = id.text
        try await hall.tell(edited)

        let refused = await refusal { try await hall.restore([school]) }
        #expect(refused?.reason == "seats_exhausted")
        #expect(try await hall.used(school, .seat) == 0)
        try await expectInvariants(hall)

        try await hall.setSeats(2, atArchived: school)
        try await hall.restore([school])
        #expect(try await hall.used(school, .seat) == 2)
        #expect(try await takesSeat(hall, ada, in: school))
        #expect(try await !takesSeat(hall, bob, in: school))
        #expect(try await takesSeat(hall, owner, in: school))
        let lines = try await hall.ledger(school).filter { $0.hasSuffix("restore") }
        #expect(lines.contains("seat take 2 restore"))
        try await expectInvariants(hall)
    }

    @Test func `a restore that is cancelled lets those it blocked sit as the type says by then`()
        async throws
    {
        let hall = try Hall()
        let id = try await hall.tell(type(owner: nil, manager: nil, member: true))
        let school = try await hall.organization(of: id)
        let ada = try await hall.admit(to: school)
        try await hall.organization(school, of: id, archived: true)
        try await hall.restore([school], blocked: true, key: "restore-1")
        var edited = type(owner: nil, manager: nil, member: false)
        edited.id = id.text
        try await hall.tell(edited)

        _ = try await hall.service("organizations").cancelSubtreeRestore(
            CancelSubtreeRestoreRequest(organizationID: school.text, restoreKey: "restore-1"))

        let member = try await hall.service("partners").getMember(
            GetMemberRequest(organizationID: school.text, userID: ada.text))
        #expect(member.state == .active && !member.takesSeat)
        try await expectInvariants(hall)
    }
}

extension Hall {
    /// Sets seats where no person may, since the organization is in the archive.
    func setSeats(_ count: Int64, atArchived organization: OrganizationID) async throws {
        let now = clock.clock.now()
        try await database.write { transaction in
            try transaction.setCap(count, of: .seat, at: organization)
            try transaction.append(
                LedgerLine(
                    organization: organization, kind: .seat, operation: .resize, user: nil,
                    cause: .settings, balanceAfter: count, occurred: now))
        }
    }
}
