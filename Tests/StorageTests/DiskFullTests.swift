import Glibc
import Subprocess
import Testing

@testable import Storage
@testable import StorageWorker

extension ProcessTests {
    @Suite(
        .timeLimit(.minutes(1)),
        .enabled(
            if: TemporaryDisk.isPossible,
            "mounting a disk needs root, or a namespace of its own as in the next suite"))
    struct DiskFullTests {
        private static let mebibyte = 1_024 * 1_024
        private static let patience: Duration = .seconds(10)
        /// So soon after a disk is full the first caller is told, and each that asks is.
        private static let refusedWithin: Duration = .milliseconds(100)
        /// A machine that is busy with other tests may hold one of them up.
        private static let worstWithin: Duration = .milliseconds(500)

        @Test func `a full disk refuses writes, keeps reads and recovers without a restart`()
            async throws
        {
            let disk = try #require(TemporaryDisk())
            let database = try Self.database(on: disk, freeBytesMin: 0)
            let callers = Callers(database: database)
            try await callers.ask(times: 1)
            #expect(disk.size(of: "db.ballast") == Self.mebibyte)

            var first: [Duration] = []
            for _ in 1...3 {
                callers.watchRefusals()
                disk.fill(leaving: Self.mebibyte / 4)
                let isFull = ContinuousClock.now
                try await callers.askUntilRefused(times: 20)
                first.append(try #require(callers.firstRefusal(after: isFull)))

                #expect(disk.size(of: "db.ballast") == nil, "the ballast is given away")
                #expect(try await Self.count(in: database) == callers.entries)
                disk.free()
                try await callers.askUntilAnswered(within: Self.patience)
                try await callers.ask(times: 3)
                // When the writer looks at the free space again.
                try await Task.sleep(for: WriterSettings.spaceCheckInterval)
                try await callers.ask(times: 1)
                #expect(disk.size(of: "db.ballast") == Self.mebibyte, "it is there again")
            }

            #expect(callers.surprises == [])
            #expect(callers.refusedAfter.median < Self.refusedWithin)
            #expect(callers.refusedAfter.worst < Self.worstWithin)
            Report.line(
                "full disk: refused after \(callers.refusedAfter), first after \(first)"
            )
            // What was left is written full first.
            #expect(first.sorted()[1] < Self.refusedWithin, "\(first)")
            #expect(first.allSatisfy { $0 < Self.worstWithin }, "\(first)")
            try await Self.expectSound(database, callers)
            database.close()
            try await Self.expectSound(Self.database(on: disk, freeBytesMin: 0), callers)
        }

        @Test func `what a full disk has refused does not come back with a restart`() async throws {
            let disk = try #require(TemporaryDisk())
            let database = try Self.database(on: disk, freeBytesMin: 0)
            let callers = Callers(database: database)
            try await callers.ask(times: 3)
            disk.fill(leaving: Self.mebibyte / 4)
            try await callers.askUntilRefused(times: 3)

            // What would be there if the process ended now.
            let copy = TemporaryFolder()
            for name in ["db", "db-wal"] {
                let copied = try await Subprocess.run(
                    .name("cp"), arguments: ["\(disk.folder.path)/\(name)", copy.path],
                    output: .discarded)
                try #require(copied.terminationStatus.isSuccess)
            }
            let restarted = try copy.database(Ledger.migrations(schema: 1))

            #expect(try await Self.count(in: restarted) == callers.entries)
            try await Self.expectSound(restarted, callers)
        }

        @Test func `a process that is killed on a full disk can be started on it`() async throws {
            let disk = try #require(TemporaryDisk())
            let process = WorkerProcess(in: disk.folder)
            var told = Acknowledgements()
            let first = try await process.run {
                $0.ballastBytes = Self.mebibyte
                $0.commands = 3
            }
            told.note(first.lines)
            disk.fill(leaving: Self.mebibyte / 4)
            let second = try await process.run {
                $0.ballastBytes = Self.mebibyte
                $0.acknowledged = told.last(of: $0.clients)
            } meanwhile: { worker in
                try await worker.until("busy")
                try worker.kill()
            }
            told.note(second.lines)
            #expect(second.status == .signaled(SIGKILL))
            disk.fill(leaving: 0)

            let database = try Self.database(on: disk, freeBytesMin: 0)
            let audit = Audit(database: database, hasWorkflows: false)

            #expect(try await audit.findings(told, isSettled: true) == [])
            disk.free()
            let callers = Callers(database: database)
            try await callers.askUntilAnswered(within: Self.patience)
        }

        @Test func `the ballast makes room for opening on a full disk`() async throws {
            let disk = try #require(TemporaryDisk())
            let first = try Self.database(on: disk, freeBytesMin: 0)
            let callers = Callers(database: first)
            try await callers.ask(times: 3)
            first.close()
            disk.fill(leaving: 0)

            let second = try Self.database(on: disk, freeBytesMin: 0)

            #expect(disk.size(of: "db.ballast") == nil)
            #expect(try await Self.count(in: second) == callers.entries)
        }

        @Test func `when little is left writes are refused before there is nothing left`()
            async throws
        {
            let disk = try #require(TemporaryDisk())
            let least = 2 * Self.mebibyte
            let database = try Self.database(on: disk, freeBytesMin: Int64(least))
            let callers = Callers(database: database)
            try await callers.ask(times: 3)

            disk.fill(leaving: least - 1)
            #expect(WriterSettings.spaceCheckInterval <= Self.refusedWithin)
            try await Task.sleep(for: WriterSettings.spaceCheckInterval)
            let before = (disk.freeBytes, callers.entries)
            try await callers.askUntilRefused(times: 20)

            #expect((disk.freeBytes, callers.entries) == before)
            #expect(disk.size(of: "db.ballast") == Self.mebibyte, "the ballast is kept")
            #expect(try await Self.count(in: database) == callers.entries)
            disk.free()
            try await callers.askUntilAnswered(within: Self.patience)
            #expect(callers.surprises == [])
            try await Self.expectSound(database, callers)
            #expect(callers.refusedAfter.median < Self.refusedWithin)
            #expect(callers.refusedAfter.worst < Self.worstWithin)
            Report.line("little space: refused after \(callers.refusedAfter)")
        }

        private static func database(
            on disk: TemporaryDisk, freeBytesMin: Int64
        ) throws -> Database {
            try disk.folder.database(Ledger.migrations(schema: 1)) {
                $0.freeBytesMin = freeBytesMin
                $0.ballastBytes = mebibyte
            }
        }

        private static func count(in database: Database) async throws -> Int {
            let inline = try database.readInline { try $0.row(entries) { try $0.int(0) } }
            let hopped = try await database.read { try $0.row(entries) { try $0.int(0) } }
            #expect(inline == hopped)
            return inline ?? 0
        }

        private static let entries: SQL = "SELECT count(*) FROM entry"

        private static func expectSound(_ database: Database, _ callers: Callers) async throws {
            let audit = Audit(database: database, hasWorkflows: false)
            let found = try await audit.findings(callers.told, isSettled: true)
            #expect(found.isEmpty)
        }
    }
}
