/// One command's changes: they stay together, or none of them stays.
///
/// Transactions of several callers share one commit; each begins where the one before ended.
public final class Transaction: Reading {
    /// What happens once the changes are durable.
    var effects = CommitEffects()
    private let connection: any Connection
    private var isMarked = false

    init(_ connection: any Connection) {
        self.connection = connection
    }

    /// Hands the rows that a query finds to a closure, in order.
    public func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }

    /// Runs one statement that changes rows.
    ///
    /// - Parameter sql: An INSERT, UPDATE or DELETE.
    /// - Returns: The number of rows changed.
    /// - Throws: ``StorageFault/constraint(_:)`` when the schema forbids it.
    @discardableResult
    public func execute(_ sql: SQL) throws -> Int {
        if !isMarked {
            try connection.control(.markJob)
            isMarked = true
        }
        return try connection.execute(sql)
    }

    /// The number of the row inserted last.
    var lastInsertedRow: Int64 { connection.lastInsertedRow }

    /// Begins the next job.
    func begin() {
        effects = CommitEffects()
        isMarked = false
    }

    /// Undoes what the job has changed so far; it goes on.
    func undo() throws {
        effects = CommitEffects()
        guard isMarked else { return }
        try connection.control(.undoJob)
    }

    /// Ends the job and keeps its changes.
    func keep() throws {
        guard isMarked else { return }
        isMarked = false
        try connection.control(.keepJob)
    }
}

/// What a transaction announces once it is durable.
struct CommitEffects: Sendable, Hashable {
    /// The last event published; 0 if none was.
    var lastEvent: Int64 = 0
    /// Whether a workflow began or may go on.
    var hasWorkflowWork = false
    /// Whether a workflow ended.
    var hasWorkflowEnd = false

    mutating func merge(_ other: CommitEffects) {
        lastEvent = max(lastEvent, other.lastEvent)
        hasWorkflowWork = hasWorkflowWork || other.hasWorkflowWork
        hasWorkflowEnd = hasWorkflowEnd || other.hasWorkflowEnd
    }
}
