import Synchronization

@testable import Storage

/// The real engine on a disk whose commits can be made to fail.
final class FailingEngine: EngineWrapper {
    let failsCommits = Mutex(false)
    /// The next change of rows finds the disk full, as SQLite tells it: the transaction is gone.
    let isFull = Mutex(false)
    let ballastReleases = Mutex(0)
    let engine: EmbeddedSQLite

    init(_ engine: EmbeddedSQLite) {
        self.engine = engine
    }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        FailingConnection(try engine.connect(role), self)
    }

    func releaseBallast() {
        ballastReleases.withLock { $0 += 1 }
        engine.releaseBallast()
    }
}

private final class FailingConnection: ConnectionWrapper {
    let connection: any Connection
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

    func control(_ control: TransactionControl) throws {
        if control == .commit, engine.failsCommits.withLock({ $0 }) {
            throw StorageFault.lost("the disk is gone")
        }
        try connection.control(control)
    }
}
