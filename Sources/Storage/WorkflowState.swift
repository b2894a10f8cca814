/// Where a workflow stands between its first step and its end.
public enum WorkflowState: Int, Sendable, Hashable, CaseIterable {
    /// Its steps are being done, in order.
    case running = 0
    /// Its steps are being undone, in reverse.
    case compensating = 1
    /// Every step is done.
    case done = 2
    /// Every step that was done is undone.
    case aborted = 3

    /// Whether there is something left to do.
    public var isOpen: Bool { self == .running || self == .compensating }
}

/// What a step, or the undoing of one, came to.
public enum StepOutcome: Sendable, Hashable {
    /// It is done; its result is kept for later steps.
    case done([UInt8])
    /// It is refused for good under this key, and has changed nothing: the encoded refusal, and
    /// words for operators. Before and at the pivot this aborts the workflow.
    case refused([UInt8], String)
    /// It may be done or not; it is tried again with the same key.
    case unknown(String)
}

/// The form of a workflow, as far as its course depends on it.
struct WorkflowShape: Sendable, Hashable {
    /// At least 1.
    let stepCount: Int
    /// The step after which there is no way back; nil if every step can be undone.
    let pivot: Int?

    /// Whether a workflow that stands at a step can still be undone.
    ///
    /// At the pivot an attempt may have succeeded unseen.
    func isBeforePivot(_ step: Int) -> Bool {
        guard let pivot else { return true }
        return step < pivot
    }
}

/// The part of a workflow that outcomes change.
struct WorkflowProgress: Sendable, Hashable {
    var state: WorkflowState
    /// The step to do, or to undo.
    var step: Int
    /// Tries of this step that came to nothing.
    var attempts: Int
    /// When the state or step changed last.
    var progressedAt: WallTime
    /// When to try next.
    var dueAt: WallTime
    var isStuck: Bool
    var refusal: [UInt8]?
    var lastError: String?

    /// A workflow that stands still for so long before its pivot is undone.
    static let patience: Duration = .seconds(600)
    /// An operator looks at a workflow after so many attempts at a step.
    static let attemptsUntilStuck = 100
    /// An operator looks at a workflow that has not been undone for so long.
    static let compensationUntilStuck: Duration = .seconds(86_400)
    /// The longest wait before the second attempt; it doubles with each.
    static let backoffFirst: Duration = .milliseconds(100)
    /// The longest wait of all.
    static let backoffMax: Duration = .seconds(30)

    /// The course of a workflow: what an outcome makes of it.
    ///
    /// - Parameters:
    ///   - outcome: Of doing the step, or of undoing it.
    ///   - shape: The form of the workflow.
    ///   - now: The wall clock.
    ///   - jitter: 0 to 1, at random: spreads attempts that failed together.
    /// - Returns: Where the workflow stands then.
    func after(
        _ outcome: StepOutcome, shape: WorkflowShape, now: WallTime, jitter: Double
    ) -> WorkflowProgress {
        switch (state, outcome) {
        case (.running, .done):
            return forward(shape, now)
        case (.running, .refused(let refusal, let words)) where isRefusable(shape):
            var next = backward(from: step - 1, now)
            next.refusal = refusal
            next.lastError = words
            return next
        case (.running, .refused(_, let words)), (.running, .unknown(let words)):
            guard shape.isBeforePivot(step), progressedAt.duration(to: now) >= Self.patience else {
                return again(words, now, jitter)
            }
            var next = backward(from: step, now)
            next.lastError = words
            return next
        case (.compensating, .done):
            return backward(from: step - 1, now)
        case (.compensating, .refused(_, let words)), (.compensating, .unknown(let words)):
            return again(words, now, jitter)
        case (.done, _), (.aborted, _):
            return self
        }
    }

    /// An operator gives the workflow up; nil when it is too late.
    func cancelled(shape: WorkflowShape, now: WallTime) -> WorkflowProgress? {
        guard state == .running, shape.isBeforePivot(step) else { return nil }
        // The present step may have been tried.
        var next = backward(from: step, now)
        next.lastError = "cancelled by an operator"
        return next
    }

    /// What should follow the last step cannot be: every step is undone; nil when not all are done.
    func turnedBack(_ refusal: [UInt8], _ words: String, now: WallTime) -> WorkflowProgress? {
        guard state == .done else { return nil }
        var next = backward(from: step - 1, now)
        next.refusal = refusal
        next.lastError = words
        return next
    }

    /// What was learnt could not be kept: the step is tried again.
    func postponed(_ words: String, now: WallTime, jitter: Double) -> WorkflowProgress {
        again(words, now, jitter)
    }

    /// A refusal is the end of the way forward up to the pivot, and never after it.
    private func isRefusable(_ shape: WorkflowShape) -> Bool {
        shape.isBeforePivot(step) || step == shape.pivot
    }

    private func forward(_ shape: WorkflowShape, _ now: WallTime) -> WorkflowProgress {
        var next = moved(now)
        next.step = step + 1
        if next.step == shape.stepCount { next.state = .done }
        next.lastError = nil
        return next
    }

    private func backward(from step: Int, _ now: WallTime) -> WorkflowProgress {
        var next = moved(now)
        next.state = step < 0 ? .aborted : .compensating
        next.step = max(step, 0)
        return next
    }

    private func moved(_ now: WallTime) -> WorkflowProgress {
        var next = self
        next.attempts = 0
        next.progressedAt = now
        next.dueAt = now
        next.isStuck = false
        return next
    }

    private func again(_ words: String, _ now: WallTime, _ jitter: Double) -> WorkflowProgress {
        var next = self
        next.attempts = attempts + 1
        // A clock that was set back must not lengthen the patience by years.
        next.progressedAt = min(progressedAt, now)
        next.dueAt = now.advanced(by: Self.backoff(attempts: attempts, jitter: jitter))
        next.lastError = words
        next.isStuck =
            next.attempts >= Self.attemptsUntilStuck
            || state == .compensating
                && progressedAt.duration(to: now) >= Self.compensationUntilStuck
        return next
    }

    /// The wait before the next try: any part of a span that doubles with each.
    static func backoff(attempts: Int, jitter: Double) -> Duration {
        let doublings = min(max(attempts, 0), 16)
        return min(backoffFirst * (1 << doublings), backoffMax) * min(max(jitter, 0), 1)
    }
}
