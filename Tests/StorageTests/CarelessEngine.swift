@testable import Storage

/// An engine that takes a commit that failed for undone: what the writer must never do.
final class CarelessEngine: Engine {
    private let engine: any Engine

    init(_ engine: any Engine) {
        self.engine = engine
    }

    func claim() throws -> any Sendable & AnyObject { try engine.claim() }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        CarelessConnection(try engine.connect(role))
    }

    func freeBytes() -> Int64? { engine.freeBytes() }

    func releaseBallast() { engine.releaseBallast() }
}

private final class CarelessConnection: Connection {
    private let connection: any Connection
    /// Whether a transaction that is gone is said to be open.
    private var pretends = false

    init(_ connection: any Connection) {
        self.connection = connection
    }

    func control(_ control: TransactionControl) throws {
        if control == .rollback, pretends {
            pretends = false
            return
        }
        do {
            try connection.control(control)
        } catch StorageFault.lost(let reason) where control == .commit {
            // The writer tries each job of the batch alone, then refuses it.
            pretends = true
            throw StorageFault.constraint(reason)
        }
    }

    func execute(_ sql: SQL) throws -> Int { try connection.execute(sql) }

    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }

    func run(script: String) throws { try connection.run(script: script) }

    var isInTransaction: Bool { pretends || connection.isInTransaction }
    var breakdown: String? { nil }
    var lastInsertedRow: Int64 { connection.lastInsertedRow }
    var readDeadline: ContinuousClock.Instant? {
        get { connection.readDeadline }
        set { connection.readDeadline = newValue }
    }
}
