import Glibc
import Subprocess
import Testing

@testable import Storage
@testable import StorageWorker

@Suite struct ClockTests {
    private static let id = [UInt8](repeating: 5, count: 16)
    private static let years = 3_650

    @Test func `a workflow that was put off before the clock was set back is due`() async throws {
        let files = TemporaryFolder()
        let database = try files.database()
        let start = WorkflowStart(
            id: Self.id, kind: "sale", input: [], startedBy: "ada", at: .start)
        try await database.write { try $0.start(start) }
        let past = WallTime.start.after(days: -Self.years)
        let latest = past.advanced(by: WorkflowSettings().longestWait)
        let soon = WallTime.start.advanced(by: .zero - WorkflowSettings().longestWait)

        let due = try database.readInline { snapshot in
            try [(past, latest), (soon, .start)].map { now, latest in
                try WorkflowStore.due(
                    at: now, latest: latest, kinds: ["sale"], limit: 9, in: snapshot)
            }
        }
        let early = try await database.write {
            try WorkflowStore.claim(
                Self.id, at: soon, latest: .start, lease: .seconds(10), in: $0)
        }
        let claimed = try await database.write {
            try WorkflowStore.claim(
                Self.id, at: past, latest: latest, lease: .seconds(10), in: $0)
        }

        #expect(due == [[Self.id], []])
        #expect(early == nil)
        #expect(claimed?.dueAt == past.advanced(by: .seconds(10)))
    }

    @Test func `patience begins anew when the clock was set back`() {
        let progress = WorkflowProgress(
            state: .running, step: 1, attempts: 0, progressedAt: .start, dueAt: .start,
            isStuck: false)
        let shape = WorkflowShape(stepCount: 3, pivot: 2)
        let past = WallTime.start.after(days: -Self.years)
        let end = past.advanced(by: WorkflowProgress.patience)

        let tried = progress.after(.unknown("gone"), shape: shape, now: past, jitter: 0)
        let given = tried.after(.unknown("gone"), shape: shape, now: end, jitter: 0)

        #expect(tried.state == .running)
        #expect(tried.progressedAt == past)
        #expect(given.state == .compensating)
    }
}

extension ProcessTests {
    /// The wall clock jumps by ten years.
    @Suite(.timeLimit(.minutes(1))) struct ClockJumpTests {
        private static let tenYears = 3_652

        @Test(arguments: [tenYears, -tenYears])
        func `a clock that jumps between two lives changes nothing`(days: Int) async throws {
            let clock = FalseClock()
            let process = WorkerProcess()
            var told = Acknowledgements()

            for offset in [0, days, 0, days] {
                try clock.set(days: offset)
                let killed = try await process.runAndKill(after: .milliseconds(100)) {
                    $0.hasWorkflows = true
                    $0.clockPath = clock.path
                    $0.purges = offset == days
                    $0.acknowledged = told.last(of: $0.clients)
                }
                told.note(killed.lines)
                #expect(killed.status == .signaled(SIGKILL))
                #expect(killed.says("purged 0") == (offset == days), "\(offset)")
                try Self.expect(killed.clocks.first, isOff: offset)
            }
            try clock.set(days: 0)
            let last = try await process.run {
                $0.hasWorkflows = true
                $0.clockPath = clock.path
                $0.settles = true
                $0.commands = 1
                $0.acknowledged = told.last(of: $0.clients)
            }
            told.note(last.lines)

            #expect(last.status == .exited(0))
            try await process.expectSound(&told, "the end", isSettled: true)
        }

        @Test(arguments: [tenYears, -tenYears])
        func `a clock that jumps while workflows run holds none of them up`(
            days: Int
        ) async throws {
            let clock = FalseClock()
            let process = WorkerProcess()
            var told = Acknowledgements()

            let life = try await process.run {
                $0.hasWorkflows = true
                $0.clockPath = clock.path
                $0.settles = true
                $0.commands = 100
            } meanwhile: { worker in
                try await worker.until("ack 3 41 ")
                try clock.set(days: days)
            }
            told.note(life.lines)

            #expect(life.status == .exited(0))
            try Self.expect(life.clocks.first, isOff: 0)
            try Self.expect(life.clocks.last, isOff: days)
            try await process.expectSound(&told, "the end", isSettled: true)
        }

        /// The clock that a process saw is off by so many days.
        private static func expect(_ seconds: Int?, isOff days: Int) throws {
            let seen = try #require(seconds)
            let now = Int(WallTime.current().microseconds / 1_000_000)
            #expect(abs(seen - now - days * 86_400) < 3_600)
        }
    }
}

extension WorkerLife {
    /// What the worker saw on its clock, in seconds since 1970.
    fileprivate var clocks: [Int] {
        lines.filter { $0.hasPrefix("clock ") }.compactMap { Int($0.dropFirst(6)) }
    }
}
