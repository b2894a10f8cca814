import Logging
import ServiceKit
import Storage

// Changes and imports leave the index of parts of titles in pieces; a search looks into each, which
// makes it twice as dear. They are joined again beside the work.

extension Upkeep {
    /// The pause between two looks at how much has changed.
    static let partsPause: Duration = .seconds(5)
    /// Fewer changes than this are not worth it.
    static let partsChangesMin: Int64 = 1_000
    /// Joining writes the whole index: only once so large a share of the titles has changed.
    static let partsChangedShare: Int64 = 50
    /// Pages that are written in one transaction: others are not kept waiting.
    private static let partsPagesAtOnce = 64
    /// Steps of one joining, whatever is changed meanwhile: enough for an index of 5 GB.
    private static let partsStepsMax = 20_000

    /// Joins the pieces at the beginning and whenever much has changed, until it is cancelled.
    func keepPartsTogether(logger: Logger) async throws {
        // What was joined before this program began nobody knows.
        var joined: Int64 = 0
        while true {
            try await Task.sleep(for: Self.partsPause)
            do {
                joined = try await joinParts(changedSince: joined)
            } catch let fault as StorageFault {
                logger.warning("index of titles not joined", metadata: ["error": "\(fault)"])
            }
        }
    }

    /// Joins the pieces if so much has changed that it is worth it.
    ///
    /// - Parameter joined: The place of the latest change when they were joined last.
    /// - Returns: That place now.
    /// - Throws: `StorageFault`.
    func joinParts(changedSince joined: Int64) async throws -> Int64 {
        let (latest, organizations) = try await database.read { snapshot in
            (try snapshot.latestRecency(), try snapshot.tally(.everywhere))
        }
        let changesMin = max(Self.partsChangesMin, organizations / Self.partsChangedShare)
        guard latest - joined >= changesMin else { return joined }
        try await joinParts()
        return latest
    }

    /// Joins the pieces.
    func joinParts() async throws {
        for step in 0..<Self.partsStepsMax {
            let isMore = try await database.write { transaction in
                try transaction.joinParts(pages: Self.partsPagesAtOnce, begins: step == 0)
            }
            guard isMore else { return }
        }
    }
}
