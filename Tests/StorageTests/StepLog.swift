import Synchronization

@testable import Storage

/// What the steps of a test were asked for.
final class StepLog: Sendable {
    private let kept = Mutex<[(String, WorkflowInstance)]>([])

    var entries: [String] { kept.withLock { $0.map(\.0) } }
    var calls: [WorkflowInstance] { kept.withLock { $0.map(\.1) } }

    func note(_ entry: String, _ call: WorkflowInstance) {
        kept.withLock { $0.append((entry, call)) }
    }

    /// A step that answers with each outcome in turn, and then with the last.
    func step(
        _ name: String, _ outcomes: StepOutcome..., isPivot: Bool = false
    ) -> WorkflowStep {
        WorkflowStep(name, isPivot: isPivot) { call in
            self.note(name, call)
            let tries = self.entries.filter { $0 == name }.count
            return outcomes[min(tries, outcomes.count) - 1]
        } compensation: { call in
            self.note("undo \(name)", call)
            return .done([])
        }
    }
}
