@testable import Storage

/// An engine that does what another does, but for what a test changes.
protocol EngineWrapper: Engine {
    associatedtype Wrapped: Engine
    var engine: Wrapped { get }
}

extension EngineWrapper {
    func claim() throws -> any Sendable & AnyObject { try engine.claim() }
    func connect(_ role: ConnectionRole) throws -> any Connection { try engine.connect(role) }
    func freeBytes() -> Int64? { engine.freeBytes() }
    func copy(leaving bytes: Int64, isCancelled: @escaping () -> Bool) throws -> String {
        try engine.copy(leaving: bytes, isCancelled: isCancelled)
    }
    func makeBallast(leaving bytes: Int64) { engine.makeBallast(leaving: bytes) }
    func releaseBallast() { engine.releaseBallast() }
}

/// A connection that does what another does, but for what a test changes.
protocol ConnectionWrapper: Connection {
    var connection: any Connection { get }
}

extension ConnectionWrapper {
    func execute(_ sql: SQL) throws -> Int { try connection.execute(sql) }
    func forEachRow(of sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.forEachRow(of: sql, body)
    }
    func run(script: String) throws { try connection.run(script: script) }
    func control(_ control: TransactionControl) throws { try connection.control(control) }
    func copyLog() { connection.copyLog() }
    var isInTransaction: Bool { connection.isInTransaction }
    var breakdown: String? { connection.breakdown }
    var lastInsertedRow: Int64 { connection.lastInsertedRow }
    var readLimit: ReadLimit {
        get { connection.readLimit }
        set { connection.readLimit = newValue }
    }
}
