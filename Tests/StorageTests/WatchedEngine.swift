import Synchronization

@testable import Storage

/// An engine that tells when the log is copied, or might be.
final class WatchedEngine<Wrapped: Engine>: EngineWrapper {
    let engine: Wrapped
    /// Called on the writer's thread before.
    let beforeCopy = Mutex<(@Sendable () -> Void)?>(nil)
    private let copies = Mutex(0)

    init(_ engine: Wrapped) {
        self.engine = engine
    }

    /// How often it has been copied, or might have been: once at the start and after each batch.
    var copyCount: Int { copies.withLock { $0 } }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        let connection = try engine.connect(role)
        return WatchedConnection(connection) {
            self.beforeCopy.withLock { $0 }?()
            connection.copyLog()
            self.copies.withLock { $0 += 1 }
        }
    }
}

private final class WatchedConnection: ConnectionWrapper {
    let connection: any Connection
    private let copy: () -> Void

    init(_ connection: any Connection, copy: @escaping () -> Void) {
        self.connection = connection
        self.copy = copy
    }

    func copyLog() { copy() }
}
