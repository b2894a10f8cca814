import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: OrganizationTypesService {
    func createOrganizationType(
        _ request: CreateOrganizationTypeRequest, _ context: CallContext
    ) async throws -> OrganizationType {
        let principal = try context.principal
        try principal.require(.changePlatformSettings, at: [])
        let details = try TypeDetails.blank.changed(
            Set(TypeField.allCases), to: TypeInput(request))
        let id: OrganizationTypeID = identifiers.next()
        let now = context.now
        let typesMax = limits.organizationTypesMax
        return try await database.command(context, request) { transaction in
            guard try transaction.organizationTypeCount(for: .staff) < typesMax else {
                throw Refusal.tooMany("organization types", Int(typesMax))
            }
            let type = TypeRecord(
                id: id, details: details, createdAt: now, updatedAt: now, version: 1)
            try transaction.insert(type, by: principal.scope)
            return OrganizationType(type)
        }
    }

    func getOrganizationType(
        _ request: GetOrganizationTypeRequest, _ context: CallContext
    ) async throws -> OrganizationType {
        let most = try context.principal.visibleTypes()
        let id = try OrganizationTypeID(requestText: request.id, field: "id")
        return try database.readInline { snapshot in
            guard let type = try snapshot.organizationType(id),
                type.details.visibility.rawValue <= most.rawValue
            else { throw Refusal.noSuchType }
            return OrganizationType(type)
        }
    }

    func listOrganizationTypes(
        _ request: ListOrganizationTypesRequest, _ context: CallContext
    ) async throws -> ListOrganizationTypesReply {
        let most = try context.principal.visibleTypes()
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListOrganizationTypesRequest())
        guard case .text(let key) = page.after?.first ?? .text("") else {
            throw Status.refusal(.pageTokenInvalid, "This page token is not valid here.")
        }
        return try await database.read { snapshot in
            let rows = try snapshot.organizationTypes(for: most, after: key, limit: page.limit)
            let (types, next) = page.cut(rows) { [$0.details.name.key] }
            return ListOrganizationTypesReply(
                organizationTypes: types.map { OrganizationType($0) }, nextPageToken: next,
                totalSize: try snapshot.organizationTypeCount(for: most))
        }
    }

    func updateOrganizationType(
        _ request: UpdateOrganizationTypeRequest, _ context: CallContext
    ) async throws -> OrganizationType {
        try context.principal.require(.changePlatformSettings, at: [])
        let asked = request.organizationType ?? OrganizationType()
        let id = try OrganizationTypeID(requestText: asked.id, field: "organization_type.id")
        let input = TypeInput(asked)
        let fields = try TypeField.named(
            request.updateMask?.paths ?? [], in: input, isImplied: context.isMaskImplied)
        // What is wrong is told whether the type is there or not.
        _ = try TypeDetails.blank.changed(fields, to: input)
        let now = context.now
        return try await database.command(context, request) { transaction in
            guard var type = try transaction.organizationType(id) else { throw Refusal.noSuchType }
            try context.requireMatch(version: type.version, etag: asked.etag)
            let details = try type.details.changed(fields, to: input)
            if !details.isWrittenLike(type.details) {
                type = try transaction.update(type, to: details, at: now)
            }
            return OrganizationType(type)
        }
    }

    func deleteOrganizationType(
        _ request: DeleteOrganizationTypeRequest, _ context: CallContext
    ) async throws -> DeleteOrganizationTypeReply {
        try context.principal.require(.changePlatformSettings, at: [])
        let id = try OrganizationTypeID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            guard let type = try transaction.organizationType(id) else { throw Refusal.noSuchType }
            try context.requireMatch(version: type.version)
            guard try !transaction.isInUse(id) else { throw Refusal.typeInUse }
            try transaction.delete(type, at: now)
            return DeleteOrganizationTypeReply()
        }
    }
}

extension Reading {
    /// Refuses a type that is not there, or that the principal may not give to an organization.
    ///
    /// - Parameters:
    ///   - type: The type; nil, no type, may be given by all.
    ///   - principal: Who gives it.
    ///   - path: The path to the organization, or to its parent.
    ///   - field: Where the type stands in the request.
    /// - Throws: ``Refusal/invalid(_:)``, the same for unknown and for not allowed.
    func requireAssignable(
        _ type: OrganizationTypeID?, by principal: Access.Principal, at path: [OrganizationID],
        field: String
    ) throws {
        guard let type else { return }
        let visibility = try organizationType(type)?.details.visibility
        guard visibility == .everyone || visibility == .staff && principal.isStaff(at: path) else {
            throw Refusal.invalid([
                FieldFault(field: field, sentence: "There is no such organization type.")
            ])
        }
    }
}

extension Access.Role {
    fileprivate var isStaff: Bool {
        [.platformOwner, .globalAdmin, .platformAdmin].contains(self)
    }
}

extension Access.Principal {
    /// Whether the principal is staff of the platform for an organization.
    fileprivate func isStaff(at path: [OrganizationID]) -> Bool {
        grants.contains { $0.role.isStaff && $0.covers(path) }
    }

    /// The types that the principal may know of: those that it may give to organizations anywhere.
    ///
    /// - Throws: `PERMISSION_DENIED` for whoever may give none.
    fileprivate func visibleTypes() throws -> TypeVisibility {
        guard serviceName == nil, !grants.contains(where: \.role.isStaff) else { return .staff }
        let assigns = grants.contains { grant in
            PermissionTable.right(of: grant.role, to: .setTypeTrialExpiry) == .yes
        }
        guard assigns else { throw Status.forbidden() }
        return .everyone
    }
}

extension OrganizationType {
    /// A type as it is answered, and told by the feed.
    init(_ type: TypeRecord, isRemoved: Bool = false) {
        let details = type.details
        func benefit(_ role: BenefitRole) -> SeatBenefit? {
            details.benefits[role].map { benefit in
                SeatBenefit(
                    takesSeat: benefit.takesSeat, licenseTypes: benefit.licenseTypes.map(\.text),
                    courses: benefit.courses.map(\.text))
            }
        }
        self.init(
            id: type.id.text, name: details.name.text,
            visibility: OrganizationTypeVisibility(rawValue: Int32(details.visibility.rawValue)),
            defaultSeatTypeID: details.seatType?.text ?? "",
            access: OrganizationTypeAccess(
                signupAllowed: details.allowsSignUp, requiresApproval: details.requiresApproval,
                defaultModules: details.modules.map { ModuleSelection(moduleIDs: $0.map(\.text)) }),
            seatBenefits: SeatBenefits(
                owner: benefit(.owner), manager: benefit(.manager), member: benefit(.member)),
            createdAt: Timestamp(type.createdAt), updatedAt: Timestamp(type.updatedAt),
            version: type.version, etag: EntityTag.of(version: type.version), removed: isRemoved)
    }
}

extension TypeInput {
    fileprivate init(_ request: CreateOrganizationTypeRequest) {
        self.init(
            name: request.name, visibility: request.visibility.rawValue,
            seatType: request.defaultSeatTypeID, access: request.access.map(Access.init),
            benefits: Self.benefits(request.seatBenefits))
    }

    fileprivate init(_ type: OrganizationType) {
        self.init(
            name: type.name, visibility: type.visibility.rawValue,
            seatType: type.defaultSeatTypeID, access: type.access.map(Access.init),
            benefits: Self.benefits(type.seatBenefits), prefix: "organization_type.")
    }

    private static func benefits(_ benefits: SeatBenefits?) -> [BenefitRole: Benefit] {
        [.owner: benefits?.owner, .manager: benefits?.manager, .member: benefits?.member]
            .compactMapValues { benefit in
                benefit.map { benefit in
                    Benefit(
                        takesSeat: benefit.takesSeat, licenseTypes: benefit.licenseTypes,
                        courses: benefit.courses)
                }
            }
    }
}

extension TypeInput.Access {
    fileprivate init(_ access: OrganizationTypeAccess) {
        self.init(
            allowsSignUp: access.signupAllowed, requiresApproval: access.requiresApproval,
            modules: access.defaultModules?.moduleIDs)
    }
}
