import TestSupport

@testable import Storage

/// Looks for losses in what power cuts may leave of a workload.
struct PowerCutSearch {
    struct Findings {
        /// How many different states were looked at.
        var states = 0
        /// How many of them lack something.
        var losing = 0
        /// What the first ones lack.
        var examples: [String] = []

        fileprivate mutating func add(_ example: String) {
            losing += 1
            if losing <= 5 { examples.append(example) }
        }
    }

    private struct State {
        var random: SplitMix
        var findings = Findings()
        /// The states looked at: the same one is often left in several ways.
        var files: Set<Int> = []
        /// Those of them that lack something.
        var losing: Set<Int> = []
        /// The states looked at, each with the number of commands acknowledged before.
        var promises: Set<[Int]> = []
    }

    /// The record is gone through so often at most.
    private static let passesMax = 5
    /// One state in so many is also asked to do every command again.
    private static let statesPerRepetition = 100

    /// The disk that the workload was done on.
    let disk: FaultyDisk
    let ledger: CommandLedger

    /// Opens at least so many different crash states, spread over the record.
    func search(states: Int, seed: UInt64) async -> Findings {
        var state = State(random: SplitMix(seed: seed))
        await pass(states: states, &state)
        for _ in 1..<Self.passesMax where state.findings.states < states {
            await pass(states: states, stopsWhenEnough: true, &state)
        }
        return state.findings
    }

    /// Goes through the record once.
    private func pass(
        states: Int, stopsWhenEnough: Bool = false, _ state: inout State
    ) async {
        let cuts = CrashStates(of: disk)
        let folder = TemporaryFolder()
        // A place is good for several states.
        let chance = Double(states) / 3.5 / Double(cuts.count)
        while cuts.position < cuts.count {
            if stopsWhenEnough, state.findings.states >= states { return }
            // The most is at stake right before a sync, but there are many of them.
            let chance = cuts.isBeforeSync ? 4 * chance : chance
            if Double.random(in: 0..<1, using: &state.random) < chance {
                await look(at: cuts, folder, &state)
            }
            cuts.advance()
        }
    }

    /// Looks at the states that a power cut now may leave.
    private func look(at cuts: CrashStates, _ folder: TemporaryFolder, _ state: inout State) async {
        let acknowledged = ledger.acknowledged(by: cuts.position)
        for survival in CrashStates.Survival.allCases {
            let files = cuts.leave(survival, at: folder.databasePath, using: &state.random)
            let isNew = state.files.insert(files).inserted
            if isNew { state.findings.states += 1 }
            // The same files are another matter once more has been acknowledged.
            guard state.promises.insert([files, acknowledged.count]).inserted else { continue }
            // Opening a database blocks; other tests want the thread as well.
            await Task.yield()
            let losses = await losses(
                in: folder, acknowledged: acknowledged,
                repeats: isNew && state.findings.states % Self.statesPerRepetition == 0)
            if !losses.isEmpty, state.losing.insert(files).inserted {
                let some = losses.prefix(3).map { "\($0)" }.joined(separator: ", ")
                state.findings.add("\(survival) at \(cuts.position): \(losses.count): \(some)")
            }
        }
    }

    private func losses(
        in folder: TemporaryFolder, acknowledged: Set<Int>, repeats: Bool
    ) async -> Set<Loss> {
        do {
            let disk = FaultyDisk(recordBytesMax: 0)
            let database = try folder.database([CommandLedger.migration]) { configuration in
                configuration.readerCount = 1
                configuration.inlineReaderCount = 1
                configuration.inlineReaderMax = 1
                configuration.engine = FaultyDiskEngine(folder.databasePath, on: disk)
            }
            defer { database.close() }
            let losses = ledger.losses(in: database, acknowledged: acknowledged)
            guard repeats, losses.isEmpty else { return losses }
            return await ledger.lossesAfterRepeating(in: database)
        } catch {
            return [.damaged("\(error)")]
        }
    }
}
