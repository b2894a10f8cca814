import Access
import Logging
import ServiceKit
import Storage

/// Tells hooks what happens: follows the feed of this service behind a cursor that is kept, queues
/// the calls of each event with it, and looks after what is kept of them.
struct HookDesk: Sendable {
    /// The name under which is kept how far the feed was told.
    static let source = "organizations/hooks"
    /// The pause between two looks at the feed: events that come in the meantime are told together.
    static let period: Duration = .milliseconds(100)
    /// The pause after a failure of the database.
    static let failurePause: Duration = .seconds(5)
    /// The pause between two looks for calls that nobody waits for any longer.
    static let upkeepPeriod: Duration = .seconds(5)
    /// The pause between two looks for calls that were kept long enough.
    static let purgePeriod: Duration = .seconds(3_600)

    let database: Database
    let identifiers: IdentifierSource
    let clock: WallClock
    let logger: Logger
    var pace = HookPace()

    /// Works until it is cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await follow() }
            group.addTask { try await repeating(every: Self.upkeepPeriod) { try await tidy() } }
            group.addTask {
                try await repeating(every: Self.purgePeriod) {
                    try await database.purgeHooks(at: clock.now())
                }
            }
        }
    }

    private func follow() async throws {
        while true {
            // What comes after this is waited for.
            let end = database.feed.head()
            do {
                try await tell()
                try await database.feed.waitForEvents(after: end)
                try await Task.sleep(for: Self.period)
            } catch let end as CancellationError {
                throw end
            } catch {
                logger.warning("hooks not told", metadata: ["error": "\(error)"])
                try await Task.sleep(for: Self.failurePause)
            }
        }
    }

    private func repeating(
        every period: Duration, _ body: () async throws -> Void
    ) async throws {
        while true {
            do {
                try await body()
            } catch let fault as StorageFault {
                logger.warning("upkeep of hooks failed", metadata: ["error": "\(fault)"])
            }
            try await Task.sleep(for: period)
        }
    }

    /// Queues what the feed has told and hooks have not been.
    ///
    /// While no hook is on the feed is not looked at.
    /// - Returns: How many calls were queued.
    @discardableResult
    func tell() async throws -> Int {
        let incarnation = database.incarnation
        var count = 0
        while try await database.read({ try $0.hasEventsToTell() }) {
            let now = clock.now()
            let round = try await database.write { [identifiers] transaction in
                try transaction.tellHooks(
                    incarnation: incarnation, at: now, identifier: { identifiers.next() })
            }
            count += round.deliveries
            guard round.isMore else { break }
        }
        return count
    }

    /// Fails what waits for hooks that are off, and the oldest where more waits than may, and
    /// removes what is left of those removed.
    func tidy() async throws {
        let now = clock.now()
        while try await database.write({ try $0.failCallsOfHooksOff(at: now) }) > 0 {}
        try await failExcess(at: now)
        while try await database.write({ try $0.purgeRemovedHooks() }) {}
    }

    /// Fails the calls that wait longest where more wait than may; the writer is not asked where
    /// no more do.
    private func failExcess(at now: WallTime) async throws {
        let most = pace.waitingMax
        let hooks = try await database.read { snapshot in
            try snapshot.hooks(withMoreCallsThan: most, limit: Self.rowsAtOnce)
        }
        for hook in hooks {
            while try await database.write({ transaction in
                try transaction.failOldestCalls(ofHook: hook, beyond: most, at: now)
            }) > 0 {}
        }
    }
}

extension Reading {
    /// Whether there is a hook to tell, and something that it has not been told.
    fileprivate func hasEventsToTell() throws -> Bool {
        guard try hasEnabledHook(), let position = try feedPosition(of: HookDesk.source) else {
            return false
        }
        return try feedEnd() > position.sequence
    }
}
