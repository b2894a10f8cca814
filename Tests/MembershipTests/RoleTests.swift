import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// A district with a school, whose members change their roles.
struct RoleHall: Sendable {
    let hall: Hall
    let district: OrganizationID
    let school: OrganizationID

    init() async throws {
        hall = try Hall()
        district = try await hall.organization(title: "District")
        school = try await hall.organization(below: district, title: "School")
    }

    /// Gives somebody other roles, as the owner of the platform unless it is somebody else.
    @discardableResult
    func change(
        _ user: UserID, to roles: [Messages.Role], by client: MembershipClient? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Member {
        try await (client ?? hall.platformOwner).updateMember(
            UpdateMemberRequest(organizationID: school.text, userID: user.text, roles: roles),
            options: options)
    }

    func member(_ user: UserID) async throws -> Member {
        try await hall.platformOwner.getMember(
            GetMemberRequest(organizationID: school.text, userID: user.text))
    }

    func limit(
        _ organization: OrganizationID, members: Int64? = nil, students: Int64? = nil,
        teachers: Int64? = nil
    ) async throws {
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(
                organizationID: organization.text, members: members, students: students,
                teachers: teachers))
    }

    func seats(_ count: Int64) async throws {
        _ = try await hall.platformOwner.updateSeats(
            UpdateSeatsRequest(organizationID: school.text, seatCount: count))
    }

    func block(_ user: UserID) async throws {
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: user.text))
    }
}

/// Other roles for a member: an admission of the difference.
@Suite struct RoleTests {
    @Test func `a change of roles counts the difference, and nothing else`() async throws {
        let place = try await RoleHall()
        let (hall, school, district) = (place.hall, place.school, place.district)
        let ada = try await hall.admit(to: school, as: [.teacher])
        let before = try await place.member(ada)
        let head = hall.database.feed.head()
        let lines = try await hall.database.read { try $0.ledgerLineCount(of: school) }
        hall.clock.advance(by: .seconds(60))

        let after = try await place.change(ada, to: [.student, .manager])

        #expect(after.roles == [.manager, .student] && after.state == .active)
        #expect(after.version == before.version + 1 && after.etag != before.etag)
        #expect(after.joinedAt == before.joinedAt && after.takesSeat)
        for node in [school, district] {
            #expect(try await hall.used(node, .teachers) == 0)
            #expect(try await hall.used(node, .students) == 1)
            #expect(try await hall.used(node) == 1)
        }
        let written = try await hall.database.read { try $0.ledgerLineCount(of: school) } - lines
        #expect(written == 2, "a teacher less, a student more")
        let events = try await hall.database.feed.events(after: head, limit: 10)
        #expect(try events.map { try Member(decoding: $0.body) } == [after])
        try await expectInvariants(hall)
    }

    @Test func `a quota above refuses one more student, and nothing changes`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        try await place.limit(place.district, students: 1)
        try await hall.admit(to: school, as: [.student])
        let ada = try await hall.admit(to: school, as: [.teacher])
        let before = try await place.member(ada)

        let refused = await refusal { try await place.change(ada, to: [.student]) }

        #expect(refused?.code == .failedPrecondition)
        #expect(refused?.gates == ["role_quota_reached"])
        #expect(
            refused?.facts == [
                "at": place.district.text, "kind": "students", "used": "1", "cap": "1",
            ])
        #expect(refused?.message == "The limit of students of District is reached: 1 of 1.")
        #expect(try await place.member(ada) == before)
        #expect(try await hall.used(school, .teachers) == 1)
        try await expectInvariants(hall)
    }

    @Test func `limits below their use refuse nobody whom they count already`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school, as: [.teacher, .student])
        try await hall.admit(to: school, as: [.teacher])
        try await place.seats(2)
        try await place.limit(school, members: 0, students: 0, teachers: 0)

        let changed = try await place.change(ada, to: [.teacher, .manager])
        let back = await refusal { try await place.change(ada, to: [.teacher, .student]) }

        #expect(changed.roles == [.manager, .teacher])
        #expect(back?.gates == ["role_quota_reached"] && back?.facts["kind"] == "students")
        try await expectInvariants(hall)
    }

    @Test func `who is a student elsewhere in the district is no new one there`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let other = try await hall.organization(below: place.district)
        let ada = try await hall.admit(to: other, as: [.student])
        try await hall.admit(ada, to: school, as: [.teacher])
        try await place.limit(place.district, students: 1)

        try await place.change(ada, to: [.student])
        try await place.change(ada, to: [.member])

        #expect(try await hall.used(place.district, .students) == 1)
        #expect(try await hall.used(school, .students) == 0)
        try await expectInvariants(hall)
    }

    @Test func `an owner gives the seat back, and needs one to be something else`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        try await place.seats(1)
        try await hall.admit(to: school, as: [.owner])
        let ada = try await hall.admit(to: school, as: [.teacher])

        let promoted = try await place.change(ada, to: [.owner, .teacher])
        #expect(!promoted.takesSeat)
        #expect(try await hall.used(school, .seat) == 0)
        let bo = try await hall.admit(to: school, as: [.member])
        let refused = await refusal { try await place.change(ada, to: [.teacher]) }
        let stays = try await place.member(ada)
        try await place.block(bo)
        let demoted = try await place.change(ada, to: [.manager])

        #expect(refused?.gates == ["seats_exhausted"])
        #expect(
            refused?.facts == ["at": school.text, "kind": "seat", "used": "1", "cap": "1"])
        #expect(stays == promoted)
        #expect(demoted.takesSeat && demoted.roles == [.manager])
        #expect(try await hall.used(school, .seat) == 1)
        try await expectInvariants(hall)
    }

    @Test func `every gate that refuses is named, the seat first, then the nearest`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        try await hall.admit(to: school, as: [.owner])
        let ada = try await hall.admit(to: school, as: [.owner])
        try await place.seats(0)
        try await place.limit(school, teachers: 0)
        try await place.limit(place.district, students: 0)

        let refused = await refusal { try await place.change(ada, to: [.teacher, .student]) }

        #expect(
            refused?.gates == ["seats_exhausted", "role_quota_reached", "role_quota_reached"])
        #expect(refused?.sentences.last == "The limit of students of District is reached: 0 of 0.")
    }

    @Test func `the last owner stays, and of two who are demoted at once exactly one is`()
        async throws
    {
        for _ in 0..<10 {
            let place = try await RoleHall()
            let (hall, school) = (place.hall, place.school)
            let owners = [
                try await hall.admit(to: school, as: [.owner]),
                try await hall.admit(to: school, as: [.owner]),
            ]

            let outcomes = await withTaskGroup(of: Status?.self) { group in
                for owner in owners {
                    group.addTask {
                        await refusal { try await place.change(owner, to: [.manager]) }
                    }
                }
                return await group.reduce(into: [Status?]()) { $0.append($1) }
            }

            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.compactMap { $0?.reason } == ["last_owner"])
            #expect(outcomes.compactMap { $0?.code } == [.failedPrecondition])
            try await expectInvariants(hall)
        }
    }

    @Test func `an owner may have further roles, or fewer, as the last one`() async throws {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school, as: [.owner])

        try await place.change(ada, to: [.owner, .teacher])
        let fewer = try await place.change(ada, to: [.owner])

        #expect(fewer.version == 3)
        #expect(try await place.hall.used(place.school, .teachers) == 0)
        try await expectInvariants(place.hall)
    }

    @Test func `roles of who is blocked change and take nothing, until the block ends`()
        async throws
    {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school, as: [.teacher])
        try await place.block(ada)
        try await place.limit(school, members: 0, students: 0)

        let changed = try await place.change(ada, to: [.student])
        let unblocked = await refusal {
            try await hall.platformOwner.unblockMember(
                UnblockMemberRequest(organizationID: school.text, userID: ada.text))
        }

        #expect(changed.state == .blocked && changed.roles == [.student] && !changed.takesSeat)
        #expect(try await hall.used(school, .students) == 0)
        #expect(unblocked?.gates == ["members_limit_reached", "role_quota_reached"])
        try await expectInvariants(hall)
    }

    @Test func `a blocked owner keeps nobody in office, and is no last owner`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school, as: [.owner])
        let bo = try await hall.admit(to: school, as: [.owner])
        try await place.block(bo)

        let last = await refusal { try await place.change(ada, to: [.member]) }
        let demoted = try await place.change(bo, to: [.member])

        #expect(last?.reason == "last_owner")
        #expect(demoted.state == .blocked && demoted.roles == [.member])
        try await expectInvariants(hall)
    }

    @Test func `who was removed is no member whose roles would change`() async throws {
        let place = try await RoleHall()
        let (hall, school) = (place.hall, place.school)
        let ada = try await hall.admit(to: school)
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: ada.text))
        let stranger = try await hall.person()

        for user in [ada, stranger] {
            let refused = await refusal { try await place.change(user, to: [.teacher]) }
            #expect(refused?.code == .notFound && refused?.reason == "not_found")
        }
    }

    private static let noRoles: [[Messages.Role]] = [
        [], [.unspecified], [.teacher, .partner], [.platformOwner],
        [Messages.Role(rawValue: 1_000_000)],
    ]

    @Test(arguments: noRoles)
    func `what no member can be is named, and changes nothing`(
        roles: [Messages.Role]
    ) async throws {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school, as: [.teacher])

        let refused = await refusal { try await place.change(ada, to: roles) }

        let fields = refused?.details.flatMap { detail -> [String] in
            if case .badRequest(let violations) = detail { violations.map(\.field) } else { [] }
        }
        #expect(refused?.code == .invalidArgument && fields == ["roles"])
        #expect(try await place.member(ada).version == 1)
    }

    @Test func `the same roles again change nothing, and tell nobody`() async throws {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school, as: [.teacher, .student])
        let before = try await place.member(ada)
        let head = place.hall.database.feed.head()

        let again = try await place.change(ada, to: [.student, .teacher, .student])

        #expect(again == before && again.version == 1)
        #expect(place.hall.database.feed.head() == head)
    }

    @Test func `a version that is not the latest is refused, and a key answers the same`()
        async throws
    {
        let place = try await RoleHall()
        let ada = try await place.hall.admit(to: place.school, as: [.teacher])
        let client = place.hall.platformOwner
        let etag = try await place.member(ada).etag
        var first = CallOptions.key("one")
        first.metadata[text: MetadataKey.ifMatch] = etag

        let changed = try await place.change(ada, to: [.student], by: client, options: first)
        try await place.change(ada, to: [.member], by: client)
        let repeated = try await place.change(ada, to: [.student], by: client, options: first)
        var second = CallOptions.key("two")
        second.metadata[text: MetadataKey.ifMatch] = etag
        let stale = await refusal {
            try await place.change(ada, to: [.teacher], by: client, options: second)
        }
        let other = await refusal {
            try await place.change(ada, to: [.teacher], by: client, options: first)
        }

        #expect(changed == repeated && changed.version == 2)
        #expect(stale?.reason == "version_mismatch")
        #expect(other?.reason == "idempotency_mismatch")
        #expect(try await place.member(ada).roles == [.member])
    }
}
