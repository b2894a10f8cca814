/// A step that could not be repeated.
public struct FailedRepetition: Sendable, Hashable {
    /// The workflow as it stands.
    public let workflow: WorkflowInstance
    /// The name of the step; empty when this program does not know the workflow's steps.
    public let step: String
    /// What went wrong, in words for operators.
    public let words: String
    /// Whether it may go well later; else it is refused for good.
    public let isPassing: Bool

    /// A step that could not be repeated.
    public init(workflow: WorkflowInstance, step: String, words: String, isPassing: Bool) {
        self.workflow = workflow
        self.step = step
        self.words = words
        self.isPassing = isPassing
    }
}

/// What came of repeating steps.
public struct RepetitionReport: Sendable, Hashable {
    /// The workflows whose steps were all sent.
    public var workflowCount = 0
    /// The others, each at the step where it ended.
    public var failures: [FailedRepetition] = []

    /// Nothing yet.
    public init() {}
}

extension WorkflowRunner {
    /// Workflows read at a time.
    private static let repetitionBatch = 100
    /// Tries of one step: some minutes, if nobody answers.
    static let repetitionTriesMax = 20

    /// Sends the steps of workflows again, under their keys, as far as they are done or undone: for
    /// when another service has been put back to an older copy of its database.
    ///
    /// Who still has a step's effect answers as it did before; who has lost it has it again
    /// afterwards. The workflows themselves do not change.
    /// - Parameter instant: Workflows whose state or step has not changed since are left aside.
    /// - Returns: How far it came; each failure needs an operator's eyes.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func repeatSteps(since instant: WallTime) async throws -> RepetitionReport {
        var report = RepetitionReport()
        var position: WorkflowStore.ProgressPosition? = .open(after: [])
        while let from = position {
            let batch = try await whenFree {
                try await self.database.read { snapshot in
                    try WorkflowStore.progressed(
                        since: instant, from: from, limit: Self.repetitionBatch, in: snapshot)
                }
            }
            for workflow in batch.workflows {
                if let failure = try await repeatSteps(of: workflow) {
                    report.failures.append(failure)
                } else {
                    report.workflowCount += 1
                }
            }
            position = batch.next
        }
        return report
    }

    /// Sends the steps of one workflow up to the first that fails: those after it need it.
    private func repeatSteps(of workflow: WorkflowInstance) async throws -> FailedRepetition? {
        guard let definition = definition(of: workflow) else {
            return FailedRepetition(
                workflow: workflow, step: "", words: "the steps of this kind are not known",
                isPassing: false)
        }
        for (step, action) in Self.actionsTaken(by: workflow, definition.steps) {
            let outcome = try await insist(action, call(of: workflow, step))
            let (words, isPassing): (String, Bool)
            switch outcome {
            case .done: continue
            case .refused(_, let refusal): (words, isPassing) = (refusal, false)
            case .unknown(let trouble): (words, isPassing) = (trouble, true)
            }
            return FailedRepetition(
                workflow: workflow, step: step.name, words: words, isPassing: isPassing)
        }
        return nil
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

    /// Tries until the outcome is known, or has been asked for often enough.
    private func insist(
        _ action: WorkflowStep.Action, _ call: WorkflowInstance
    ) async throws -> StepOutcome {
        var attempts = 0
        while true {
            let outcome = await action(call)
            attempts += 1
            guard case .unknown = outcome, attempts < Self.repetitionTriesMax else {
                return outcome
            }
            try await clock.sleep(
                for: WorkflowProgress.backoff(attempts: attempts - 1, jitter: random()))
        }
    }
}
