internal import Synchronization

/// Connections that read on the caller's own thread.
final class InlineReaders: Sendable {
    private struct State {
        /// The connection, unless it has not been needed yet.
        var connection: (any Connection)?
        var isClosed = false
    }

    /// A place for one connection; whoever reads on it holds its lock.
    private final class Slot: Sendable {
        let state: Mutex<State>

        init(_ connection: sending (any Connection)?) {
            state = Mutex(State(connection: connection))
        }
    }

    private static let noneIsFree = StorageFault.busy(retryAfter: .milliseconds(10))

    private let engine: any Engine
    private let readTimeMax: Duration
    private let slots: [Slot]

    /// Opens connections.
    ///
    /// - Parameters:
    ///   - engine: Opens them.
    ///   - count: So many are opened now.
    ///   - countMax: So many may be open when as many threads read at once.
    ///   - readTimeMax: How long one job may read.
    /// - Throws: What the engine throws.
    init(_ engine: any Engine, count: Int, countMax: Int, readTimeMax: Duration) throws {
        self.engine = engine
        self.readTimeMax = readTimeMax
        slots = try (0..<max(count, countMax)).map { index in
            Slot(index < count ? try engine.connect(.reader) : nil)
        }
    }

    /// Runs a job on a connection that is free; never waits for one.
    ///
    /// - Throws: ``StorageFault/busy(retryAfter:)`` when none is, or what the job throws.
    func read<Value: Sendable>(_ job: @Sendable (Snapshot) throws -> Value) throws -> Value {
        for slot in slots {
            let value = try slot.state.withLockIfAvailable { state in
                guard !state.isClosed else { throw Self.noneIsFree }
                if let connection = state.connection {
                    return try connection.reading(for: readTimeMax, job)
                }
                let connection = try connect()
                state.connection = connection
                return try connection.reading(for: readTimeMax, job)
            }
            if let value { return value }
        }
        throw Self.noneIsFree
    }

    private func connect() throws -> any Connection {
        do {
            return try engine.connect(.reader)
        } catch is OpeningFault {
            // The database is open: what is missing for one more connection will be there again.
            throw StorageFault.busy(retryAfter: .seconds(1))
        }
    }

    /// Closes the connections once nobody reads on them.
    func close() {
        for slot in slots {
            slot.state.withLock { state in
                state.connection = nil
                state.isClosed = true
            }
        }
    }
}
