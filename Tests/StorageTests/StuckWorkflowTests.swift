import Synchronization
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct StuckWorkflowTests {
    @Test func `a workflow that becomes stuck is told of once`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let workflow = WorkflowStart(
            id: [UInt8](repeating: 5, count: 16), kind: "sale", input: [42], startedBy: "ada",
            at: .start)
        let told = Mutex<[Int]>([])
        let tries = Mutex(0)
        let definition = WorkflowDefinition(
            kind: "sale",
            steps: [
                WorkflowStep("create", isPivot: true) { _ in
                    let number = tries.withLock { tries in
                        tries += 1
                        return tries
                    }
                    return number > WorkflowProgress.attemptsUntilStuck + 3
                        ? .done([]) : .unknown("nobody answers")
                }
            ])
        let runner = WorkflowRunner(
            database, definitions: [definition], stepKey: { id, _ in id },
            now: { WallTime.current() }, random: { 0 },
            onStuck: { stuck in told.withLock { $0.append(stuck.attempts) } })
        try await database.write { try $0.start(workflow) }

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            _ = try await database.workflows.waitForEnd(workflow.id, until: .now + .seconds(60))
            group.cancelAll()
            try await group.waitForAll()
        }

        #expect(told.withLock { $0 } == [WorkflowProgress.attemptsUntilStuck])
    }
}
