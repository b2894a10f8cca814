import Access
import Messages
import RPC
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Membership

/// A tree with types, sets and people drawn at random, and what follows from it by walking.
private struct Scene: Sendable {
    struct Place {
        let module: Int
        let chapter: Int?
    }

    struct Benefit {
        var takesSeat: Bool
        var licenses: [Int]
        var courses: [Int]
    }

    struct Kind {
        var seat: Int?
        var modules: [Int]?
        var benefits: [Benefit?]
    }

    struct Person {
        let organization: Int
        let roles: [Messages.Role]
        let isBlocked: Bool
    }

    static let roles: [[Messages.Role]] = [
        [], [.student], [.teacher], [.owner], [.manager], [.owner, .manager], [.orgAdmin],
        [.manager, .student],
    ]

    var parents: [Int?] = [nil]
    var isActive: [Bool] = [true]
    var kinds: [Int?] = []
    /// What is set at each organization: a module with its chapters, none of them being all.
    var sets: [[Int: Set<Int>]?] = []
    var chapterCounts: [Int] = []
    var courses: [Place] = []
    var licenses: [[Int]] = []
    /// The first is the platform's.
    var seats: [(courses: [Int], licenses: [Int])] = []
    var types: [Kind] = []
    var subscriptions: [(organization: Int, courses: [Int], offset: Int?)] = []
    var people: [Person] = []

    init(_ dice: inout SplitMix) {
        func pick(_ count: Int, _ share: Double, _ dice: inout SplitMix) -> [Int] {
            (0..<count).filter { _ in Double.random(in: 0..<1, using: &dice) < share }
        }
        for index in 1..<9 {
            // A chain at first, so that paths are long.
            parents.append(index < 5 ? index - 1 : Int.random(in: 0..<index, using: &dice))
            isActive.append(Int.random(in: 0..<12, using: &dice) > 0)
        }
        chapterCounts = (0..<4).map { _ in Int.random(in: 0...3, using: &dice) }
        courses = (0..<12).map { _ in
            let module = Int.random(in: 0..<4, using: &dice)
            let count = chapterCounts[module]
            let isOfChapter = count > 0 && Bool.random(using: &dice)
            return Place(
                module: module, chapter: isOfChapter ? Int.random(in: 0..<count, using: &dice) : nil
            )
        }
        licenses = (0..<4).map { _ in pick(12, 0.3, &dice) }
        seats = (0..<3).map { _ in (pick(12, 0.3, &dice), pick(4, 0.3, &dice)) }
        types = (0..<4).map { _ in
            Kind(
                seat: [nil, 1, 2].randomElement(using: &dice) ?? nil,
                modules: Bool.random(using: &dice) ? pick(4, 0.8, &dice) : nil,
                benefits: (0..<3).map { _ in
                    guard Bool.random(using: &dice) else { return nil }
                    return Benefit(
                        takesSeat: Bool.random(using: &dice), licenses: pick(4, 0.3, &dice),
                        courses: pick(12, 0.2, &dice))
                })
        }
        for _ in parents {
            kinds.append(Bool.random(using: &dice) ? Int.random(in: 0..<4, using: &dice) : nil)
            guard Int.random(in: 0..<3, using: &dice) == 0 else {
                sets.append(nil)
                continue
            }
            var set: [Int: Set<Int>] = [:]
            for module in pick(4, 0.85, &dice) {
                set[module] =
                    Bool.random(using: &dice) ? Set(pick(chapterCounts[module], 0.7, &dice)) : []
            }
            sets.append(set)
        }
        subscriptions = (0..<8).map { _ in
            (
                Int.random(in: 0..<9, using: &dice), pick(12, 0.3, &dice),
                [nil, -1, 0, 1].randomElement(using: &dice) ?? nil
            )
        }
        people = (0..<24).map { _ in
            Person(
                organization: Int.random(in: 0..<9, using: &dice),
                roles: Self.roles.randomElement(using: &dice) ?? [],
                isBlocked: Int.random(in: 0..<8, using: &dice) == 0)
        }
    }

    /// The organization and all above it, the nearest first.
    func line(_ organization: Int) -> [Int] {
        var line: [Int] = []
        var next: Int? = organization
        while let current = next {
            line.append(current)
            next = parents[current]
        }
        return line
    }

    /// Whether an organization by itself lets a chapter be used; without one, the whole module.
    private func lets(_ organization: Int, _ module: Int, _ chapter: Int?) -> Bool {
        if let set = sets[organization] {
            guard let chapters = set[module] else { return false }
            return chapters.isEmpty || chapter.map(chapters.contains) ?? false
        }
        guard let modules = kinds[organization].flatMap({ types[$0].modules }) else { return true }
        return modules.contains(module)
    }

    func isEnabled(_ place: Place, at organization: Int) -> Bool {
        func all(_ chapter: Int?) -> Bool {
            line(organization).allSatisfy { lets($0, place.module, chapter) }
        }
        if let chapter = place.chapter { return all(chapter) }
        return all(nil) || (0..<chapterCounts[place.module]).contains { all($0) }
    }

    private func benefit(_ person: Person) -> Benefit? {
        guard let kind = kinds[person.organization] else { return nil }
        let role = person.roles.contains(.owner) ? 0 : person.roles.contains(.manager) ? 1 : 2
        return types[kind].benefits[role]
    }

    func takesSeat(_ person: Person) -> Bool {
        benefit(person)?.takesSeat ?? !person.roles.contains(.owner)
    }

    /// What gives a course to somebody, in words: the kind of the source, its number, the license.
    func sources(of course: Int, to person: Person) -> Set<String> {
        var sources: Set<String> = []
        func give(_ name: String, _ courses: [Int], _ given: [Int]) {
            if courses.contains(course) { sources.insert(name) }
            for license in given where licenses[license].contains(course) {
                sources.insert("\(name) by \(license)")
            }
        }
        let kind = kinds[person.organization]
        if takesSeat(person), !person.isBlocked {
            let seat = kind.flatMap { types[$0].seat } ?? 0
            give("seat \(seat)", seats[seat].courses, seats[seat].licenses)
        }
        if let kind, let benefit = benefit(person) {
            give("type \(kind)", benefit.courses, benefit.licenses)
        }
        for (number, subscription) in subscriptions.enumerated()
        where subscription.organization == person.organization && (subscription.offset ?? -1) >= 0 {
            give("subscription \(number)", subscription.courses, [])
        }
        return sources
    }

    func mayOpen(_ course: Int, _ person: Person) -> Bool {
        !person.isBlocked && line(person.organization).allSatisfy { isActive[$0] }
            && !sources(of: course, to: person).isEmpty
            && isEnabled(courses[course], at: person.organization)
    }
}

/// A scene as a hall knows it.
private struct Stage {
    let hall: Hall
    let scene: Scene
    var organizations: [OrganizationID] = []
    var courses: [CourseID] = []
    var people: [UserID] = []
    /// How sources are called in the scene.
    private var names: [String: String] = [:]
    private var licenseNumbers: [String: Int] = [:]

    init(_ scene: Scene) async throws {
        hall = try Hall()
        self.scene = scene
        try await makeCatalog()
        try await makeOrganizations()
        try await makePeople()
    }

    private mutating func makeCatalog() async throws {
        var modules: [ModuleID] = []
        for count in scene.chapterCounts {
            let chapters: [ChapterID] = (0..<count).map { _ in hall.identifiers.next() }
            self.chapters.append(chapters)
            modules.append(try await hall.module(chapters: chapters))
        }
        self.modules = modules
        for place in scene.courses {
            courses.append(
                try await hall.course(
                    in: modules[place.module],
                    chapter: place.chapter.map { chapters[place.module][$0] }))
        }
        for (number, content) in scene.licenses.enumerated() {
            let license = try await hall.licenseTypes.createLicenseType(
                CreateLicenseTypeRequest(name: "License \(number)", courseIDs: texts(content)))
            licenses.append(license.id)
            licenseNumbers[license.id] = number
        }
        let all = try await hall.seatTypes.listSeatTypes(ListSeatTypesRequest())
        var seats: [String] = []
        for (number, seat) in scene.seats.enumerated() {
            let given = seat.licenses.map { licenses[$0] }
            let type: SeatType
            if number == 0, let standard = all.seatTypes.first {
                type = try await hall.seatTypes.updateSeatType(
                    UpdateSeatTypeRequest(
                        seatType: SeatType(
                            id: standard.id, licenseTypeIDs: given, courseIDs: texts(seat.courses)),
                        updateMask: FieldMask(paths: ["license_type_ids", "course_ids"])))
            } else {
                type = try await hall.seatTypes.createSeatType(
                    CreateSeatTypeRequest(
                        name: "Seat \(number)", licenseTypeIDs: given,
                        courseIDs: texts(seat.courses)))
            }
            names[type.id] = "seat \(number)"
            seats.append(type.id)
        }
        seatTypes = seats
    }

    private var chapters: [[ChapterID]] = []
    private var modules: [ModuleID] = []
    private var licenses: [String] = []
    private var seatTypes: [String] = []

    private func texts(_ numbers: [Int]) -> [String] { numbers.map { courses[$0].text } }

    private mutating func makeOrganizations() async throws {
        var types: [OrganizationTypeID] = []
        for (number, kind) in scene.types.enumerated() {
            let benefits = kind.benefits.map { benefit in
                benefit.map { benefit in
                    SeatBenefit(
                        takesSeat: benefit.takesSeat,
                        licenseTypes: benefit.licenses.map { licenses[$0] },
                        courses: texts(benefit.courses))
                }
            }
            let id = try await hall.tell(
                OrganizationType(
                    name: "Type \(number)",
                    defaultSeatTypeID: kind.seat.map { seatTypes[$0] } ?? "",
                    access: OrganizationTypeAccess(
                        defaultModules: kind.modules.map { chosen in
                            ModuleSelection(moduleIDs: chosen.map { modules[$0].text })
                        }),
                    seatBenefits: SeatBenefits(
                        owner: benefits[0], manager: benefits[1], member: benefits[2])))
            names[id.text] = "type \(number)"
            types.append(id)
        }
        for (number, parent) in scene.parents.enumerated() {
            let id = try await hall.organization(
                of: scene.kinds[number].map { types[$0] }, below: parent.map { organizations[$0] })
            organizations.append(id)
            guard let set = scene.sets[number] else { continue }
            try await hall.setModules(
                set.map { module, chosen in
                    ModuleGrant(
                        moduleID: modules[module].text,
                        chapterIDs: chosen.map { chapters[module][$0].text })
                }, at: id)
        }
        self.types = types
        for (number, subscription) in scene.subscriptions.enumerated() {
            let day = subscription.offset.map { offset in
                CalendarDay(daysSince1970: hall.clock.now.day.daysSince1970 + offset)
            }
            let id = try await hall.subscription(
                of: organizations[subscription.organization],
                to: subscription.courses.map { courses[$0] }, until: day)
            names[id.text] = "subscription \(number)"
        }
    }

    private var types: [OrganizationTypeID] = []

    private mutating func makePeople() async throws {
        for person in scene.people {
            let organization = organizations[person.organization]
            let id = try await hall.admit(to: organization, as: person.roles)
            people.append(id)
            guard person.isBlocked else { continue }
            // Another owner stays, so that an owner can be blocked.
            try await hall.admit(to: organization, as: [.owner])
            _ = try await hall.platformOwner.blockMember(
                BlockMemberRequest(organizationID: organization.text, userID: id.text))
        }
        for (number, isActive) in scene.isActive.enumerated() where !isActive {
            try await hall.organization(
                organizations[number], of: scene.kinds[number].map { types[$0] },
                below: scene.parents[number].map { organizations[$0] }, status: .inactive)
        }
    }

    /// The sources in the words of the scene.
    func words(_ sources: [AccessSource]) -> Set<String> {
        Set(
            sources.map { source in
                let license = licenseNumbers[source.licenseTypeID].map { " by \($0)" } ?? ""
                return (names[source.id] ?? "?") + license
            })
    }
}

@Suite struct `over trees, types, sets and people at random` {
    @Test(arguments: Array(1...8) as [UInt64])
    func `access is what a walk by brute force comes to`(seed: UInt64) async throws {
        var dice = SplitMix(seed: seed)
        let scene = Scene(&dice)
        let stage = try await Stage(scene)
        let hall = stage.hall
        var (opened, closed) = (0, 0)

        for (person, user) in zip(scene.people, stage.people) {
            let organization = stage.organizations[person.organization]
            let access = try await hall.access(of: user, in: organization)
            let expected = scene.courses.indices.filter { scene.mayOpen($0, person) }
            #expect(
                access.courses.map(\.courseID)
                    == expected.map { stage.courses[$0] }.sorted().map(\.text))
            #expect(
                access.seatTypeID.isEmpty == (person.isBlocked || !scene.takesSeat(person)))
            for course in scene.courses.indices {
                let explained = try await hall.explain(
                    stage.courses[course], of: user, in: organization)
                let isOpen = expected.contains(course)
                let sources = scene.sources(of: course, to: person)
                #expect(explained.allowed == isOpen)
                #expect(explained.obstacles.isEmpty == isOpen)
                #expect(stage.words(explained.sources) == sources)
                let codes = Set(explained.obstacles.map(\.code))
                #expect(codes.contains("not_granted") == sources.isEmpty)
                #expect(
                    codes.contains("module_not_enabled")
                        == !scene.isEnabled(scene.courses[course], at: person.organization))
                let told = access.courses.first { $0.courseID == stage.courses[course].text }
                if let told { #expect(told.sources == explained.sources) }
                (opened, closed) = (opened + (isOpen ? 1 : 0), closed + (isOpen ? 0 : 1))
            }
        }
        // The dice have drawn something to compare.
        #expect(opened > 20 && closed > 20)
        try await expectInvariants(hall)
    }
}
