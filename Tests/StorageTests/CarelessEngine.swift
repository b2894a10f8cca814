@testable import Storage

/// An engine that takes a commit that failed for undone: what the writer must never do.
final class CarelessEngine<Wrapped: Engine>: EngineWrapper {
    let engine: Wrapped

    init(_ engine: Wrapped) {
        self.engine = engine
    }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        CarelessConnection(try engine.connect(role))
    }
}

private final class CarelessConnection: ConnectionWrapper {
    let connection: any Connection
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

    var isInTransaction: Bool { pretends || connection.isInTransaction }
    var breakdown: String? { nil }
}
