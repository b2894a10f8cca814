/// Gives each command one outcome.
enum Idempotency {
    /// Replies are kept for longer than any caller retries, by the wall clock and by the time for
    /// which the database was open: a clock that jumps empties nothing.
    static let replyRetention: Duration = .seconds(7 * 86_400)
    /// A cancelled command may arrive late.
    static let cancelledRetention: Duration = .seconds(30 * 86_400)
    /// Rows looked at in one transaction of a purge.
    static let purgeBatch = 500

    private enum State: Int {
        case done = 1
        case refused = 2
        case cancelled = 3
    }

    private struct Stored {
        let method: String
        let requestDigest: [UInt8]
        let state: State
        let reply: [UInt8]
    }

    /// Runs a command, or answers what it answered before.
    static func perform(
        _ command: Command, in transaction: Transaction,
        _ body: (Transaction) throws -> [UInt8]
    ) throws -> CommandOutcome {
        if let outcome = try outcome(of: command, in: transaction) { return outcome }
        do {
            Failpoint.beforeEffect.reach()
            let reply = try body(transaction)
            Failpoint.afterEffect.reach()
            try store(command, .done, reply, in: transaction)
            return .reply(reply)
        } catch let refusal as any DefiniteRefusal {
            try transaction.undo()
            let encoded = refusal.encodedRefusal
            try store(command, .refused, encoded, in: transaction)
            return .refusal(encoded)
        }
    }

    /// What a command answered before; nil when it has no outcome yet.
    static func outcome(
        of command: Command, in reading: some Reading
    ) throws -> CommandOutcome? {
        guard let stored = try stored(command, in: reading) else { return nil }
        guard stored.state != .cancelled else { throw CommandFault.cancelled }
        guard stored.method == command.method, stored.requestDigest == command.requestDigest
        else { throw CommandFault.idempotencyMismatch }
        return stored.state == .done ? .reply(stored.reply) : .refusal(stored.reply)
    }

    /// Undoes a command, and sees to it that it is never run again.
    ///
    /// One without a reply may not have come yet, or so long ago that its reply is gone.
    static func cancel(
        _ command: Command, in transaction: Transaction,
        undo: (Transaction, [UInt8]?) throws -> Void
    ) throws {
        Failpoint.beforeCancel.reach()
        guard let stored = try stored(command, in: transaction) else {
            try undo(transaction, nil)
            try store(command, .cancelled, [], in: transaction)
            return Failpoint.afterCancel.reach()
        }
        switch stored.state {
        case .cancelled: return
        case .done: try undo(transaction, stored.reply)
        case .refused: break
        }
        try transaction.execute(
            """
            UPDATE storage_reply
            SET state = \(State.cancelled.rawValue), at_us = \(command.now),
                open_us = \(transaction.runningTime.now)
            WHERE principal = \(command.principal) AND key = \(command.key)
            """)
        Failpoint.afterCancel.reach()
    }

    /// Whether a command has an outcome already, be it that it was cancelled.
    static func isSettled(_ command: Command, in reading: some Reading) throws -> Bool {
        try stored(command, in: reading) != nil
    }

    private static func stored(
        _ command: Command, in reading: some Reading
    ) throws -> Stored? {
        try reading.row(
            """
            SELECT method, request_digest, state, reply FROM storage_reply
            WHERE principal = \(command.principal) AND key = \(command.key)
            """
        ) { row in
            guard let state = State(rawValue: try row.int(2)) else {
                throw StorageFault.sql("a stored reply is in an unknown state")
            }
            return Stored(
                method: try row.text(0), requestDigest: try row.bytes(1), state: state,
                reply: try row.bytes(3))
        }
    }

    private static func store(
        _ command: Command, _ state: State, _ reply: [UInt8], in transaction: Transaction
    ) throws {
        Failpoint.beforeReply.reach()
        try transaction.execute(
            """
            INSERT INTO storage_reply
                (principal, key, method, request_digest, state, reply, open_us, at_us)
            VALUES (\(command.principal), \(command.key), \(command.method),
                \(command.requestDigest), \(state.rawValue), \(reply),
                \(transaction.runningTime.now), \(command.now))
            """)
        Failpoint.afterReply.reach()
    }

    // MARK: Purge

    /// Where a purge has got to.
    struct PurgePosition: Sendable {
        let principal: String
        let key: [UInt8]
    }

    /// Removes old rows among the next ones after a position.
    ///
    /// - Returns: How many were removed, and where to go on; nil at the end.
    static func purge(
        after position: PurgePosition?, at now: WallTime, in transaction: Transaction
    ) throws -> (removed: Int, next: PurgePosition?) {
        let principal = position?.principal ?? ""
        let key = position?.key ?? []
        let replyLimit = Age(replyRetention, at: now, transaction.runningTime)
        let cancelledLimit = Age(cancelledRetention, at: now, transaction.runningTime)
        let seen = try transaction.rows(
            """
            SELECT principal, key, state, open_us, at_us FROM storage_reply
            WHERE (principal, key) > (\(principal), \(key))
            ORDER BY principal, key LIMIT \(purgeBatch)
            """
        ) { row in
            let isCancelled = try row.int(2) == State.cancelled.rawValue
            let limit = isCancelled ? cancelledLimit : replyLimit
            let isOld = try limit.isPassed(openAt: row.int64(3), at: row.time(4))
            return (PurgePosition(principal: try row.text(0), key: try row.bytes(1)), isOld)
        }
        var removed = 0
        for (row, isOld) in seen where isOld {
            removed += try transaction.execute(
                "DELETE FROM storage_reply WHERE principal = \(row.principal) AND key = \(row.key)")
        }
        return (removed, seen.count < purgeBatch ? nil : seen.last?.0)
    }
}

/// How old something must be by the wall clock, and by the time for which the database was open.
struct Age {
    /// Younger by the wall clock is what bears this time or a later one.
    let wall: WallTime
    /// Younger by running time is what came after so many microseconds.
    let open: Int64

    init(_ age: Duration, at now: WallTime, _ runningTime: RunningTime) {
        wall = now.advanced(by: .zero - age)
        open = runningTime.ago(age)
    }

    /// Whether what came then is old by both.
    func isPassed(openAt: Int64, at: WallTime) -> Bool { openAt <= open && at < wall }
}
