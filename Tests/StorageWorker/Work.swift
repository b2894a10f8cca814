import Storage

/// The clients and the workflows of one process.
struct Work {
    let database: Database
    let assignment: Assignment

    func run() async throws {
        let runner = Course.runner(database, forgetsKeys: assignment.omission == .stepKey)
        try await withThrowingTaskGroup { group in
            if assignment.hasWorkflows {
                group.addTask { try await runner.run() }
            }
            if assignment.scantDescriptorsAtWork { try await workWithoutDescriptors() }
            try await runClients()
            if assignment.settles { try await settle() }
            group.cancelAll()
        }
    }

    private func runClients() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<assignment.clients {
                let client = Client(number: number, database: database, assignment: assignment)
                group.addTask { try await client.run() }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until no workflow is open.
    private func settle() async throws {
        let open = WorkflowFilter(states: [.running, .compensating])
        while try await !database.workflows.list(open, limit: 1).isEmpty {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Reads that need another file are refused, and a client whose files are open goes on.
    private func workWithoutDescriptors() async throws {
        try await Descriptors.withNone {
            await read()
            try await Client(number: 0, database: database, assignment: assignment).run()
        }
        await read()
    }

    private func read() async {
        let count: SQL = "SELECT count(*) FROM entry"
        let inline = Result { try database.readInline { try $0.row(count) { try $0.int(0) } } }
        Output.line("read inline \(Self.word(for: inline))")
        do {
            _ = try await database.read { try $0.row(count) { try $0.int(0) } }
            Output.line("read done")
        } catch {
            Output.line("read \(Self.word(for: Result<Int, any Error>.failure(error)))")
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
