internal import Synchronization

/// Gives each command one outcome.
final class Idempotency: Sendable {
    /// Replies are kept for longer than any caller retries.
    static let replyRetention: Duration = .seconds(7 * 86_400)
    /// A cancelled command may arrive late.
    static let cancelledRetention: Duration = .seconds(30 * 86_400)
    /// A row must have been there at so many purges before: a clock that jumps empties nothing.
    static let purgesBefore: Int64 = 2
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

    /// How often old replies have been purged.
    private let purges: Atomic<Int64>

    init(purges: Int64) {
        self.purges = Atomic(purges)
    }

    /// Runs a command, or answers what it answered before.
    func perform(
        _ command: Command, in transaction: Transaction,
        _ body: (Transaction) throws -> [UInt8]
    ) throws -> CommandOutcome {
        if let stored = try stored(command, in: transaction) {
            guard stored.state != .cancelled else { throw CommandFault.cancelled }
            guard stored.method == command.method,
                stored.requestDigest == command.requestDigest
            else { throw CommandFault.idempotencyMismatch }
            return stored.state == .done ? .reply(stored.reply) : .refusal(stored.reply)
        }
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

    /// Undoes a command, or sees to it that it is never run.
    func cancel(
        _ command: Command, in transaction: Transaction,
        undo: (Transaction, [UInt8]) throws -> Void
    ) throws {
        guard let stored = try stored(command, in: transaction) else {
            return try store(command, .cancelled, [], in: transaction)
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
                purge = \(purges.load(ordering: .relaxed))
            WHERE principal = \(command.principal) AND key = \(command.key)
            """)
    }

    /// Whether a command has an outcome already, be it that it was cancelled.
    func isSettled(_ command: Command, in reading: some Reading) throws -> Bool {
        try stored(command, in: reading) != nil
    }

    private func stored(
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

    private func store(
        _ command: Command, _ state: State, _ reply: [UInt8], in transaction: Transaction
    ) throws {
        Failpoint.beforeReply.reach()
        try transaction.execute(
            """
            INSERT INTO storage_reply
                (principal, key, method, request_digest, state, reply, purge, at_us)
            VALUES (\(command.principal), \(command.key), \(command.method),
                \(command.requestDigest), \(state.rawValue), \(reply),
                \(purges.load(ordering: .relaxed)), \(command.now))
            """)
        Failpoint.afterReply.reach()
    }

    // MARK: Purge

    /// Where a purge has got to.
    struct PurgePosition: Sendable {
        let principal: String
        let key: [UInt8]
    }

    /// A row of this purge, or one before, has been there at enough purges to be removed.
    var purgeOfOldRows: Int64 { purges.load(ordering: .relaxed) - Self.purgesBefore }

    /// Removes old rows among the next ones after a position.
    ///
    /// - Returns: How many were removed, and where to go on; nil at the end.
    func purge(
        after position: PurgePosition?, at now: WallTime, in transaction: Transaction
    ) throws -> (removed: Int, next: PurgePosition?) {
        let principal = position?.principal ?? ""
        let key = position?.key ?? []
        let replyLimit = now.advanced(by: .zero - Self.replyRetention)
        let cancelledLimit = now.advanced(by: .zero - Self.cancelledRetention)
        let lastPurge = purgeOfOldRows
        let seen = try transaction.rows(
            """
            SELECT principal, key, state, purge, at_us FROM storage_reply
            WHERE (principal, key) > (\(principal), \(key))
            ORDER BY principal, key LIMIT \(Self.purgeBatch)
            """
        ) { row in
            let isCancelled = try row.int(2) == State.cancelled.rawValue
            let limit = isCancelled ? cancelledLimit : replyLimit
            let isOld = try row.int64(3) <= lastPurge && row.time(4) < limit
            return (PurgePosition(principal: try row.text(0), key: try row.bytes(1)), isOld)
        }
        var removed = 0
        for (row, isOld) in seen where isOld {
            removed += try transaction.execute(
                "DELETE FROM storage_reply WHERE principal = \(row.principal) AND key = \(row.key)")
        }
        return (removed, seen.count < Self.purgeBatch ? nil : seen.last?.0)
    }

    /// Counts a purge that is complete.
    func countPurge(in transaction: Transaction) throws {
        try transaction.execute("UPDATE storage_meta SET purges = purges + 1 WHERE id = 1")
    }

    /// Notes that the count is durable.
    func purgeCounted() {
        purges.add(1, ordering: .relaxed)
    }
}
