import Logging
import Mail
import ServiceKit
import Storage

/// Forgets what nobody needs any longer: masks that nobody verified, messages that are old, and
/// organizations whose time in the archive is over.
///
/// It tells the feed as well when last days have passed, and keeps searches cheap.
struct Upkeep: Sendable {
    /// The pause between two rounds.
    static let period: Duration = .seconds(3_600)
    /// The pause before the first, so that a start is not slowed down.
    static let firstPause: Duration = .seconds(300)
    /// How long an organization stays in the archive.
    static let archiveRetention: Duration = .seconds(90 * 86_400)
    /// How long the end of a move or a restore is known.
    static let relocationRetention: Duration = .seconds(30 * 86_400)
    /// How long an import and its plan are kept.
    static let importRetention: Duration = .seconds(7 * 86_400)
    /// Rows of plans that are removed in one transaction.
    private static let importRowsAtOnce = 1_000
    /// Organizations that are removed in one transaction.
    private static let purgedAtOnce = 200

    let database: Database
    let limits: Limits
    /// The pause between two looks at types that an older program did not tell, while some remain.
    ///
    /// The first comes at once: until they are told, nobody knows what they restrict.
    var typesPause: Duration = .seconds(30)

    /// Does its rounds and sweeps until it is cancelled.
    func run(clock: WallClock, logger: Logger) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await sweepLapses(clock: clock, logger: logger) }
            group.addTask { try await keepPartsTogether(logger: logger) }
            group.addTask { try await tellTypes(clock: clock, logger: logger) }
            group.addTask { try await goRound(clock: clock, logger: logger) }
        }
    }

    private func goRound(clock: WallClock, logger: Logger) async throws {
        try await Task.sleep(for: Self.firstPause)
        while true {
            do {
                try await round(at: clock.now())
            } catch let fault as StorageFault {
                logger.warning("upkeep failed", metadata: ["error": "\(fault)"])
            }
            try await Task.sleep(for: Self.period)
        }
    }

    /// One round.
    func round(at now: WallTime) async throws {
        let masksFrom = now.advanced(by: .zero - limits.maskWaitingMax)
        try await database.write { try $0.forgetEmailMasks(waitingSince: masksFrom) }
        let messagesFrom = now.advanced(by: .zero - ContactMessage.retention)
        var removed = 0
        repeat {
            removed = try await database.write { transaction in
                try transaction.purgeContactMessages(before: messagesFrom)
            }
        } while removed > 0
        // What goes from here is lost: a clock that jumps must not make it old.
        let archivedFrom = try await database.retentionLimit(Self.archiveRetention, at: now)
        repeat {
            removed = try await database.write { transaction in
                try transaction.purgeArchive(
                    before: archivedFrom, atMost: Self.purgedAtOnce, at: now)
            }
        } while removed > 0
        let importedFrom = now.advanced(by: .zero - Self.importRetention)
        var isMore = false
        repeat {
            isMore = try await database.write { transaction in
                try transaction.removeImports(
                    before: importedFrom, rowsMax: Self.importRowsAtOnce)
            }
        } while isMore
        let relocatedFrom = now.advanced(by: .zero - Self.relocationRetention)
        try await database.write { try $0.forgetRelocations(before: relocatedFrom) }
        try await database.purgeMails(at: now)
    }
}
