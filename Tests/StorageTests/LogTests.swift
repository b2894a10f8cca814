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

    @Test func `a copy that takes long makes nobody believe that jobs do`() async throws {
        let files = TemporaryFolder()
        let engine = WatchedEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database { $0.engine = engine }
        while engine.copyCount < 1 { await Task.yield() }
        let never = DispatchSemaphore(value: 0)
        engine.beforeCopy.withLock { $0 = { _ = never.wait(timeout: .now() + 1) } }
        try await database.write { try $0.add(1, "1") }
        while engine.copyCount < 2 { await Task.yield() }
        engine.beforeCopy.withLock { $0 = nil }

        try await database.holdingWriter { release in
            try await withThrowingDiscardingTaskGroup { group in
                for id in 2...41 {
                    group.addTask { try await database.write { try $0.add(id, "\(id)") } }
                }
                while database.waitingWrites < 40 { await Task.yield() }
                // With the copy, forty jobs would seem to take five seconds.
                group.addTask {
                    try await database.write(deadline: .now + .seconds(4)) { try $0.add(42, "42") }
                }
                while database.waitingWrites < 41, !group.isCancelled { await Task.yield() }
                release()
            }
        }

        #expect(try database.emails().count == 42)
    }

    @Test func `a copy that finds the disk full is made after the next batch`() async throws {
        let files = TemporaryFolder()
        let disk = FaultyDisk()
        let engine = WatchedEngine(
            FaultyDiskEngine(files.databasePath, on: disk, checkpointPages: 1))
        let database = try files.database { $0.engine = engine }
        while engine.copyCount < 1 { await Task.yield() }
        disk.arm(.isFull, roles: [.database])
        try await database.write { transaction in
            for id in 1...20 { try transaction.addLong(id) }
        }
        while engine.copyCount < 2 { await Task.yield() }
        #expect(disk.failureCount == 1)
        let before = disk.operationCount

        // It commits nothing itself.
        try await database.write { _ in }
        while engine.copyCount < 3 { await Task.yield() }

        let later = disk.record()[before...].filter { $0.role == .database }
        database.close()
        #expect(later.contains { if case .sync = $0.kind { true } else { false } })
    }

    /// SQLite takes the pages of the first job for written when the second finds that they are not.
    @Test func `a disk found full while a job reads the log undoes the jobs before it, too`()
        async throws
    {
        let files = TemporaryFolder()
        let disk = FaultyDisk(recordBytesMax: 0)
        let earlier = try files.databaseOfSmallCache(on: disk)
        try await earlier.write { transaction in
            for id in 1...10 { try transaction.addPage(id, "old") }
        }
        // Leaves no log: what is in it later is of the batch.
        earlier.close()
        let database = try files.databaseOfSmallCache(on: disk)

        try await database.holdingWriter { release in
            async let first = failure {
                try await database.write { transaction in
                    for id in 1...10 { try transaction.changePage(id, "new") }
                }
            }
            while database.waitingWrites < 1 { await Task.yield() }
            async let second = failure {
                try await database.write { transaction in
                    disk.arm(.isFull, roles: [.log])
                    // Of several rows that stay unique: SQLite could undo this statement alone.
                    try transaction.execute(
                        """
                        UPDATE member SET email =
                            email || (SELECT substr(text, 1, 3) FROM note WHERE rowid = 1)
                        """)
                }
            }
            while database.waitingWrites < 2 { await Task.yield() }
            release()
            for fault in [await first, await second] {
                guard case .lost = fault as? StorageFault else {
                    Issue.record("\(String(describing: fault))")
                    continue
                }
            }
        }

        #expect(disk.failureCount == 1)
        database.close()
        disk.disarm()
        let later = try files.databaseOfSmallCache(on: disk)
        defer { later.close() }
        #expect(try later.emails() == (1...10).map { "\($0)" })
        let words = try later.readInline { snapshot in
            try snapshot.rows("SELECT substr(text, 1, 3) FROM note LIMIT 100") { try $0.text(0) }
        }
        #expect(words == Array(repeating: "old", count: 10))
    }
}

extension TemporaryFolder {
    /// A database whose writer keeps three pages in memory: the others are in the log or the file.
    fileprivate func databaseOfSmallCache(on disk: FaultyDisk) throws -> Database {
        try database { configuration in
            configuration.engine = FaultyDiskEngine(
                databasePath, on: disk, settings: "PRAGMA cache_size = 3")
        }
    }
}

extension Transaction {
    /// Adds a member whose address takes half a kilobyte; addresses are in no order.
    fileprivate func addLong(_ id: Int) throws {
        try add(id, "\(id * 7_919 % 10_007)" + String(repeating: "x", count: 500))
    }

    /// Adds a member with a note that takes a page of the file for itself.
    fileprivate func addPage(_ id: Int, _ word: String) throws {
        try add(id, "\(id)")
        try execute("INSERT INTO note (member_id, text) VALUES (\(id), \(page(word)))")
    }

    /// Changes that page and no other.
    fileprivate func changePage(_ id: Int, _ word: String) throws {
        try execute("UPDATE note SET text = \(page(word)) WHERE rowid = \(id)")
    }

    private func page(_ word: String) -> String { word + String(repeating: "x", count: 3_000) }
}
