/// What a purge has removed.
public struct PurgeReport: Sendable, Hashable {
    /// Stored replies and cancelled commands.
    public internal(set) var replies = 0
    /// Workflows that had ended.
    public internal(set) var workflows = 0
}

extension Database {
    /// Removes, in small steps, replies older than 7 days, cancelled commands older than 30, and
    /// workflows that ended more than 30 days ago.
    ///
    /// To be called once a day. A row stays until it has been there at two purges before: a clock
    /// that jumps empties nothing.
    /// - Parameter now: The wall clock.
    /// - Returns: What was removed.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    @discardableResult
    public func purge(at now: WallTime) async throws -> PurgeReport {
        let idempotency = self.idempotency
        var report = PurgeReport()
        var position: Idempotency.PurgePosition?
        repeat {
            let from = position
            let batch = try await write { transaction in
                try idempotency.purge(after: from, at: now, in: transaction)
            }
            report.replies += batch.removed
            position = batch.next
        } while position != nil
        var removed = 0
        repeat {
            removed = try await write { transaction in
                try WorkflowStore.purge(
                    at: now, before: idempotency.purgeOfOldRows, in: transaction)
            }
            report.workflows += removed
        } while removed > 0
        try await write { try idempotency.countPurge(in: $0) }
        idempotency.purgeCounted()
        return report
    }
}
