import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage

// From the feed to hooks: what a change is told as, and to whom. Changes themselves cost nothing
// by it; the feed is read behind a cursor that is kept.

/// What one transaction has told.
struct HookRound: Sendable, Hashable {
    /// Events of the feed that are looked at in one transaction.
    static let eventsMax = 200
    /// A transaction ends early once so many calls were queued: one event has 200 at most.
    static let deliveriesMax = 2_000

    var events = 0
    var deliveries = 0
    /// Whether the feed may go on.
    var isMore = false
}

/// A hook that may be told something.
private struct Listener: Hashable {
    let number: Int64
    let topics: HookTopics
    let start: Int64
}

/// What one event is told as.
private struct Telling {
    let topic: HookTopic
    let subject: HookSubject
    /// Whether it hung elsewhere before.
    var hasMoved = false
    /// Where it hung before; nil: it was a root.
    var parentBefore: OrganizationID?
    var lapse: HookLapse?
}

extension Statements {
    /// The hooks that are on, of an organization and those above it.
    static func listeners(above number: Int64) -> SQL {
        """
        WITH RECURSIVE line (number, parent) AS (
            SELECT number, parent FROM organization WHERE number = \(number)
            UNION ALL
            SELECT above.number, above.parent
            FROM line JOIN organization AS above ON above.number = line.parent
            LIMIT 10
        )
        SELECT hook.number, hook.kinds, hook.after_sequence
        FROM line JOIN hook ON hook.organization = line.number AND hook.state = 1
        LIMIT \(10 * HookPace.hooksMax)
        """
    }
}

extension Transaction {
    /// Queues what the next events of the feed tell the hooks above them.
    ///
    /// - Parameters:
    ///   - incarnation: The life of this database.
    ///   - now: When.
    ///   - identifier: Makes the identifier of a call.
    /// - Returns: What was told.
    /// - Throws: `StorageFault`, or why an event is not to be read.
    func tellHooks(
        incarnation: [UInt8], at now: WallTime, identifier: () -> HookDeliveryID
    ) throws -> HookRound {
        var round = HookRound()
        guard let position = try feedPosition(of: HookDesk.source), try hasEnabledHook() else {
            return round
        }
        let events = try feedEvents(after: position.sequence, limit: HookRound.eventsMax)
        guard let first = events.first else { return round }
        var audience = Audience(reading: self)
        var last = first.sequence
        for event in events {
            if let telling = try telling(of: event) {
                round.deliveries += try tell(telling, of: event, &audience, at: now, identifier)
            }
            round.events += 1
            last = event.sequence
            if round.deliveries >= HookRound.deliveriesMax { break }
        }
        try setFeedPosition(
            FeedPosition(incarnation: incarnation, sequence: last), of: HookDesk.source)
        round.isMore = round.events < events.count || events.count == HookRound.eventsMax
        return round
    }

    /// Queues what one event tells.
    ///
    /// - Returns: How many hooks are told.
    private func tell(
        _ telling: Telling, of event: Storage.FeedEvent, _ audience: inout Audience,
        at now: WallTime, _ identifier: () -> HookDeliveryID
    ) throws -> Int {
        func wanting(_ listeners: Set<Listener>) -> [Int64] {
            listeners.filter { $0.topics.contains(telling.topic) && $0.start < event.sequence }
                .map(\.number).sorted()
        }
        let subject = telling.subject
        let here = try audience.listeners(to: subject.id, below: subject.parent)
        let hooks = wanting(here)
        let time = event.at.text
        try queue(
            telling.topic, HookBody.text(telling.topic, at: time, subject, lapse: telling.lapse),
            for: hooks, at: now, identifier)
        guard telling.hasMoved else { return hooks.count }
        let left = try audience.listeners(above: telling.parentBefore).subtracting(here)
        let leftHooks = left.filter { $0.topics.contains(.updated) && $0.start < event.sequence }
            .map(\.number).sorted()
        try queue(
            .updated, HookBody.movedAway(at: time, subject), for: leftHooks, at: now, identifier)
        return hooks.count + leftHooks.count
    }

    /// Queues a call of each of some hooks.
    private func queue(
        _ topic: HookTopic, _ body: String, for hooks: [Int64], at now: WallTime,
        _ identifier: () -> HookDeliveryID
    ) throws {
        guard !hooks.isEmpty else { return }
        let event = try insertHookEvent(topic, body, at: now)
        for hook in hooks {
            try insertCall(identifier(), of: event, forHook: hook, at: now)
        }
    }
}

extension Reading {
    /// What an event of the feed is told as; nil: nobody is told.
    fileprivate func telling(of event: Storage.FeedEvent) throws -> Telling? {
        switch event.kind {
        case OrganizationNode.messageName: try telling(ofNode: event)
        case OrganizationLapse.messageName: try telling(ofLapse: event)
        default: nil
        }
    }

    private func telling(ofNode event: Storage.FeedEvent) throws -> Telling? {
        let node = try OrganizationNode(decoding: event.body)
        guard let id = OrganizationID(bytes: event.aggregate) else { return nil }
        let externalID = node.removed ? nil : try self.node(id)?.details.externalID
        guard let subject = HookSubject(node, externalID: externalID) else { return nil }
        let before =
            try node.version > 1
            ? feedEvent(before: event).flatMap { event in
                HookSubject(try OrganizationNode(decoding: event.body), externalID: nil)
            } : nil
        guard let topic = HookTopic(from: before, to: subject) else { return nil }
        var telling = Telling(topic: topic, subject: subject)
        if let before, !before.isProvisioning, before.parent != subject.parent {
            telling.hasMoved = true
            telling.parentBefore = before.parent
        }
        return telling
    }

    private func telling(ofLapse event: Storage.FeedEvent) throws -> Telling? {
        let told = try OrganizationLapse(decoding: event.body)
        guard let id = OrganizationID(text: told.organizationID), let node = try node(id) else {
            return nil
        }
        let parent = try node.parent.flatMap { try self.node(numbered: $0)?.id }
        return Telling(
            topic: .lapsed, subject: HookSubject(node, below: parent), lapse: HookLapse(told))
    }
}

/// Who is told of what happens at a place, each place looked up once.
private struct Audience {
    private let reading: Transaction
    private var known: [OrganizationID: Set<Listener>] = [:]

    init(reading: Transaction) {
        self.reading = reading
    }

    /// The hooks of an organization, and those of its parent and above.
    mutating func listeners(
        to id: OrganizationID, below parent: OrganizationID?
    ) throws -> Set<Listener> {
        let above = try listeners(above: parent)
        return above.union(
            try reading.rows(
                """
                SELECT hook.number, hook.kinds, hook.after_sequence
                FROM organization JOIN hook
                    ON hook.organization = organization.number AND hook.state = 1
                WHERE organization.id = \(id) LIMIT \(HookPace.hooksMax)
                """, Listener.init(row:)))
    }

    /// The hooks of a parent, and those above it; none above a root.
    mutating func listeners(above parent: OrganizationID?) throws -> Set<Listener> {
        guard let parent else { return [] }
        if let found = known[parent] { return found }
        // Whatever has become of it since.
        let number = try reading.row("SELECT number FROM organization WHERE id = \(parent)") {
            row in try row.int64(0)
        }
        let found = try number.map { number in
            Set(try reading.rows(Statements.listeners(above: number), Listener.init(row:)))
        }
        known[parent] = found ?? []
        return found ?? []
    }
}

extension Listener {
    init(row: Row) throws {
        self.init(
            number: try row.int64(0), topics: HookTopics(bits: try row.int(1)),
            start: try row.int64(2))
    }
}

extension HookSubject {
    fileprivate init?(_ node: OrganizationNode, externalID: String?) {
        guard let id = OrganizationID(text: node.id) else { return nil }
        self.init(
            id: id, parent: OrganizationID(text: node.parentID), title: node.title,
            isActivated: node.status == .active,
            origin: Origin(rawValue: Int(node.origin.rawValue)) ?? .manual,
            externalID: externalID, version: node.version,
            isProvisioning: node.status == .provisioning, isArchived: node.archived,
            isRemoved: node.removed,
            trialUntil: node.trialUntil.map { CalendarDay(daysSince1970: Int($0)) },
            expiresOn: node.expiresOn.map { CalendarDay(daysSince1970: Int($0)) })
    }

    fileprivate init(_ node: Node, below parent: OrganizationID?) {
        self.init(
            id: node.id, parent: parent, title: node.details.title.text,
            isActivated: node.isActivated, origin: node.origin,
            externalID: node.details.externalID, version: node.version,
            isProvisioning: node.standing == .provisioning,
            isArchived: node.standing == .archived,
            isRemoved: node.standing == .cancelled || node.standing == .purged,
            trialUntil: node.details.trialUntil, expiresOn: node.details.expiresOn)
    }
}

extension HookLapse {
    fileprivate init(_ lapse: OrganizationLapse) {
        let kind =
            switch lapse.kind {
            case .trialEnded: "ORGANIZATION_LAPSE_KIND_TRIAL_ENDED"
            case .expired: "ORGANIZATION_LAPSE_KIND_EXPIRED"
            case .reactivated: "ORGANIZATION_LAPSE_KIND_REACTIVATED"
            case .unspecified, .unrecognized: "ORGANIZATION_LAPSE_KIND_UNSPECIFIED"
            }
        self.init(
            kind: kind,
            lastDay: lapse.lastDay.map { CalendarDay(daysSince1970: Int($0)) })
    }
}

extension WallTime {
    /// As the API spells it, in UTC: `2026-11-27T09:05:03.120Z`.
    var text: String {
        let time = Timestamp(self)
        return RFC3339.text(seconds: time.seconds, nanoseconds: Int64(time.nanos))
    }
}
