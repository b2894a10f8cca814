public import Storage

/// The mails of a service, in its own database: queued in the transaction of what causes them, and
/// sent later.
///
/// A row is one mail to one receiver. Of one cause nobody gets two.
public enum Outbox {
    /// The most mails that wait; what comes then stays where it is until there is room.
    public static let waitingMax = 10_000
    /// What was sent is known for this long.
    public static let sentRetention: Duration = .seconds(30 * 86_400)
    /// What has failed is kept for this long.
    public static let failedRetention: Duration = .seconds(90 * 86_400)
    /// Rows that are removed in one transaction.
    static let purgedAtOnce = 500
    /// Of a longer reason the rest is left out.
    static let reasonCharactersMax = 500

    /// What has become of the mails of a cause, taken together.
    public enum State: Sendable, Hashable {
        /// There is none, or none is kept any more.
        case unknown
        /// One at least waits.
        case waiting
        /// None waits, and one at least was sent.
        case sent
        /// All have failed.
        case failed
    }

    /// The tables of the outbox.
    public static let migrations = [
        Migration(
            component: "mail", number: 1, name: "outbox",
            sql: """
                CREATE TABLE mail (
                    number         INTEGER NOT NULL PRIMARY KEY,
                    -- In its Message-ID: who receives it twice can tell.
                    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
                    -- What it is written for, such as contact/ID.
                    cause          TEXT    NOT NULL,
                    receiver       TEXT    NOT NULL COLLATE NOCASE,
                    reply_to       TEXT,
                    subject        TEXT    NOT NULL,
                    -- Empty once it was sent.
                    content        TEXT    NOT NULL,
                    -- 1 waiting, 2 sent, 3 failed for good.
                    state          INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
                    attempts       INTEGER NOT NULL CHECK (attempts >= 0),
                    -- Why it was not sent the last time.
                    reason         TEXT,
                    created_micros INTEGER NOT NULL,
                    -- When it is to be sent next; of one that waits no longer, when that ended.
                    due_micros     INTEGER NOT NULL,
                    UNIQUE (cause, receiver),
                    CHECK (state <> 3 OR reason IS NOT NULL)
                ) STRICT;
                CREATE INDEX mail_due ON mail (due_micros) WHERE state = 1;
                CREATE INDEX mail_age ON mail (created_micros) WHERE state = 1;
                CREATE INDEX mail_ended ON mail (state, due_micros) WHERE state >= 2;
                """),
        Migration(
            component: "mail", number: 2, name: "unsent",
            sql: "CREATE INDEX mail_unsent ON mail (state, number) WHERE state <> 2;"),
    ]
}

/// A mail in the outbox.
struct WaitingMail: Sendable, Hashable {
    let number: Int64
    let id: MailID
    let cause: String
    let receiver: String
    let replyTo: String?
    let subject: String
    let content: String
    let attempts: Int
    let createdAt: WallTime
}

/// How many mails there are, and since when the oldest waits.
struct OutboxCounts: Sendable, Hashable {
    /// How many wait; ``Outbox/waitingMax`` may be more.
    let waiting: Int
    /// How many have failed and are kept.
    let failed: Int
    /// When the one that waits longest was written.
    let oldest: WallTime?
}

extension Reading {
    /// How many mails there are.
    ///
    /// - Throws: `StorageFault`.
    func outboxCounts() throws -> OutboxCounts {
        let waiting = try row(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM mail WHERE state = 1 AND created_micros > 0
                LIMIT \(Outbox.waitingMax + 1))
            """, { try $0.int(0) })
        let failed = try row(
            "SELECT count(*) FROM mail WHERE state >= 2 AND state = 3", { try $0.int(0) })
        let oldest = try row(
            """
            SELECT created_micros FROM mail WHERE state = 1 AND created_micros > 0
            ORDER BY created_micros LIMIT 1
            """, { try $0.time(0) })
        return OutboxCounts(waiting: waiting ?? 0, failed: failed ?? 0, oldest: oldest)
    }

    /// Whether so many mails more may wait.
    ///
    /// - Throws: `StorageFault`.
    func outboxHasRoom(for count: Int) throws -> Bool {
        let waiting = try row(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM mail WHERE state = 1 AND created_micros > 0
                LIMIT \(Outbox.waitingMax))
            """, { try $0.int(0) })
        return (waiting ?? 0) + count <= Outbox.waitingMax
    }

    /// The mails that are due, those that are longest first.
    func mailsDue(at now: WallTime, limit: Int) throws -> [WaitingMail] {
        try rows(
            """
            SELECT number, id, cause, receiver, reply_to, subject, content, attempts,
                created_micros
            FROM mail WHERE state = 1 AND due_micros <= \(now)
            ORDER BY due_micros LIMIT \(limit)
            """
        ) { row in
            guard let id = MailID(try row.bytes(1)) else {
                throw StorageFault.sql("mail holds an identifier of another length")
            }
            return WaitingMail(
                number: try row.int64(0), id: id, cause: try row.text(2),
                receiver: try row.text(3), replyTo: try row.textOrNil(4),
                subject: try row.text(5), content: try row.text(6), attempts: try row.int(7),
                createdAt: try row.time(8))
        }
    }

    /// What has become of the mails of a cause.
    ///
    /// - Throws: `StorageFault`.
    public func outboxState(of cause: String) throws -> Outbox.State {
        let counts = try row(
            """
            SELECT count(*), coalesce(sum(state = 1), 0), coalesce(sum(state = 2), 0)
            FROM mail WHERE cause = \(cause)
            """
        ) { (all: try $0.int(0), waiting: try $0.int(1), sent: try $0.int(2)) }
        guard let counts, counts.all > 0 else { return .unknown }
        if counts.waiting > 0 { return .waiting }
        return counts.sent > 0 ? .sent : .failed
    }
}

extension Transaction {
    /// Queues a letter to receivers, to each once for the cause, however often it is queued.
    ///
    /// - Parameters:
    ///   - letter: What is written.
    ///   - receivers: Who receives it; letter case does not tell them apart.
    ///   - cause: What it is written for.
    ///   - now: When.
    /// - Returns: False when so many wait that these do not: then nothing is queued.
    /// - Throws: `StorageFault`.
    public func queue(
        _ letter: Letter, to receivers: [String], cause: String, at now: WallTime
    ) throws -> Bool {
        var known: Set<String> = []
        let receivers = receivers.filter { known.insert($0.lowercased()).inserted }
        guard try outboxHasRoom(for: receivers.count) else { return false }
        for receiver in receivers {
            try execute(
                """
                INSERT INTO mail (id, cause, receiver, reply_to, subject, content, state, attempts,
                    created_micros, due_micros)
                VALUES (\(MailID().bytes), \(cause), \(receiver), \(letter.replyTo?.text),
                    \(letter.subject), \(letter.text), 1, 0, \(now), \(now))
                ON CONFLICT (cause, receiver) DO NOTHING
                """)
        }
        return true
    }

    /// Notes that a mail was sent; what it said is forgotten.
    func noteSent(_ mail: WaitingMail, at now: WallTime) throws {
        try execute(
            """
            UPDATE mail SET state = 2, attempts = attempts + 1, content = '', reason = NULL,
                due_micros = \(now)
            WHERE number = \(mail.number) AND state = 1
            """)
    }

    /// Notes that a mail was not sent and will not be.
    func noteFailed(_ mail: WaitingMail, because reason: String, at now: WallTime) throws {
        try execute(
            """
            UPDATE mail SET state = 3, attempts = attempts + 1, reason = \(reason),
                due_micros = \(now)
            WHERE number = \(mail.number) AND state = 1
            """)
    }

    /// Gives up the mails of a cause that wait: what they say holds no longer.
    ///
    /// - Parameters:
    ///   - cause: What they were written for.
    ///   - reason: Why, for operators.
    ///   - now: When.
    /// - Throws: `StorageFault`.
    public func giveUpMails(of cause: String, because reason: String, at now: WallTime) throws {
        try execute(
            """
            UPDATE mail SET state = 3, reason = \(reason), due_micros = \(now)
            WHERE cause = \(cause) AND state = 1
            """)
    }

    /// Notes that a mail was not sent, and when it is tried again.
    func notePostponed(_ mail: WaitingMail, because reason: String, until due: WallTime) throws {
        try execute(
            """
            UPDATE mail SET attempts = attempts + 1, reason = \(reason), due_micros = \(due)
            WHERE number = \(mail.number) AND state = 1
            """)
    }

    /// Removes some of the mails that ended long ago.
    ///
    /// - Returns: How many.
    func purgeMails(at now: WallTime) throws -> Int {
        let ends = [
            (state: 2, end: now.advanced(by: .zero - Outbox.sentRetention)),
            (state: 3, end: now.advanced(by: .zero - Outbox.failedRetention)),
        ]
        var removed = 0
        for (state, end) in ends {
            removed += try execute(
                """
                DELETE FROM mail WHERE number IN (
                    SELECT number FROM mail
                    WHERE state >= 2 AND state = \(state) AND due_micros < \(end)
                    ORDER BY due_micros LIMIT \(Outbox.purgedAtOnce))
                """)
        }
        return removed
    }
}

extension Database {
    /// Removes the mails that ended long ago.
    ///
    /// - Throws: `StorageFault`.
    public func purgeMails(at now: WallTime) async throws {
        var removed = 0
        repeat {
            removed = try await write { try $0.purgeMails(at: now) }
        } while removed > 0
    }
}
