import Access
import Messages
import ServiceKit
import Storage

extension Organization {
    /// An organization as it is answered.
    init(_ node: Node, in line: Line, warnings: [Warning] = []) {
        let obstacle = line.obstacle
        let state = obstacle.map { EffectiveState($0.status) } ?? .active
        self.init(
            id: node.id.text, parentID: node.parent?.text ?? "", depth: Int32(node.depth),
            title: node.title, description: node.description,
            category: OrganizationCategory(rawValue: Int32(node.category.rawValue)),
            country: node.country, status: OrganizationStatus(node.status),
            effectiveState: state,
            stateReason: obstacle.map { StateReason(organizationID: $0.id.text, state: state) },
            origin: OrganizationOrigin(node.origin), createdAt: Timestamp(node.createdAt),
            updatedAt: Timestamp(node.updatedAt), version: node.version,
            etag: EntityTag.of(version: node.version),
            path: line.ancestors.map { PathElement(id: $0.id.text, title: $0.title) },
            warnings: warnings)
    }
}

extension OrganizationStatus {
    /// The status of the API; what was cancelled is told as removed and has none.
    init(_ status: NodeStatus) {
        self =
            switch status {
            case .active: .active
            case .inactive: .inactive
            case .provisioning: .provisioning
            case .cancelled: .unspecified
            }
    }
}

extension EffectiveState {
    init(_ status: NodeStatus) {
        self =
            switch status {
            case .active: .active
            case .inactive: .inactive
            case .provisioning: .provisioning
            case .cancelled: .unspecified
            }
    }
}

extension OrganizationOrigin {
    init(_ origin: Origin) {
        self.init(rawValue: Int32(origin.rawValue))
    }
}

extension Node {
    /// A new organization below a line, or at the root.
    init(
        id: OrganizationID, below line: Line?, _ draft: Draft, status: NodeStatus,
        origin: Origin, at now: WallTime
    ) {
        self.init(
            id: id, parent: line?.levels.last?.id, depth: (line?.depth ?? 0) + 1,
            title: draft.title.text, titleKey: draft.title.key,
            description: draft.description.text, category: draft.category,
            country: draft.country.code, status: status, origin: origin, createdAt: now,
            updatedAt: now, version: 1)
    }

    /// The organization after a change; nil when the change changes nothing.
    func applying(_ change: Change) -> Node? {
        var node = self
        if let title = change.title {
            node.title = title.text
            node.titleKey = title.key
        }
        if let description = change.description { node.description = description.text }
        if let category = change.category { node.category = category }
        if let country = change.country { node.country = country.code }
        // As bytes: texts that Swift holds equal may be written differently.
        let isSame =
            node == self && node.title.utf8.elementsEqual(title.utf8)
            && node.description.utf8.elementsEqual(description.utf8)
        return isSame ? nil : node
    }
}
