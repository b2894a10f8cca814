import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Organization {
    /// An organization as it is answered.
    init(_ node: Node, in line: Line, warnings: [Warning] = [], normalized: [String] = []) {
        let details = node.details
        self.init(
            id: node.id.text, parentID: line.parents?.end.id.text ?? "",
            depth: Int32(node.depth), title: details.title.text,
            description: details.description.text,
            category: OrganizationCategory(rawValue: Int32(details.category.rawValue)),
            country: details.country, status: OrganizationStatus(node),
            effectiveState: EffectiveState(line.state), stateReason: StateReason(line),
            origin: OrganizationOrigin(node.origin), createdAt: Timestamp(node.createdAt),
            updatedAt: Timestamp(node.updatedAt), version: node.version,
            etag: EntityTag.of(version: node.version),
            path: line.ancestors.map { PathElement(id: $0.id.text, title: $0.title) },
            warnings: warnings,
            kind: OrganizationKind(rawValue: Int32(details.kind?.rawValue ?? 0)),
            salesRepEmail: details.salesRepEmail, typeID: details.type?.text ?? "",
            trial: details.trialUntil.map { Trial(enabled: true, validUntil: $0.text) },
            expiresAt: details.expiresOn?.text ?? "", services: details.services,
            externalID: details.externalID ?? "", memberCount: node.members,
            categorySource: OrganizationCategorySource(
                rawValue: Int32(details.categorySource.rawValue)),
            archivedAt: node.standing == .archived
                ? node.archival.map { Timestamp($0.at) } : nil,
            normalized: normalized,
            memberDiscount: Messages.MemberDiscount(details.discount))
    }
}

extension StateReason {
    /// Why the organization at the end of a line is not active; nil when it is.
    init?(_ line: Line) {
        guard let obstacle = line.obstacle else { return nil }
        self.init(
            organizationID: obstacle.id.text, state: EffectiveState(obstacle.state(on: line.day)))
    }
}

extension Messages.MemberDiscount {
    /// A discount as it is answered; nil when none was set.
    init?(_ discount: MemberDiscount) {
        guard let basisPoints = discount.basisPoints else { return nil }
        self.init(
            basisPoints: Int32(basisPoints), expiresOn: discount.until?.text ?? "",
            appliesTo: MemberDiscountScope(rawValue: Int32(discount.scope.rawValue)))
    }
}

extension OrganizationStatus {
    /// What was set; what is gone for good is told as removed and has none.
    init(_ node: Node) {
        self =
            switch node.standing {
            case .present, .archived: node.isActivated ? .active : .inactive
            case .provisioning: .provisioning
            case .cancelled, .purged: .unspecified
            }
    }
}

extension EffectiveState {
    init(_ state: OrganizationState) {
        self =
            switch state {
            case .active: .active
            case .inactive: .inactive
            case .provisioning: .provisioning
            case .expired: .expired
            case .trialEnded: .trialEnded
            case .archived: .archived
            }
    }
}

extension OrganizationState {
    /// The state that somebody asks for; nil when it is unspecified.
    static func optional(_ state: EffectiveState) throws -> OrganizationState? {
        switch state {
        case .unspecified: return nil
        case .active: return .active
        case .inactive: return .inactive
        case .expired: return .expired
        case .trialEnded: return .trialEnded
        case .archived: return .archived
        case .provisioning, .unrecognized:
            throw Status.invalid("state", "Organizations are not listed by this state.")
        }
    }
}

extension OrganizationOrigin {
    init(_ origin: Origin) {
        self.init(rawValue: Int32(origin.rawValue))
    }
}

extension DetailsInput {
    /// What a request for a new organization holds.
    init(_ request: CreateOrganizationRequest) {
        self.init(
            title: request.title, description: request.description,
            category: request.category.rawValue, country: request.country,
            kind: request.kind.rawValue, salesRepEmail: request.salesRepEmail,
            services: request.services, type: request.typeID,
            isTrialEnabled: request.trial?.enabled ?? false,
            trialUntil: request.trial?.validUntil ?? "", expiresAt: request.expiresAt,
            externalID: request.externalID)
    }

    /// What a request for a change holds.
    init(_ organization: Organization) {
        self.init(
            title: organization.title, description: organization.description,
            category: organization.category.rawValue, country: organization.country,
            kind: organization.kind.rawValue, salesRepEmail: organization.salesRepEmail,
            services: organization.services, type: organization.typeID,
            isTrialEnabled: organization.trial?.enabled ?? false,
            trialUntil: organization.trial?.validUntil ?? "",
            expiresAt: organization.expiresAt, externalID: organization.externalID,
            prefix: "organization.")
    }
}

extension Node {
    /// A new organization below a line, or at the root.
    init(
        id: OrganizationID, number: Int64, below line: Line?, _ details: Details,
        standing: Standing, origin: Origin, at now: WallTime
    ) {
        self.init(
            id: id, number: number, parent: line?.end.number, depth: (line?.depth ?? 0) + 1,
            standing: standing, isActivated: true, details: details, origin: origin, members: 0,
            createdAt: now, updatedAt: now, version: 1, archival: nil)
    }
}
