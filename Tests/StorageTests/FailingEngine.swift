import Synchronization

@testable import Storage

/// The real engine on a disk whose commits can be made to fail.
final class FailingEngine: Engine {
    let failsCommits = Mutex(false)
    /// The next change of rows finds the disk full, as SQLite tells it: the transaction is gone.
    let isFull = Mutex(false)
    let ballastReleases = Mutex(0)
    private let engine: any Engine

    init(_ engine: any Engine) {
        self.engine = engine
    }

    func claim() throws -> any Sendable & AnyObject { try engine.claim() }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        FailingConnection(try engine.connect(role), self)
    }

    func freeBytes() -> Int64? { engine.freeBytes() }

    func makeBallast(leaving bytes: Int64) { engine.makeBallast(leaving: bytes) }

    func releaseBallast() {
        ballastReleases.withLock { $0 += 1 }
        engine.releaseBallast()
    }
}

private final class FailingConnection: Connection {
    private let connection: any Connection
    private let engine: FailingEngine

    init(_ connection: any Connection, _ engine: FailingEngine) {
        self.connection = connection
        self.engine = engine
    }

    func execute(_ sql: SQL) throws -> Int {
        let isFull = engine.isFull.withLock { isFull in
            defer { isFull = false }
            return isFull
        }
        guard isFull else { return try connection.execute(sql) }
        try connection.control(.rollback)
        throw StorageFault.busy(retryAfter: .seconds(1))
    }

    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }

    func run(script: String) throws { try connection.run(script: script) }

    func control(_ control: TransactionControl) throws {
        if control == .commit, engine.failsCommits.withLock({ $0 }) {
            throw StorageFault.lost("the disk is gone")
        }
        try connection.control(control)
    }

    var isInTransaction: Bool { connection.isInTransaction }
    var breakdown: String? { connection.breakdown }
    var lastInsertedRow: Int64 { connection.lastInsertedRow }
    var readDeadline: ContinuousClock.Instant? {
        get { connection.readDeadline }
        set { connection.readDeadline = newValue }
    }
}
