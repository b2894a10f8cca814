import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func listOrganizations(
        _ request: ListOrganizationsRequest, _ context: CallContext
    ) async throws -> ListOrganizationsReply {
        let principal = try context.principal
        let parent = try OrganizationID.optional(requestText: request.parent, field: "parent")
        let order = try accept(request.orderBy, field: "order_by", as: ListOrder.init)
        let filter = try ListFilter(request)
        if filter.isOfArchive, order != .standard {
            throw Refusal.invalid([
                FieldFault(field: "order_by", sentence: "The archive is listed as it was filled.")
            ])
        }
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        let day = context.now.day
        return try await database.read { snapshot in
            let above = try parent.map {
                try snapshot.line(to: $0, seenBy: principal, on: day, archive: .included)
            }
            if let above { try principal.requireOpen(.viewOrganization, at: above) }
            return try Listing(
                reading: snapshot, principal: principal, above: above,
                isSubtree: request.subtree, order: order, filter: filter, page: page, day: day
            ).reply()
        }
    }
}

extension ListFilter {
    fileprivate init(_ request: ListOrganizationsRequest) throws {
        self.init(
            part: try accept(request.q, field: "q", as: TitlePart.optional),
            updatedMin: try Self.instant(request.updatedAfter, "updated_after") ?? .min,
            updatedEnd: try Self.instant(request.updatedBefore, "updated_before") ?? .max,
            state: try OrganizationState.optional(request.state))
    }

    private static func instant(_ timestamp: Timestamp?, _ field: String) throws -> Int64? {
        guard let timestamp else { return nil }
        guard let time = WallTime(timestamp) else {
            throw Status.invalid(field, "This is not an instant.")
        }
        return time.microseconds
    }
}

/// One page of a list of organizations, while it is made.
struct Listing<Source: Reading> {
    /// Of more organizations than this a list is not put together, but walked in its order.
    private static var candidatesMax: Int { 5_000 }
    /// A page ends, full or not, when this many organizations have been looked at.
    private static var walkMax: Int { 5_000 }
    private static var batch: Int { 250 }
    /// Of a search that is walked so many that match are counted; of more the number is a minimum.
    private static var countedMax: Int { 100 }

    let reading: Source
    let principal: Access.Principal
    /// Below which organization; nil for the scope of the principal.
    let above: Line?
    let isSubtree: Bool
    let order: ListOrder
    let filter: ListFilter
    let page: Page
    let day: CalendarDay

    /// Organizations of a page, and where the next begins.
    private struct Found {
        var entries: [Entry] = []
        /// Where to go on when the page could not be filled.
        var stoppedAt: ListPlace?
        var total: Int64?
    }

    /// The page.
    ///
    /// - Throws: `StorageFault`.
    func reply() throws -> ListOrganizationsReply {
        let found = try find()
        var (entries, nextToken) = page.cut(found.entries) { entry in
            token(of: place(of: entry.node))
        }
        if nextToken.isEmpty, let place = found.stoppedAt {
            nextToken = page.token(after: token(of: place))
        }
        entries = Array(entries.prefix(page.size))
        // A page that stopped may be followed by nothing.
        let isFollowed = found.entries.count > page.size
        return ListOrganizationsReply(
            organizations: entries.map { Organization($0.node, in: $0.line) },
            nextPageToken: nextToken,
            totalSize: found.total ?? Int64(entries.count + (isFollowed ? 1 : 0)),
            totalIsMinimum: found.total == nil && !isWhole(found))
    }

    /// Whether everything that is listed is on this page.
    private func isWhole(_ found: Found) -> Bool {
        page.after == nil && found.stoppedAt == nil && found.entries.count <= page.size
    }

    /// What a token says of a place; tokens of one order go on in no other, nor those from before
    /// an order was changed.
    private func token(of place: ListPlace) -> [SQLValue] {
        [place.value, .integer(place.number)] + (tokenKind.map { [.integer($0)] } ?? [])
    }

    /// What the value of a place means, where it is not what it meant from the beginning.
    private var tokenKind: Int64? {
        goesByRecency ? 1 : order.key == .title ? 2 : nil
    }

    private func find() throws -> Found {
        let kind = tokenKind.map { [SQLValue.integer($0)] } ?? []
        guard page.after.map({ Array($0.dropFirst(2)) == kind }) ?? true else {
            throw Status.pageTokenInvalid
        }
        // Who restores nothing anywhere learns nothing of the archive.
        if filter.isOfArchive, !principal.restoresSomewhere { return Found(total: 0) }
        if filter.isOfArchive { return try walk { try reading.archive(after: $0, limit: $1) } }
        let seesAll = principal.seesAll(below: above)
        if !isSubtree, !seesAll { return try granted() }
        if goesByRecency, let part = filter.part { return try search(part) }
        if let part = filter.part, part.isIndexed,
            try !reading.isCommon(part, beyond: Self.candidatesMax)
        {
            let some = try reading.candidates(withPart: part, limit: Self.candidatesMax)
            return try choose(from: some, areAllInScope: isSubtree && above == nil && seesAll)
        }
        if !isSubtree {
            let parent = above?.end.number
            var found = try walk { place, limit in
                try reading.rows(
                    Statements.children(of: parent, in: order, after: place, limit: limit),
                    Node.init(row:))
            }
            if filter.showsAll { found.total = try reading.tally(TallyPlace(parent: parent)) }
            return found
        }
        if above != nil || !seesAll, let some = try candidatesInScope(seesAll) {
            return try choose(from: some, areAllInScope: seesAll)
        }
        var found = try walk { place, limit in
            try reading.rows(
                Statements.everywhere(in: order, after: place, limit: limit), Node.init(row:))
        }
        if filter.showsAll, above == nil, seesAll {
            found.total = try reading.tally(.everywhere)
        }
        return found
    }

    // MARK: - Organizations with a part in their title, on the whole platform

    /// Whether the list is read from the index of parts, which goes by the order of changes.
    private var goesByRecency: Bool {
        order.key == .updated && !filter.isOfArchive && filter.part?.isIndexed == true
            && isSubtree && above == nil && principal.seesAll(below: nil)
    }

    /// The page out of what the index of parts finds.
    ///
    /// Few are all looked at, for the index is crossed once, and forwards at a third of the cost.
    /// Of many it is read backwards: it costs by what is shown, not by how many there are.
    private func search(_ part: TitlePart) throws -> Found {
        let places = try reading.places(withPart: part, limit: Self.countedMax + 1)
        guard places.count > Self.countedMax else { return try choose(at: places) }
        return try walk {
            try reading.changes(
                withPart: part, isDescending: order.isDescending, after: $0, limit: $1)
        }
    }

    /// The page out of organizations at places in the order of changes, the earliest first.
    private func choose(at places: [Int64]) throws -> Found {
        let start = ListPlace(page.after) ?? .start(of: order)
        var found = Found()
        var shown: Int64 = 0
        for recency in order.isDescending ? places.reversed() : places {
            guard let node = try reading.node(at: recency), node.standing == .present,
                filter.shows(
                    titleKey: node.details.title.key, updated: node.updatedAt.microseconds)
            else { continue }
            shown += 1
            if found.entries.count < page.limit, start.precedes(place(of: node), in: order) {
                try add(node, to: &found)
            }
        }
        if filter.state == nil { found.total = shown }
        return found
    }

    // MARK: - Organizations that are few enough to be put together

    /// Everything below the parent, or in the scope; nil when that is too much.
    private func candidatesInScope(_ seesAll: Bool) throws -> [ListCandidate]? {
        var found: [Int64: ListCandidate] = [:]
        let roots =
            seesAll ? above.map { [$0.end.number] } ?? [] : try grantedRoots().map(\.node.number)
        for root in roots {
            let left = Self.candidatesMax + 1 - found.count
            for candidate in try reading.candidates(below: root, limit: left) {
                found[candidate.number] = candidate
            }
            if !seesAll, let node = try reading.node(numbered: root) {
                found[root] = ListCandidate(
                    number: root, parent: node.parent, updated: node.updatedAt.microseconds,
                    titleKey: node.details.title.key, members: node.members)
            }
            guard found.count <= Self.candidatesMax else { return nil }
        }
        return Array(found.values)
    }

    /// The page out of organizations in no order.
    private func choose(
        from candidates: [ListCandidate], areAllInScope: Bool
    ) throws -> Found {
        let shown = candidates.filter { candidate in
            filter.shows(titleKey: candidate.titleKey, updated: candidate.updated)
                && (isSubtree || candidate.parent == above?.end.number)
        }
        let start = ListPlace(page.after) ?? .start(of: order)
        let rest = shown.map { $0.place(in: order) }.filter { start.precedes($0, in: order) }
            .sorted { $0.precedes($1, in: order) }
        var found = Found()
        let isKnownByItself = filter.state == nil && (areAllInScope || !isSubtree)
        if isKnownByItself { found.total = Int64(shown.count) }
        for (index, place) in rest.enumerated() where found.entries.count < page.limit {
            if index == Self.walkMax {
                found.stoppedAt = rest[index - 1]
                break
            }
            guard let node = try reading.node(numbered: place.number) else { continue }
            try add(node, to: &found)
        }
        return found
    }

    /// The organizations that grants name, as far as they belong to the list.
    private func granted() throws -> Found {
        let entries = try grantedRoots().filter { entry in
            above.map { $0.end.number == entry.node.parent } ?? true
                && filter.shows(
                    titleKey: entry.node.details.title.key,
                    updated: entry.node.updatedAt.microseconds)
                && filter.shows(entry.line)
        }
        let start = ListPlace(page.after) ?? .start(of: order)
        let rest = entries.filter { start.precedes(place(of: $0.node), in: order) }
            .sorted { place(of: $0.node).precedes(place(of: $1.node), in: order) }
        return Found(entries: Array(rest.prefix(page.limit)), total: Int64(entries.count))
    }

    /// The topmost organizations that grants name; below a parent, those that hang there.
    ///
    /// Their number is that of the grants, which travel with every call and are few.
    private func grantedRoots() throws -> [Entry] {
        var found: [Entry] = []
        for id in Set(principal.grants.compactMap(\.node)) {
            guard let node = try reading.node(id) else { continue }
            let line = try reading.line(of: node, on: day)
            guard principal.sees(line) else { continue }
            if let above {
                guard line.ids.dropLast().contains(above.end.id) else { continue }
            } else if let parents = line.parents, principal.sees(parents) {
                // It is found below its parent.
                continue
            }
            found.append(Entry(node: node, line: line))
        }
        return found
    }

    // MARK: - Organizations in the order of the list

    /// The page out of organizations that come in order.
    private func walk(_ next: (ListPlace, Int) throws -> [Node]) throws -> Found {
        var found = Found()
        var place = ListPlace(page.after) ?? start
        var looked = 0
        while found.entries.count < page.limit {
            let size = showsNearlyEveryRow ? page.limit : Self.batch
            let nodes = try next(place, size)
            for node in nodes where found.entries.count < page.limit {
                place = self.place(of: node)
                let updated = node.updatedAt.microseconds
                if isPastEnd(updated) { return found }
                if filter.shows(titleKey: node.details.title.key, updated: updated) {
                    try add(node, to: &found)
                }
            }
            looked += nodes.count
            if nodes.count < size { return found }
            if looked >= Self.walkMax, found.entries.count < page.limit {
                found.stoppedAt = place
                return found
            }
        }
        return found
    }

    /// Whether about whatever a walk finds is shown, so that it need not look at more than a page.
    private var showsNearlyEveryRow: Bool {
        goesByRecency && filter.showsAllWithPart
            || filter.showsAll && principal.seesAll(below: above) && (!isSubtree || above == nil)
    }

    /// Where a walk begins: in the order of changes at the range that is asked for.
    private var start: ListPlace {
        guard order.key == .updated, !filter.isOfArchive, !goesByRecency else {
            return .start(of: order)
        }
        if order.isDescending, filter.updatedEnd != .max {
            return ListPlace(value: .integer(filter.updatedEnd), number: 0)
        }
        if !order.isDescending, filter.updatedMin != .min {
            return ListPlace(value: .integer(filter.updatedMin), number: 0)
        }
        return .start(of: order)
    }

    /// Whether nothing more of the range that is asked for can come.
    private func isPastEnd(_ updated: Int64) -> Bool {
        guard order.key == .updated, !filter.isOfArchive, !goesByRecency else { return false }
        return order.isDescending ? updated < filter.updatedMin : updated >= filter.updatedEnd
    }

    private func place(of node: Node) -> ListPlace {
        if goesByRecency { return ListPlace(value: .integer(node.recency), number: node.number) }
        guard filter.isOfArchive, let archival = node.archival else {
            return ListPlace(node, by: order.key)
        }
        return ListPlace(value: .integer(archival.at.microseconds), number: node.number)
    }

    /// Adds an organization if it is below the parent, shown, and the principal may know of it.
    private func add(_ node: Node, to found: inout Found) throws {
        guard node.standing == .present || filter.isOfArchive else { return }
        let line: Line
        if !isSubtree, !filter.isOfArchive {
            guard node.parent == above?.end.number else { return }
            line = Line(below: above, node.level, on: day)
        } else {
            line = try reading.line(of: node, on: day)
            if let above {
                let isBelow =
                    isSubtree
                    ? line.ids.dropLast().contains(above.end.id)
                    : node.parent == above.end.number
                guard isBelow else { return }
            }
        }
        guard filter.shows(line), principal.sees(line) else { return }
        found.entries.append(Entry(node: node, line: line))
    }
}

extension Access.Principal {
    /// Whether the principal may restore organizations at any place.
    fileprivate var restoresSomewhere: Bool {
        serviceName != nil
            || grants.contains {
                PermissionTable.right(of: $0.role, to: .restoreOrganization) != .no
            }
    }
}
