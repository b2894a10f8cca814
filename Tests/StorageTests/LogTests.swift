import Dispatch
import Synchronization
import Testing

@testable import Storage

/// What commits write to the log, and when the log is copied into the file.
@Suite(.timeLimit(.minutes(1))) struct LogTests {
    @Test func `the pages of a commit are written in few writes and then synced`() async throws {
        let files = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try files.database { configuration in
            configuration.engine = FaultyDiskEngine(files.databasePath, on: disk)
        }
        let before = disk.operationCount

        try await database.write { transaction in
            for id in 1...2_000 { try transaction.addLong(id) }
        }

        let operations = disk.record()[before...].filter { $0.role == .log }
        database.close()
        let counts = operations.compactMap { operation in
            if case .write(_, let count) = operation.kind { count } else { nil }
        }
        let bytes = counts.reduce(0, +)
        #expect(bytes > 200 * 4_120, "a page and its head, two hundred times")
        #expect(counts.count <= bytes / (100 * 1_024) + 2)
        guard case .sync? = operations.last?.kind else {
            Issue.record("the last thing done to the log is not its sync")
            return
        }
    }

    @Test func `a job reads what it has changed when its pages are in the log alone`()
        async throws
    {
        let files = TemporaryFolder()
        let disk = FaultyDisk(recordBytesMax: 0)
        let database = try files.database { configuration in
            configuration.engine = FaultyDiskEngine(
                files.databasePath, on: disk, settings: "PRAGMA cache_size = 3")
        }

        for round in 0..<3 {
            let found = try await database.write { transaction in
                for id in 1...200 { try transaction.addLong(round * 200 + id) }
                return try transaction.rows("SELECT id FROM member ORDER BY email LIMIT 1000") {
                    try $0.int(0)
                }
            }
            #expect(Set(found) == Set(1...(round + 1) * 200))
        }

        #expect(try database.emails().count == 600)
        database.close()
    }

    @Test func `callers go on before the log is copied`() async throws {
        let files = TemporaryFolder()
        let engine = WatchedEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database { $0.engine = engine }
        while engine.copyCount < 1 { await Task.yield() }
        let hasAnswered = DispatchSemaphore(value: 0)
        let isTooEarly = Mutex(false)
        engine.beforeCopy.withLock {
            $0 = {
                guard hasAnswered.wait(timeout: .now() + 5) == .timedOut else { return }
                isTooEarly.withLock { $0 = true }
            }
        }

        try await database.write { try $0.add(1, "ada@example.org") }
        hasAnswered.signal()

        database.close()
        #expect(engine.copyCount == 2)
        #expect(!isTooEarly.withLock { $0 })
    }
}

extension Transaction {
    /// Adds a member whose address takes half a kilobyte; addresses are in no order.
    fileprivate func addLong(_ id: Int) throws {
        try add(id, "\(id * 7_919 % 10_007)" + String(repeating: "x", count: 500))
    }
}
