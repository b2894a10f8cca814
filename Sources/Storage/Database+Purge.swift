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
    /// So old must they be by the wall clock *and* by the time for which the database was open: a
    /// clock that jumps empties nothing, however often the program starts and purges. To be called
    /// once a day.
    /// - Parameter now: The wall clock.
    /// - Returns: What was removed.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    @discardableResult
    public func purge(at now: WallTime) async throws -> PurgeReport {
        var report = PurgeReport()
        var position: Idempotency.PurgePosition?
        repeat {
            let from = position
            let batch = try await write { transaction in
                try Idempotency.purge(after: from, at: now, in: transaction)
            }
            report.replies += batch.removed
            position = batch.next
        } while position != nil
        var removed = 0
        repeat {
            removed = try await write { transaction in
                try WorkflowStore.purge(at: now, in: transaction)
            }
            report.workflows += removed
        } while removed > 0
        try await noteRunningTime(at: now)
        return report
    }
}
