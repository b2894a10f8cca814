import Storage

/// The workflow that some commands start: steps whose effects are rows of the same database.
enum Course {
    static let kind = "course"
    static let principal = "workflow"
    /// The steps in order; `confirm` is the pivot.
    static let steps = ["reserve", "charge", "confirm", "notify"]
    static let pivot = "confirm"
    /// One client's command of so many starts a workflow.
    static let every = 8

    /// Whether a command starts a workflow.
    static func begins(at counter: Int) -> Bool { counter % every == 1 }

    /// The key of a step: that of the workflow, with the step in bits that a client's number
    /// leaves free.
    static func key(of workflow: [UInt8], _ step: String) -> [UInt8] {
        var key = workflow
        key[0] = UInt8(truncatingIfNeeded: 1 + (steps.firstIndex(of: step) ?? steps.count))
        return key
    }

    static func definition(
        _ database: Database, _ assignment: Assignment
    ) -> WorkflowDefinition {
        WorkflowDefinition(
            kind: kind,
            steps: steps.map { name in
                WorkflowStep(name, isPivot: name == pivot) { instance in
                    await Stride(instance, assignment).act(in: database)
                } compensation: { instance in
                    await Stride(instance, assignment).undo(in: database)
                }
            })
    }

    static func runner(
        _ database: Database, _ assignment: Assignment
    ) -> WorkflowRunner {
        var settings = WorkflowSettings()
        settings.startSpread = .milliseconds(200)
        settings.pollInterval = .milliseconds(500)
        return WorkflowRunner(
            database, definitions: [definition(database, assignment)],
            stepKey: key, settings: settings,
            now: { assignment.clock.now() })
    }
}

/// One try of doing or undoing a step.
private struct Stride: Sendable {
    private let instance: WorkflowInstance
    private let key: [UInt8]
    private let now: WallTime
    /// Of the command that started the workflow: decides its fate.
    private let counter: Int

    init(_ instance: WorkflowInstance, _ assignment: Assignment) {
        self.instance = instance
        now = assignment.clock.now()
        key =
            assignment.omission == .stepKey
            ? (0..<16).map { _ in .random(in: .min ... .max) } : instance.stepKey
        counter = instance.input.reduce(0) { $0 << 8 | Int($1) }
    }

    private struct Refused: DefiniteRefusal {
        let encodedRefusal: [UInt8] = [1]
    }

    private var command: Command {
        Command(
            principal: Course.principal, key: key, method: instance.stepName,
            requestDigest: instance.id, now: now)
    }

    func act(in database: Database) async -> StepOutcome {
        // Every third workflow is refused at its pivot, and undone.
        let isRefused = instance.stepName == Course.pivot && counter % 3 == 0
        // The first answer of every second workflow to this step is lost on its way.
        let isLost = instance.stepName == "charge" && counter % 2 == 1 && instance.attempts == 0
        do {
            let outcome = try await database.command(command) { [instance] transaction in
                guard !isRefused else { throw Refused() }
                try transaction.note(1, of: instance)
                return Array(instance.stepName.utf8)
            }
            guard !isLost else { return .unknown("the answer is lost") }
            return switch outcome {
            case .reply(let reply): .done(reply)
            case .refusal(let refusal): .refused(refusal, "refused")
            }
        } catch {
            return .unknown("\(error)")
        }
    }

    func undo(in database: Database) async -> StepOutcome {
        do {
            try await database.cancel(command) { [instance] transaction, reply in
                // Nothing was done: its reply would be there.
                guard reply != nil else { return }
                try transaction.note(-1, of: instance)
            }
            return .done([])
        } catch {
            return .unknown("\(error)")
        }
    }
}

extension Transaction {
    fileprivate func note(_ change: Int, of instance: WorkflowInstance) throws {
        try execute(
            """
            INSERT INTO step_effect (workflow, step, change)
            VALUES (\(instance.id), \(instance.stepName), \(change))
            """)
    }
}
