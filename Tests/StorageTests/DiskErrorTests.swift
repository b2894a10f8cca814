import Synchronization
import Testing

@testable import Storage

/// When the disk fails, nobody is told that what is lost is there, or the other way round.
@Suite(.timeLimit(.minutes(5))) struct DiskErrorTests {
    /// A checkpoint happens every few commits.
    private static let checkpointPages: Int32 = 20
    private static let commands = 90
    /// So many make files longer often enough: a log that is there is written anew from its start.
    private static let commandsUntilFull = 400

    @Test(arguments: [FaultyDisk.Fault.syncFails, .writeFails], FaultyDisk.Persistence.allCases)
    func `after an error the outcome is unknown and no more work is taken`(
        fault: FaultyDisk.Fault, persistence: FaultyDisk.Persistence
    ) async throws {
        for number in 1...20 {
            let trial = Trial("\(fault) \(number) \(persistence)")
            let database = try trial.database()

            trial.disk.arm(fault, at: number, persistence)
            await trial.enter(0..<Self.commands, in: database)

            #expect(trial.disk.failureCount > 0, "\(trial.name)")
            #expect(trial.otherOutcomes.subtracting([.unknown]).isEmpty, "\(trial.name)")
            let next = await failure { try await database.write { _ in } }
            guard case .lost = next as? StorageFault else {
                Issue.record("\(trial.name): \(String(describing: next))")
                continue
            }
            await trial.waitForReport()
            database.close()
            #expect(trial.reportCount == 1, "\(trial.name)")
            try await trial.expectNothingLost()
        }
    }

    @Test func `an error after the commit is told at once, and the commit is answered`()
        async throws
    {
        let trial = Trial("checkpoint")
        let engine = WatchedEngine(trial.engine())
        let database = try trial.database { _ in engine }
        while engine.copyCount == 0 { await Task.yield() }

        trial.disk.arm(.syncFails, roles: [.database])
        var number = 0
        while trial.disk.failureCount == 0, number < Self.commands {
            await trial.enter(number..<number + 1, in: database, copiedBy: engine)
            number += 1
        }

        await trial.waitForReport()
        #expect(trial.reportCount == 1)
        #expect(trial.otherOutcomes.isEmpty)
        database.close()
        try await trial.expectNothingLost()
    }

    @Test(arguments: FaultyDisk.Persistence.allCases)
    func `on a full disk what is refused is not there, and what is answered is`(
        persistence: FaultyDisk.Persistence
    ) async throws {
        for number in 1...20 {
            let trial = Trial("full at \(number) \(persistence)")
            let database = try trial.database()

            trial.disk.arm(.isFull, at: number, persistence)
            await trial.enter(0..<Self.commandsUntilFull, in: database)

            #expect(trial.disk.failureCount > 0, "\(trial.name)")
            let others = trial.otherOutcomes.subtracting([.unknown, .refused])
            #expect(others.isEmpty, "\(trial.name)")
            database.close()
            try await trial.expectNothingLost()
        }
    }

    /// With a small cache, pages are read and written all the time, not at commits alone.
    @Test(arguments: [FaultyDisk.Fault.readFails, .writeFails, .isFull])
    func `an error in the middle of a transaction leaves no doubt`(
        fault: FaultyDisk.Fault
    ) async throws {
        // Few writes make a file longer.
        let step = fault == .isFull ? 2 : 11
        for number in stride(from: 1, to: 18 * step, by: step) {
            let trial = Trial("\(fault) \(number)", textBytesMax: 5_000)
            let database = try trial.database(settings: "PRAGMA cache_size = 3")

            trial.disk.arm(fault, at: number)
            let commands = fault == .isFull ? Self.commandsUntilFull : Self.commands / 2
            await trial.enter(0..<commands, in: database)

            #expect(trial.disk.failureCount > 0, "\(trial.name)")
            let expected: Set<CommandLedger.Outcome> =
                fault == .isFull ? [.unknown, .refused] : [.unknown]
            #expect(trial.otherOutcomes.subtracting(expected).isEmpty, "\(trial.name)")
            database.close()
            try await trial.expectNothingLost()
        }
    }

    @Test(arguments: [FaultyDisk.Fault.syncFails, .writeFails, .readFails])
    func `an error while a new database is made is told, and the next start makes it`(
        fault: FaultyDisk.Fault
    ) async throws {
        for number in 1...60 {
            let trial = Trial("\(fault) \(number)")
            trial.disk.arm(fault, at: number, .forEver)
            guard await trial.opensInSpite() else {
                try await trial.expectNothingLost()
                continue
            }
            return
        }
        Issue.record("the database is never opened")
    }

    @Test(arguments: [FaultyDisk.Fault.syncFails, .writeFails, .readFails])
    func `an error while a log is read again loses nothing of it`(
        fault: FaultyDisk.Fault
    ) async throws {
        let trial = Trial("\(fault)")
        let database = try trial.database()
        // The failed sync leaves a log behind.
        trial.disk.arm(.syncFails, at: 30, .once, roles: [.log])
        await trial.enter(0..<Self.commands, in: database)
        #expect(trial.otherOutcomes == [.unknown])
        database.close()

        for number in 1...200 {
            trial.disk.arm(fault, at: number, .forEver)
            guard await trial.opensInSpite() else { continue }
            #expect(number > 1)
            return try await trial.expectNothingLost()
        }
        Issue.record("the database is never opened")
    }

    @Test(arguments: [FaultyDisk.Fault.syncFails, .writeFails, .readFails], 1...3)
    func `an error while the database is closed loses nothing`(
        fault: FaultyDisk.Fault, number: Int
    ) async throws {
        let trial = Trial("\(fault) \(number)")
        let database = try trial.database()
        await trial.enter(0..<Self.commands, in: database)

        trial.disk.arm(fault, at: number, .forEver)
        database.close()

        #expect(trial.otherOutcomes.isEmpty)
        try await trial.expectNothingLost()
    }

    @Test func `an error of a read is told to its caller, and the next read succeeds`() async throws
    {
        let trial = Trial("read")
        let engine = WatchedEngine(trial.engine())
        let database = try trial.database { _ in engine }
        defer { database.close() }
        await trial.enter(0..<10, in: database, copiedBy: engine)
        let query: SQL = "SELECT count(*) FROM entry"

        trial.disk.arm(.readFails)
        let fault = await failure {
            _ = try database.readInline { try $0.row(query) { try $0.int(0) } }
        }

        guard case .lost = fault as? StorageFault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(try database.readInline { try $0.row(query) { try $0.int(0) } } == 10)
        await trial.enter(10..<20, in: database)
        #expect(trial.otherOutcomes.isEmpty)
        #expect(trial.reportCount == 0)
    }

    /// Shows that the comparison finds what the writer's caution prevents.
    @Test func `a failed commit that is taken for undone may be there`() async throws {
        var losses: Set<Loss> = []
        // A sync that begins a log anew comes before the commit is written: nothing is there then.
        for number in 1...6 {
            let trial = Trial("careless \(number)")
            let database = try trial.database { CarelessEngine($0) }
            trial.disk.arm(.syncFails, at: number, .forEver)
            await trial.enter(0..<Self.commands, in: database)
            #expect(trial.otherOutcomes == [.refused])
            database.close()
            losses.formUnion(try trial.losses())
        }

        #expect(losses.contains { if case .undead = $0 { true } else { false } }, "\(losses)")
    }

    /// A database on a disk that is to fail.
    private final class Trial: Sendable {
        let name: String
        let disk = FaultyDisk(recordBytesMax: 0)
        let ledger: CommandLedger
        private let files = TemporaryFolder()
        private let reports = Mutex(0)

        init(_ name: String, textBytesMax: Int = 300) {
            self.name = name
            ledger = CommandLedger(textBytesMax: textBytesMax)
        }

        /// How often it was reported that the database is lost.
        var reportCount: Int { reports.withLock { $0 } }

        /// Waits for the report, which comes after the callers have heard.
        func waitForReport() async {
            for _ in 0..<1_000 where reportCount == 0 {
                _ = await failure { try await Task.sleep(for: .milliseconds(5)) }
            }
        }

        /// How commands ended that were not answered.
        var otherOutcomes: Set<CommandLedger.Outcome> {
            Set(ledger.outcomes.values).filter { outcome in
                if case .acknowledged = outcome { false } else { true }
            }
        }

        func engine(settings: String = "") -> FaultyDiskEngine {
            FaultyDiskEngine(
                files.databasePath, on: disk, checkpointPages: checkpointPages, settings: settings)
        }

        func database(
            settings: String = "", through wrap: (FaultyDiskEngine) -> any Engine = { $0 }
        ) throws -> Database {
            try files.database([CommandLedger.migration]) { configuration in
                configuration.engine = wrap(engine(settings: settings))
                configuration.onLost = { _ in self.reports.withLock { $0 += 1 } }
            }
        }

        func enter(_ numbers: Range<Int>, in database: Database) async {
            await ledger.enter(numbers, clients: 3, in: database, on: disk)
        }

        /// Enters one command after the other, each once the log of that before is copied: callers
        /// are answered earlier, and an error of the disk would strike the copy.
        func enter(
            _ numbers: Range<Int>, in database: Database,
            copiedBy engine: WatchedEngine<FaultyDiskEngine>
        ) async {
            // The copy at the start.
            while engine.copyCount == 0 { await Task.yield() }
            for number in numbers {
                let before = engine.copyCount
                await enter(number..<number + 1, in: database)
                while engine.copyCount == before { await Task.yield() }
            }
        }

        /// Whether the database opens on the armed disk.
        func opensInSpite() async -> Bool {
            do {
                let database = try database()
                database.close()
                return true
            } catch let fault {
                #expect(fault is OpeningFault || fault is StorageFault, "\(name): \(fault)")
                return false
            }
        }

        /// What is wrong with the database once the disk is healthy.
        func losses() throws -> Set<Loss> {
            disk.disarm()
            let database = try database()
            defer { database.close() }
            return losses(in: database)
        }

        /// Starts anew on the healthy disk: what was said of each command is true, and asking
        /// again with the same key finds it or does it.
        func expectNothingLost() async throws {
            disk.disarm()
            let database = try database()
            defer { database.close() }
            let losses = losses(in: database)
            #expect(losses.isEmpty, "\(name)")
            let later = await ledger.lossesAfterRepeating(in: database)
            #expect(later.isEmpty, "\(name)")
        }

        private func losses(in database: Database) -> Set<Loss> {
            let refused = ledger.outcomes.filter { $0.value == .refused }.keys
            return ledger.losses(
                in: database, acknowledged: ledger.acknowledged(), refused: Set(refused))
        }
    }
}
