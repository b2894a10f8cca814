internal import Storage

// What operators see of an outbox: what waits, and what was given up.

/// A mail that was not sent.
struct UnsentMail: Sendable, Hashable {
    let number: Int64
    let id: MailID
    let cause: String
    let receiver: String
    let subject: String
    /// Whether it was given up.
    let isFailed: Bool
    let attempts: Int
    /// Why it was not sent the last time.
    let reason: String?
    let createdAt: WallTime
    let dueAt: WallTime
}

extension UnsentMail {
    /// The columns in the order in which a mail is made of them.
    fileprivate static let columns: SQL = """
        number, id, cause, receiver, subject, state, attempts, reason, created_micros, due_micros
        """

    fileprivate init(row: Row) throws {
        guard let id = MailID(try row.bytes(1)) else {
            throw StorageFault.sql("mail holds an identifier of another length")
        }
        self.init(
            number: try row.int64(0), id: id, cause: try row.text(2), receiver: try row.text(3),
            subject: try row.text(4), isFailed: try row.int(5) == 3, attempts: try row.int(6),
            reason: try row.textOrNil(7), createdAt: try row.time(8), dueAt: try row.time(9))
    }
}

extension Reading {
    /// Mails that wait or have failed, the newest first, before a number.
    func unsentMails(_ state: Int?, before number: Int64, limit: Int) throws -> [UnsentMail] {
        let states = state.map { [$0] } ?? [1, 3]
        let found = try states.flatMap { state in
            // The index of what was not sent is found by the words with which it is made.
            try rows(
                """
                SELECT \(UnsentMail.columns) FROM mail
                WHERE state <> 2 AND state = \(state) AND number < \(number)
                ORDER BY number DESC LIMIT \(limit)
                """, UnsentMail.init(row:))
        }
        return Array(found.sorted { $0.number > $1.number }.prefix(limit))
    }

    /// A mail that waits or has failed.
    func unsentMail(_ id: MailID) throws -> UnsentMail? {
        try row(
            "SELECT \(UnsentMail.columns) FROM mail WHERE id = \(id.bytes) AND state <> 2",
            UnsentMail.init(row:))
    }
}

extension Transaction {
    /// Has a mail that was not sent tried at once.
    func retry(_ mail: UnsentMail, at now: WallTime) throws {
        try execute(
            """
            UPDATE mail SET state = 1, due_micros = \(now)
            WHERE number = \(mail.number) AND state <> 2
            """)
    }
}
