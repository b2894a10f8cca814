/// One command's changes: they stay together, or none of them stays.
///
/// Transactions of several callers share one commit; each begins where the one before ended.
public final class Transaction: Reading {
    /// What happens once the changes are durable.
    var effects = CommitEffects()
    /// How long the database has been open.
    let runningTime: RunningTime
    private let connection: any Connection
    /// Whether no job has changed anything yet since SQLite's transaction began.
    private var isUntouched = true
    private var undoing = Undoing.nothing

    /// What undoes the changes of the job at hand.
    private enum Undoing {
        /// It has changed nothing.
        case nothing
        /// It was the first to change anything: giving SQLite's whole transaction up, for which no
        /// page has to be copied beforehand.
        case everything
        /// Going back to the mark where it began.
        case toMark
    }

    init(_ connection: any Connection, _ runningTime: RunningTime) {
        self.connection = connection
        self.runningTime = runningTime
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
        try mark()
        return try connection.execute(sql)
    }

    /// Does a part of the job that may fail by itself: its changes stay together, or none of them
    /// stays and the job goes on.
    ///
    /// An error that ``StorageFault/isPassing`` says nothing about the part: the job should end
    /// with it, and be tried again.
    /// - Parameter part: Makes the changes.
    /// - Returns: What the part answers.
    /// - Throws: What the part throws, once its changes are undone.
    public func attempt<Value>(_ part: () throws -> Value) throws -> Value {
        try mark()
        try connection.control(.markPart)
        let before = effects
        let value: Value
        do {
            value = try part()
        } catch {
            // Where SQLite has given the whole transaction up, nothing of the part is left.
            guard connection.isInTransaction, connection.breakdown == nil else { throw error }
            try connection.control(.undoPart)
            try connection.control(.keepPart)
            effects = before
            throw error
        }
        try connection.control(.keepPart)
        return value
    }

    /// Makes sure that the job can be undone, before it changes anything.
    private func mark() throws {
        guard undoing == .nothing else { return }
        if !isUntouched { try connection.control(.markJob) }
        undoing = isUntouched ? .everything : .toMark
    }

    /// The number of the row inserted last.
    var lastInsertedRow: Int64 { connection.lastInsertedRow }

    /// Begins SQLite's transaction, which those of the jobs are parts of.
    func open() throws {
        try connection.control(.beginWriting)
        isUntouched = true
        undoing = .nothing
    }

    /// Begins the next job.
    func begin() {
        effects = CommitEffects()
        undoing = .nothing
    }

    /// Undoes what the job has changed so far; it has ended, or goes on from there with what is
    /// kept of its refusal.
    func undo() throws {
        effects = CommitEffects()
        switch undoing {
        case .nothing: break
        case .everything:
            try connection.control(.rollback)
            try open()
        case .toMark:
            try connection.control(.undoJob)
            try connection.control(.keepJob)
        }
        undoing = .nothing
    }

    /// Ends the job and keeps its changes.
    func keep() throws {
        if undoing == .toMark { try connection.control(.keepJob) }
        if undoing != .nothing { isUntouched = false }
        undoing = .nothing
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
