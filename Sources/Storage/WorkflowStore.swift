/// The statements about workflows.
enum WorkflowStore {
    /// Reads one workflow; nil if there is none of the name.
    static func get(_ id: [UInt8], in reading: some Reading) throws -> WorkflowInstance? {
        let found = try reading.row("\(columns) WHERE id = \(id)", instance)
        guard var found else { return nil }
        found.results = try results(of: id, in: reading)
        return found
    }

    /// Lists workflows in the order of their names, without their results.
    static func list(
        _ filter: WorkflowFilter, after id: [UInt8], limit: Int, in reading: some Reading
    ) throws -> [WorkflowInstance] {
        let open: Set<WorkflowState> = [.running, .compensating]
        let values = filter.states.map(\.rawValue).sorted()
        // By its values the index of open workflows is known; values that are bound say nothing.
        let states: SQL = filter.states == open ? "(0, 1)" : "(\(list: values))"
        let kind: SQL = filter.kind.map { "AND kind = \($0)" } ?? ""
        let stuck: SQL = filter.isStuck ? "AND is_stuck = 1" : ""
        return try reading.rows(
            """
            \(columns) WHERE id > \(id) AND state IN \(states) \(kind) \(stuck)
            ORDER BY id LIMIT \(limit)
            """, instance)
    }

    /// How far a list of workflows has come, of those that are open and then of those that ended.
    enum ProgressPosition: Sendable {
        case open(after: [UInt8])
        case ended(at: WallTime, after: [UInt8])
    }

    /// Lists workflows whose state or step changed since an instant, with the results of their
    /// steps: open ones in the order of their names, then the others by when they ended.
    ///
    /// One that ends meanwhile may come twice.
    /// - Returns: The workflows, and where to go on; nil at the end.
    static func progressed(
        since instant: WallTime, from position: ProgressPosition, limit: Int,
        in reading: some Reading
    ) throws -> (workflows: [WorkflowInstance], next: ProgressPosition?) {
        var found: [WorkflowInstance]
        let next: ProgressPosition?
        switch position {
        case .open(let id):
            found = try reading.rows(
                """
                \(columns) WHERE id > \(id) AND state IN (0, 1) ORDER BY id LIMIT \(limit)
                """, instance)
            next =
                found.count < limit
                ? .ended(at: instant, after: []) : found.last.map { .open(after: $0.id) }
            found.removeAll { $0.progressedAt < instant }
        case .ended(let time, let id):
            found = try reading.rows(
                """
                \(columns)
                WHERE state IN (2, 3) AND (progressed_at_us, id) > (\(time), \(id))
                ORDER BY progressed_at_us, id LIMIT \(limit)
                """, instance)
            next =
                found.count < limit
                ? nil : found.last.map { .ended(at: $0.progressedAt, after: $0.id) }
        }
        for index in found.indices {
            found[index].results = try results(of: found[index].id, in: reading)
        }
        return (found, next)
    }

    /// The names of the workflows that have something to do.
    ///
    /// - Parameters:
    ///   - now: The wall clock.
    ///   - latest: The clock was set back since a workflow was put off until after this time.
    ///   - kinds: Of these kinds.
    ///   - limit: At most so many that are due, and so many that were put off.
    ///   - reading: Where to look.
    /// - Returns: The names.
    /// - Throws: ``StorageFault``.
    static func due(
        at now: WallTime, latest: WallTime, kinds: [String], limit: Int, in reading: some Reading
    ) throws -> [[UInt8]] {
        let due = try reading.rows(
            """
            SELECT id FROM storage_workflow
            WHERE state IN (0, 1) AND due_at_us <= \(now) AND kind IN (\(list: kinds))
            ORDER BY due_at_us LIMIT \(limit)
            """
        ) { try $0.bytes(0) }
        // A query of its own: with OR the index would be read from end to end.
        let putOff = try reading.rows(
            """
            SELECT id FROM storage_workflow
            WHERE state IN (0, 1) AND due_at_us > \(latest) AND kind IN (\(list: kinds))
            ORDER BY due_at_us LIMIT \(limit)
            """
        ) { try $0.bytes(0) }
        return due + putOff
    }

    /// When the next workflow has something to do, those due already left aside.
    static func nextDue(
        after now: WallTime, kinds: [String], in reading: some Reading
    ) throws -> WallTime? {
        try reading.row(
            """
            SELECT due_at_us FROM storage_workflow
            WHERE state IN (0, 1) AND due_at_us > \(now) AND kind IN (\(list: kinds))
            ORDER BY due_at_us LIMIT 1
            """
        ) { try $0.time(0) }
    }

    /// Takes the next open workflows out of the hands of a process that is gone.
    ///
    /// - Returns: The last name seen; nil at the end.
    static func release(
        after id: [UInt8], limit: Int, dueAt: (Int) -> WallTime, in transaction: Transaction
    ) throws -> [UInt8]? {
        let ids = try transaction.rows(
            """
            SELECT id FROM storage_workflow WHERE id > \(id) AND state IN (0, 1)
            ORDER BY id LIMIT \(limit)
            """
        ) { try $0.bytes(0) }
        for (index, id) in ids.enumerated() {
            try transaction.execute(
                """
                UPDATE storage_workflow SET epoch = epoch + 1, due_at_us = \(dueAt(index))
                WHERE id = \(id)
                """)
        }
        return ids.count < limit ? nil : ids.last
    }

    /// Takes a workflow into one's hands until the lease ends; nil if it is not due.
    static func claim(
        _ id: [UInt8], at now: WallTime, latest: WallTime, lease: Duration,
        in transaction: Transaction
    ) throws -> WorkflowInstance? {
        guard let found = try get(id, in: transaction), found.state.isOpen,
            found.dueAt <= now || found.dueAt > latest
        else { return nil }
        try transaction.execute(
            """
            UPDATE storage_workflow
            SET epoch = \(found.epoch + 1), due_at_us = \(now.advanced(by: lease))
            WHERE id = \(id) AND epoch = \(found.epoch)
            """)
        return try get(id, in: transaction)
    }

    /// Moves a workflow on, if it is where the mover believes it to be.
    ///
    /// - Parameters:
    ///   - instance: As the mover knows it.
    ///   - progress: Where it goes.
    ///   - result: Of the step, if it was done.
    ///   - now: The wall clock.
    ///   - lease: How long the mover keeps it when it goes on at once; zero to let it go.
    ///   - transaction: Holds the move.
    /// - Returns: The workflow as it is now; nil if somebody else has moved it.
    /// - Throws: ``StorageFault``.
    static func advance(
        _ instance: WorkflowInstance, to progress: WorkflowProgress, result: [UInt8]?,
        at now: WallTime, lease: Duration, in transaction: Transaction
    ) throws -> WorkflowInstance? {
        let moves = progress.state != instance.state || progress.step != instance.step
        let dueAt = moves && progress.state.isOpen ? now.advanced(by: lease) : progress.dueAt
        let endedAt = progress.state.isOpen ? nil : transaction.runningTime.now
        let changed = try transaction.execute(
            """
            UPDATE storage_workflow
            SET state = \(progress.state.rawValue), step = \(progress.step),
                attempts = \(progress.attempts), due_at_us = \(dueAt),
                is_stuck = \(progress.isStuck), refusal = \(progress.refusal),
                last_error = \(progress.lastError), progressed_at_us = \(progress.progressedAt),
                updated_at_us = \(now), ended_open_us = \(endedAt)
            WHERE id = \(instance.id) AND epoch = \(instance.epoch)
                AND state = \(instance.state.rawValue) AND step = \(instance.step)
            """)
        guard changed == 1 else { return nil }
        if let result {
            try transaction.execute(
                """
                INSERT INTO storage_workflow_result (workflow_id, step, result)
                VALUES (\(instance.id), \(instance.step), \(result))
                """)
        }
        if !progress.state.isOpen { transaction.effects.hasWorkflowEnd = true }
        if !moves || lease == .zero { transaction.effects.hasWorkflowWork = true }
        return try get(instance.id, in: transaction)
    }

    /// Ended workflows are kept for operators to read, and for longer than their steps may have to
    /// be sent again.
    static let retention: Duration = .seconds(30 * 86_400)
    /// Workflows removed in one transaction.
    private static let purgeBatch = 100

    /// Removes some workflows that ended long ago.
    ///
    /// - Parameters:
    ///   - now: The wall clock.
    ///   - transaction: Holds the changes.
    /// - Returns: How many were removed; 0 when none is left.
    /// - Throws: ``StorageFault``.
    static func purge(at now: WallTime, in transaction: Transaction) throws -> Int {
        let limit = Age(retention, at: now, transaction.runningTime)
        let ids = try transaction.rows(
            """
            SELECT id FROM storage_workflow
            WHERE ended_open_us <= \(limit.open) AND updated_at_us < \(limit.wall)
            ORDER BY ended_open_us LIMIT \(purgeBatch)
            """
        ) { try $0.bytes(0) }
        for id in ids {
            try transaction.execute(
                "DELETE FROM storage_workflow_result WHERE workflow_id = \(id)")
            try transaction.execute("DELETE FROM storage_workflow_note WHERE workflow_id = \(id)")
            try transaction.execute("DELETE FROM storage_workflow WHERE id = \(id)")
        }
        return ids.count
    }

    private static let columns: SQL = """
        SELECT id, kind, version, input, started_by, created_at_us, updated_at_us, epoch, state,
            step, attempts, progressed_at_us, due_at_us, is_stuck, refusal, last_error
        FROM storage_workflow
        """

    private static func results(of id: [UInt8], in reading: some Reading) throws -> [[UInt8]] {
        try reading.rows(
            """
            SELECT result FROM storage_workflow_result WHERE workflow_id = \(id)
            ORDER BY step LIMIT 1000
            """
        ) { try $0.bytes(0) }
    }

    private static func instance(_ row: Row) throws -> WorkflowInstance {
        guard let state = WorkflowState(rawValue: try row.int(8)) else {
            throw StorageFault.sql("a workflow is in an unknown state")
        }
        return WorkflowInstance(
            id: try row.bytes(0), kind: try row.text(1), version: try row.int(2),
            input: try row.bytes(3), startedBy: try row.text(4), createdAt: try row.time(5),
            updatedAt: try row.time(6), results: [],
            progress: WorkflowProgress(
                state: state, step: try row.int(9), attempts: try row.int(10),
                progressedAt: try row.time(11), dueAt: try row.time(12),
                isStuck: try row.bool(13), refusal: try row.bytesOrNil(14),
                lastError: try row.textOrNil(15)),
            epoch: try row.int64(7))
    }
}

extension Transaction {
    /// Starts a workflow together with the other changes; a runner takes it up after the commit.
    ///
    /// - Parameter workflow: What it is started with.
    /// - Throws: ``StorageFault/constraint(_:)`` when there is one of this name.
    public func start(_ workflow: WorkflowStart) throws {
        try execute(
            """
            INSERT INTO storage_workflow
                (id, kind, version, state, step, input, started_by, due_at_us,
                progressed_at_us, created_at_us, updated_at_us)
            VALUES (\(workflow.id), \(workflow.kind), \(workflow.version), 0, 0,
                \(workflow.input), \(workflow.startedBy), \(workflow.at),
                \(workflow.at), \(workflow.at), \(workflow.at))
            """)
        effects.hasWorkflowWork = true
    }
}
