import Glibc
import Testing

@testable import Storage

@Suite("Copies and restores")
struct CopyTests {
    private let folder = TemporaryFolder()

    private var copyPath: String { "\(folder.path)/carried-away" }

    @Test("a copy made under writes holds one moment: whole transactions, in order, without a gap")
    func copyUnderWrites() async throws {
        let database = try folder.database()
        try await database.write { transaction in
            for id in 1...5_000 { try transaction.add(id, "first\(id)@example.com") }
        }
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                var last = 5_000
                while !Task.isCancelled {
                    let id = last + 1
                    do {
                        // Two rows stand for one transaction.
                        try await database.write { transaction in
                            try transaction.add(id, "later\(id)@example.com")
                            try transaction.add(id + 1, "later\(id + 1)@example.com")
                        }
                    } catch is CancellationError {
                        break
                    }
                    last = id + 1
                }
                return last
            }
            try await Task.sleep(for: .milliseconds(20))
            for _ in 0..<3 {
                try await database.withCopy(carry)
            }
            group.cancelAll()
            return try await group.next() ?? 0
        }
        #expect(made > 5_000)
        let ids = try opened(copyPath) {
            try $0.rows("SELECT id FROM member ORDER BY id") { try $0.int(0) }
        }
        #expect(ids == Array(1...ids.count))
        #expect(ids.count > 5_000 && ids.count <= made)
        #expect(ids.count.isMultiple(of: 2))
        database.close()
    }

    @Test("one copy at a time; the file of one goes when its user is done")
    func oneAtATime() async throws {
        let database = try folder.database()
        try await database.withCopy { copy in
            #expect(folder.files.contains("db.copy"))
            let second = await failure { try await database.withCopy { _ in } }
            #expect(second as? CopyFault == .underWay)
            #expect(copy.byteCount > 0)
        }
        #expect(!folder.files.contains("db.copy"))
        try await database.withCopy { _ in }
        database.close()
    }

    @Test("a copy that a killed process left is removed at the next start")
    func leftover() throws {
        try folder.database().close()
        for name in ["copy", "copy-wal", "copy-shm", "restoring"] {
            unsafe close(open("\(folder.path)/db.\(name)", O_CREAT | O_WRONLY, 0o600))
        }
        try folder.database().close()
        #expect(folder.files == ["db", "db.lock"])
    }

    @Test("a cancelled copy ends and leaves no file")
    func cancelled() async throws {
        let database = try folder.database()
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await database.withCopy { _ in }
        }
        let end = await failure { try await task.value }
        #expect(end is CancellationError)
        #expect(!folder.files.contains("db.copy"))
        database.close()
    }

    @Test("a restore brings back the copy's rows under another incarnation and puts the old aside")
    func restoreOverDatabase() async throws {
        let first = try folder.database()
        try await first.write { try $0.add(1, "kept@example.com") }
        try await first.withCopy(carry)
        try await first.write { try $0.add(2, "written after the copy@example.com") }
        let incarnation = first.incarnation
        first.close()

        let outcome = try await restored(to: folder)
        let second = try folder.database()
        #expect(try second.emails() == ["kept@example.com"])
        #expect(second.incarnation == outcome.incarnation)
        #expect(second.incarnation != incarnation)
        second.close()
        #expect(outcome.replaced == "\(folder.databasePath).replaced-1")
        #expect(
            try opened(outcome.replaced ?? "") {
                try $0.rows("SELECT id FROM member") { try $0.int(0) }
            }
                == [1, 2])
        #expect(!folder.files.contains("db.restoring"))

        let again = try await restored(to: folder)
        #expect(again.replaced == "\(folder.databasePath).replaced-2")
        #expect(again.incarnation != outcome.incarnation)
    }

    @Test("what was committed by a process that was killed is in the database put aside")
    func restoreOverLog() async throws {
        let killed = try folder.database()
        try await killed.write { try $0.add(1, "in the log alone@example.com") }
        try await killed.withCopy(carry)
        // As a process leaves it that is killed: with its log.
        let remains = TemporaryFolder()
        for name in ["db", "db-wal"] {
            try DataFile(path: "\(remains.path)/\(name)").fill(
                from: "\(folder.path)/\(name)", chunkBytes: 4_096)
        }
        killed.close()
        let outcome = try await restored(to: remains)
        #expect(remains.files == ["db", "db.lock", "db.replaced-1"])
        #expect(
            try opened(outcome.replaced ?? "") {
                try $0.rows("SELECT id FROM member") { try $0.int(0) }
            }
                == [1])
    }

    @Test("a log whose database is gone is put aside, and not read into what is restored")
    func restoreBesideLog() async throws {
        let killed = try folder.database()
        try await killed.write { try $0.add(1, "in the copy@example.com") }
        try await killed.withCopy(carry)
        try await killed.write { try $0.add(2, "in the log alone@example.com") }
        let remains = TemporaryFolder()
        try DataFile(path: "\(remains.path)/db-wal").fill(
            from: "\(folder.path)/db-wal", chunkBytes: 4_096)
        killed.close()
        let outcome = try await restored(to: remains)
        #expect(outcome.replaced == "\(remains.databasePath).replaced-1")
        let database = try remains.database()
        #expect(try database.emails() == ["in the copy@example.com"])
        #expect(database.incarnation == outcome.incarnation)
        #expect(remains.files.contains("db.replaced-1-wal"))
        database.close()
    }

    @Test("a copy leaves room for what is written meanwhile")
    func noRoom() async throws {
        let database = try folder.database { $0.freeBytesMin = .max / 2 }
        let refused = await failure { try await database.withCopy { _ in } }
        guard case .noSpace(let needed, 0) = refused as? CopyFault else {
            Issue.record("a copy without room ended with \(String(describing: refused))")
            return
        }
        #expect(needed > 0)
        #expect(!folder.files.contains("db.copy"))
        database.close()
    }

    @Test("a restore into an empty folder needs no former database")
    func restoreAnew() async throws {
        let database = try folder.database()
        try await database.write { try $0.add(1, "one@example.com") }
        try await database.withCopy(carry)
        database.close()
        let other = TemporaryFolder()
        let outcome = try await restored(to: other)
        #expect(outcome.replaced == nil)
        let restored = try other.database()
        #expect(try restored.emails() == ["one@example.com"])
        restored.close()
    }

    @Test("what is no sound copy of this service changes nothing")
    func refusals() async throws {
        let database = try folder.database()
        try await database.write { try $0.add(1, "stays@example.com") }
        try await database.withCopy(carry)

        let inUse = await failure { try await restore() }
        #expect(inUse as? OpeningFault == .inUse(path: folder.databasePath))
        database.close()

        let other = await failure { try await restore(component: "partners") }
        #expect("\(other.map { "\($0)" } ?? "")".contains("no tables of partners"))

        try damage(at: 2 * 4_096)
        let damaged = await failure { try await restore() }
        guard case .damaged(let path, _) = damaged as? OpeningFault else {
            Issue.record("a damaged copy ended with \(String(describing: damaged))")
            return
        }
        #expect(path == copyPath)
        let missing = await failure { try await restore(copy: "\(folder.path)/nowhere") }
        #expect(missing is OpeningFault)
        let text = await failure { try await restore(copy: "/etc/hostname") }
        #expect(text is OpeningFault)

        #expect(!folder.files.contains { $0.contains("replaced") || $0.contains("restoring") })
        let same = try folder.database()
        #expect(try same.emails() == ["stays@example.com"])
        same.close()
    }

    @Test("an inspection outlives the limit of reads and ends when its task is cancelled")
    func inspection() async throws {
        let database = try folder.database { $0.readTimeMax = .milliseconds(5) }
        let endless: SQL = """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
            SELECT count(*) FROM n
            """
        let limited = await failure { _ = try await database.read { try $0.exists(endless) } }
        #expect(limited as? StorageFault == .busy(retryAfter: .seconds(1)))
        #expect(try await database.inspect { try $0.exists(endless) })
        let task = Task {
            try await database.inspect { snapshot in
                for _ in 0..<1_000 { _ = try snapshot.exists(endless) }
            }
        }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        #expect(await failure { try await task.value } is CancellationError)
        database.close()
    }

    private struct Restored {
        let incarnation: [UInt8]
        let replaced: String?
    }

    private func restored(
        copy: String? = nil, to folder: TemporaryFolder, component: String = "members"
    ) async throws -> Restored {
        let restore = try await DatabaseRestore(
            of: copy ?? copyPath, to: folder.databasePath, component: component)
        return Restored(
            incarnation: restore.incarnation, replaced: try await restore.putInPlace())
    }

    private func restore(copy: String? = nil, component: String = "members") async throws {
        _ = try await restored(copy: copy, to: folder, component: component)
    }

    /// Writes the bytes of a copy to a file of the test.
    private func carry(_ copy: DatabaseCopy) async throws {
        let descriptor = unsafe open(copyPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        var offset: Int64 = 0
        while true {
            let bytes = try await copy.bytes(at: offset, count: 10_000)
            guard !bytes.isEmpty else { break }
            unsafe bytes.withUnsafeBytes { _ = unsafe write(descriptor, $0.baseAddress, $0.count) }
            offset += Int64(bytes.count)
        }
        #expect(offset == copy.byteCount)
    }

    private func damage(at offset: Int) throws {
        let descriptor = unsafe open(copyPath, O_WRONLY)
        defer { close(descriptor) }
        let noise = [UInt8](repeating: 0xa5, count: 2_000)
        unsafe noise.withUnsafeBytes {
            _ = unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset))
        }
    }

    private func opened<T>(_ path: String, _ body: (SQLiteConnection) throws -> T) throws -> T {
        try body(SQLiteConnection(path: path))
    }
}
