import ServiceKit
import Storage

// What becomes of calls that nobody waits for any longer. Each statement touches so many rows that
// others are not kept waiting.

extension HookDesk {
    /// Rows that are changed or removed in one transaction.
    static let rowsAtOnce = 1_000
    /// The hooks of an organization that is gone for good stay for so long: they are told of it.
    static let farewell: Duration = .seconds(5 * 86_400)
}

extension Statements {
    static func hooks(withMoreCallsThan most: Int, limit: Int) -> SQL {
        """
        SELECT number FROM hook WHERE waiting > \(most) ORDER BY waiting DESC LIMIT \(limit)
        """
    }
}

extension Reading {
    /// The numbers of hooks for which more calls wait than may, those with the most first; at most
    /// so many.
    func hooks(withMoreCallsThan most: Int, limit: Int) throws -> [Int64] {
        try rows(Statements.hooks(withMoreCallsThan: most, limit: limit)) { try $0.int64(0) }
    }

    /// How many calls wait for a hook.
    fileprivate func waitingCalls(ofHook hook: Int64) throws -> Int {
        try row("SELECT waiting FROM hook WHERE number = \(hook)", { try $0.int(0) }) ?? 0
    }
}

extension Transaction {
    /// Fails some of the calls that wait longest for a hook, as far as more wait than may.
    ///
    /// - Returns: How many.
    func failOldestCalls(ofHook hook: Int64, beyond most: Int, at now: WallTime) throws -> Int {
        let excess = min(try waitingCalls(ofHook: hook) - most, HookDesk.rowsAtOnce)
        guard excess > 0 else { return 0 }
        return try execute(
            """
            UPDATE hook_delivery
            SET state = 3, last_error = 'Too many calls waited.', due_micros = \(now)
            WHERE number IN (
                SELECT number FROM hook_delivery WHERE hook = \(hook) AND state = 1
                ORDER BY number LIMIT \(excess))
            """)
    }

    /// Fails some of the calls that wait for hooks that are off.
    ///
    /// - Returns: How many.
    func failCallsOfHooksOff(at now: WallTime) throws -> Int {
        let hook = try row(
            """
            SELECT h.number FROM hook AS h
            WHERE h.state >= 2 AND EXISTS (
                SELECT 1 FROM hook_delivery AS d WHERE d.hook = h.number AND d.state = 1)
            LIMIT 1
            """, { try $0.int64(0) })
        guard let hook else { return 0 }
        return try execute(
            """
            UPDATE hook_delivery
            SET state = 3, last_error = 'The hook was switched off.', due_micros = \(now)
            WHERE number IN (
                SELECT number FROM hook_delivery WHERE hook = \(hook) AND state = 1
                LIMIT \(HookDesk.rowsAtOnce))
            """)
    }

    /// Fails some of all calls that wait.
    ///
    /// - Returns: How many.
    func failWaitingCalls(because reason: String, at now: WallTime) throws -> Int {
        try execute(
            """
            UPDATE hook_delivery
            SET state = 3, last_error = \(reason), due_micros = \(now)
            WHERE number IN (
                SELECT number FROM hook_delivery WHERE hook > 0 AND state = 1 AND due_micros > 0
                LIMIT \(HookDesk.rowsAtOnce))
            """)
    }

    /// Removes some of the calls of hooks that were removed, and those hooks.
    ///
    /// - Returns: Whether there is more to remove.
    func purgeRemovedHooks() throws -> Bool {
        let hook = try row("SELECT number FROM hook WHERE state = 3 LIMIT 1") { try $0.int64(0) }
        guard let hook else { return false }
        let removed = try execute(
            """
            DELETE FROM hook_delivery WHERE number IN (
                SELECT number FROM hook_delivery WHERE hook = \(hook)
                LIMIT \(HookDesk.rowsAtOnce))
            """)
        if removed < HookDesk.rowsAtOnce {
            try execute("DELETE FROM hook WHERE number = \(hook)")
        }
        return true
    }

    /// Removes some of the calls that were kept long enough, and then what they told.
    ///
    /// - Returns: How many.
    func purgeCalls(before start: WallTime) throws -> Int {
        let calls = try execute(
            """
            DELETE FROM hook_delivery WHERE number IN (
                SELECT number FROM hook_delivery WHERE created_micros < \(start)
                ORDER BY created_micros LIMIT \(HookDesk.rowsAtOnce))
            """)
        guard calls == 0 else { return calls }
        return try execute(
            """
            DELETE FROM hook_event WHERE number IN (
                SELECT number FROM hook_event WHERE created_micros < \(start)
                ORDER BY created_micros LIMIT \(HookDesk.rowsAtOnce))
            """)
    }

    /// Takes away the hooks of organizations that have been gone for good since before an instant.
    func removeHooks(ofPurgedBefore start: WallTime, at now: WallTime) throws {
        try execute(
            """
            UPDATE hook SET state = 3, secret = x'', updated_micros = \(now)
            WHERE state <= 2 AND organization IN (
                SELECT o.number FROM organization AS o
                WHERE o.number = hook.organization AND o.standing >= 4
                    AND o.updated_micros < \(start))
            """)
    }
}

extension Database {
    /// Makes sure that nothing is told again which was told in another life of the database, before
    /// anything is sent.
    ///
    /// What waited in a copy that was put back may have been sent since it was made; it fails, and
    /// may be asked for again. What the feed of the copy had not told yet is passed over.
    /// - Throws: `StorageFault`.
    func settleHooks(at now: WallTime) async throws {
        let incarnation = incarnation
        let known = try await read { try $0.feedPosition(of: HookDesk.source) }
        guard known?.incarnation != incarnation else { return }
        while try await write({ transaction in
            try transaction.failWaitingCalls(
                because: "The database was put back; this may have been sent before.", at: now)
        }) > 0 {}
        try await write { transaction in
            try transaction.setFeedPosition(
                FeedPosition(incarnation: incarnation, sequence: try transaction.feedEnd()),
                of: HookDesk.source)
        }
    }

    /// Removes what was kept of hooks long enough.
    func purgeHooks(at now: WallTime) async throws {
        let gone = now.advanced(by: .zero - HookDesk.farewell)
        try await write { try $0.removeHooks(ofPurgedBefore: gone, at: now) }
        let start = now.advanced(by: .zero - HookDeliveryRecord.retention)
        while try await write({ try $0.purgeCalls(before: start) }) > 0 {}
        while try await write({ try $0.purgeRemovedHooks() }) {}
    }
}
