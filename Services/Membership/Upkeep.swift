import Logging
import Mail
import ServiceKit
import Storage

/// Forgets what nobody needs any longer: registrations that have expired, refused attempts to
/// make an organization, and mails that ended long ago.
struct Upkeep: Sendable {
    /// The pause between two rounds.
    static let period: Duration = .seconds(600)

    let database: Database

    /// Does its rounds until it is cancelled.
    func run(clock: WallClock, logger: Logger) async throws {
        while true {
            try await Task.sleep(for: Self.period)
            do {
                try await round(at: clock.now())
            } catch let fault as StorageFault {
                logger.warning("upkeep failed", metadata: ["error": "\(fault)"])
            }
        }
    }

    /// One round.
    func round(at now: WallTime) async throws {
        var removed = 0
        repeat {
            removed = try await database.write { try $0.sweepRegistrations(at: now) }
        } while removed > 0
        repeat {
            removed = try await database.write { try $0.sweepRefusedFoundings(at: now) }
        } while removed > 0
        try await database.purgeMails(at: now)
    }
}
