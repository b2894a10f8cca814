/// One step of a workflow: a call that can be repeated with its key, and the call that undoes it.
public struct WorkflowStep: Sendable {
    /// Does or undoes a step; answers what it came to, and never throws.
    public typealias Action = @Sendable (WorkflowInstance) async -> StepOutcome

    /// Names the step within its workflow; part of its key, so never changed.
    public let name: String
    /// Whether there is no way back once it is done.
    public let isPivot: Bool
    /// Does the step.
    public let action: Action
    /// Undoes the step, also when it was never done but may yet be; nil if there is nothing to
    /// undo.
    public let compensation: Action?

    /// A step.
    public init(
        _ name: String, isPivot: Bool = false, action: @escaping Action,
        compensation: Action? = nil
    ) {
        self.name = name
        self.isPivot = isPivot
        self.action = action
        self.compensation = compensation
    }
}

/// The steps of one kind of workflow.
public struct WorkflowDefinition: Sendable {
    /// Follows a workflow in the transaction that moves it.
    public typealias TransitionHook = @Sendable (Transaction, WorkflowInstance) throws -> Void

    /// Names the kind.
    public let kind: String
    /// Grows when the steps change; workflows under way keep the version that they began with.
    public let version: Int
    /// The steps in order.
    public let steps: [WorkflowStep]
    /// Called with the new state after each change of state or step, in the same transaction.
    public let onTransition: TransitionHook

    /// A definition.
    ///
    /// - Parameters:
    ///   - kind: Names the kind.
    ///   - version: Grows when the steps change.
    ///   - steps: At least one, with different names; at most one is the pivot.
    ///   - onTransition: Called after each change of state or step, in the same transaction; when
    ///     it throws, the change is not made and the step is tried again later.
    public init(
        kind: String, version: Int = 1, steps: [WorkflowStep],
        onTransition: @escaping TransitionHook = { _, _ in }
    ) {
        precondition(!steps.isEmpty, "a workflow has a step")
        precondition(steps.filter(\.isPivot).count <= 1, "a workflow has one pivot at most")
        precondition(Set(steps.map(\.name)).count == steps.count, "steps have different names")
        self.kind = kind
        self.version = version
        self.steps = steps
        self.onTransition = onTransition
    }

    var shape: WorkflowShape {
        WorkflowShape(stepCount: steps.count, pivot: steps.firstIndex(where: \.isPivot))
    }
}
