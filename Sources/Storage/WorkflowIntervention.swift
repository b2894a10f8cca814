/// What an operator did about a workflow, or had to say about it.
public struct WorkflowNote: Sendable, Hashable {
    /// What was done.
    public enum Action: Int, Sendable, Hashable, CaseIterable {
        /// Nothing: it is a remark alone.
        case remark = 1
        /// The workflow was to be tried again at once.
        case retry = 2
        /// The workflow was given up.
        case cancel = 3
    }

    /// A workflow with so many notes takes no more remarks; what is done is always noted.
    public static let countMax = 1_000
    /// The most notes that are read at once: the last ones.
    public static let shownMax = 100

    /// What was done.
    public let action: Action
    /// Who did it.
    public let author: String
    /// When.
    public let at: WallTime
    /// Why, in the operator's words; may be empty where something was done.
    public let text: String

    /// A note.
    public init(_ action: Action = .remark, by author: String, at: WallTime, text: String = "") {
        self.action = action
        self.author = author
        self.at = at
        self.text = text
    }
}

/// Why an operator's wish about a workflow is not followed.
public enum WorkflowFault: Error, Sendable, Hashable {
    /// There is none of the name, or it ended so long ago that it is gone.
    case noSuchWorkflow
    /// It is done or aborted.
    case ended(WorkflowState)
    /// It can no longer be undone, or is being undone already.
    case pastPivot(WorkflowState)
    /// This program does not know the steps of the workflow's kind and version.
    case unknownKind
    /// It has ``WorkflowNote/countMax`` notes.
    case tooManyNotes
}

extension Transaction {
    /// Has an open workflow tried again at once, and notes who wanted it.
    ///
    /// - Parameters:
    ///   - id: Names the workflow.
    ///   - note: Who wants it, when and why.
    /// - Returns: The workflow as it is now.
    /// - Throws: ``WorkflowFault`` or ``StorageFault``.
    public func retryWorkflow(_ id: [UInt8], _ note: WorkflowNote) throws -> WorkflowInstance {
        let found = try existingWorkflow(id)
        guard found.state.isOpen else { throw WorkflowFault.ended(found.state) }
        try execute(
            """
            UPDATE storage_workflow SET due_at_us = \(note.at), updated_at_us = \(note.at)
            WHERE id = \(id)
            """)
        effects.hasWorkflowWork = true
        try add(WorkflowNote(.retry, by: note.author, at: note.at, text: note.text), to: id)
        return try existingWorkflow(id)
    }

    /// Gives a workflow up, before its pivot, so that what it has done is undone; and notes who
    /// wanted it.
    ///
    /// - Parameters:
    ///   - id: Names the workflow.
    ///   - definitions: Those that the program knows.
    ///   - note: Who wants it, when and why.
    /// - Returns: The workflow as it is now.
    /// - Throws: ``WorkflowFault``, ``StorageFault``, or what the definition's hook throws.
    public func cancelWorkflow(
        _ id: [UInt8], following definitions: [WorkflowDefinition], _ note: WorkflowNote
    ) throws -> WorkflowInstance {
        let found = try existingWorkflow(id)
        guard found.state.isOpen else { throw WorkflowFault.ended(found.state) }
        guard
            let definition = definitions.first(where: {
                $0.kind == found.kind && $0.version == found.version
            })
        else { throw WorkflowFault.unknownKind }
        guard let next = found.progress.cancelled(shape: definition.shape, now: note.at) else {
            throw WorkflowFault.pastPivot(found.state)
        }
        let moved = try WorkflowStore.advance(
            found, to: next, result: nil, at: note.at, lease: .zero, in: self)
        guard let moved else { throw StorageFault.sql("a workflow moved in its own transaction") }
        try definition.onTransition(self, moved)
        try add(WorkflowNote(.cancel, by: note.author, at: note.at, text: note.text), to: id)
        return moved
    }

    /// Adds a remark to a workflow, open or not.
    ///
    /// - Parameters:
    ///   - id: Names the workflow.
    ///   - note: Who says what, and when.
    /// - Returns: The workflow.
    /// - Throws: ``WorkflowFault`` or ``StorageFault``.
    public func annotateWorkflow(_ id: [UInt8], _ note: WorkflowNote) throws -> WorkflowInstance {
        let found = try existingWorkflow(id)
        try add(WorkflowNote(by: note.author, at: note.at, text: note.text), to: id)
        return found
    }

    /// Has a workflow whose steps are all done undone from its last step on, so that it comes to
    /// nothing.
    ///
    /// For the hook of its definition, in the transaction that ends it, when what should follow
    /// cannot be. The hook is not called for this change of state.
    /// - Parameters:
    ///   - id: Names the workflow, of a kind without a pivot.
    ///   - refusal: The encoded refusal, for whoever waits for the end.
    ///   - words: What went wrong, in words for operators.
    ///   - now: When.
    /// - Throws: ``WorkflowFault/noSuchWorkflow`` when there is none that is done, or
    ///   ``StorageFault``.
    public func undoDoneWorkflow(
        _ id: [UInt8], refusal: [UInt8], words: String, at now: WallTime
    ) throws {
        let found = try existingWorkflow(id)
        guard let next = found.progress.turnedBack(refusal, words, now: now) else {
            throw WorkflowFault.noSuchWorkflow
        }
        let moved = try WorkflowStore.advance(
            found, to: next, result: nil, at: now, lease: .zero, in: self)
        guard moved != nil else { throw StorageFault.sql("a workflow moved in its transaction") }
    }

    private func existingWorkflow(_ id: [UInt8]) throws -> WorkflowInstance {
        guard let found = try WorkflowStore.get(id, in: self) else {
            throw WorkflowFault.noSuchWorkflow
        }
        return found
    }

    private func add(_ note: WorkflowNote, to id: [UInt8]) throws {
        let last = try row(
            """
            SELECT number FROM storage_workflow_note WHERE workflow_id = \(id)
            ORDER BY number DESC LIMIT 1
            """
        ) { try $0.int(0) }
        let number = (last ?? 0) + 1
        guard note.action != .remark || number <= WorkflowNote.countMax else {
            throw WorkflowFault.tooManyNotes
        }
        try execute(
            """
            INSERT INTO storage_workflow_note
                (workflow_id, number, action, author, at_us, text)
            VALUES (\(id), \(number), \(note.action.rawValue), \(note.author), \(note.at),
                \(note.text))
            """)
    }
}

extension Reading {
    /// The last notes of a workflow, oldest first; none if it does not exist.
    ///
    /// - Parameter id: Names the workflow.
    /// - Returns: At most ``WorkflowNote/shownMax``.
    /// - Throws: ``StorageFault``.
    public func workflowNotes(of id: [UInt8]) throws -> [WorkflowNote] {
        let latest = try rows(
            """
            SELECT action, author, at_us, text FROM storage_workflow_note
            WHERE workflow_id = \(id) ORDER BY number DESC LIMIT \(WorkflowNote.shownMax)
            """
        ) { row in
            guard let action = WorkflowNote.Action(rawValue: try row.int(0)) else {
                throw StorageFault.sql("a workflow's note is of an unknown action")
            }
            return WorkflowNote(
                action, by: try row.text(1), at: try row.time(2), text: try row.text(3))
        }
        return latest.reversed()
    }
}
