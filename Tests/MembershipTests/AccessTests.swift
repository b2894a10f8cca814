import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// What a member may open, why, and who may ask.
@Suite struct AccessTests {
    private let hall: Hall

    init() async throws {
        hall = try Hall()
        try await hall.tellPartners([])
    }

    private var today: CalendarDay { hall.clock.now.day }

    private func day(_ offset: Int) -> CalendarDay {
        CalendarDay(daysSince1970: today.daysSince1970 + offset)
    }

    private func standard() async throws -> SeatType {
        let all = try await hall.seatTypes.listSeatTypes(ListSeatTypesRequest())
        return try #require(all.seatTypes.first { $0.isDefault })
    }

    /// Gives the platform's seat type courses.
    private func setStandard(_ courses: [CourseID], licenses: [String] = []) async throws {
        _ = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(
                seatType: SeatType(
                    id: standard().id, licenseTypeIDs: licenses, courseIDs: courses.map(\.text)),
                updateMask: FieldMask(paths: ["license_type_ids", "course_ids"])))
    }

    private func license(_ name: String, _ courses: [CourseID]) async throws -> LicenseType {
        try await hall.licenseTypes.createLicenseType(
            CreateLicenseTypeRequest(name: name, courseIDs: courses.map(\.text)))
    }

    @Test func `every source of a course is named, directly and by licenses`() async throws {
        let course = try await hall.course("Algebra")
        let license = try await license("Basics", [course])
        try await setStandard([course], licenses: [license.id])
        let type = try await hall.tell(
            OrganizationType(
                name: "S",
                seatBenefits: SeatBenefits(
                    owner: SeatBenefit(courses: [course.text]),
                    member: SeatBenefit(
                        takesSeat: true, licenseTypes: [license.id], courses: [course.text]))))
        let school = try await hall.organization(of: type)
        let subscription = try await hall.subscription(of: school, to: [course], until: today)
        let ada = try await hall.admit(to: school, as: [.teacher])
        let seat = try await standard().id

        let access = try await hall.access(of: ada, in: school)

        #expect(access.obstacles.isEmpty && access.seatTypeID == seat)
        #expect(access.courses.map(\.courseID) == [course.text])
        #expect(access.courses.map(\.name) == ["Algebra"])
        #expect(
            access.courses.first?.sources == [
                .seat(seat), .seat(seat, through: license.id), .type(type),
                .type(type, through: license.id), .subscription(subscription),
            ])
        #expect(access.licenses.map(\.licenseTypeID) == [license.id])
        #expect(access.licenses.map(\.name) == ["Basics"])
        #expect(access.licenses.first?.sources == [.seat(seat), .type(type)])
        let explained = try await hall.explain(course, of: ada, in: school)
        #expect(explained.allowed && explained.sources == access.courses.first?.sources)
    }

    @Test func `who takes no seat has nothing of it, and the strongest role alone counts`()
        async throws
    {
        let courses = [
            try await hall.course(), try await hall.course(), try await hall.course(),
            try await hall.course(),
        ]
        try await setStandard([courses[0]])
        func benefit(_ index: Int, _ takesSeat: Bool) -> SeatBenefit {
            SeatBenefit(takesSeat: takesSeat, courses: [courses[index].text])
        }
        let type = try await hall.tell(
            OrganizationType(
                name: "S",
                seatBenefits: SeatBenefits(
                    owner: benefit(1, false), manager: benefit(2, true),
                    member: benefit(3, true))))
        let school = try await hall.organization(of: type)
        func opened(_ roles: [Messages.Role]) async throws -> Set<Int> {
            let person = try await hall.admit(to: school, as: roles)
            let reply = try await hall.access(of: person, in: school)
            return Set(
                courses.indices.filter { index in
                    reply.courses.contains { $0.courseID == courses[index].text }
                })
        }

        #expect(try await opened([.owner, .manager, .student]) == [1])
        #expect(try await opened([.manager, .teacher]) == [0, 2])
        for role in [
            Messages.Role.orgAdmin, .billingAdmin, .userAdmin, .teacher, .student, .member,
        ] {
            #expect(try await opened([role]) == [0, 3], "\(role)")
        }
    }

    @Test func `a seat is of the type that the organization's names, and an unknown one is empty`()
        async throws
    {
        let (plain, golden) = (try await hall.course(), try await hall.course())
        try await setStandard([plain])
        let gold = try await hall.seatTypes.createSeatType(
            CreateSeatTypeRequest(name: "Gold", courseIDs: [golden.text]))
        let type = try await hall.tell(OrganizationType(name: "S", defaultSeatTypeID: gold.id))
        let school = try await hall.organization(of: type)
        let ada = try await hall.admit(to: school)

        let access = try await hall.access(of: ada, in: school)
        #expect(access.seatTypeID == gold.id)
        #expect(access.courses.map(\.courseID) == [golden.text])

        // It holds at once for everybody who sits in a seat of the type.
        _ = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(
                seatType: SeatType(id: gold.id, courseIDs: [plain.text])))
        #expect(
            try await hall.access(of: ada, in: school).courses.map(\.courseID) == [plain.text])

        let unknown: SeatTypeID = hall.identifiers.next()
        try await hall.tell(
            OrganizationType(id: type.text, name: "S", defaultSeatTypeID: unknown.text))
        let without = try await hall.access(of: ada, in: school)
        #expect(without.courses.isEmpty && without.seatTypeID == unknown.text)
    }

    @Test func `a subscription gives through its last day, and to its own organization alone`()
        async throws
    {
        let course = try await hall.course()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let (ada, bob) = (
            try await hall.admit(to: district), try await hall.admit(to: school)
        )
        let id = try await hall.subscription(of: district, to: [course], until: nil)
        #expect(try await !hall.explain(course, of: ada, in: district).allowed)

        for (offset, gives) in [(-1, false), (0, true), (14, true)] {
            try await hall.subscription(id, of: district, to: [course], until: day(offset))
            #expect(try await hall.explain(course, of: ada, in: district).allowed == gives)
        }
        #expect(try await !hall.explain(course, of: bob, in: school).allowed)
        hall.clock.advance(by: .seconds(15 * 86_400))
        let over = try await hall.explain(course, of: ada, in: district)
        #expect(over.obstacles.map(\.code) == ["not_granted"] && over.sources.isEmpty)
    }

    @Test func `modules of the organization and of all above close what they do not name`()
        async throws
    {
        let (one, two): (ChapterID, ChapterID) = (
            hall.identifiers.next(), hall.identifiers.next()
        )
        let module = try await hall.module(chapters: [one, two])
        let (whole, chaptered) = (
            try await hall.course(in: module), try await hall.course(in: module, chapter: two)
        )
        try await setStandard([whole, chaptered])
        let type = try await hall.tell(
            OrganizationType(
                name: "S",
                access: OrganizationTypeAccess(
                    defaultModules: ModuleSelection(moduleIDs: [module.text]))))
        let root = try await hall.organization()
        let district = try await hall.organization(of: type, below: root)
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school)
        func closed(_ course: CourseID) async throws -> String? {
            let reply = try await hall.explain(course, of: ada, in: school)
            let all = try await hall.access(of: ada, in: school)
            #expect(reply.allowed == all.courses.contains { $0.courseID == course.text })
            #expect(reply.obstacles.allSatisfy { $0.code == "module_not_enabled" })
            return reply.obstacles.first?.organizationID
        }
        #expect(try await closed(whole) == nil)
        #expect(try await closed(chaptered) == nil)

        // A chapter alone: courses of others are closed, courses of the module are not.
        let grant = ModuleGrant(moduleID: module.text, chapterIDs: [one.text])
        try await hall.setModules([grant], at: root)
        #expect(try await closed(whole) == nil)
        #expect(try await closed(chaptered) == root.text)

        // An own set takes the place of what those of the type begin with.
        try await hall.setModules([], at: district)
        #expect(try await closed(whole) == district.text)
        try await hall.setModules([ModuleGrant(moduleID: module.text)], at: district)
        try await hall.setModules(
            [ModuleGrant(moduleID: module.text, chapterIDs: [two.text])], at: school)
        #expect(try await closed(whole) == root.text)
        #expect(try await closed(chaptered) == root.text)

        // Without own sets the type's holds: no module at all.
        for organization in [root, district, school] {
            try await hall.setModules(nil, at: organization)
        }
        #expect(try await closed(whole) == nil)
        try await hall.tell(
            OrganizationType(
                id: type.text, name: "S",
                access: OrganizationTypeAccess(defaultModules: ModuleSelection())))
        #expect(try await closed(whole) == district.text)
    }

    @Test func `a type that was not told yet opens nothing, a deleted one restricts nothing`()
        async throws
    {
        let course = try await hall.course()
        try await setStandard([course])
        let type: OrganizationTypeID = hall.identifiers.next()
        let school = try await hall.organization(of: type)
        let ada = try await hall.admit(to: school)

        let unknown = try await hall.explain(course, of: ada, in: school)
        #expect(unknown.obstacles.map(\.code) == ["module_not_enabled"])
        #expect(unknown.obstacles.map(\.organizationID) == [school.text])
        #expect(try await hall.access(of: ada, in: school).courses.isEmpty)

        try await hall.tell(OrganizationType(id: type.text, name: "S", removed: true))
        #expect(try await hall.explain(course, of: ada, in: school).allowed)
    }

    @Test func `an obstacle names no organization that whoever asks may not see`() async throws {
        let course = try await hall.course()
        try await setStandard([course])
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school)
        try await hall.setModules([], at: district)
        func obstacles(_ channel: any Channel) async throws -> [AccessObstacle] {
            try await MemberAccessClient(channel).explainAccess(
                ExplainAccessRequest(
                    organizationID: school.text, userID: ada.text, courseID: course.text)
            ).obstacles
        }

        let own = try await obstacles(hall.way(of: ada, [.init(.member, at: school)]))
        let above = try await obstacles(hall.way(of: .owner, at: district))
        #expect(own.map(\.code) == ["module_not_enabled"] && own.map(\.organizationID) == [""])
        #expect(above.map(\.organizationID) == [district.text])
        try await hall.setModules([], at: school)
        let nearest = try await obstacles(hall.way(of: ada, [.init(.member, at: school)]))
        #expect(nearest.map(\.organizationID) == [school.text])
    }

    @Test func `everything that stands in the way is told, with what gives the course`()
        async throws
    {
        let course = try await hall.course()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school)
        let subscription = try await hall.subscription(of: school, to: [course], until: today)
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: ada.text))
        try await hall.setModules([], at: school)
        try await hall.organization(district, status: .inactive)

        let explained = try await hall.explain(course, of: ada, in: school)
        #expect(!explained.allowed)
        #expect(
            explained.obstacles.map(\.code) == [
                "member_blocked", "org_not_active", "module_not_enabled",
            ])
        #expect(explained.obstacles.map(\.organizationID) == ["", district.text, school.text])
        #expect(explained.obstacles.allSatisfy { !$0.message.isEmpty })
        #expect(explained.sources == [.subscription(subscription)])
        let access = try await hall.access(of: ada, in: school)
        #expect(access.obstacles.map(\.code) == ["member_blocked", "org_not_active"])
        #expect(access.courses.isEmpty && access.licenses.isEmpty && access.seatTypeID.isEmpty)

        let unknown: CourseID = hall.identifiers.next()
        let stranger = try await hall.person()
        let none = try await hall.explain(unknown, of: stranger, in: school)
        #expect(
            none.obstacles.map(\.code) == [
                "not_a_member", "org_not_active", "not_granted", "course_not_found",
            ])
    }

    @Test func `a course that the catalog does not know is left out`() async throws {
        let known = try await hall.course()
        let unknown: CourseID = hall.identifiers.next()
        try await setStandard([known, unknown])
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)

        #expect(
            try await hall.access(of: ada, in: school).courses.map(\.courseID) == [known.text])
        let explained = try await hall.explain(unknown, of: ada, in: school)
        #expect(explained.obstacles.map(\.code) == ["course_not_found"])
        #expect(explained.sources.count == 1)
        try await hall.tellPartners([
            event(Course(id: known.text, removed: true), of: Course.messageName)
        ])
        #expect(try await hall.access(of: ada, in: school).courses.isEmpty)
    }

    @Test func `the person asks, and those who manage members there; others learn nothing`()
        async throws
    {
        let course = try await hall.course()
        try await setStandard([course])
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school)
        let request = GetMemberAccessRequest(organizationID: school.text, userID: ada.text)
        let question = ExplainAccessRequest(
            organizationID: school.text, userID: ada.text, courseID: course.text)
        func asked(_ channel: any Channel) async -> [String?] {
            let client = MemberAccessClient(channel)
            return [
                await refusal { try await client.getMemberAccess(request) }?.reason,
                await refusal { try await client.explainAccess(question) }?.reason,
            ]
        }

        #expect(await asked(hall.way(of: ada, [.init(.member, at: school)])) == [nil, nil])
        #expect(await asked(hall.way(of: .owner, at: district)) == [nil, nil])
        #expect(await asked(hall.way(of: .userAdmin, at: school)) == [nil, nil])
        #expect(
            await asked(hall.way(of: .teacher, at: school)) == ["forbidden", "forbidden"])
        #expect(
            await asked(hall.way(of: .owner, at: Sample.organization(9)))
                == ["not_found", "not_found"])
        // Somebody who is nobody here does not learn that the organization is there.
        let stranger = try await hall.person()
        let own = await refusal {
            try await MemberAccessClient(hall.way(of: stranger)).getMemberAccess(
                GetMemberAccessRequest(organizationID: school.text, userID: stranger.text))
        }
        #expect(own?.message == "There is no such organization.")
        let member = await refusal { try await hall.access(of: stranger, in: school) }
        #expect(member?.message == "There is no such member.")

        // During a pause the person still learns why; what others may is suspended.
        try await hall.organization(school, below: district, status: .inactive)
        #expect(await asked(hall.way(of: ada, [.init(.member, at: school)])) == [nil, nil])
        #expect(
            await asked(hall.way(of: .userAdmin, at: school))
                == ["org_not_active", "org_not_active"])
        _ = try await hall.organization(school, below: district, archived: true)
        #expect(
            await asked(hall.way(of: ada, [.init(.member, at: school)]))
                == ["not_found", "not_found"])
    }

    @Test func `more than an answer can tell is refused, and single courses are explained`()
        async throws
    {
        let module = try await hall.module()
        var licenses: [String] = []
        var courses: [CourseID] = []
        for number in 0..<25 {
            let part: [CourseID] = (0..<500).map { _ in hall.identifiers.next() }
            courses += part
            licenses.append(try await license("License \(number)", part).id)
        }
        try await hall.tellPartners(
            courses.map { id in
                event(
                    Course(id: id.text, name: "Course", moduleID: module.text),
                    of: Course.messageName)
            })
        try await setStandard([], licenses: Array(licenses.prefix(10)))
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        #expect(try await hall.access(of: ada, in: school).courses.count == 5_000)

        try await setStandard([], licenses: licenses)
        let refused = await refusal { try await hall.access(of: ada, in: school) }
        #expect(refused?.reason == "too_many_grants")
        let last = try #require(courses.last)
        #expect(try await hall.explain(last, of: ada, in: school).allowed)
    }
}
