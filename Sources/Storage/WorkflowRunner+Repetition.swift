/// A step that another service refuses to repeat.
public struct RefusedRepetition: Sendable, Hashable {
    /// The workflow as it stands.
    public let workflow: WorkflowInstance
    /// The name of the step.
    public let step: String
    /// The refusal, in words for operators.
    public let words: String

    /// A refused step.
    public init(workflow: WorkflowInstance, step: String, words: String) {
        self.workflow = workflow
        self.step = step
        self.words = words
    }
}

extension WorkflowRunner {
    /// Workflows read at a time.
    private static let repetitionBatch = 100

    /// Sends the steps of workflows again, under their keys, as far as they are done or undone: for
    /// when another service has been put back to an older copy of its database.
    ///
    /// Who still has a step's effect answers as it did before; who has lost it has it again
    /// afterwards. The workflows themselves do not change.
    /// - Parameter instant: Workflows that have not changed since are left aside.
    /// - Returns: The steps that are refused now; each needs an operator's eyes.
    /// - Throws: ``StorageFault``, or `CancellationError`: it does not give up by itself.
    public func repeatSteps(since instant: WallTime) async throws -> [RefusedRepetition] {
        var refused: [RefusedRepetition] = []
        var position: [UInt8] = []
        while true {
            let from = position
            let batch = try await whenFree {
                try await self.database.read { snapshot in
                    try WorkflowStore.changed(
                        since: instant, after: from, limit: Self.repetitionBatch, in: snapshot)
                }
            }
            guard let last = batch.last else { return refused }
            for workflow in batch { refused += try await repeatSteps(of: workflow) }
            position = last.id
        }
    }

    private func repeatSteps(of workflow: WorkflowInstance) async throws -> [RefusedRepetition] {
        guard let definition = definition(of: workflow) else { return [] }
        var refused: [RefusedRepetition] = []
        for (step, action) in Self.actionsTaken(by: workflow, definition.steps) {
            let outcome = try await insist(action, call(of: workflow, step))
            if case .refused(_, let words) = outcome {
                refused.append(
                    RefusedRepetition(workflow: workflow, step: step.name, words: words))
            }
        }
        return refused
    }

    /// What the workflow has done so far that still counts, in the order in which it did it.
    ///
    /// A step that may have been begun is undone along with those that were done: undoing what
    /// never was does no harm.
    static func actionsTaken(
        by workflow: WorkflowInstance, _ steps: [WorkflowStep]
    ) -> [(step: WorkflowStep, action: WorkflowStep.Action)] {
        switch workflow.state {
        case .running, .done:
            return steps.prefix(workflow.step).map { ($0, $0.action) }
        case .compensating, .aborted:
            let undone =
                workflow.state == .aborted ? steps[...] : steps.dropFirst(workflow.step + 1)
            return undone.reversed().compactMap { step in
                step.compensation.map { (step, $0) }
            }
        }
    }

    /// Tries until the outcome is known.
    private func insist(
        _ action: WorkflowStep.Action, _ call: WorkflowInstance
    ) async throws -> StepOutcome {
        var attempts = 0
        while true {
            let outcome = await action(call)
            guard case .unknown = outcome else { return outcome }
            try await clock.sleep(
                for: WorkflowProgress.backoff(attempts: attempts, jitter: random()))
            attempts += 1
        }
    }
}
