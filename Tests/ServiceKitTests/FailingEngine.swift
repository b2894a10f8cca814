import Synchronization

@testable import Storage

/// An engine on a disk whose commits can be made to fail.
final class FailingEngine: Engine {
    let failsCommits = Mutex(false)
    private let engine: EmbeddedSQLite

    init(path: String) {
        engine = EmbeddedSQLite(path: path, ballastBytes: 0)
    }

    func claim() throws -> any Sendable & AnyObject { try engine.claim() }
    func connect(_ role: ConnectionRole) throws -> any Connection {
        FailingConnection(try engine.connect(role), self)
    }
    func freeBytes() -> Int64? { engine.freeBytes() }
    func copy(leaving bytes: Int64, isCancelled: @escaping () -> Bool) throws -> String {
        try engine.copy(leaving: bytes, isCancelled: isCancelled)
    }
    func makeBallast(leaving bytes: Int64) { engine.makeBallast(leaving: bytes) }
    func releaseBallast() { engine.releaseBallast() }
}

private final class FailingConnection: Connection {
    private let connection: any Connection
    private let engine: FailingEngine

    init(_ connection: any Connection, _ engine: FailingEngine) {
        self.connection = connection
        self.engine = engine
    }

    func control(_ control: TransactionControl) throws {
        if control == .commit, engine.failsCommits.withLock({ $0 }) {
            throw StorageFault.lost("the disk is gone")
        }
        try connection.control(control)
    }

    func execute(_ sql: SQL) throws -> Int { try connection.execute(sql) }
    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }
    func run(script: String) throws { try connection.run(script: script) }
    func copyLog() { connection.copyLog() }
    var isInTransaction: Bool { connection.isInTransaction }
    var breakdown: String? { connection.breakdown }
    var lastInsertedRow: Int64 { connection.lastInsertedRow }
    var readLimit: ReadLimit {
        get { connection.readLimit }
        set { connection.readLimit = newValue }
    }
}
