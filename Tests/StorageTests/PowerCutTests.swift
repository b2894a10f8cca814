import Testing

@testable import Storage

/// A power cut at any moment loses nothing that was acknowledged.
@Suite(.timeLimit(.minutes(5))) struct PowerCutTests {
    /// A protection that a workload goes without.
    enum Missing: CaseIterable {
        case none
        /// Nothing is synced.
        case syncs
        /// Commits are not synced, checkpoints are.
        case syncsOfCommits
        /// The log is synced, the database's file is not.
        case syncsOfCheckpoints
    }

    /// A checkpoint happens every few commits.
    private static let checkpointPages: Int32 = 60
    private static let commands = 240

    @Test(arguments: [1, 2] as [UInt64])
    func `a power cut loses nothing that was acknowledged`(seed: UInt64) async throws {
        let workload = try await perform(without: .none)

        let findings = await workload.search(states: 1_000, seed: seed)

        #expect(findings.states >= 1_000)
        #expect(findings.losing == 0, "seed \(seed): \(findings.examples)")
    }

    /// Shows that the search finds what the protections prevent.
    @Test(arguments: Missing.allCases.filter { $0 != .none })
    func `a power cut loses data where a protection is missing`(missing: Missing) async throws {
        let workload = try await perform(without: missing)

        let findings = await workload.search(states: 100, seed: 3)

        #expect(findings.losing > 0, "of \(findings.states)")
    }

    // MARK: The workload

    /// Records what a workload writes, a new start in its middle.
    private func perform(without missing: Missing) async throws -> PowerCutSearch {
        let files = TemporaryFolder()
        let disk = FaultyDisk()
        let ledger = CommandLedger()
        let half = Self.commands / 2
        for numbers in [0..<half, half..<Self.commands] {
            let database = try files.database([CommandLedger.migration]) { configuration in
                configuration.engine = engine(files.databasePath, on: disk, without: missing)
            }
            // One client alone, then several that share commits.
            let alone = numbers.lowerBound..<numbers.lowerBound + half / 6
            await ledger.enter(alone, clients: 1, in: database, on: disk)
            await ledger.enter(
                alone.upperBound..<numbers.upperBound, clients: 6, in: database, on: disk)
            // Repeated commands answer what they answered.
            await ledger.enter(alone, clients: 2, in: database, on: disk)
            database.close()
        }
        #expect(ledger.acknowledged().count == Self.commands)
        return PowerCutSearch(disk: disk, ledger: ledger)
    }

    private func engine(
        _ path: String, on disk: FaultyDisk, without missing: Missing
    ) -> FaultyDiskEngine {
        if missing == .syncsOfCheckpoints { disk.arm(.syncLies, .forEver, roles: [.database]) }
        let durability: EmbeddedSQLite.Durability =
            switch missing {
            case .syncs: .none
            case .syncsOfCommits: .checkpoints
            case .none, .syncsOfCheckpoints: .full
            }
        return FaultyDiskEngine(
            path, on: disk, durability: durability, checkpointPages: Self.checkpointPages)
    }
}
