/// What a workflow is started with.
public struct WorkflowStart: Sendable, Hashable {
    /// Names the workflow: 16 bytes.
    public let id: [UInt8]
    /// Which definition it follows.
    public let kind: String
    /// Which version of the definition.
    public let version: Int
    /// What its steps need to know, encoded; with every identifier chosen in advance.
    public let input: [UInt8]
    /// Who started it, for operators.
    public let startedBy: String
    /// When.
    public let at: WallTime

    /// The start of a workflow.
    public init(
        id: [UInt8], kind: String, version: Int = 1, input: [UInt8], startedBy: String,
        at: WallTime
    ) {
        precondition(id.count == 16, "a workflow's identifier is 16 bytes")
        self.id = id
        self.kind = kind
        self.version = version
        self.input = input
        self.startedBy = startedBy
        self.at = at
    }
}

/// A workflow as it stands in the database.
public struct WorkflowInstance: Sendable, Hashable {
    /// Names the workflow: 16 bytes.
    public let id: [UInt8]
    /// Which definition it follows.
    public let kind: String
    /// Which version of the definition.
    public let version: Int
    /// What its steps need to know, encoded.
    public let input: [UInt8]
    /// Who started it.
    public let startedBy: String
    /// When it was started.
    public let createdAt: WallTime
    /// When its row changed last.
    public let updatedAt: WallTime
    /// The results of the steps done, in order.
    public internal(set) var results: [[UInt8]]
    /// The name of the step to do or to undo; empty unless the runner hands it to a step.
    public internal(set) var stepName = ""
    /// The idempotency key of the step, the same for doing and undoing it; empty unless the
    /// runner hands it to a step.
    public internal(set) var stepKey: [UInt8] = []
    var progress: WorkflowProgress
    let epoch: Int64

    /// Where it stands.
    public var state: WorkflowState { progress.state }
    /// The step to do or to undo, from 0; the number of steps when all are done.
    public var step: Int { progress.step }
    /// Tries of this step that came to nothing.
    public var attempts: Int { progress.attempts }
    /// Whether an operator should look at it.
    public var isStuck: Bool { progress.isStuck }
    /// When it is tried next, or when the present claim of it ends.
    public var dueAt: WallTime { progress.dueAt }
    /// When its state or step changed last.
    public var progressedAt: WallTime { progress.progressedAt }
    /// The refusal that made it turn back, encoded.
    public var refusal: [UInt8]? { progress.refusal }
    /// What went wrong last, in words.
    public var lastError: String? { progress.lastError }
}
