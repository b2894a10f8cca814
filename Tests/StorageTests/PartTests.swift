import Synchronization
import Testing

@testable import Storage

/// Parts of a job that may fail by themselves.
@Suite(.timeLimit(.minutes(1))) struct PartTests {
    private struct Failure: Error {}

    private let files = TemporaryFolder()

    @Test func `a part that fails leaves nothing, and the job goes on`() async throws {
        let database = try files.database()

        try await database.write { transaction in
            try transaction.add(1, "ada")
            try transaction.publish(kind: "k", aggregate: [1], version: 1, body: [], at: .start)
            #expect(throws: Failure.self) {
                try transaction.attempt {
                    try transaction.add(2, "bob")
                    try transaction.publish(
                        kind: "k", aggregate: [2], version: 1, body: [], at: .start)
                    throw Failure()
                }
            }
            try transaction.add(3, "cy")
        }

        #expect(try database.emails() == ["ada", "cy"])
        let events = try await database.feed.events(after: 0, limit: 10)
        #expect(events.map(\.aggregate) == [[1]])
        #expect(database.feed.head() == events.last?.sequence)
    }

    @Test func `what the schema forbids undoes the part alone`() async throws {
        let database = try files.database()

        let fault = try await database.write { transaction -> StorageFault? in
            do {
                try transaction.attempt {
                    try transaction.add(1, "ada")
                    try transaction.add(2, "ada")
                }
                return nil
            } catch let fault as StorageFault {
                try transaction.add(3, "cy")
                return fault
            }
        }

        #expect(fault?.isPassing == false)
        #expect(try database.emails() == ["cy"])
    }

    @Test func `parts of jobs in one commit leave the neighbours alone`() async throws {
        let database = try files.database()

        try await database.holdingWriter { release in
            async let first: Void = database.write { try $0.add(1, "first") }
            while database.waitingWrites < 1 { await Task.yield() }
            async let second: Void = database.write { transaction in
                try transaction.attempt { try transaction.add(2, "second") }
                #expect(throws: Failure.self) {
                    try transaction.attempt {
                        try transaction.add(3, "part")
                        throw Failure()
                    }
                }
            }
            while database.waitingWrites < 2 { await Task.yield() }
            async let undone = failure {
                try await database.write { transaction in
                    try transaction.attempt { try transaction.add(4, "undone") }
                    throw Failure()
                }
            }
            while database.waitingWrites < 3 { await Task.yield() }
            async let last: Void = database.write { try $0.add(5, "last") }
            while database.waitingWrites < 4 { await Task.yield() }
            release()
            try await first
            try await second
            #expect(await undone is Failure)
            try await last
        }

        #expect(try database.emails().sorted() == ["first", "last", "second"])
    }

    @Test func `a part stays with the job: kept or undone as a whole`() async throws {
        let database = try files.database()

        let answer = try await database.write { transaction in
            try transaction.attempt {
                try transaction.add(1, "ada")
                try? transaction.attempt {
                    try transaction.add(2, "bob")
                    throw Failure()
                }
                return 7
            }
        }
        await #expect(throws: Failure.self) {
            try await database.write { transaction in
                try transaction.attempt { try transaction.add(3, "cy") }
                throw Failure()
            }
        }

        #expect(answer == 7)
        #expect(try database.emails() == ["ada"])
    }

    @Test func `a full disk ends the job, not the part`() async throws {
        let engine = FailingEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database { $0.engine = engine }
        try await database.write { try $0.add(1, "ada") }
        engine.isFull.withLock { $0 = true }

        let fault = await failure {
            try await database.write { transaction in
                try transaction.add(2, "bob")
            }
        }
        engine.isFull.withLock { $0 = false }
        let inPart = await failure {
            try await database.write { transaction in
                try transaction.add(3, "cy")
                engine.isFull.withLock { $0 = true }
                try transaction.attempt { try transaction.add(4, "dee") }
            }
        }

        #expect(fault as? StorageFault == .busy(retryAfter: .seconds(1)))
        #expect(inPart as? StorageFault == .busy(retryAfter: .seconds(1)))
        #expect((inPart as? StorageFault)?.isPassing == true)
        #expect(try database.emails() == ["ada"])
    }

    @Test func `a hook has a workflow that is done undone, last step first`() async throws {
        let database = try files.database()
        let id = [UInt8](repeating: 5, count: 16)
        let log = StepLog()
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [log.step("create", .done([1])), log.step("grant", .done([2]))]
        ) { transaction, workflow in
            guard workflow.state == .done else { return }
            try transaction.undoDoneWorkflow(
                workflow.id, refusal: [7], words: "no room", at: .start)
        }
        let runner = WorkflowRunner(
            database, definitions: [definition],
            stepKey: { id, _ in id }, now: { .start })
        try await database.write { transaction in
            try transaction.start(
                WorkflowStart(id: id, kind: "sale", input: [], startedBy: "ada", at: .start))
        }

        let end = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            defer { group.cancelAll() }
            return try await database.workflows.waitForEnd(
                id, until: .now.advanced(by: .seconds(20)))
        }
        let again = await failure {
            try await database.write { transaction in
                try transaction.undoDoneWorkflow(id, refusal: [], words: "", at: .start)
            }
        }

        #expect(end?.state == .aborted && end?.refusal == [7] && end?.lastError == "no room")
        #expect(again as? WorkflowFault == .noSuchWorkflow)
        #expect(log.entries == ["create", "grant", "undo grant", "undo create"])
    }
}
