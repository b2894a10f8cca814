import Synchronization

@testable import Storage
@testable import StorageWorker

/// Clients in the process of the test, that ask again for what was refused.
final class Callers: Sendable {
    private static let clients = 8

    private struct State {
        var told = Acknowledgements()
        /// The command that each client asks for next.
        var next = [Int](repeating: 1, count: clients)
        var entries = 0
        var refusals: [Duration] = []
        /// When a caller was refused first since ``watchRefusals()``.
        var firstRefusal: ContinuousClock.Instant?
        var surprises: [String] = []
    }

    private let database: Database
    private let state = Mutex(State())

    init(database: Database) {
        self.database = database
    }

    /// What they were told.
    var told: Acknowledgements { state.withLock { $0.told } }
    /// How many of their commands have an effect.
    var entries: Int { state.withLock { $0.entries } }
    /// The errors that are no refusal for now.
    var surprises: [String] { state.withLock { $0.surprises } }
    /// How long it took to refuse a command: half of the times, and at worst.
    var refusedAfter: (median: Duration, worst: Duration) {
        let sorted = [.zero] + state.withLock { $0.refusals }.sorted()
        return (sorted[sorted.count / 2], sorted[sorted.count - 1])
    }

    /// Forgets when somebody was refused first.
    func watchRefusals() { state.withLock { $0.firstRefusal = nil } }

    /// How long after an instant somebody was refused first; nil if nobody was.
    func firstRefusal(after start: ContinuousClock.Instant) -> Duration? {
        state.withLock { $0.firstRefusal.map { start.duration(to: $0) } }
    }

    /// Each asks for so many commands, answered or not.
    func ask(times: Int) async throws {
        try await each { client in
            for _ in 0..<times { _ = try await self.ask(client) }
        }
    }

    /// Each asks until it was refused so often.
    func askUntilRefused(times: Int) async throws {
        try await each { client in
            var refusals = 0
            while refusals < times {
                if try await !self.ask(client) { refusals += 1 }
            }
        }
    }

    /// Each asks until it is answered.
    ///
    /// - Throws: `StorageFault/busy` when that takes longer.
    func askUntilAnswered(within patience: Duration) async throws {
        let end = ContinuousClock.now + patience
        try await each { client in
            while try await !self.ask(client) {
                guard ContinuousClock.now < end else {
                    throw StorageFault.busy(retryAfter: patience)
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func each(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for client in 0..<Self.clients {
                group.addTask { try await body(client) }
            }
            try await group.waitForAll()
        }
    }

    /// Asks for the next command of a client; answers whether it was answered.
    private func ask(_ client: Int) async throws -> Bool {
        let counter = state.withLock { $0.next[client] }
        let entry = Entry(
            client: client, counter: counter, key: Ledger.key(client: client, counter: counter),
            at: .start, startsWorkflow: false)
        let start = ContinuousClock.now
        do {
            let outcome = try await database.command(entry.command) { transaction in
                try entry.enter(in: transaction)
            }
            let answer = Acknowledgements.Answer(outcome)
            state.withLock { state in
                state.told.note(answer, at: .init(client: client, counter: counter))
                state.next[client] += 1
                if !answer.isRefusal { state.entries += 1 }
            }
            return true
        } catch {
            let span = start.duration(to: .now)
            state.withLock { state in
                state.refusals.append(span)
                if state.firstRefusal == nil { state.firstRefusal = start + span }
                guard case StorageFault.busy = error else {
                    return state.surprises.append("\(error)")
                }
            }
            return false
        }
    }
}
