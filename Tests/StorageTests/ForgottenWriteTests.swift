import Testing

@testable import Storage

/// What a failed sync forgot is not lost.
///
/// The failure is told once: the system shows what was written as if it were on the disk, and says
/// of the next sync that it succeeded.
@Suite(.timeLimit(.minutes(5))) struct ForgottenWriteTests {
    /// When which sync fails.
    struct Failure: Sendable {
        let role: FaultyDisk.Role
        /// Counted from the beginning, or from the moment that somebody has stopped reading.
        let number: Int
        let isFromTheBeginning: Bool
    }

    private static let commands = 60
    private static let failures =
        [1, 2, 3, 5].map { Failure(role: .log, number: $0, isFromTheBeginning: true) }
        + [1, 4].map { Failure(role: .log, number: $0, isFromTheBeginning: false) }
        + [1].map { Failure(role: .database, number: $0, isFromTheBeginning: false) }

    @Test(arguments: failures)
    func `what a failed sync forgot is not taken for durable`(failing: Failure) async throws {
        let files = TemporaryFolder()
        let disk = FaultyDisk()
        let ledger = CommandLedger(textBytesMax: 2_000)

        if failing.isFromTheBeginning { disk.arm(failing) }
        do {
            let database = try database(files, disk)
            defer { database.close() }
            try await fill(database, disk, ledger) {
                if !failing.isFromTheBeginning { disk.arm(failing) }
            }
        } catch is OpeningFault {
        } catch is StorageFault {
        }
        #expect(disk.failureCount == 1)
        disk.disarm()
        let database = try database(files, disk)
        await ledger.enter(0..<Self.commands, clients: 1, in: database, on: disk)
        database.close()
        #expect(ledger.acknowledged().count == Self.commands)

        let findings = await PowerCutSearch(disk: disk, ledger: ledger)
            .search(states: 50, seed: UInt64(failing.number))
        #expect(findings.losing == 0, "of \(findings.states): \(findings.examples)")
    }

    /// Runs commands, some while somebody reads: then the log is copied into the file in part.
    private func fill(
        _ database: Database, _ disk: FaultyDisk, _ ledger: CommandLedger,
        thenBefore arm: () -> Void
    ) async throws {
        let quarter = Self.commands / 4
        await ledger.enter(0..<quarter, clients: 1, in: database, on: disk)
        let hasBegun = Bell()
        let mayEnd = Bell()
        async let reading: Void = database.read { snapshot in
            _ = try snapshot.exists("SELECT 1 FROM entry")
            hasBegun.ring()
            mayEnd.wait()
        }
        try await database.read { _ in hasBegun.wait() }
        await ledger.enter(quarter..<2 * quarter, clients: 1, in: database, on: disk)
        mayEnd.ring()
        try await reading
        arm()
        await ledger.enter(2 * quarter..<Self.commands, clients: 2, in: database, on: disk)
    }

    private func database(_ files: TemporaryFolder, _ disk: FaultyDisk) throws -> Database {
        try files.database([CommandLedger.migration]) { configuration in
            configuration.engine = FaultyDiskEngine(
                files.databasePath, on: disk, checkpointPages: 150)
        }
    }
}

extension FaultyDisk {
    fileprivate func arm(_ failure: ForgottenWriteTests.Failure) {
        arm(.syncFails, at: failure.number, .once, roles: [failure.role])
    }
}
