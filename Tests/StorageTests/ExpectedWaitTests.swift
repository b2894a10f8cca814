import Synchronization
import Testing

@testable import Storage

/// Who would be answered too late is told so at once, by how long others had to wait.
@Suite(.timeLimit(.minutes(1))) struct ExpectedWaitTests {
    private let files = TemporaryFolder()

    /// A database whose commits take a while, each job with one of its own.
    private func database(
        pause: Duration, _ change: (inout DatabaseConfiguration) -> Void = { _ in }
    ) throws -> Database {
        let engine = SlowEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database {
            $0.engine = engine
            $0.batchMax = 1
            $0.readerCount = 1
            change(&$0)
        }
        engine.pause.withLock { $0 = pause }
        return database
    }

    /// How a call was refused, and after how long.
    private func refusal(
        of call: () async throws -> Void
    ) async throws -> (pause: Duration, after: Duration) {
        let start = ContinuousClock.now
        let fault = await failure(of: call)
        let span = start.duration(to: .now)
        guard case .busy(let pause)? = fault as? StorageFault else {
            throw fault ?? StorageFault.sql("it was not refused")
        }
        return (pause, span)
    }

    @Test func `a write is refused at once when those before it take too long`() async throws {
        let database = try database(pause: .milliseconds(50))
        for _ in 1...16 { try await database.write { _ in } }

        try await withThrowingDiscardingTaskGroup { group in
            // More than are waited for: some may be done by then.
            for _ in 1...40 { group.addTask { try await database.write { _ in } } }
            while database.waitingWrites < 20 { await Task.yield() }
            let refused = try await refusal {
                try await database.write(deadline: .now + .milliseconds(400)) { _ in }
            }
            #expect(refused.after < .milliseconds(200), "not when its turn comes")
            #expect(refused.pause > .milliseconds(400))
        }

        try await database.write(deadline: .now + .seconds(1)) { _ in }
    }

    @Test func `the batch under way counts, too`() async throws {
        let pause = Duration.seconds(1)
        let database = try database(pause: pause)
        for _ in 1...6 { try await database.write { _ in } }
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)

        async let underWay: Void = database.write { _ in
            begin.yield()
            begin.finish()
        }
        for await _ in begun { break }
        let refused = try await refusal {
            try await database.write(deadline: .now + .milliseconds(50)) { _ in }
        }
        try await underWay

        #expect(refused.after < pause / 2, "not when the batch has ended")
        #expect(refused.pause > .milliseconds(30))
    }

    @Test func `a job that finds nobody at work is taken, however slow others were`() async throws {
        let database = try database(pause: .seconds(2))
        // They would take 660 ms each by now, if somebody were at work.
        for _ in 1...3 { try await database.write { _ in } }
        // The thread has gone to sleep by then.
        try await Task.sleep(for: .milliseconds(200))

        try await database.write(deadline: .now + .milliseconds(500)) { _ in }
    }

    @Test func `a read is refused at once when those before it take too long`() async throws {
        let database = try database(pause: .zero)
        let read: @Sendable () async throws -> Void = {
            try await database.read { _ in block(for: .milliseconds(50)) }
        }
        for _ in 1...16 { try await read() }

        try await withThrowingDiscardingTaskGroup { group in
            // More than are waited for: some may be done by then.
            for _ in 1...40 { group.addTask { try await read() } }
            while database.reads.count < 20 { await Task.yield() }
            let refused = try await refusal {
                try await database.read(deadline: .now + .milliseconds(400)) { _ in }
            }
            #expect(refused.after < .milliseconds(200))
            #expect(refused.pause > .milliseconds(400))
        }
    }

    @Test func `a read whose deadline has passed is not begun`() async throws {
        let database = try database(pause: .zero)

        let refused = try await refusal {
            try await database.read(deadline: .now - .seconds(1)) { _ in
                #expect(Bool(false), "nobody waits for it")
            }
        }

        #expect(refused.pause >= .milliseconds(10))
    }
}
