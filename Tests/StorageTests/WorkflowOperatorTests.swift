import Testing

@testable import Storage

/// What operators do about workflows, and what becomes of those that have ended.
@Suite(.timeLimit(.minutes(1))) struct WorkflowOperatorTests {
    private let files = TemporaryFolder()
    private let log = StepLog()
    private let id = [UInt8](repeating: 5, count: 16)

    private var definition: WorkflowDefinition {
        WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([1])), log.step("activate", .done([2]), isPivot: true),
                log.step("close", .done([3])),
            ])
    }

    @Test func `retrying makes a workflow due and says who wanted it`() async throws {
        let database = try files.database()
        try await start(in: database)
        let late = WallTime.start.after(days: 1)
        try await database.write { [id] transaction in
            try transaction.execute(
                "UPDATE storage_workflow SET due_at_us = \(late) WHERE id = \(id)")
        }

        let retried = try await database.write { [id] in
            try $0.retryWorkflow(id, WorkflowNote(by: "grace", at: .start, text: "mended"))
        }

        #expect(retried.dueAt == .start)
        #expect(
            try notes(in: database)
                == [WorkflowNote(.retry, by: "grace", at: .start, text: "mended")])
    }

    @Test func `cancelling before the pivot undoes what may have been done`() async throws {
        let database = try files.database()
        let definition = self.definition
        try await start(in: database)

        let cancelled = try await database.write { [id] in
            try $0.cancelWorkflow(
                id, following: [definition], WorkflowNote(by: "grace", at: .start))
        }
        let undoing = try await database.workflows.list(WorkflowFilter(states: [.compensating]))
        let again = await failure {
            try await database.write { [id] in
                _ = try $0.cancelWorkflow(
                    id, following: [definition], WorkflowNote(by: "grace", at: .start))
            }
        }
        try await run(on: database)

        #expect(cancelled.state == .compensating)
        #expect(undoing.map(\.id) == [id])
        #expect(again as? WorkflowFault == .pastPivot(.compensating))
        #expect(try database.workflows.get(id)?.state == .aborted)
        #expect(log.entries == ["undo create"])
        #expect(try notes(in: database).map(\.action) == [.cancel])
    }

    @Test func `wishes that come too late, or for nothing, are refused by name`() async throws {
        let database = try files.database()
        let definition = self.definition
        let id = self.id
        let note = WorkflowNote(by: "grace", at: .start)
        let retry: Wish = { _ = try $0.retryWorkflow(id, note) }
        let cancel: Wish = { _ = try $0.cancelWorkflow(id, following: [definition], note) }
        let cancelBlindly: Wish = { _ = try $0.cancelWorkflow(id, following: [], note) }
        let annotate: Wish = { _ = try $0.annotateWorkflow(id, note) }

        var faults = await [retry, cancel, annotate].faults(in: database)
        #expect(faults == [.noSuchWorkflow, .noSuchWorkflow, .noSuchWorkflow])

        try await start(in: database)
        try await database.write { transaction in
            try transaction.execute("UPDATE storage_workflow SET step = 1 WHERE id = \(id)")
        }
        // At the pivot, which may have happened unseen.
        faults = await [cancel, cancelBlindly].faults(in: database)
        #expect(faults == [.pastPivot(.running), .unknownKind])

        try await run(on: database)
        faults = await [retry, cancel].faults(in: database)
        #expect(faults == [.ended(.done), .ended(.done)])
        #expect(try notes(in: database) == [])
        faults = await [annotate].faults(in: database)
        #expect(faults == [nil])
        #expect(try notes(in: database) == [note])
    }

    @Test func `a workflow takes 1,000 remarks at most, and shows the last hundred notes`()
        async throws
    {
        let database = try files.database()
        try await start(in: database)
        try await database.write { [id] transaction in
            for number in 1...WorkflowNote.countMax {
                _ = try transaction.annotateWorkflow(
                    id, WorkflowNote(by: "grace", at: .start, text: "\(number)"))
            }
        }
        let more = await failure {
            try await database.write { [id] in
                _ = try $0.annotateWorkflow(id, WorkflowNote(by: "grace", at: .start))
            }
        }
        _ = try await database.write { [id] in
            try $0.retryWorkflow(id, WorkflowNote(by: "grace", at: .start, text: "all the same"))
        }
        #expect(more as? WorkflowFault == .tooManyNotes)
        let shown = (902...1_000).map { "\($0)" } + ["all the same"]
        #expect(try notes(in: database).map(\.text) == shown)
    }

    // MARK: What has ended

    @Test func `ended workflows go after 30 days, open ones never`() async throws {
        let uptime = HandClock()
        let database = try files.database { $0.uptime = { uptime.now.offset } }
        try await start(in: database)
        try await start(in: database, id: [UInt8](repeating: 9, count: 16), kind: "unknown")
        try await run(on: database)
        _ = try await database.write { [id] in
            try $0.annotateWorkflow(id, WorkflowNote(by: "grace", at: .start, text: "a note"))
        }
        var removed: [Int] = []
        for day in [1, 2, 29, 31, 32] {
            uptime.advance(by: .seconds(86_400 * day) - uptime.now.offset)
            removed.append(try await database.purge(at: .start.after(days: day)).workflows)
        }
        #expect(removed == [0, 0, 0, 1, 0])
        #expect(try database.workflows.get(id) == nil)
        #expect(try await database.workflows.list().map(\.kind) == ["unknown"])
    }

    @Test func `a clock that jumps by years empties nothing`() async throws {
        let uptime = HandClock()
        let database = try files.database { $0.uptime = { uptime.now.offset } }
        try await start(in: database)
        try await run(on: database)
        var removed: [Int] = []
        for day in 1...31 {
            uptime.advance(by: .seconds(86_400))
            let now = WallTime.start.after(days: 5_000 + day)
            removed.append(try await database.purge(at: now).workflows)
        }
        #expect(removed == Array(repeating: 0, count: 29) + [1, 0])
    }

    // MARK: After another service was restored

    @Test func `done steps are sent again in order, with the same keys`() async throws {
        let database = try files.database()
        try await start(in: database)
        try await run(on: database)
        let before = log.calls
        let report = try await runner(on: database).repeatSteps(since: .start)
        #expect(report.failures == [] && report.workflowCount == 1)
        #expect(log.entries == ["create", "activate", "close", "create", "activate", "close"])
        #expect(log.calls.suffix(3).map(\.stepKey) == before.map(\.stepKey))
        let later = try await runner(on: database).repeatSteps(since: .start.after(days: 1))
        #expect(later == RepetitionReport())
        #expect(log.entries.count == 6)
    }

    @Test func `undone steps are undone again, and a refusal is told`() async throws {
        let database = try files.database()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [
                log.step("create", .done([1]), .refused([], "gone")),
                log.step("reserve", .refused([7], "full")),
            ])
        try await start(in: database)
        try await run(definition, on: database)
        #expect(try database.workflows.get(id)?.state == .aborted)
        #expect(log.entries == ["create", "reserve", "undo create"])

        let undone = try await runner(definition, on: database).repeatSteps(since: .start)
        #expect(undone.failures == [])
        #expect(log.entries.suffix(2) == ["undo reserve", "undo create"])

        let other = [UInt8](repeating: 6, count: 16)
        try await start(in: database, id: other)
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE storage_workflow SET step = 1 WHERE id = \(other)"
            )
        }
        let report = try await runner(definition, on: database).repeatSteps(since: .start)
        #expect(report.workflowCount == 1)
        #expect(report.failures.map(\.step) == ["create"])
        #expect(report.failures.map(\.words) == ["gone"])
        #expect(report.failures.map(\.isPassing) == [false])
    }

    @Test func `a step that nobody answers holds no other workflow up`() async throws {
        let database = try files.database()
        let steps = [log.step("create", .done([1]), .unknown("nobody answers"))]
        let definition = WorkflowDefinition(kind: "sale", steps: steps)
        let other = [UInt8](repeating: 9, count: 16)
        try await start(in: database)
        try await run(definition, on: database)
        try await start(in: database, id: other, kind: "elsewhere")

        let report = try await runner(definition, on: database).repeatSteps(since: .start)

        #expect(report.failures.map(\.workflow.id) == [other, id], "open ones first")
        #expect(report.failures.map(\.isPassing) == [false, true])
        #expect(report.failures.map(\.step) == ["", "create"])
        #expect(log.entries.count == 1 + WorkflowRunner.repetitionTriesMax)
    }

    // MARK: Parts

    private func start(
        in database: Database, id: [UInt8]? = nil, kind: String = "sale"
    ) async throws {
        let start = WorkflowStart(
            id: id ?? self.id, kind: kind, input: [42], startedBy: "ada", at: .start)
        try await database.write { try $0.start(start) }
    }

    private func notes(in database: Database) throws -> [WorkflowNote] {
        try database.readInline { [id] in try $0.workflowNotes(of: id) }
    }

    private func runner(
        _ definition: WorkflowDefinition? = nil, on database: Database
    ) -> WorkflowRunner {
        WorkflowRunner(
            database, definitions: [definition ?? self.definition],
            stepKey: { $0 + Array($1.utf8) }, now: { .start }, random: { 0 })
    }

    private func run(_ definition: WorkflowDefinition? = nil, on database: Database) async throws {
        let runner = runner(definition, on: database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            _ = try await database.workflows.waitForEnd(id, until: .now + .seconds(30))
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// What somebody wants to be done in a transaction.
private typealias Wish = @Sendable (Transaction) throws -> Void

extension [Wish] {
    /// Why each is not done; nil where it is.
    fileprivate func faults(in database: Database) async -> [WorkflowFault?] {
        var faults: [WorkflowFault?] = []
        for wish in self {
            faults.append(await failure { try await database.write(wish) } as? WorkflowFault)
        }
        return faults
    }
}
