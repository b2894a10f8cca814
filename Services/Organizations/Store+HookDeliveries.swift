import Access
import ServiceKit
import Storage
import Webhooks

// Calls of hooks: queued, sent, and kept for a while.

/// What has become of a call.
enum HookDeliveryState: Int, Sendable {
    case waiting = 1
    case delivered = 2
    case failed = 3
}

/// A call of a hook as it is kept.
struct HookDeliveryRecord: Sendable, Hashable {
    /// How long calls are kept.
    static let retention: Duration = .seconds(30 * 86_400)

    let id: HookDeliveryID
    /// Names it inside this database; later ones have higher ones.
    let number: Int64
    var state: HookDeliveryState
    let attempts: Int
    let lastStatus: Int
    let lastError: String
    let createdAt: WallTime
    /// When it is sent next, or when it ended.
    var dueAt: WallTime
    let topic: HookTopic
    let body: String
}

/// A hook for which calls are due.
struct DueHook: Sendable, Hashable {
    let id: HookID
    /// Names it inside this database as long as it is there; another may have it afterwards.
    let number: Int64
    /// The number of its organization.
    let organization: Int64
}

/// A call that is to be sent.
struct HookCall: Sendable, Hashable {
    let id: HookDeliveryID
    let hook: DueHook
    /// The version of the hook that says where it goes.
    let hookVersion: Int64
    /// The attempts since it was asked for.
    let tries: Int
    let dueAt: WallTime
    let url: String
    let secret: WebhookSecret
    let body: String
}

extension HookDeliveryRecord {
    /// The columns in the order in which a call is made of them, of tables named d and e.
    fileprivate static let columns: SQL = """
        d.id, d.number, d.state, d.attempts, d.last_status, d.last_error, d.created_micros,
        d.due_micros, e.kind, e.body
        """

    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), number: try row.int64(1),
            state: try HookDeliveryState(stored: row.int(2)), attempts: try row.int(3),
            lastStatus: try row.int(4), lastError: try row.text(5), createdAt: try row.time(6),
            dueAt: try row.time(7), topic: try HookTopic(stored: row.int(8)),
            body: try row.text(9))
    }
}

extension Reading {
    /// Calls of a hook, the newest first, before a number.
    func hookDeliveries(
        ofHook hook: Int64, _ state: HookDeliveryState?, before number: Int64, limit: Int
    ) throws -> [HookDeliveryRecord] {
        guard let state else {
            return try rows(
                """
                SELECT \(HookDeliveryRecord.columns)
                FROM hook_delivery AS d JOIN hook_event AS e ON e.number = d.event
                WHERE d.hook = \(hook) AND d.number < \(number)
                ORDER BY d.number DESC LIMIT \(limit)
                """, HookDeliveryRecord.init(row:))
        }
        return try rows(
            """
            SELECT \(HookDeliveryRecord.columns)
            FROM hook_delivery AS d JOIN hook_event AS e ON e.number = d.event
            WHERE d.hook = \(hook) AND d.state = \(state.rawValue) AND d.number < \(number)
            ORDER BY d.number DESC LIMIT \(limit)
            """, HookDeliveryRecord.init(row:))
    }

    /// A call of a hook.
    ///
    /// - Throws: ``Refusal/noSuchHookDelivery``.
    func hookDelivery(_ id: HookDeliveryID, ofHook hook: Int64) throws -> HookDeliveryRecord {
        let found = try row(
            """
            SELECT \(HookDeliveryRecord.columns)
            FROM hook_delivery AS d JOIN hook_event AS e ON e.number = d.event
            WHERE d.id = \(id) AND d.hook = \(hook)
            """, HookDeliveryRecord.init(row:))
        guard let found else { throw Refusal.noSuchHookDelivery }
        return found
    }
}

extension Transaction {
    /// Keeps what is told.
    ///
    /// - Returns: Its number.
    func insertHookEvent(_ topic: HookTopic, _ body: String, at now: WallTime) throws -> Int64 {
        let newest = try row("SELECT number FROM hook_event ORDER BY number DESC LIMIT 1") { row in
            try row.int64(0)
        }
        let number = (newest ?? 0) + 1
        try execute(
            """
            INSERT INTO hook_event (number, kind, body, created_micros)
            VALUES (\(number), \(topic.rawValue), \(body), \(now))
            """)
        return number
    }

    /// Queues a call.
    func insertCall(
        _ id: HookDeliveryID, of event: Int64, forHook hook: Int64, at now: WallTime
    ) throws {
        try execute(
            """
            INSERT INTO hook_delivery (id, hook, event, state, attempts, tries, last_status,
                last_error, created_micros, due_micros)
            VALUES (\(id), \(hook), \(event), 1, 0, 0, 0, '', \(now), \(now))
            """)
    }

    /// Has a call sent at once, as if it had never been.
    func repeatCall(_ delivery: HookDeliveryRecord, at now: WallTime) throws {
        try execute(
            """
            UPDATE hook_delivery SET state = 1, tries = 0, due_micros = \(now)
            WHERE number = \(delivery.number)
            """)
    }

    // MARK: What has become of a call

    /// Notes that a call has arrived, whatever was thought of it meanwhile.
    func noteDelivered(_ call: HookCall, status: Int, at now: WallTime) throws {
        try execute(
            """
            UPDATE hook_delivery
            SET state = 2, attempts = attempts + 1, tries = tries + 1, last_status = \(status),
                last_error = '', due_micros = \(now)
            WHERE id = \(call.id)
            """)
        guard let hook = try hookUnchanged(since: call) else { return }
        try execute(
            """
            UPDATE hook SET failing_micros = NULL, failures = 0, resume_micros = asked_micros
            WHERE number = \(hook) AND failures > 0
            """)
    }

    /// Notes an attempt that did not arrive; one that somebody has asked for again meanwhile stays
    /// due.
    ///
    /// - Parameters:
    ///   - call: The call.
    ///   - status: The HTTP status; 0: there was none.
    ///   - reason: What is wrong, a sentence.
    ///   - due: When it is tried again; nil: it has failed.
    ///   - now: When.
    /// - Throws: `StorageFault`.
    func noteMissed(
        _ call: HookCall, status: Int, because reason: String, until due: WallTime?,
        at now: WallTime
    ) throws {
        let waiting = try row(
            "SELECT tries, due_micros FROM hook_delivery WHERE id = \(call.id) AND state = 1"
        ) { row in (tries: try row.int(0), dueAt: try row.time(1)) }
        guard let waiting else { return }
        guard waiting.tries == call.tries, waiting.dueAt == call.dueAt else {
            try execute(
                """
                UPDATE hook_delivery
                SET attempts = attempts + 1, last_status = \(status), last_error = \(reason)
                WHERE id = \(call.id)
                """)
            return
        }
        try execute(
            """
            UPDATE hook_delivery
            SET state = \(due == nil ? 3 : 1), attempts = attempts + 1, tries = tries + 1,
                last_status = \(status), last_error = \(reason), due_micros = \(due ?? now)
            WHERE id = \(call.id)
            """)
    }

    /// Notes at a hook that a call did not arrive.
    ///
    /// - Returns: How many have not, one after the other, and since when none has.
    func noteFailure(ofHook hook: Int64, at now: WallTime) throws -> (count: Int, since: WallTime) {
        try execute(
            """
            UPDATE hook
            SET failures = failures + 1, failing_micros = coalesce(failing_micros, \(now))
            WHERE number = \(hook)
            """)
        let noted = try row("SELECT failures, failing_micros FROM hook WHERE number = \(hook)") {
            row in (count: try row.int(0), since: try row.time(1))
        }
        return noted ?? (count: 1, since: now)
    }

    /// Has a hook not called for a while.
    ///
    /// - Parameters:
    ///   - hook: The number of the hook.
    ///   - resume: When it is called again.
    ///   - asked: Until when its receiver asks to be left alone, if it does; no other call that is
    ///     under way shortens that, whatever becomes of it.
    /// - Throws: `StorageFault`.
    func pause(hook: Int64, until resume: WallTime, asked: WallTime?) throws {
        let asked = asked ?? WallTime(microseconds: 0)
        try execute(
            """
            UPDATE hook
            SET resume_micros = max(\(resume), asked_micros, \(asked)),
                asked_micros = max(asked_micros, \(asked))
            WHERE number = \(hook)
            """)
    }
}

extension Statements {
    /// Hooks that may be called now and for which calls are due, after a number.
    ///
    /// Each hook for which calls wait is found by one look into the index of what waits, in the
    /// order of which it is asked: that of all calls would be read through.
    static func hooksDue(at now: WallTime, after number: Int64, limit: Int) -> SQL {
        """
        WITH RECURSIVE waiting (hook, level) AS (
            SELECT (SELECT first.hook FROM hook_delivery AS first
                WHERE first.state = 1 AND first.hook > \(number)
                ORDER BY first.hook, first.due_micros LIMIT 1), 1
            UNION ALL
            SELECT (SELECT next.hook FROM hook_delivery AS next
                WHERE next.state = 1 AND next.hook > waiting.hook
                ORDER BY next.hook, next.due_micros LIMIT 1), level + 1
            FROM waiting WHERE waiting.hook IS NOT NULL AND level < 100000
        )
        SELECT hook.id, hook.number, hook.organization
        FROM waiting JOIN hook ON hook.number = waiting.hook
        WHERE hook.state = 1 AND hook.resume_micros <= \(now) AND EXISTS (
            SELECT 1 FROM hook_delivery AS d
            WHERE d.hook = hook.number AND d.state = 1 AND d.due_micros <= \(now))
        LIMIT \(limit)
        """
    }
}

extension Reading {
    /// Hooks that may be called now and for which calls are due, after a number.
    func hooksDue(at now: WallTime, after number: Int64, limit: Int) throws -> [DueHook] {
        try rows(Statements.hooksDue(at: now, after: number, limit: limit)) { row in
            DueHook(
                id: try row.identifier(0), number: try row.int64(1),
                organization: try row.int64(2))
        }
    }

    /// The number of the hook that a call went to; nil when it is gone, off, or was changed since.
    ///
    /// What has become of the call says nothing of such a hook.
    func hookUnchanged(since call: HookCall) throws -> Int64? {
        try row(
            """
            SELECT number FROM hook
            WHERE id = \(call.hook.id) AND version = \(call.hookVersion) AND state = 1
            """, { try $0.int64(0) })
    }

    /// The calls of a hook that are due, those that are longest first.
    func callsDue(ofHook hook: DueHook, at now: WallTime, limit: Int) throws -> [HookCall] {
        try rows(
            """
            SELECT d.id, h.version, d.tries, d.due_micros, h.url, h.secret, e.body
            FROM hook_delivery AS d JOIN hook AS h ON h.number = d.hook
                JOIN hook_event AS e ON e.number = d.event
            WHERE d.hook = \(hook.number) AND d.state = 1 AND d.due_micros <= \(now)
                AND h.state = 1
            ORDER BY d.due_micros LIMIT \(limit)
            """
        ) { row in
            guard let secret = WebhookSecret(try row.bytes(5)) else {
                throw StorageFault.sql("a hook holds a secret of another length")
            }
            return HookCall(
                id: try row.identifier(0), hook: hook, hookVersion: try row.int64(1),
                tries: try row.int(2), dueAt: try row.time(3), url: try row.text(4),
                secret: secret, body: try row.text(6))
        }
    }
}
