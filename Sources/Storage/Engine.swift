/// Where a database lives: a file of this process now, a replicated one later.
package protocol Engine: Sendable {
    /// Takes the database for this process alone, until the answer is released.
    ///
    /// - Throws: ``OpeningFault`` when another process has it.
    func claim() throws -> any Sendable & AnyObject

    /// Opens a connection for the calling thread.
    func connect(_ role: ConnectionRole) throws -> any Connection

    /// The bytes that the database can still grow by; nil if unknown.
    func freeBytes() -> Int64?

    /// Copies the database as it is at one moment to a file beside it, and checks the copy.
    ///
    /// - Parameters:
    ///   - bytes: So much must be free on the disk beside the copy, for what is written meanwhile.
    ///   - isCancelled: Asked now and then.
    /// - Returns: The path of the copy.
    /// - Throws: ``CopyFault``, ``StorageFault`` or `CancellationError`.
    func copy(leaving bytes: Int64, isCancelled: @escaping () -> Bool) throws -> String

    /// Sets space aside for the moment when there is none, unless it is there or less than some
    /// bytes would be left.
    func makeBallast(leaving bytes: Int64)

    /// Gives back the space kept for the moment when there is none, if it is still there.
    func releaseBallast()
}

/// What a connection is for.
package enum ConnectionRole: Sendable, Hashable {
    /// The one connection that writes and checkpoints.
    case writer
    /// Reads alone.
    case reader
}

/// A step of a transaction's life.
package enum TransactionControl: Int, Sendable, CaseIterable {
    /// Begins a transaction that reads, one row most likely.
    ///
    /// It may lose the state that its first query saw: then it answers no query any more, and its
    /// commit fails with ``OutdatedReading``.
    case beginBriefReading
    /// Begins a transaction that reads and that keeps its state.
    case beginReading
    /// Begins a transaction that may write at once.
    case beginWriting
    /// Makes everything since the beginning durable.
    case commit
    /// Undoes everything since the beginning.
    case rollback
    /// Marks where a job begins.
    case markJob
    /// Forgets the mark and keeps the changes since.
    case keepJob
    /// Undoes the changes since the mark, and keeps the mark.
    case undoJob
    /// Marks where a part of a job begins that may fail by itself.
    case markPart
    /// Forgets the mark of the part and keeps the changes since.
    case keepPart
    /// Undoes the changes since the mark of the part, and keeps the mark.
    case undoPart
}

/// What cuts queries off.
package enum ReadLimit {
    /// Nothing does.
    case none
    /// An instant.
    case deadline(ContinuousClock.Instant)
    /// Somebody's wish, asked for now and then.
    case cancellation(() -> Bool)

    /// Whether it is reached.
    var isReached: Bool {
        switch self {
        case .none: false
        case .deadline(let deadline): deadline <= ContinuousClock.now
        case .cancellation(let isCancelled): isCancelled()
        }
    }
}

/// A connection to a database: blocking, used by one thread at a time.
package protocol Connection: AnyObject, Reading {
    /// Runs one statement that changes rows.
    ///
    /// - Returns: The number of rows changed.
    func execute(_ sql: SQL) throws -> Int

    /// Runs the statements of a migration.
    func run(script: String) throws

    /// Steps through a transaction's life.
    func control(_ control: TransactionControl) throws

    /// Copies the log into the file if it has grown long; outside of transactions.
    ///
    /// What goes wrong then is a ``breakdown``, and no matter of commits before: they are durable.
    /// What passes, such as a full disk, is none: the copy stays due until it succeeds.
    func copyLog()

    /// Whether a transaction is open.
    var isInTransaction: Bool { get }

    /// What broke the connection for good, if anything did.
    var breakdown: String? { get }

    /// The number of the row inserted last.
    var lastInsertedRow: Int64 { get }

    /// When queries are cut off.
    var readLimit: ReadLimit { get set }
}
