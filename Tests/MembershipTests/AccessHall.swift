import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Membership

// What decides access, told to a hall as the feeds of Organizations and Partners would.

/// Numbers the events that tests make.
private let versions = Atomic<Int64>(1_000_000)

private func nextVersion() -> Int64 { versions.add(1, ordering: .relaxed).newValue }

/// An event as a feed has it.
func event(_ body: some Message, of kind: String, version: Int64? = nil) -> Messages.FeedEvent {
    let version = version ?? nextVersion()
    return Messages.FeedEvent(
        sequence: version, kind: kind, version: version, body: body.encoded())
}

extension Hall {
    // MARK: - Clients

    /// The way of a person with grants.
    func way(of user: UserID, _ grants: [Access.Grant] = []) -> any Channel {
        InProcessChannel(router).acting { try self.statement(of: user, grants) }
    }

    /// The way of somebody with a role.
    func way(of role: Access.Role, at node: OrganizationID? = nil) -> any Channel {
        way(of: identifiers.next(), [Access.Grant(role, at: node)])
    }

    var seatTypes: SeatTypesClient { SeatTypesClient(way(of: .platformOwner)) }
    var licenseTypes: LicenseTypesClient { LicenseTypesClient(way(of: .platformOwner)) }
    var access: MemberAccessClient { MemberAccessClient(way(of: .platformOwner)) }

    // MARK: - Organizations

    /// Tells of a type of organizations.
    @discardableResult
    func tell(_ type: OrganizationType) async throws -> OrganizationTypeID {
        let id = OrganizationTypeID(text: type.id) ?? identifiers.next()
        var type = type
        type.id = id.text
        let event = event(type, of: OrganizationType.messageName)
        try await database.write { [follower] transaction in
            try follower.apply(event, in: transaction)
        }
        return id
    }

    /// Tells of an organization that has a type.
    @discardableResult
    func organization(
        _ id: OrganizationID? = nil, of type: OrganizationTypeID?,
        below parent: OrganizationID? = nil, status: OrganizationStatus = .active,
        archived: Bool = false
    ) async throws -> OrganizationID {
        let id = id ?? identifiers.next()
        var node = node(id, below: parent, status: status, archived: archived)
        node.typeID = type?.text ?? ""
        try await apply(node)
        return id
    }

    // MARK: - Partners

    /// Tells events of Partners, up to the end of its feed.
    func tellPartners(_ events: [Messages.FeedEvent], isEnd: Bool = true) async throws {
        try await database.write { transaction in
            for event in events { try PartnersCopy.apply(event, in: transaction) }
            if isEnd { try PartnersCopy.caughtUp(in: transaction) }
        }
    }

    /// Makes a module with chapters.
    func module(chapters: [ChapterID] = []) async throws -> ModuleID {
        let id: ModuleID = identifiers.next()
        let module = Module(
            id: id.text, name: "Module", chapters: chapters.map { Chapter(id: $0.text) })
        try await tellPartners([event(module, of: Module.messageName)])
        return id
    }

    /// Makes a course of a module; of none given, of a module of its own.
    func course(
        _ name: String = "Course", in module: ModuleID? = nil, chapter: ChapterID? = nil
    ) async throws -> CourseID {
        let id: CourseID = identifiers.next()
        let home = if let module { module } else { try await self.module() }
        let course = Course(
            id: id.text, name: name, moduleID: home.text, chapterID: chapter?.text ?? "")
        try await tellPartners([event(course, of: Course.messageName)])
        return id
    }

    /// Sets the modules of an organization; nil takes the setting away.
    func setModules(_ grants: [ModuleGrant]?, at organization: OrganizationID) async throws {
        let set = OrganizationModuleSet(
            organizationID: organization.text, own: grants.map { ModuleGrants(modules: $0) })
        try await tellPartners([event(set, of: OrganizationModuleSet.messageName)])
    }

    /// Tells of a subscription.
    @discardableResult
    func subscription(
        _ id: SubscriptionID? = nil, of organization: OrganizationID, to courses: [CourseID],
        until day: CalendarDay?
    ) async throws -> SubscriptionID {
        let id = id ?? identifiers.next()
        let subscription = Subscription(
            id: id.text, organizationID: organization.text, courseIDs: courses.map(\.text),
            givesUntil: day.map { Int32($0.daysSince1970) })
        try await tellPartners([event(subscription, of: Subscription.messageName)])
        return id
    }

    // MARK: - What came of it

    func access(
        of user: UserID, in organization: OrganizationID
    ) async throws -> MemberAccessReply {
        try await access.getMemberAccess(
            GetMemberAccessRequest(organizationID: organization.text, userID: user.text))
    }

    func explain(
        _ course: CourseID, of user: UserID, in organization: OrganizationID
    ) async throws -> ExplainAccessReply {
        try await access.explainAccess(
            ExplainAccessRequest(
                organizationID: organization.text, userID: user.text, courseID: course.text))
    }
}

extension AccessSource {
    /// The source in a word each, such as `seat`, with what it goes through.
    static func seat(_ id: String, through license: String = "") -> AccessSource {
        AccessSource(kind: .seatType, id: id, licenseTypeID: license)
    }

    static func type(_ id: OrganizationTypeID, through license: String = "") -> AccessSource {
        AccessSource(kind: .organizationType, id: id.text, licenseTypeID: license)
    }

    static func subscription(_ id: SubscriptionID) -> AccessSource {
        AccessSource(kind: .subscription, id: id.text)
    }
}
