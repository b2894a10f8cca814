import Synchronization

@testable import Storage

/// Commands whose traces can be checked: each makes an entry, adds to a tally, publishes an event
/// and has a reply of its own.
final class CommandLedger: Sendable {
    /// How a command ended, for its caller.
    enum Outcome: Hashable {
        /// Answered, when so many operations had been done on the disk.
        case acknowledged(atOperation: Int)
        /// Undone as a whole, it was said.
        case refused
        /// Nobody knows.
        case unknown
        /// Another error than those that are promised.
        case failed(String)
    }

    static let migration = Migration(
        component: "ledger", number: 1, name: "ledger",
        sql: """
            CREATE TABLE entry (
                id     INTEGER PRIMARY KEY,
                number INTEGER NOT NULL,
                text   TEXT    NOT NULL
            ) STRICT;
            CREATE TABLE tally (
                id    INTEGER PRIMARY KEY,
                total INTEGER NOT NULL
            ) STRICT;
            """)
    /// Every command adds to one of so many rows.
    private static let tallies = 7

    /// Entries are of different lengths, up to this.
    private let textBytesMax: Int
    private let ends = Mutex<[Int: Outcome]>([:])

    init(textBytesMax: Int = 300) {
        self.textBytesMax = textBytesMax
    }

    /// How the commands have ended.
    var outcomes: [Int: Outcome] { ends.withLock { $0 } }

    /// The commands that were answered by the time that so many operations had been done.
    func acknowledged(by operationCount: Int = .max) -> Set<Int> {
        Set(
            outcomes.compactMap { number, outcome in
                guard case .acknowledged(let at) = outcome else { return nil }
                return at <= operationCount ? number : nil
            })
    }

    /// Runs the command of a number and notes how it ends.
    ///
    /// - Returns: Whether it was answered.
    @discardableResult
    func enter(_ number: Int, in database: Database, on disk: FaultyDisk) async -> Bool {
        let outcome: Outcome
        do {
            let reply = try await self.perform(number, in: database)
            outcome =
                reply == .reply(Self.reply(to: number))
                ? .acknowledged(atOperation: disk.operationCount)
                : .failed("another reply: \(reply)")
        } catch StorageFault.busy, StorageFault.constraint {
            outcome = .refused
        } catch StorageFault.lost {
            outcome = .unknown
        } catch {
            outcome = .failed("\(error)")
        }
        ends.withLock { ends in
            // A repeated command was acknowledged when it was so first.
            if case .acknowledged = ends[number], case .acknowledged = outcome { return }
            ends[number] = outcome
        }
        if case .acknowledged = outcome { return true }
        return false
    }

    /// Runs commands of several clients beside each other, each client's one after another; a
    /// client stops at its first error.
    func enter(
        _ numbers: Range<Int>, clients: Int, in database: Database, on disk: FaultyDisk
    ) async {
        await withDiscardingTaskGroup { group in
            for client in 0..<clients {
                group.addTask {
                    for number in numbers where number % clients == client {
                        guard await self.enter(number, in: database, on: disk) else { return }
                    }
                }
            }
        }
    }

    /// Runs the command of a number, or asks again for its reply.
    func perform(_ number: Int, in database: Database) async throws -> CommandOutcome {
        let command = Command.sample(number: number, method: "\(number)")
        let text = String(repeating: "x", count: number * 31 % textBytesMax)
        return try await database.command(command) { transaction in
            try transaction.execute(
                "INSERT INTO entry (number, text) VALUES (\(number), \(text))")
            try transaction.execute(
                """
                INSERT INTO tally (id, total) VALUES (\(number % Self.tallies), 1)
                ON CONFLICT (id) DO UPDATE SET total = total + 1
                """)
            try transaction.publish(
                kind: "entry", aggregate: command.key, version: Int64(number),
                body: Array(text.utf8), at: .start)
            return Self.reply(to: number)
        }
    }

    static func reply(to number: Int) -> [UInt8] { Array("reply \(number)".utf8) }
}

/// What is wrong with a database after a crash.
enum Loss: Hashable {
    /// It cannot be opened or read, or SQLite finds its pages in disorder.
    case damaged(String)
    /// An acknowledged command has no effect.
    case missing(number: Int)
    /// The traces of the commands contradict each other.
    case torn(String)
    /// A command that was to be undone as a whole has an effect.
    case undead(number: Int)
}

extension CommandLedger {
    /// Compares a database with what was promised.
    func losses(
        in database: Database, acknowledged: Set<Int>, refused: Set<Int> = []
    ) -> Set<Loss> {
        do {
            return try database.readInline { snapshot in
                let verdict = try snapshot.rows("SELECT * FROM pragma_integrity_check") {
                    try $0.text(0)
                }
                guard verdict == ["ok"] else { return [.damaged("\(verdict)")] }
                return try Self.losses(in: snapshot, acknowledged, refused)
            }
        } catch {
            return [.damaged("\(error)")]
        }
    }

    /// Asks for every command again, which completes what was not done, and compares.
    func lossesAfterRepeating(in database: Database) async -> Set<Loss> {
        let numbers = Set(outcomes.keys)
        var losses = await withTaskGroup(of: Loss?.self) { group in
            for number in numbers {
                group.addTask {
                    do {
                        let outcome = try await self.perform(number, in: database)
                        guard outcome != .reply(Self.reply(to: number)) else { return nil }
                        return .torn("another reply to \(number): \(outcome)")
                    } catch {
                        return .damaged("\(error)")
                    }
                }
            }
            return await group.reduce(into: Set<Loss>()) { losses, loss in
                if let loss { losses.insert(loss) }
            }
        }
        losses.formUnion(self.losses(in: database, acknowledged: numbers))
        return losses
    }

    private static func losses(
        in snapshot: Snapshot, _ acknowledged: Set<Int>, _ refused: Set<Int>
    ) throws -> Set<Loss> {
        var losses: Set<Loss> = []
        // One text a table: a row for each number would take most of the test's time.
        let entries = try text(
            of: "SELECT group_concat(number) FROM (SELECT number FROM entry ORDER BY number)",
            in: snapshot)
        let events = try text(
            of: """
                SELECT group_concat(version)
                FROM (SELECT version FROM storage_event WHERE kind = 'entry' ORDER BY version)
                """, in: snapshot)
        let replies = try text(
            of: """
                SELECT group_concat(method) FROM (
                    SELECT method FROM storage_reply
                    WHERE state = 1 AND CAST(reply AS TEXT) = 'reply ' || method
                    ORDER BY CAST(method AS INTEGER))
                """, in: snapshot)
        let total = try snapshot.row("SELECT coalesce(sum(total), 0) FROM tally") { try $0.int(0) }
        let numbers = entries.utf8.split(separator: UInt8(ascii: ",")).compactMap { digits in
            digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        let present = Set(numbers)
        if present.count != numbers.count { losses.insert(.torn("an entry is there twice")) }
        if events != entries { losses.insert(.torn("events and entries differ")) }
        if replies != entries { losses.insert(.torn("replies and entries differ")) }
        if total != numbers.count { losses.insert(.torn("the tally is not the number of entries")) }
        for number in acknowledged.subtracting(present) {
            losses.insert(.missing(number: number))
        }
        for number in refused.intersection(present) { losses.insert(.undead(number: number)) }
        return losses
    }

    private static func text(of query: SQL, in snapshot: Snapshot) throws -> String {
        try snapshot.row(query) { try $0.isNull(0) ? "" : try $0.text(0) } ?? ""
    }
}
