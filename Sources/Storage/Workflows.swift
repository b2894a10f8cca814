/// Which workflows a list shows.
public struct WorkflowFilter: Sendable, Hashable {
    /// In any of these states.
    public var states: Set<WorkflowState>
    /// Of this kind, if not nil.
    public var kind: String?
    /// Only those that an operator should look at.
    public var isStuck: Bool

    /// A filter; all workflows unless told otherwise.
    public init(
        states: Set<WorkflowState> = Set(WorkflowState.allCases), kind: String? = nil,
        isStuck: Bool = false
    ) {
        self.states = states
        self.kind = kind
        self.isStuck = isStuck
    }
}

/// The workflows of a database, for those who start them and for operators.
public struct Workflows: Sendable {
    /// The most workflows of one list.
    public static let listMax = 200

    let database: Database

    /// A workflow as it stands; nil if there is none of the name.
    ///
    /// - Parameter id: Names the workflow.
    /// - Returns: The workflow with the results of its steps.
    /// - Throws: ``StorageFault``.
    public func get(_ id: [UInt8]) throws -> WorkflowInstance? {
        try database.readInline { try $0.workflow(id) }
    }

    /// Lists workflows in the order of their names, without results.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - id: The last name of the list before; empty for the first list.
    ///   - limit: At most ``listMax``.
    /// - Returns: The workflows.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func list(
        _ filter: WorkflowFilter = WorkflowFilter(), after id: [UInt8] = [], limit: Int = listMax
    ) async throws -> [WorkflowInstance] {
        let limit = min(max(limit, 1), Self.listMax)
        return try await database.read { snapshot in
            try WorkflowStore.list(filter, after: id, limit: limit, in: snapshot)
        }
    }

    /// Waits until a workflow is done or aborted.
    ///
    /// - Parameters:
    ///   - id: Names the workflow.
    ///   - deadline: When to stop waiting.
    /// - Returns: The workflow at its end; nil if it has not ended by then or does not exist.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func waitForEnd(
        _ id: [UInt8], until deadline: ContinuousClock.Instant
    ) async throws -> WorkflowInstance? {
        try await withThrowingTaskGroup(of: WorkflowInstance?.self) { group in
            group.addTask { try await end(of: id) }
            group.addTask {
                try await ContinuousClock().sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func end(of id: [UInt8]) async throws -> WorkflowInstance? {
        while true {
            let seen = database.signals.workflowEnds.value
            guard let found = try get(id), found.state.isOpen else { return try get(id) }
            _ = try await database.signals.workflowEnds.wait(past: seen)
        }
    }
}

extension Database {
    /// The workflows of this database.
    public var workflows: Workflows { Workflows(database: self) }
}

extension Reading {
    /// A workflow as it stands; nil if there is none of the name.
    ///
    /// - Parameter id: Names the workflow.
    /// - Returns: The workflow with the results of its steps.
    /// - Throws: ``StorageFault``.
    public func workflow(_ id: [UInt8]) throws -> WorkflowInstance? {
        try WorkflowStore.get(id, in: self)
    }
}
