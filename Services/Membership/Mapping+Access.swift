import Access
import Messages
import RPC
import ServiceKit
import Storage

// Between the values of seat types and access and the messages of the API.

extension SeatType {
    init(_ type: SeatTypeRecord) {
        self.init(
            id: type.id.text, name: type.details.name.text,
            licenseTypeIDs: type.details.licenses.map(\.text),
            courseIDs: type.details.courses.map(\.text), isDefault: type.isDefault,
            createdAt: Timestamp(type.created), updatedAt: Timestamp(type.updated),
            version: type.version, etag: EntityTag.of(version: type.version))
    }
}

extension LicenseType {
    init(_ type: LicenseTypeRecord) {
        self.init(
            id: type.id.text, name: type.details.name.text,
            courseIDs: type.details.courses.map(\.text), createdAt: Timestamp(type.created),
            updatedAt: Timestamp(type.updated), version: type.version,
            etag: EntityTag.of(version: type.version))
    }
}

extension SeatBenefits {
    /// What people of a role get; nil: nothing is said.
    subscript(role: BenefitRole) -> SeatBenefit? {
        switch role {
        case .owner: owner
        case .manager: manager
        case .member: member
        }
    }
}

extension SeatRule {
    init(_ benefits: SeatBenefits?) {
        var takesSeat: [BenefitRole: Bool] = [:]
        for role in BenefitRole.allCases { takesSeat[role] = benefits?[role]?.takesSeat }
        self.init(takesSeat)
    }
}

extension ModuleScope {
    /// What is set at an organization.
    init(_ grants: ModuleGrants) {
        var modules: [ModuleID: ChapterScope] = [:]
        for grant in grants.modules {
            guard let module = ModuleID(text: grant.moduleID) else { continue }
            let chapters = grant.chapterIDs.compactMap { ChapterID(text: $0) }
            modules[module] = grant.chapterIDs.isEmpty ? .whole : .some(Set(chapters))
        }
        self = .only(modules)
    }

    /// What organizations of a type begin with.
    init(_ selection: ModuleSelection) {
        let modules = selection.moduleIDs.compactMap { ModuleID(text: $0) }
        self = .only(Dictionary(modules.map { ($0, .whole) }, uniquingKeysWith: { one, _ in one }))
    }
}

extension AccessSource {
    init(_ source: GiftSource) {
        let kind: AccessSourceKind =
            switch source.kind {
            case .seatType: .seatType
            case .organizationType: .organizationType
            case .subscription: .subscription
            }
        self.init(kind: kind, id: source.id, licenseTypeID: source.license?.text ?? "")
    }
}

extension AccessObstacle {
    /// - Parameters:
    ///   - hurdle: What stands in the way.
    ///   - hidden: The organizations that are not named.
    init(_ hurdle: AccessHurdle, hiding hidden: Set<OrganizationID>) {
        let organization = hurdle.organization.flatMap { hidden.contains($0) ? nil : $0 }
        self.init(
            code: hurdle.code, organizationID: organization?.text ?? "",
            message: hurdle.sentence)
    }
}

extension MemberAccessReply {
    /// - Throws: ``Refusal/accessTooLarge`` when it would not fit into a reply.
    init(
        of user: UserID, in organization: OrganizationID, _ facts: AccessFacts
    ) throws(Refusal) {
        self.init(
            organizationID: organization.text, userID: user.text,
            obstacles: facts.hurdles.map { AccessObstacle($0, hiding: facts.hidden) },
            seatTypeID: facts.seatType?.text ?? "")
        guard obstacles.isEmpty else { return }
        courses = facts.courses.map { id, course, sources in
            CourseAccess(
                courseID: id.text, name: course.name, sources: sources.map { AccessSource($0) })
        }
        licenses = facts.licenses.sorted { $0.key < $1.key }.map { id, license in
            LicenseAccess(
                licenseTypeID: id.text, name: license.name,
                sources: license.sources.sorted().map { AccessSource($0) })
        }
        let bytes =
            courses.reduce(0) { $0 + Self.bytes(of: $1.name, $1.sources) }
            + licenses.reduce(0) { $0 + Self.bytes(of: $1.name, $1.sources) }
        guard bytes <= AccessRules.replyBytesMax else { throw .accessTooLarge }
    }

    /// What an entry takes at most, an identifier with its field being 38 bytes.
    private static func bytes(of name: String, _ sources: [AccessSource]) -> Int {
        sources.reduce(4 + 38 + 3 + name.utf8.count) { bytes, source in
            bytes + 4 + 38 + (source.licenseTypeID.isEmpty ? 0 : 38)
        }
    }
}

extension ExplainAccessReply {
    init(of course: CourseID, _ facts: AccessFacts) {
        let hurdles = facts.hurdles(to: course)
        self.init(
            allowed: hurdles.isEmpty,
            sources: facts.sources[course, default: []].sorted().map { AccessSource($0) },
            obstacles: hurdles.map { AccessObstacle($0, hiding: facts.hidden) })
    }
}
