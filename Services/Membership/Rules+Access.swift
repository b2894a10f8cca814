import Access

// What a member may open. It follows from the seat, the type of the organization, its subscriptions
// and its modules; nobody assigns it.

/// What gives a course or license, by kind.
enum GiftKind: Int, Sendable, Hashable {
    case seatType = 1
    case organizationType = 2
    case subscription = 3
}

/// What gives a course or license.
struct GiftSource: Sendable, Hashable, Comparable {
    let kind: GiftKind
    /// The seat type, organization type or subscription, as text.
    let id: String
    /// The license through which a course is given; nil: directly.
    var license: LicenseTypeID?

    static func < (left: GiftSource, right: GiftSource) -> Bool {
        (left.kind.rawValue, left.id, left.license?.text ?? "")
            < (right.kind.rawValue, right.id, right.license?.text ?? "")
    }
}

/// What one source gives.
struct Gift: Sendable, Hashable {
    let source: GiftSource
    var courses: [CourseID] = []
    var licenses: [LicenseTypeID] = []
}

/// A license as far as access goes.
struct LicenseContent: Sendable, Hashable {
    let name: String
    let courses: [CourseID]
}

/// A course as the catalog has it.
struct CatalogCourse: Sendable, Hashable {
    let name: String
    let place: CoursePlace
}

/// Something that stands in the way of a course, or of all.
enum AccessHurdle: Sendable, Hashable {
    case notAMember
    case memberBlocked
    /// The organization, or one above it, is not active.
    case organizationNotActive(at: OrganizationID)
    case notGranted
    case courseNotFound
    /// The nearest organization that restricts the modules so that the course is closed.
    case moduleNotEnabled(at: OrganizationID)
}

/// What is known of the access of somebody in an organization.
struct AccessFacts: Sendable {
    /// How the membership stands; nil: there is none.
    let membership: MembershipState?
    /// The organization that is not active, be it this one or one above; nil: all are.
    let pause: OrganizationID?
    /// The type of the seat that the person sits in; nil: the person takes none.
    let seatType: SeatTypeID?
    /// What gives each course, known or not.
    let sources: [CourseID: Set<GiftSource>]
    /// What gives each license that is known, with its name.
    let licenses: [LicenseTypeID: (name: String, sources: Set<GiftSource>)]
    /// The courses that the catalog knows, of those that matter.
    let catalog: [CourseID: CatalogCourse]
    let modules: ModuleLayers
    /// The organizations above of which whoever asks may not know: they are not named.
    var hidden: Set<OrganizationID> = []

    /// What keeps the person from opening anything.
    var hurdles: [AccessHurdle] {
        var hurdles: [AccessHurdle] = []
        switch membership {
        case .active: break
        case .blocked: hurdles.append(.memberBlocked)
        case .removed, nil: hurdles.append(.notAMember)
        }
        if let pause { hurdles.append(.organizationNotActive(at: pause)) }
        return hurdles
    }

    /// Everything that keeps the person from opening a course; none: nothing does.
    func hurdles(to course: CourseID) -> [AccessHurdle] {
        var hurdles = hurdles
        if sources[course, default: []].isEmpty { hurdles.append(.notGranted) }
        guard let known = catalog[course] else { return hurdles + [.courseNotFound] }
        if let organization = modules.obstacle(to: known.place) {
            hurdles.append(.moduleNotEnabled(at: organization))
        }
        return hurdles
    }

    /// The courses that the person may open, by identifier.
    var courses: [(id: CourseID, course: CatalogCourse, sources: [GiftSource])] {
        catalog.keys.sorted().compactMap { id in
            guard let course = catalog[id], hurdles(to: id).isEmpty else { return nil }
            return (id, course, sources[id, default: []].sorted())
        }
    }
}

/// What gifts come to.
enum AccessRules {
    /// More courses with their sources than this are not put together for one member.
    static let sourcesMax = 50_000
    /// What fits into one reply, with room to spare.
    static let replyBytesMax = 900 * 1_024
    /// Subscriptions of an organization that give at a time: those that give longest count.
    static let subscriptionsMax = 100

    /// What gives each course: directly, or by licenses that are known.
    ///
    /// - Parameters:
    ///   - gifts: What is given.
    ///   - licenses: The licenses that are known, of those that are given.
    ///   - course: The only course that matters; nil: all do.
    /// - Returns: The sources of each course; nil when they are more than ``sourcesMax``.
    static func sources(
        _ gifts: [Gift], licenses: [LicenseTypeID: LicenseContent], of course: CourseID?
    ) -> [CourseID: Set<GiftSource>]? {
        var sources: [CourseID: Set<GiftSource>] = [:]
        var count = 0
        func add(_ courses: [CourseID], from source: GiftSource) -> Bool {
            for id in courses where course == nil || course == id {
                guard sources[id, default: []].insert(source).inserted else { continue }
                count += 1
                guard count <= sourcesMax else { return false }
            }
            return true
        }
        for gift in gifts {
            guard add(gift.courses, from: gift.source) else { return nil }
            for license in gift.licenses {
                guard let content = licenses[license] else { continue }
                var source = gift.source
                source.license = license
                guard add(content.courses, from: source) else { return nil }
            }
        }
        return sources
    }

    /// What gives each license that is known.
    static func licenses(
        _ gifts: [Gift], known: [LicenseTypeID: LicenseContent]
    ) -> [LicenseTypeID: (name: String, sources: Set<GiftSource>)] {
        var found: [LicenseTypeID: (name: String, sources: Set<GiftSource>)] = [:]
        for gift in gifts {
            for license in gift.licenses {
                guard let content = known[license] else { continue }
                found[license, default: (content.name, [])].sources.insert(gift.source)
            }
        }
        return found
    }
}

extension AccessHurdle {
    /// The code of the domain.
    var code: String {
        switch self {
        case .notAMember: "not_a_member"
        case .memberBlocked: "member_blocked"
        case .organizationNotActive: "org_not_active"
        case .notGranted: "not_granted"
        case .courseNotFound: "course_not_found"
        case .moduleNotEnabled: "module_not_enabled"
        }
    }

    /// Where it stands; nil: nowhere in the tree.
    var organization: OrganizationID? {
        switch self {
        case .organizationNotActive(let at), .moduleNotEnabled(let at): at
        case .notAMember, .memberBlocked, .notGranted, .courseNotFound: nil
        }
    }

    /// What a person reads.
    var sentence: String {
        switch self {
        case .notAMember: "The person is not a member of the organization."
        case .memberBlocked: "The person is blocked."
        case .organizationNotActive: "The organization, or one above it, is not active."
        case .notGranted: "Neither seat nor type nor subscription gives this course."
        case .courseNotFound: "There is no such course in the catalog."
        case .moduleNotEnabled: "The module of the course is not enabled for the organization."
        }
    }
}
