import Glibc
import Storage

/// The clients and the workflows of one process.
struct Work {
    let database: Database
    let assignment: Assignment

    func run() async throws {
        let runner = Course.runner(database, assignment)
        try await withThrowingTaskGroup { group in
            if assignment.hasWorkflows {
                group.addTask { await Self.run(runner) }
            }
            if assignment.copies { group.addTask { try await copyAgainAndAgain() } }
            if assignment.scantDescriptorsAtWork { try await workWithoutDescriptors() }
            try await runClients()
            if assignment.settles { try await settle() }
            group.cancelAll()
        }
    }

    private static func run(_ runner: WorkflowRunner) async {
        do {
            try await runner.run()
        } catch StorageFault.lost {
            // The clients say so, and the process ends with them.
        } catch {
            Output.line("failed \(error)")
            exit(1)
        }
    }

    private func copyAgainAndAgain() async throws {
        while !Task.isCancelled {
            do {
                try await database.withCopy { _ in }
            } catch is CancellationError {
                return
            }
        }
    }

    private func runClients() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<assignment.clients {
                let client = Client(number: number, database: database, assignment: assignment)
                group.addTask { try await client.run() }
            }
            // Each says how it ended before the process does.
            var failure: (any Error)?
            while let ended = await group.nextResult() {
                if case .failure(let error) = ended { failure = failure ?? error }
            }
            if let failure { throw failure }
        }
    }

    /// Waits until no workflow is open.
    private func settle() async throws {
        let open = WorkflowFilter(states: [.running, .compensating])
        while try await !database.workflows.list(open, limit: 1).isEmpty {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Reads that need another connection are refused, all other work goes on.
    private func workWithoutDescriptors() async throws {
        // The system's timers take descriptors when they are used for the first time.
        try await ContinuousClock().sleep(for: .milliseconds(1))
        try await SuspendingClock().sleep(for: .milliseconds(1))
        try await Descriptors.withNone {
            await read()
            try await Client(number: 0, database: database, assignment: assignment).run()
        }
        await read()
    }

    private func read() async {
        let count: SQL = "SELECT count(*) FROM entry"
        Output.line("nested \(Self.word(for: Result { try readNested(Self.nestedReads) }))")
        let inline = Result { try database.readInline { try $0.row(count) { try $0.int(0) } } }
        Output.line("inline \(Self.word(for: inline))")
        do {
            _ = try await database.read { try $0.row(count) { try $0.int(0) } }
            Output.line("read done")
        } catch {
            Output.line("read \(Self.word(for: Result<Int, any Error>.failure(error)))")
        }
    }

    /// More than there are connections so far.
    private static let nestedReads = 8

    /// Reads inside a read inside a read: each needs a connection of its own.
    private func readNested(_ depth: Int) throws {
        try database.readInline { snapshot in
            _ = try snapshot.exists("SELECT 1 FROM entry LIMIT 1")
            if depth > 1 { try readNested(depth - 1) }
        }
    }

    private static func word<Value>(for result: Result<Value, any Error>) -> String {
        switch result {
        case .success: "done"
        case .failure(StorageFault.busy): "busy"
        case .failure(let error): "confused \(error)"
        }
    }
}
