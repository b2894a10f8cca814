import Synchronization
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct IdempotencyTests {
    private struct Full: DefiniteRefusal {
        var encodedRefusal: [UInt8] { [9, 9] }
    }

    private struct Outage: Error {}

    @Test func `a repeated command gets the same bytes and has no further effect`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let command = Command.sample()

        let first = try await database.command(command) { transaction in
            try transaction.add(1, "ada")
            return [1, 2, 3]
        }
        let second = try await database.command(command) { transaction in
            try transaction.add(2, "bob")
            return [4]
        }

        #expect(first == .reply([1, 2, 3]))
        #expect(second == first)
        #expect(try database.emails() == ["ada"])
    }

    @Test func `a repeated command gets the same bytes after a new start`() async throws {
        let files = TemporaryFolder()
        let first = try files.database()
        let reply = try await first.command(.sample()) { _ in [1, 2, 3] }
        let refusal = try await first.command(.sample(key: 2)) { _ in throw Full() }
        first.close()

        let second = try files.database()

        #expect(try await second.command(.sample()) { _ in [] } == reply)
        #expect(try await second.command(.sample(key: 2)) { _ in [] } == refusal)
    }

    @Test func `a key is bound to its method and request`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        _ = try await database.command(.sample(method: "Add", digest: 1)) { _ in [1] }

        await #expect(throws: CommandFault.idempotencyMismatch) {
            try await database.command(.sample(method: "Add", digest: 2)) { _ in [2] }
        }
        await #expect(throws: CommandFault.idempotencyMismatch) {
            try await database.command(.sample(method: "Remove", digest: 1)) { _ in [2] }
        }
    }

    @Test func `whether a command has an outcome is known without running it`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let before = try database.isSettled(.sample())

        _ = try await database.command(.sample()) { _ in [1] }
        _ = try await database.command(.sample(key: 2)) { _ in throw Full() }
        try await database.cancel(.sample(key: 3)) { _, _ in }
        await #expect(throws: Outage.self) {
            try await database.command(.sample(key: 4)) { _ in throw Outage() }
        }

        #expect(!before)
        for key: UInt8 in [1, 2, 3] { #expect(try database.isSettled(.sample(key: key))) }
        #expect(try database.isSettled(.sample(method: "Other", digest: 9)))
        #expect(try !database.isSettled(.sample(key: 4)))
        #expect(try !database.isSettled(.sample(principal: "somebody else")))
    }

    @Test func `two principals may use the same key`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let first = try await database.command(.sample(principal: "ada")) { _ in [1] }
        let second = try await database.command(.sample(principal: "bob")) { _ in [2] }

        #expect(first == .reply([1]))
        #expect(second == .reply([2]))
    }

    @Test func `a definite refusal undoes its changes and is repeated`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let first = try await database.command(.sample()) { transaction in
            try transaction.add(1, "ada")
            try transaction.publish(
                kind: "member", aggregate: [1], version: 1, body: [], at: .start)
            throw Full()
        }
        let second = try await database.command(.sample()) { _ in [1] }

        #expect(first == .refusal([9, 9]))
        #expect(second == first)
        #expect(try database.emails() == [])
        #expect(database.feed.head() == 0)
    }

    @Test func `another error is not kept: the command may be tried again`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        await #expect(throws: Outage.self) {
            try await database.command(.sample()) { transaction in
                try transaction.add(1, "ada")
                throw Outage()
            }
        }
        let second = try await database.command(.sample()) { transaction in
            try transaction.add(1, "ada")
            return [1]
        }

        #expect(second == .reply([1]))
        #expect(try database.emails() == ["ada"])
    }

    @Test func `fifty callers with one key make one change and get one answer`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()

        let outcomes = try await withThrowingTaskGroup(of: CommandOutcome.self) { group in
            for id in 1...50 {
                group.addTask {
                    try await database.command(.sample()) { transaction in
                        try transaction.add(id, "\(id)")
                        return [UInt8(id)]
                    }
                }
            }
            return try await group.reduce(into: Set<CommandOutcome>()) { $0.insert($1) }
        }

        #expect(outcomes.count == 1)
        #expect(try database.emails().count == 1)
    }

    @Test func `a command cancelled before it comes is refused when it comes`() async throws {
        let files = TemporaryFolder()
        let first = try files.database()
        try await first.cancel(.sample(method: "Cancel", digest: 7)) { _, reply in
            #expect(reply == nil, "there is nothing to undo, as far as replies say")
        }
        first.close()

        let second = try files.database()

        await #expect(throws: CommandFault.cancelled) {
            try await second.command(.sample()) { transaction in
                try transaction.add(1, "late")
                return []
            }
        }
        #expect(try second.emails() == [])
    }

    @Test func `cancelling undoes once, with the reply at hand`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        _ = try await database.command(.sample()) { transaction in
            try transaction.add(1, "ada")
            return [1]
        }
        let undone = Mutex<[[UInt8]?]>([])

        for _ in 1...2 {
            try await database.cancel(.sample()) { transaction, reply in
                undone.withLock { $0.append(reply) }
                try transaction.execute("DELETE FROM member WHERE id = 1")
            }
        }

        #expect(undone.withLock { $0 } == [[1]])
        #expect(try database.emails() == [])
        await #expect(throws: CommandFault.cancelled) {
            try await database.command(.sample()) { _ in [1] }
        }
    }

    @Test func `cancelling a refused command undoes nothing`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        _ = try await database.command(.sample()) { _ in throw Full() }

        try await database.cancel(.sample()) { _, _ in Issue.record("nothing was done") }

        await #expect(throws: CommandFault.cancelled) {
            try await database.command(.sample()) { _ in [1] }
        }
    }

    @Test func `an undoing that fails leaves the command as it was`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        _ = try await database.command(.sample()) { _ in [1] }

        await #expect(throws: Outage.self) {
            try await database.cancel(.sample()) { _, _ in throw Outage() }
        }

        #expect(try await database.command(.sample()) { _ in [2] } == .reply([1]))
    }

    @Test func `a command whose reply is gone is undone by the facts`() async throws {
        let files = TemporaryFolder()
        let uptime = HandClock()
        let database = try files.database { $0.uptime = { uptime.now.offset } }
        _ = try await database.command(.sample()) { transaction in
            try transaction.add(1, "ada")
            return [1]
        }
        uptime.advance(by: .seconds(8 * 86_400))
        #expect(try await database.purge(at: .start.after(days: 8)).replies == 1)

        for _ in 1...2 {
            try await database.cancel(.sample()) { transaction, reply in
                #expect(reply == nil)
                try transaction.execute("DELETE FROM member WHERE id = 1")
            }
        }

        #expect(try database.emails() == [])
        await #expect(throws: CommandFault.cancelled) {
            try await database.command(.sample()) { _ in [1] }
        }
    }

    @Test func `a stored reply is answered while there is no space for anything new`()
        async throws
    {
        let files = TemporaryFolder()
        let engine = CrampedEngine(EmbeddedSQLite(path: files.databasePath, ballastBytes: 0))
        let database = try files.database {
            $0.engine = engine
            $0.freeBytesMin = 1
        }
        _ = try await database.command(.sample()) { _ in [7] }
        _ = try await database.command(.sample(key: 2)) { _ in throw Full() }
        try await database.cancel(.sample(key: 3)) { _, _ in }
        engine.isFull.withLock { $0 = true }
        try await Task.sleep(for: WriterSettings.spaceCheckInterval)

        let again = try await database.command(.sample()) { _ in [8] }
        let refusal = try await database.command(.sample(key: 2)) { _ in [8] }
        let new = await failure {
            _ = try await database.command(.sample(key: 4)) { _ in [8] }
        }

        #expect(again == .reply([7]))
        #expect(refusal == .refusal([9, 9]))
        guard case .busy = new as? StorageFault else {
            Issue.record("\(String(describing: new))")
            return
        }
        await #expect(throws: CommandFault.cancelled) {
            try await database.command(.sample(key: 3)) { _ in [8] }
        }
        await #expect(throws: CommandFault.idempotencyMismatch) {
            try await database.command(.sample(digest: 9)) { _ in [8] }
        }
    }

    @Test func `replies leave after a week, cancelled commands after a month`() async throws {
        let files = TemporaryFolder()
        let uptime = HandClock()
        let database = try files.database { $0.uptime = { uptime.now.offset } }
        for key in 0..<3 {
            _ = try await database.command(.sample(key: UInt8(key))) { _ in [1] }
        }
        try await database.cancel(.sample(key: 100)) { _, _ in }

        var removed: [Int] = []
        for day in 1...31 {
            uptime.advance(by: .seconds(86_400))
            removed.append(try await database.purge(at: .start.after(days: day)).replies)
        }

        #expect(removed[7] == 3)
        #expect(removed[30] == 1)
        #expect(removed.reduce(0, +) == 4)
    }

    @Test func `a purge goes through more rows than fit one step`() async throws {
        let files = TemporaryFolder()
        let uptime = HandClock()
        let database = try files.database { $0.uptime = { uptime.now.offset } }
        let count = Idempotency.purgeBatch * 2 + 1
        try await withThrowingDiscardingTaskGroup { group in
            for number in 0..<count {
                group.addTask {
                    let command = Command.sample(principal: "\(number % 7)", number: number)
                    _ = try await database.command(command) { _ in [] }
                }
            }
        }

        uptime.advance(by: .seconds(10 * 86_400))
        let removed = try await database.purge(at: .start.after(days: 10)).replies

        #expect(removed == count)
    }
}

extension Command {
    static func sample(
        principal: String = "ada", key: UInt8 = 1, number: Int = 0, method: String = "Add",
        digest: UInt8 = 1
    ) -> Command {
        var bytes = [UInt8](repeating: key, count: 16)
        bytes[0] = UInt8(truncatingIfNeeded: number)
        bytes[1] = UInt8(truncatingIfNeeded: number >> 8)
        return Command(
            principal: principal, key: bytes, method: method,
            requestDigest: [UInt8](repeating: digest, count: 32), now: .start)
    }
}
