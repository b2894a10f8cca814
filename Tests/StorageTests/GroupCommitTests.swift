import Synchronization
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct GroupCommitTests {
    private struct Refused: Error {}

    @Test func `a job that fails takes back its own changes alone`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.holdingWriter { release in
            let failed = await withTaskGroup(of: Int?.self) { group in
                for id in 1...100 {
                    group.addTask {
                        let error = await failure {
                            try await database.write { transaction in
                                try transaction.add(id, "\(id)")
                                if id % 10 == 0 { throw Refused() }
                            }
                        }
                        return error == nil ? nil : id
                    }
                }
                while database.waitingWrites < 100 { await Task.yield() }
                release()
                return await group.reduce(into: []) { $0.append($1) }.compactMap { $0 }
            }
            #expect(failed.sorted() == Array(stride(from: 10, through: 100, by: 10)))
        }

        let expected = (1...100).filter { $0 % 10 != 0 }.map { "\($0)" }
        #expect(try database.emails() == expected)
    }

    @Test func `a job that breaks a constraint leaves its neighbours alone`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let winners = await withTaskGroup(of: Bool.self) { group in
            for id in 1...50 {
                group.addTask {
                    do {
                        try await database.write { try $0.add(id, "the only one") }
                        return true
                    } catch StorageFault.constraint {
                        return false
                    } catch {
                        Issue.record(error)
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }

        #expect(winners == 1)
        #expect(try database.emails() == ["the only one"])
    }

    @Test func `a constraint checked at the commit fails only the job that broke it`() async throws
    {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.holdingWriter { release in
            async let good: Void = database.write { try $0.add(1, "ada") }
            async let bad = failure {
                try await database.write { transaction in
                    _ = try transaction.execute(
                        "INSERT INTO note (member_id, text) VALUES (99, 'stray')")
                }
            }
            async let alsoGood: Void = database.write { try $0.add(2, "bob") }
            while database.waitingWrites < 3 { await Task.yield() }
            release()
            try await good
            try await alsoGood
            let fault = await bad as? StorageFault
            #expect(fault == .constraint("FOREIGN KEY constraint failed"))
        }

        #expect(try database.emails().sorted() == ["ada", "bob"])
    }

    /// SQLite keeps what a mark would restore in memory first, and then in a file.
    @Test(arguments: [40, 4_000])
    func `a job that changes much of the file has its place in a batch`(pages: Int) async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { transaction in
            for id in 1...pages { try transaction.add(id, paddedEmail(id, "old")) }
        }

        try await database.holdingWriter { release in
            async let first: Void = database.write { try $0.add(pages + 1, "first") }
            while database.waitingWrites < 1 { await Task.yield() }
            async let large: Void = database.write { transaction in
                _ = try transaction.execute(
                    "UPDATE member SET email = replace(email, 'old', 'new') WHERE id < \(pages)")
            }
            while database.waitingWrites < 2 { await Task.yield() }
            async let refused = failure {
                try await database.write { transaction in
                    _ = try transaction.execute("DELETE FROM member WHERE id <= \(pages)")
                    throw Refused()
                }
            }
            while database.waitingWrites < 3 { await Task.yield() }
            async let last: Void = database.write { try $0.add(pages + 2, "last") }
            while database.waitingWrites < 4 { await Task.yield() }
            release()
            try await first
            try await large
            #expect(await refused is Refused)
            try await last
        }

        let emails = try Set(database.emails())
        let expected =
            (1..<pages).map { paddedEmail($0, "new") }
            + [paddedEmail(pages, "old"), "first", "last"]
        #expect(emails == Set(expected))
    }

    @Test func `jobs that fail before any has changed something leave nothing`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.holdingWriter { release in
            var refused: [Task<Bool, Never>] = []
            for id in 1...3 {
                refused.append(
                    Task {
                        await failure {
                            try await database.write { transaction in
                                try transaction.add(id, "\(id)")
                                throw Refused()
                            }
                        } is Refused
                    })
                while database.waitingWrites < id { await Task.yield() }
            }
            async let good: Void = database.write { try $0.add(1, "ada") }
            while database.waitingWrites < 4 { await Task.yield() }
            release()
            for task in refused { #expect(await task.value) }
            try await good
        }

        #expect(try database.emails() == ["ada"])
    }

    @Test func `a job sees the changes of the jobs before it`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.holdingWriter { release in
            let counts = try await withThrowingTaskGroup(of: Int?.self) { group in
                for id in 1...20 {
                    group.addTask {
                        try await database.write { transaction in
                            try transaction.add(id, "\(id)")
                            return try transaction.row("SELECT count(*) FROM member") {
                                try $0.int(0)
                            }
                        }
                    }
                }
                while database.waitingWrites < 20 { await Task.yield() }
                release()
                return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(counts == Set((1...20).map { $0 }))
        }
    }

    @Test func `a full queue refuses more`() async throws {
        let files = TemporaryFolder()
        let database = try files.database([.members]) { $0.queueMax = 4 }

        try await database.holdingWriter { release in
            try await withThrowingDiscardingTaskGroup { group in
                for id in 1...4 {
                    group.addTask { try await database.write { try $0.add(id, "\(id)") } }
                }
                while database.waitingWrites < 4 { await Task.yield() }
                await #expect(throws: StorageFault.self) {
                    try await database.write { try $0.add(5, "5") }
                }
                release()
            }
        }

        #expect(try database.emails() == ["1", "2", "3", "4"])
    }

    @Test func `a job whose deadline has passed is not begun`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let fault = await failure {
            try await database.write(deadline: .now - .seconds(1)) { try $0.add(1, "late") }
        }

        guard case .busy(let pause) = fault as? StorageFault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(pause >= .milliseconds(10), "nobody asks again at once")

        #expect(try database.emails() == [])
    }

    @Test func `a job whose turn would come too late is refused at once`() async throws {
        let queue = JobQueue<Transaction>(jobsMax: 10)
        queue.note(.seconds(80), for: 1)
        async let first = failure { try await queue.perform(deadline: nil) { _ in } }
        while queue.count < 1 { await Task.yield() }

        await #expect(throws: StorageFault.busy(retryAfter: .seconds(10))) {
            try await queue.perform(deadline: .now + .seconds(5)) { _ in }
        }

        queue.close(.busy(retryAfter: .zero))
        #expect(await first as? StorageFault == .busy(retryAfter: .zero))
    }

    @Test func `a caller that has gone has its waiting job dropped`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        try await database.holdingWriter { release in
            await withTaskGroup(of: (any Error)?.self) { group in
                group.addTask {
                    await failure { try await database.write { try $0.add(1, "gone") } }
                }
                while database.waitingWrites < 1 { await Task.yield() }
                group.cancelAll()
                #expect(await group.next() is CancellationError)
            }
            release()
        }

        #expect(try database.emails() == [])
    }

    @Test func `a commit that fails is reported as lost to every caller of its batch`() async throws
    {
        let files = TemporaryFolder()
        let engine = FailingEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let reports = Mutex<[String]>([])
        let database = try files.database([.members]) { configuration in
            configuration.engine = engine
            configuration.onLost = { reason in reports.withLock { $0.append(reason) } }
        }
        let lost = StorageFault.lost("the disk is gone")

        try await database.holdingWriter { release in
            async let first = failure {
                try await database.write { transaction in
                    try transaction.add(1, "ada")
                    engine.failsCommits.withLock { $0 = true }
                }
            }
            async let second = failure { try await database.write { _ in throw Refused() } }
            while database.waitingWrites < 2 { await Task.yield() }
            release()
            #expect(await first as? StorageFault == lost)
            #expect(await second as? StorageFault == lost)
        }

        await #expect(throws: lost) { try await database.write { try $0.add(2, "bob") } }
        // The callers hear of it first.
        for _ in 0..<1_000 where reports.withLock({ $0.isEmpty }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(reports.withLock { $0.count } == 1)
    }

    @Test func `a full disk fails the job at fault and those undone with it, not the next`()
        async throws
    {
        let files = TemporaryFolder()
        let engine = FailingEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database([.members]) { $0.engine = engine }
        let busy = StorageFault.busy(retryAfter: .seconds(1))

        try await database.holdingWriter { release in
            async let undone = failure { try await database.write { try $0.add(1, "ada") } }
            while database.waitingWrites < 1 { await Task.yield() }
            async let atFault = failure {
                try await database.write { transaction in
                    engine.isFull.withLock { $0 = true }
                    try transaction.add(2, "bob")
                }
            }
            while database.waitingWrites < 2 { await Task.yield() }
            async let next: Void = database.write { try $0.add(3, "cy") }
            while database.waitingWrites < 3 { await Task.yield() }
            release()
            #expect(await undone as? StorageFault == busy)
            #expect(await atFault as? StorageFault == busy)
            try await next
        }

        #expect(try database.emails() == ["cy"])
        #expect(engine.ballastReleases.withLock { $0 } == 1)
    }

    @Test func `when little space is left writes are refused and reads go on`() async throws {
        let files = TemporaryFolder()
        let database = try files.database([.members]) { $0.freeBytesMin = .max }

        await #expect(throws: StorageFault.busy(retryAfter: .seconds(1))) {
            try await database.write { try $0.add(1, "ada") }
        }

        #expect(try database.emails() == [])
    }
}

/// An address that takes a page of the file for itself.
private func paddedEmail(_ id: Int, _ word: String) -> String {
    "\(word)-\(id)-" + String(repeating: "x", count: 4_000)
}
