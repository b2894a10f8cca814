import Synchronization
import Testing

@testable import Storage

/// A job that reads sees one state, however its queries end.
@Suite(.timeLimit(.minutes(1))) struct SnapshotTests {
    /// How a job's first query ends.
    enum First: CaseIterable, Sendable {
        case atFirstRow
        case afterAllRows
        case withAnError
        case withinAnother

        func run(_ snapshot: Snapshot) throws {
            let all: SQL = "SELECT id FROM member ORDER BY id"
            switch self {
            case .atFirstRow:
                #expect(try snapshot.row(all) { try $0.int(0) } == 1)
            case .afterAllRows:
                #expect(try snapshot.rows(all) { try $0.int(0) } == [1, 2])
            case .withAnError:
                #expect(throws: StorageFault.self) { try snapshot.row(all) { try $0.text(0) } }
            case .withinAnother:
                let pairs = try snapshot.rows(all) { row in
                    (try row.int(0), try snapshot.count())
                }
                #expect(pairs.map(\.0) == [1, 2])
                #expect(pairs.map(\.1) == [2, 2])
            }
        }
    }

    @Test(arguments: First.allCases)
    func `later queries see the state that the first one saw`(first: First) async throws {
        let files = TemporaryFolder()
        let database = try await files.database(members: 1...2)

        let counts = try await database.reading {
            try first.run($0)
        } whileAdding: {
            3
        } thenReading: {
            [try $0.count(), try $0.count()]
        }

        #expect(counts == [2, 2])
        #expect(try database.readInline { try $0.count() } == 3)
    }

    @Test(arguments: [false, true], [false, true])
    func `a job that finds what was not there before is run again`(
        isInline: Bool, ignoresErrors: Bool
    ) async throws {
        let files = TemporaryFolder()
        let database = try await files.database(members: 1...2)
        let found = Mutex<[Bool]>([])

        let count = try await database.reading(isInline: isInline) { snapshot in
            let isThere = try snapshot.isMember(3)
            found.withLock { $0.append(isThere) }
        } whileAdding: {
            3
        } thenReading: { snapshot in
            guard ignoresErrors else { return try snapshot.count() }
            // What the job makes of an error does not count, and later queries find nothing either.
            let first = try? snapshot.count()
            let second = try? snapshot.count()
            return first ?? second ?? -1
        }

        #expect(count == 3)
        #expect(found.withLock { $0 } == [false, true])
        #expect(try database.readInline { try $0.isMember(7) } == false)
        #expect(try database.readInline { try $0.count() } == 3)
    }

    @Test func `a query that finds nothing keeps nothing else from being seen`() async throws {
        let files = TemporaryFolder()
        let database = try await files.database(members: 1...2)

        let counts = try await database.reading {
            let isThere = try $0.isMember(7)
            #expect(!isThere)
        } whileAdding: {
            3
        } thenReading: {
            [try $0.count(), try $0.isMember(7) ? 1 : 0, try $0.isMember(3) ? 1 : 0]
        }

        #expect(counts == [3, 0, 1])
    }

    @Test func `a job sees what was committed since the one before`() async throws {
        let files = TemporaryFolder()
        let database = try await files.database(members: 1...2)

        for id in 3...6 {
            // On the one connection, whose query is left on a row or without any.
            let isBeforeThere = try database.readInline { try $0.isMember(id - 1) }
            let isThere = try database.readInline { try $0.isMember(id) }
            #expect(isBeforeThere)
            #expect(!isThere)
            #expect(try database.readInline { try $0.count() } == id - 1)
            try await database.write { try $0.add(id, "\(id)") }
        }
    }
}

extension TemporaryFolder {
    fileprivate func database(members: ClosedRange<Int>) async throws -> Database {
        let database = try database([.members]) {
            $0.inlineReaderCount = 1
            $0.inlineReaderMax = 1
        }
        try await database.write { transaction in
            for id in members { try transaction.add(id, "\(id)") }
        }
        return database
    }
}

extension Snapshot {
    fileprivate func count() throws -> Int {
        try row("SELECT count(*) FROM member") { try $0.int(0) } ?? -1
    }

    fileprivate func isMember(_ id: Int) throws -> Bool {
        try exists("SELECT 1 FROM member WHERE id = \(id)")
    }
}

extension Database {
    /// Runs a job of two parts, and between them, when it first runs, adds a member.
    fileprivate func reading<Value: Sendable>(
        isInline: Bool = false, _ first: @escaping @Sendable (Snapshot) throws -> Void,
        whileAdding member: () -> Int,
        thenReading second: @escaping @Sendable (Snapshot) throws -> Value
    ) async throws -> Value {
        let hasRead = Bell()
        let gate = Bell()
        let job: @Sendable (Snapshot) throws -> Value = { snapshot in
            // Whatever happens, nobody waits for ever.
            defer { hasRead.ring() }
            try first(snapshot)
            hasRead.ring()
            gate.wait()
            // The next run need not wait.
            gate.ring()
            return try second(snapshot)
        }
        async let value = answer(of: job, isInline: isInline)
        try await read { _ in hasRead.wait() }
        let id = member()
        try await write { try $0.add(id, "\(id)") }
        gate.ring()
        return try await value
    }

    /// Runs a job on a reader's thread, or inline on one that may be blocked.
    private func answer<Value: Sendable>(
        of job: @escaping @Sendable (Snapshot) throws -> Value, isInline: Bool
    ) async throws -> Value {
        guard isInline else { return try await read(job) }
        return try await DedicatedThread.run { _ in try self.readInline(job) }
    }
}
