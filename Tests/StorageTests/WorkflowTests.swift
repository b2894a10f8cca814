import Synchronization
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct WorkflowTests {
    @Test func `a workflow does its steps in order and hands on their results`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([1])), log.step("reserve", .done([2])),
                log.step("activate", .done([3]), isPivot: true), log.step("close", .done([])),
            ])

        let end = try await run(definition, on: database)

        #expect(end?.state == .done)
        #expect(end?.step == 4)
        #expect(end?.results == [[1], [2], [3], []])
        #expect(end?.input == [42])
        #expect(log.entries == ["create", "reserve", "activate", "close"])
        #expect(log.calls.map(\.results) == [[], [[1]], [[1], [2]], [[1], [2], [3]]])
        #expect(log.calls.map(\.stepKey) == definition.steps.map { key(sample.id, $0.name) })
    }

    @Test func `a refusal undoes the steps before it in reverse`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([1])), log.step("reserve", .done([2])),
                log.step("activate", .refused([7], "full"), isPivot: true),
            ])

        let end = try await run(definition, on: database)

        #expect(end?.state == .aborted)
        #expect(end?.refusal == [7])
        #expect(end?.lastError == "full")
        #expect(log.entries == ["create", "reserve", "activate", "undo reserve", "undo create"])
        #expect(log.calls.last?.stepKey == log.calls.first?.stepKey)
    }

    @Test func `the owner is told of each move in its own transaction`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [log.step("create", .done([])), log.step("close", .done([]))]
        ) { transaction, instance in
            try transaction.add(instance.step, "\(instance.state)")
        }

        // The second move breaks a constraint at first: the member "running" or "done" is there.
        try await database.write { try $0.add(9, "done") }
        let clock = HandClock()
        let end = try await run(definition, on: database, clock: clock) { database in
            while log.entries.count < 4 { try await pass(time: clock, database) }
            try await database.write { try $0.execute("DELETE FROM member WHERE id = 9") }
        }

        #expect(end?.state == .done)
        #expect(try database.emails() == ["running", "done"])
        #expect(log.entries.prefix(3) == ["create", "close", "close"])
    }

    @Test func `a step with an unknown outcome is tried again with its key`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [log.step("create", .unknown("gone"), .unknown("gone"), .done([1]))])

        let end = try await run(definition, on: database)

        #expect(end?.state == .done)
        #expect(end?.lastError == nil)
        #expect(log.entries == ["create", "create", "create"])
        #expect(Set(log.calls.map(\.stepKey)).count == 1)
        #expect(log.calls.map(\.attempts) == [0, 1, 2])
    }

    @Test func `ten minutes without progress undo the step that may have been done`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([])), log.step("reserve", .unknown("gone")),
                log.step("activate", .done([]), isPivot: true),
            ])

        let end = try await run(definition, on: database)

        #expect(end?.state == .aborted)
        #expect(log.entries.suffix(2) == ["undo reserve", "undo create"])
        #expect(!log.entries.contains("activate"))
    }

    @Test func `a workflow goes on in the next life of the program`() async throws {
        let files = TemporaryFolder()
        let log = StepLog()
        let first = try files.database()
        let hangs = WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([1])),
                WorkflowStep("reserve") { call in
                    log.note("reserve", call)
                    // Until the program ends.
                    _ = try? await Threshold(0).wait(past: 0)
                    return .unknown("the program ends")
                },
            ])
        try await first.write { try $0.start(sample) }
        await withTaskGroup(of: Void.self) { group in
            let runner = runner(first, hangs, HandClock())
            group.addTask {
                do { try await runner.run() } catch { Issue.record(error) }
            }
            while log.entries.count < 2 { await Task.yield() }
            group.cancelAll()
        }
        first.close()

        let second = try files.database()
        let works = WorkflowDefinition(
            kind: "sale",
            steps: [log.step("create", .done([9])), log.step("reserve", .done([2]))])
        let end = try await run(works, on: second, starting: false)

        #expect(end?.state == .done)
        #expect(end?.results == [[1], [2]])
        #expect(log.entries == ["create", "reserve", "reserve"])
        #expect(log.calls[1].stepKey == log.calls[2].stepKey)
    }

    @Test func `who has lost a workflow to another cannot move it`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.start(sample) }
        let later = WallTime.start.advanced(by: .seconds(10))

        let mine = try #require(
            try await database.write {
                try WorkflowStore.claim(
                    sample.id, at: .start, latest: later, lease: .seconds(10), in: $0)
            })
        let tooEarly = try await database.write {
            try WorkflowStore.claim(
                sample.id, at: .start, latest: later, lease: .seconds(10), in: $0)
        }
        let other = try #require(
            try await database.write {
                try WorkflowStore.claim(
                    sample.id, at: later, latest: later, lease: .seconds(10), in: $0)
            })
        let shape = WorkflowShape(stepCount: 2, pivot: nil)
        let mineMoved = try await database.write {
            try WorkflowStore.advance(
                mine, to: mine.progress.after(.done([1]), shape: shape, now: later, jitter: 0),
                result: [1], at: later, lease: .zero, in: $0)
        }
        let otherMoved = try await database.write {
            try WorkflowStore.advance(
                other, to: other.progress.after(.done([2]), shape: shape, now: later, jitter: 0),
                result: [2], at: later, lease: .zero, in: $0)
        }

        #expect(tooEarly == nil)
        #expect(mineMoved == nil)
        #expect(otherMoved?.results == [[2]])
    }

    private struct Refused: Error {}

    @Test func `a workflow and what it belongs to start together or not at all`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        await #expect(throws: Refused.self) {
            try await database.write { transaction in
                try transaction.add(1, "sale")
                try transaction.start(sample)
                throw Refused()
            }
        }

        #expect(try database.workflows.get(sample.id) == nil)
    }

    @Test func `waiting for the end stops at its time`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        try await database.write { try $0.start(sample) }

        let open = try await database.workflows.waitForEnd(sample.id, until: .now)
        let unknown = try await database.workflows.waitForEnd(
            [UInt8](repeating: 0, count: 16), until: .now + .seconds(60))

        #expect(open == nil)
        #expect(unknown == nil)
    }

    @Test func `many workflows run beside each other, each step once`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [log.step("create", .done([])), log.step("close", .done([]), isPivot: true)])
        let ids = (0..<50).map { [UInt8](repeating: UInt8($0), count: 16) }
        let clock = HandClock()

        try await withThrowingDiscardingTaskGroup { group in
            let runner = runner(database, definition, clock)
            group.addTask { try await runner.run() }
            for id in ids { try await database.write { try $0.start(Self.start(id)) } }
            for id in ids {
                let end = try await database.workflows.waitForEnd(id, until: .now + .seconds(50))
                #expect(end?.state == .done)
            }
            group.cancelAll()
        }

        #expect(log.entries.count == 100)
    }

    @Test func `a workflow goes on once a full disk has room again`() async throws {
        let files = TemporaryFolder()
        let engine = FailingEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database { $0.engine = engine }
        let log = StepLog()
        let definition = WorkflowDefinition(kind: "sale", steps: [log.step("create", .done([1]))])
        try await database.write { [sample] in try $0.start(sample) }
        engine.isFull.withLock { $0 = true }

        let end = try await run(definition, on: database, starting: false)

        #expect(end?.state == .done)
        #expect(log.entries == ["create"])
        #expect(engine.ballastReleases.withLock { $0 } == 1)
    }

    @Test func `looking for due workflows uses an index`() throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let plan = try database.readInline { snapshot in
            try snapshot.rows(
                """
                EXPLAIN QUERY PLAN SELECT id FROM storage_workflow
                WHERE state IN (0, 1) AND due_at_us <= \(WallTime.start)
                    AND kind IN (\(list: ["sale", "order"]))
                ORDER BY due_at_us LIMIT \(10)
                """
            ) { try $0.text(3) }
        }

        #expect(plan.first?.contains("USING INDEX storage_workflow_due") == true)
    }

    // MARK: Parts

    private let sample: WorkflowStart = start([UInt8](repeating: 5, count: 16))

    private static func start(_ id: [UInt8]) -> WorkflowStart {
        WorkflowStart(id: id, kind: "sale", input: [42], startedBy: "ada", at: .start)
    }

    private func key(_ id: [UInt8], _ name: String) -> [UInt8] { id + Array(name.utf8) }

    private func runner(
        _ database: Database, _ definition: WorkflowDefinition, _ clock: HandClock
    ) -> WorkflowRunner {
        WorkflowRunner(
            database, definitions: [definition], stepKey: { $0 + Array($1.utf8) },
            now: { clock.wall }, clock: clock, random: { 1 })
    }

    /// Runs a workflow while time flies, until it has ended.
    private func run(
        _ definition: WorkflowDefinition, on database: Database, clock: HandClock = HandClock(),
        starting: Bool = true,
        meanwhile: @escaping @Sendable (Database) async throws -> Void = { _ in }
    ) async throws -> WorkflowInstance? {
        let start = sample
        let runner = runner(database, definition, clock)
        return try await withThrowingTaskGroup(of: WorkflowInstance?.self) { group in
            group.addTask {
                try await runner.run()
                return nil
            }
            if starting { try await database.write { try $0.start(start) } }
            try await meanwhile(database)
            while try database.workflows.get(start.id)?.state.isOpen == true {
                try await pass(time: clock, database)
            }
            group.cancelAll()
            return try database.workflows.get(start.id)
        }
    }

    /// Lets time fly until the moment for which the workflow waits, and then pass slowly: on a busy
    /// machine it would lose its patience.
    private func pass(time clock: HandClock, _ database: Database) async throws {
        let due = try database.workflows.get(sample.id)?.dueAt
        let isWaiting = due.map { $0 > clock.wall } ?? false
        clock.advance(by: isWaiting ? .seconds(1) : .milliseconds(1))
        await Task.yield()
    }
}
