import Glibc
import Synchronization

@testable import Storage

/// The real engine on a disk whose commits take their time.
final class SlowEngine: EngineWrapper {
    /// How long each commit of the writer takes at least.
    let pause = Mutex(Duration.zero)
    let engine: EmbeddedSQLite

    init(_ engine: EmbeddedSQLite) {
        self.engine = engine
    }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        let connection = try engine.connect(role)
        return role == .writer ? SlowConnection(connection, self) : connection
    }
}

private final class SlowConnection: ConnectionWrapper {
    let connection: any Connection
    private let engine: SlowEngine

    init(_ connection: any Connection, _ engine: SlowEngine) {
        self.connection = connection
        self.engine = engine
    }

    func control(_ control: TransactionControl) throws {
        if control == .commit { block(for: engine.pause.withLock { $0 }) }
        try connection.control(control)
    }
}

/// Holds the calling thread up.
func block(for pause: Duration) {
    usleep(UInt32(pause / .microseconds(1)))
}
