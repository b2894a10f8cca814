import Access
import ServiceKit
import Storage
import Webhooks

/// Whether a hook is called.
enum HookState: Int, Sendable {
    case enabled = 1
    case disabled = 2
    /// It goes once its calls are gone; nobody sees it.
    case removed = 3
}

/// A hook as it is stored.
struct HookRecord: Sendable, Hashable {
    let id: HookID
    /// Names it inside this database.
    let number: Int64
    /// The number of its organization.
    let organization: Int64
    var url: String
    var topics: HookTopics
    var state: HookState
    /// Why it was switched off by itself; empty when it was not.
    var disabledReason: String
    let createdAt: WallTime
    var updatedAt: WallTime
    var version: Int64
    /// How many calls wait for it.
    let waiting: Int

    /// What people set.
    var details: HookDetails {
        HookDetails(url: url, topics: topics, isEnabled: state == .enabled)
    }
}

extension HookRecord {
    /// The columns in the order in which a hook is made of them.
    fileprivate static let columns: SQL = """
        id, number, organization, url, kinds, state, disabled_reason, created_micros,
        updated_micros, version, waiting
        """

    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), number: try row.int64(1), organization: try row.int64(2),
            url: try row.text(3), topics: HookTopics(bits: try row.int(4)),
            state: try HookState(stored: row.int(5)), disabledReason: try row.text(6),
            createdAt: try row.time(7), updatedAt: try row.time(8), version: try row.int64(9),
            waiting: try row.int(10))
    }
}

extension Reading {
    /// The hooks of an organization, the newest first.
    func hooks(of organization: Int64) throws -> [HookRecord] {
        try rows(
            """
            SELECT \(HookRecord.columns) FROM hook
            WHERE organization = \(organization) AND state <= 2
            ORDER BY number DESC LIMIT \(HookPace.hooksMax)
            """, HookRecord.init(row:))
    }

    /// A hook of an organization.
    ///
    /// - Throws: ``Refusal/noSuchHook``.
    func hook(_ id: HookID, of organization: Int64) throws -> HookRecord {
        let found = try row(
            "SELECT \(HookRecord.columns) FROM hook WHERE id = \(id)", HookRecord.init(row:))
        guard let found, found.organization == organization, found.state != .removed else {
            throw Refusal.noSuchHook
        }
        return found
    }

    /// What the calls of a hook are signed with; nil when it is gone.
    func hookSecret(of id: HookID) throws -> WebhookSecret? {
        try row("SELECT secret FROM hook WHERE id = \(id)") { WebhookSecret(try $0.bytes(0)) }
            .flatMap { $0 }
    }

    /// Whether there is a hook to tell anything.
    func hasEnabledHook() throws -> Bool {
        try exists("SELECT 1 FROM hook WHERE state = 1 LIMIT 1")
    }
}

extension Transaction {
    /// Keeps a new hook, which is told what happens from now on.
    ///
    /// - Throws: ``Refusal/tooMany(_:_:)``.
    func insertHook(
        _ id: HookID, of organization: Int64, _ details: HookDetails, _ secret: WebhookSecret,
        by creator: String, incarnation: [UInt8], at now: WallTime
    ) throws -> HookRecord {
        guard try hooks(of: organization).count < HookPace.hooksMax else {
            throw Refusal.tooMany("hooks of an organization", HookPace.hooksMax)
        }
        let newest = try row("SELECT number FROM hook ORDER BY number DESC LIMIT 1") { row in
            try row.int64(0)
        }
        let hook = HookRecord(
            id: id, number: (newest ?? 0) + 1, organization: organization, url: details.url,
            topics: details.topics, state: .enabled, disabledReason: "", createdAt: now,
            updatedAt: now, version: 1, waiting: 0)
        let end = try beginTelling(incarnation: incarnation)
        try execute(
            """
            INSERT INTO hook (number, id, organization, url, kinds, secret, state,
                disabled_reason, after_sequence, failures, resume_micros, created_by,
                created_micros, updated_micros, version)
            VALUES (\(hook.number), \(id), \(organization), \(hook.url), \(hook.topics.bits),
                \(secret.bytes), 1, '', \(end), 0, 0, \(creator), \(now), \(now), 1)
            """)
        return hook
    }

    /// Keeps what people have set at a hook, as its next version.
    func update(
        _ hook: HookRecord, to details: HookDetails, incarnation: [UInt8], at now: WallTime
    ) throws -> HookRecord {
        var next = hook
        next.url = details.url
        next.topics = details.topics
        next.state = details.isEnabled ? .enabled : .disabled
        next.disabledReason = ""
        next.updatedAt = max(now, hook.updatedAt)
        next.version += 1
        if details.isEnabled, hook.state != .enabled {
            let end = try beginTelling(incarnation: incarnation)
            try execute("UPDATE hook SET after_sequence = \(end) WHERE number = \(hook.number)")
        }
        // What is new at it may have mended it.
        try execute(
            """
            UPDATE hook
            SET url = \(next.url), kinds = \(next.topics.bits), state = \(next.state.rawValue),
                disabled_reason = '', failing_micros = NULL, failures = 0, resume_micros = 0,
                asked_micros = 0,
                updated_micros = \(next.updatedAt), version = \(next.version)
            WHERE number = \(hook.number)
            """)
        return next
    }

    /// Takes a hook away; its calls, of which none is sent any more, go later.
    func remove(_ hook: HookRecord, at now: WallTime) throws {
        try execute(
            """
            UPDATE hook SET state = 3, secret = x'', updated_micros = \(now)
            WHERE number = \(hook.number)
            """)
    }

    /// Has a hook called at once, however often it has failed.
    func resume(_ hook: HookRecord) throws {
        try execute(
            "UPDATE hook SET resume_micros = 0, asked_micros = 0 WHERE number = \(hook.number)")
    }

    /// Switches a hook off by itself; what waits for it fails soon.
    func switchOff(hook number: Int64, because reason: String, at now: WallTime) throws {
        try execute(
            """
            UPDATE hook
            SET state = 2, disabled_reason = \(reason), updated_micros = \(now),
                version = version + 1
            WHERE number = \(number) AND state = 1
            """)
    }

    /// The place in the feed after which a hook is told of changes.
    ///
    /// Where no other hook is on nobody has looked at the feed, and it is not looked at up to here.
    private func beginTelling(incarnation: [UInt8]) throws -> Int64 {
        let end = try feedEnd()
        if try !hasEnabledHook() {
            try setFeedPosition(
                FeedPosition(incarnation: incarnation, sequence: end), of: HookDesk.source)
        }
        return end
    }
}
