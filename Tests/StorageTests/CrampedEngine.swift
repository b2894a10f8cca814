import Synchronization

@testable import Storage

/// The real engine on a disk that can be said to have no space left.
final class CrampedEngine: EngineWrapper {
    let isFull = Mutex(false)
    let engine: EmbeddedSQLite

    init(_ engine: EmbeddedSQLite) {
        self.engine = engine
    }

    func freeBytes() -> Int64? { isFull.withLock { $0 } ? 0 : engine.freeBytes() }
}
