import Access
import Messages
import RPC
import ServiceKit
import Storage

// What is written of organizations, and what the feed is told.

/// A change of one organization or of many, as far as it has got.
struct ChangeOfMany: Sendable {
    /// The place of the latest of it among all changes.
    private var recency: Int64
    /// How many organizations are present more, or fewer, in each place.
    private(set) var differences: [TallyPlace: Int64] = [:]

    fileprivate init(after recency: Int64) {
        self.recency = recency
    }

    fileprivate mutating func nextRecency() -> Int64 {
        recency += 1
        return recency
    }

    fileprivate mutating func count(_ difference: Int64, at parent: Int64?) {
        differences[TallyPlace(parent: parent), default: 0] += difference
        differences[.everywhere, default: 0] += difference
    }
}

extension Transaction {
    /// A number for a new organization: they rise, and none is ever used twice, for no row is
    /// ever deleted.
    func nextNumber() throws -> Int64 {
        let newest = try row("SELECT number FROM organization ORDER BY number DESC LIMIT 1") {
            row in
            try row.int64(0)
        }
        return (newest ?? 0) + 1
    }

    /// Keeps a new organization and tells the feed.
    ///
    /// - Parameters:
    ///   - node: The organization.
    ///   - parent: The identifier of its parent.
    ///   - creator: Who made it.
    /// - Throws: ``Refusal/nameTaken`` when a live sibling has the title,
    ///   ``Refusal/identifierTaken`` when the identifier was ever used,
    ///   ``Refusal/externalIDTaken`` when another has that of the outside system.
    func insert(_ node: Node, below parent: OrganizationID?, by creator: String) throws {
        let details = node.details
        var change = try changeOfMany()
        let recency = change.nextRecency()
        try requireFreeTitle(of: node)
        try keepingPromises(of: node.id) {
            try execute(
                """
                INSERT INTO organization (number, serial, id, parent, depth, standing, active,
                    title, title_key, description, category, category_source, country, kind,
                    sales_rep_email, services, type_id, trial_until, expires_on, external_id,
                    discount, discount_until, discount_scope, origin, members, created_by,
                    created_micros, updated_micros, version, recency, title_plain)
                VALUES (\(node.number), \(node.number), \(node.id), \(node.parent),
                    \(node.depth), \(node.standing.rawValue), \(node.isActivated),
                    \(details.title.text), \(details.title.key), \(details.description.text),
                    \(details.category.rawValue), \(details.categorySource.rawValue),
                    \(details.country), \(details.kind?.rawValue), \(details.salesRepEmail),
                    \(details.services.joined(separator: " ")), \(details.type),
                    \(details.trialUntil), \(details.expiresOn), \(details.externalID),
                    \(details.discount.basisPoints), \(details.discount.until),
                    \(details.discount.scope.rawValue), \(node.origin.rawValue), 0, \(creator),
                    \(node.createdAt), \(node.updatedAt), \(node.version), \(recency),
                    \(TitleOrder.plainText(of: details.title.key)))
                """)
        }
        try addParts(of: details, at: recency)
        if node.standing == .present { change.count(1, at: node.parent) }
        try count(change)
        try publish(node, below: parent)
    }

    /// Keeps what has become of an organization, as its next version, and tells the feed.
    ///
    /// - Parameters:
    ///   - node: What is to be kept.
    ///   - before: What is kept now.
    ///   - parent: The identifier of its parent.
    ///   - now: When.
    ///   - isDecided: Whether there is no way back, so that titles elsewhere no longer matter.
    /// - Returns: The organization as kept.
    /// - Throws: ``Refusal/nameTaken`` when a live sibling has the title,
    ///   ``Refusal/externalIDTaken``.
    func update(
        _ node: Node, from before: Node, below parent: OrganizationID?, at now: WallTime,
        isDecided: Bool = false
    ) throws -> Node {
        var change = try changeOfMany()
        let next = try update(
            node, from: before, below: parent, at: now, isDecided: isDecided, as: &change)
        try count(change)
        return next
    }

    /// The same as a part of a change of many organizations, which is counted at its end.
    func update(
        _ node: Node, from before: Node, below parent: OrganizationID?, at now: WallTime,
        isDecided: Bool = false, as change: inout ChangeOfMany
    ) throws -> Node {
        var next = node
        next.version = before.version + 1
        // The wall clock may have been set back; time in the record never runs backwards.
        next.updatedAt = max(now, before.updatedAt)
        next.recency = change.nextRecency()
        let details = next.details
        let takesTitle =
            details.title.key != before.details.title.key || !before.standing.holdsTitle
        if takesTitle, !isDecided {
            try requireFreeTitle(of: next)
        }
        let changesDays = next.details.lastDays != before.details.lastDays
        if changesDays { try tellLapses(of: before, at: now) }
        let changed = try keepingPromises(of: node.id) {
            try execute(
                """
                UPDATE organization
                SET parent = \(next.parent), depth = \(next.depth),
                    standing = \(next.standing.rawValue), active = \(next.isActivated),
                    title = \(details.title.text), title_key = \(details.title.key),
                    title_plain = \(TitleOrder.plainText(of: details.title.key)),
                    description = \(details.description.text),
                    category = \(details.category.rawValue),
                    category_source = \(details.categorySource.rawValue),
                    country = \(details.country), kind = \(details.kind?.rawValue),
                    sales_rep_email = \(details.salesRepEmail),
                    services = \(details.services.joined(separator: " ")),
                    type_id = \(details.type), trial_until = \(details.trialUntil),
                    expires_on = \(details.expiresOn), external_id = \(details.externalID),
                    discount = \(details.discount.basisPoints),
                    discount_until = \(details.discount.until),
                    discount_scope = \(details.discount.scope.rawValue),
                    updated_micros = \(next.updatedAt), version = \(next.version),
                    archived_micros = \(next.archival?.at), archived_by = \(next.archival?.by),
                    archive_batch = \(next.archival?.batch), recency = \(next.recency)
                WHERE number = \(node.number) AND version = \(before.version)
                """)
        }
        precondition(changed == 1, "one writer: nobody came between")
        try forgetParts(of: before)
        try addParts(of: details, at: next.recency)
        if before.standing == .present { change.count(-1, at: before.parent) }
        if next.standing == .present { change.count(1, at: next.parent) }
        try publish(next, below: parent)
        if changesDays { try takeBackLapses(of: next, at: now) }
        return next
    }

    /// Moves version and time of an organization whose masks, custom URLs or receivers changed.
    @discardableResult
    func touch(_ node: Node, in line: Line, at now: WallTime) throws -> Node {
        try requireSettled(line)
        return try update(node, from: node, below: line.parents?.end.id, at: now)
    }

    /// The beginning of a change: it comes after all others.
    func changeOfMany() throws -> ChangeOfMany {
        ChangeOfMany(after: try latestRecency())
    }

    /// Counts the organizations that came and went by a change.
    func count(_ change: ChangeOfMany) throws {
        for (place, difference) in change.differences where difference != 0 {
            try execute(
                """
                INSERT INTO tally (parent, organizations)
                VALUES (\(place.number), \(max(0, difference)))
                ON CONFLICT (parent) DO UPDATE SET organizations = organizations + \(difference)
                """)
        }
    }

    /// Makes the schema's objections refusals.
    @discardableResult
    private func keepingPromises<Value>(
        of id: OrganizationID, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch StorageFault.constraint(let promise) {
            if promise.contains("organization_siblings") { throw Refusal.nameTaken }
            if promise.contains("organization.external_id") { throw Refusal.externalIDTaken }
            if promise.contains("organization.id") { throw Refusal.identifierTaken(id) }
            throw StorageFault.constraint(promise)
        }
    }

    /// Tells the feed of an organization that stays as it is, as its next version.
    func publishAgain(_ node: Node, below parent: OrganizationID?, at now: WallTime) throws {
        var next = node
        next.version += 1
        let changed = try execute(
            """
            UPDATE organization SET version = \(next.version)
            WHERE number = \(node.number) AND version = \(node.version)
            """)
        precondition(changed == 1, "one writer: nobody came between")
        try publish(next, below: parent, at: max(now, node.updatedAt))
    }

    private func publish(
        _ node: Node, below parent: OrganizationID?, at time: WallTime? = nil
    ) throws {
        let event = OrganizationNode(
            id: node.id.text, parentID: parent?.text ?? "", title: node.details.title.text,
            status: OrganizationStatus(node), origin: OrganizationOrigin(node.origin),
            removed: node.standing == .cancelled || node.standing == .purged,
            version: node.version, archived: node.standing == .archived,
            trialUntil: node.details.trialUntil.map { Int32($0.daysSince1970) },
            expiresOn: node.details.expiresOn.map { Int32($0.daysSince1970) },
            typeID: node.details.type?.text ?? "")
        try publish(
            kind: OrganizationNode.messageName, aggregate: node.id.bytes, version: node.version,
            body: event.encoded(), at: time ?? node.updatedAt)
    }
}
