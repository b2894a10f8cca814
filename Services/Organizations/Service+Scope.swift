import Access
import Messages
import ServiceKit
import Storage

/// An organization with its ancestors, as a list has it.
struct Entry: Sendable {
    let node: Node
    let line: Line

    /// Its place in a list by title; the identifier tells organizations of different parents
    /// apart, for siblings never share a title.
    var keys: [any SQLBindable] { [node.titleKey, node.id] }

    /// Orders as the database does: by bytes.
    static func isListed(_ left: Entry, before right: Entry) -> Bool {
        let (one, other) = (left.node.titleKey.utf8, right.node.titleKey.utf8)
        if one.elementsEqual(other) { return left.node.id < right.node.id }
        return one.lexicographicallyPrecedes(other)
    }
}

/// A place in a list by title.
struct Place: Sendable, Hashable {
    let titleKey: String
    let id: OrganizationID

    /// The place in a page token of ours.
    init?(_ keys: [SQLValue]?) {
        guard let keys, keys.count == 2, case .text(let titleKey) = keys[0],
            case .blob(let bytes) = keys[1], let id = OrganizationID(bytes: bytes)
        else { return nil }
        self.titleKey = titleKey
        self.id = id
    }

    /// Whether an entry comes after the place.
    func precedes(_ entry: Entry) -> Bool {
        let (one, other) = (titleKey.utf8, entry.node.titleKey.utf8)
        if one.elementsEqual(other) { return id < entry.node.id }
        return one.lexicographicallyPrecedes(other)
    }
}

extension Reading {
    /// An organization with its line, if the principal may know of it.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown and for unseen.
    func organization(
        _ id: OrganizationID, seenBy principal: Access.Principal
    ) throws -> (node: Node, line: Line) {
        guard let node = try node(id) else { throw OutOfScope() }
        let line = try line(of: node)
        guard principal.sees(line) else { throw OutOfScope() }
        return (node, line)
    }

    /// The line to an organization, if the principal may know of it.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown and for unseen.
    func line(to id: OrganizationID, seenBy principal: Access.Principal) throws -> Line {
        let levels = try levels(to: id)
        guard !levels.isEmpty else { throw OutOfScope() }
        let line = Line(levels)
        guard principal.sees(line) else { throw OutOfScope() }
        return line
    }

    /// What the caller should know of an organization just named.
    func warnings(about node: Node, for principal: Access.Principal) throws -> [Warning] {
        let isKnown = try namesakes(of: node, limit: Service.namesakesMax).contains { id in
            principal.sees(Line(try levels(to: id)))
        }
        guard isKnown else { return [] }
        return [
            Warning(
                code: "name_exists_elsewhere",
                message: "Another organization that you can see has this name.")
        ]
    }

    /// A page of the organizations that the principal may know of: the children of a parent, or
    /// the roots of the principal's scope.
    ///
    /// - Throws: ``OutOfScope`` when the parent is unknown or unseen.
    func list(
        _ page: Page, below parent: OrganizationID?, seenBy principal: Access.Principal
    ) throws -> ListOrganizationsReply {
        let above = try parent.map { try line(to: $0, seenBy: principal) }
        if let above { try principal.requireOpen(.viewOrganization, at: above) }
        let place = Place(page.after)
        let rows: [Entry]
        let total: Int64
        if principal.seesAll(below: above) {
            let nodes = try children(
                of: parent, after: place?.titleKey ?? "", limit: page.limit)
            let levels = above?.levels ?? []
            rows = nodes.map { Entry(node: $0, line: Line(levels + [$0.level])) }
            total = try childCount(of: parent)
        } else {
            let granted = try grantedEntries(below: above, to: principal)
            let rest = granted.filter { place?.precedes($0) ?? true }
            rows = Array(rest.prefix(page.limit))
            total = Int64(granted.count)
        }
        let (entries, nextToken) = page.cut(rows, keys: \.keys)
        return ListOrganizationsReply(
            organizations: entries.map { Organization($0.node, in: $0.line) },
            nextPageToken: nextToken, totalSize: total)
    }

    /// The organizations that grants name, as far as they belong to a list, by title.
    ///
    /// Their number is that of the grants, which travel with every call and are few.
    private func grantedEntries(
        below above: Line?, to principal: Access.Principal
    ) throws -> [Entry] {
        var found: [Entry] = []
        for id in Set(principal.grants.compactMap(\.node)) {
            guard let node = try node(id) else { continue }
            let line = try line(of: node)
            guard principal.sees(line) else { continue }
            if let above {
                guard node.parent == above.levels.last?.id else { continue }
            } else if let parents = line.parents, principal.sees(parents) {
                // It is found below its parent.
                continue
            }
            found.append(Entry(node: node, line: line))
        }
        return found.sorted(by: Entry.isListed)
    }
}

extension Access.Principal {
    /// Whether the principal may know of the organization at the end of a line.
    func sees(_ line: Line) -> Bool {
        guard decide(.viewOrganization, at: line.ids) == .allowed else { return false }
        // What is being prepared is the business of the service that prepares it.
        return serviceName != nil || line.levels.allSatisfy { $0.status != .provisioning }
    }

    /// Whether the principal may know of everything below a line, or of every root.
    func seesAll(below line: Line?) -> Bool {
        guard serviceName == nil else { return true }
        return grants.contains { grant in
            switch grant.role.reach {
            case .platform: true
            case .subtreeOrPlatform: grant.node == nil || line.map { grant.covers($0.ids) } == true
            case .subtree: line.map { grant.covers($0.ids) } == true
            case .node: false
            }
        }
    }

    /// Requires the right to create an organization below a line, or at the root.
    func requireCreation(below line: Line?) throws {
        guard let line else { return try require(.createRootOrganization, at: []) }
        try require(.createSuborganization, at: line.ids)
    }

    /// How an organization comes to be that this principal creates: whoever could only create it
    /// as a seller brings it as a partner.
    func originOfCreation(below line: Line?) -> Origin {
        let others = grants.filter { $0.role != .partner && $0.role != .reseller }
        let principal = Access.Principal(subject: subject, grants: others)
        let action: Action = line == nil ? .createRootOrganization : .createSuborganization
        return principal.decide(action, at: line?.ids ?? []) == .allowed ? .manual : .partner
    }

    /// Requires a right that is closed to the people of an organization while it is paused.
    func requireOpen(
        _ action: Action, at line: Line, meeting conditions: Set<Condition> = []
    ) throws {
        try require(action, at: line.ids, meeting: conditions, pausedAt: line.obstacle?.id)
    }
}
