import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of `guildhall.membership.v1.MemberAccess`.
struct AccessDesk: MemberAccessService {
    let service: Service

    func getMemberAccess(
        _ request: GetMemberAccessRequest, _ context: CallContext
    ) async throws -> MemberAccessReply {
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let user = try UserID(requestText: request.userID, field: "user_id")
        return try await facts(of: user, in: organization, to: nil, context) { facts in
            guard facts.membership != nil else { throw Refusal.noSuchMember }
            return try MemberAccessReply(of: user, in: organization, facts)
        }
    }

    func explainAccess(
        _ request: ExplainAccessRequest, _ context: CallContext
    ) async throws -> ExplainAccessReply {
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let user = try UserID(requestText: request.userID, field: "user_id")
        let course = try CourseID(requestText: request.courseID, field: "course_id")
        return try await facts(of: user, in: organization, to: course, context) { facts in
            ExplainAccessReply(of: course, facts)
        }
    }

    /// Answers from what is known of somebody's access, all of it of one state of the database:
    /// to those who may read the membership.
    ///
    /// - Parameters:
    ///   - user: The person.
    ///   - organization: Where.
    ///   - course: The only course that matters; nil: all do.
    ///   - context: The call.
    ///   - answer: Makes the reply.
    /// - Returns: The reply.
    /// - Throws: What GetMember refuses with, and what ``answer`` throws.
    private func facts<Reply: Sendable>(
        of user: UserID, in organization: OrganizationID, to course: CourseID?,
        _ context: CallContext, _ answer: @escaping @Sendable (AccessFacts) throws -> Reply
    ) async throws -> Reply {
        let caller = try context.principal
        return try await service.whenKnown {
            try await service.database.read { snapshot in
                let path = try service.path(to: organization, context, in: snapshot)
                if caller.userID != user {
                    try service.checkView(.manageMembers, caller, path)
                }
                let found = try snapshot.membership(of: user, in: organization)
                let membership = found?.state == .removed ? nil : found
                // Whoever asks about themselves must not learn which organizations there are.
                guard
                    membership != nil
                        || caller.decide(.viewOrganization, at: path.ids) == .allowed
                else { throw OutOfScope() }
                var facts = try snapshot.accessFacts(membership, at: path, to: course)
                let seen = path.titles(for: caller)
                facts.hidden = Set(path.ids.dropLast().filter { seen[$0] == nil })
                return try answer(facts)
            }
        }
    }
}

extension Reading {
    /// What is known of the access by a membership.
    ///
    /// - Parameters:
    ///   - membership: Active or blocked; nil: the person is no member.
    ///   - path: To the organization, judged on the day that counts.
    ///   - course: The only course that matters; nil: all do.
    /// - Returns: The facts.
    /// - Throws: ``Denial/catalogBehind`` while the copy of Partners' facts is in the past,
    ///   ``Refusal/accessTooLarge``.
    fileprivate func accessFacts(
        _ membership: MembershipRecord?, at path: TreePath, to course: CourseID?
    ) throws -> AccessFacts {
        guard try isPartnersCopyFilled() else { throw Denial.catalogBehind }
        let types = try organizationTypes(of: path)
        let type = path.node.typeID.flatMap { types[$0] }
        let seatType =
            try membership?.takesSeat == true ? seatType(ofOrganizationsWith: type) : nil
        let gifts =
            try seatGifts(seatType)
            + typeGifts(type, to: membership?.roles)
            + subscriptionGifts(
                of: path.node.id, on: path.day, limit: AccessRules.subscriptionsMax)
        let licenses = try licenseContents(Set(gifts.flatMap(\.licenses)).sorted())
        guard let sources = AccessRules.sources(gifts, licenses: licenses, of: course) else {
            throw Refusal.accessTooLarge
        }
        return AccessFacts(
            membership: membership?.state, pause: path.pause, seatType: seatType,
            sources: sources, licenses: AccessRules.licenses(gifts, known: licenses),
            catalog: try catalogCourses(course.map { [$0] } ?? Array(sources.keys)),
            modules: try moduleLayers(of: path, types))
    }

    /// The types of the organizations on a path that have one.
    private func organizationTypes(
        of path: TreePath
    ) throws -> [OrganizationTypeID: OrganizationType] {
        var types: [OrganizationTypeID: OrganizationType] = [:]
        for id in Set(path.nodes.compactMap(\.typeID)) {
            types[id] = try TreeCopy.organizationType(id, in: self)
        }
        return types
    }

    /// The type of the seats in organizations of a type.
    private func seatType(ofOrganizationsWith type: OrganizationType?) throws -> SeatTypeID? {
        guard let named = type?.defaultSeatTypeID, !named.isEmpty else {
            return try defaultSeatType()
        }
        return SeatTypeID(text: named)
    }

    /// What a seat gives; a type that is unknown gives nothing.
    private func seatGifts(_ id: SeatTypeID?) throws -> [Gift] {
        guard let id, let type = try seatType(id) else { return [] }
        return [
            Gift(
                source: GiftSource(kind: .seatType, id: id.text), courses: type.details.courses,
                licenses: type.details.licenses)
        ]
    }

    /// What people get by the type of the organization.
    private func typeGifts(_ type: OrganizationType?, to roles: RoleSet?) -> [Gift] {
        guard let type, let roles, let benefit = type.seatBenefits?[roles.strongest] else {
            return []
        }
        return [
            Gift(
                source: GiftSource(kind: .organizationType, id: type.id),
                courses: benefit.courses.compactMap { CourseID(text: $0) },
                licenses: benefit.licenseTypes.compactMap { LicenseTypeID(text: $0) })
        ]
    }

    private func licenseContents(
        _ ids: [LicenseTypeID]
    ) throws -> [LicenseTypeID: LicenseContent] {
        let contents = try licenseTypes(ids).map { type in
            (
                type.id,
                LicenseContent(name: type.details.name.text, courses: type.details.courses)
            )
        }
        return Dictionary(contents, uniquingKeysWith: { one, _ in one })
    }

    /// What each organization of a path may use by itself: what is set there, else what those of
    /// its type begin with, else everything.
    private func moduleLayers(
        of path: TreePath, _ types: [OrganizationTypeID: OrganizationType]
    ) throws -> ModuleLayers {
        let own = try moduleScopes(setAt: path.ids)
        return ModuleLayers(
            try path.nodes.reversed().map { node in
                (node.id, try own[node.id] ?? firstModules(of: node, types))
            })
    }

    /// What organizations of the type of one begin with.
    private func firstModules(
        of node: TreeNode, _ types: [OrganizationTypeID: OrganizationType]
    ) throws -> ModuleScope {
        guard let id = node.typeID else { return .everything }
        guard let type = types[id] else {
            // One that is gone restricts nothing; of one that is still to come nobody knows what
            // it restricts to.
            return try TreeCopy.isTold(of: id, in: self) ? .everything : .only([:])
        }
        return type.access?.defaultModules.map { ModuleScope($0) } ?? .everything
    }
}
