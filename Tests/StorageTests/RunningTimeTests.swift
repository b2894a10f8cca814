import Synchronization
import Testing

@testable import Storage

/// What is old by a clock that was set is not old.
@Suite(.timeLimit(.minutes(1))) struct RunningTimeTests {
    private static let day: Duration = .seconds(86_400)
    private static let tenYears = 3_652

    private let files = TemporaryFolder()
    /// What measures the lives of the database; the wall clock is given with each call.
    private let uptime = HandClock()

    private func database() throws -> Database {
        try files.database { [uptime] in $0.uptime = { uptime.now.offset } }
    }

    /// Runs the command of a number, which adds a member of the number.
    private func add(_ number: Int, in database: Database) async throws {
        let outcome = try await database.command(.sample(number: number)) { transaction in
            try transaction.add(number, "\(number)")
            return [UInt8(number)]
        }
        #expect(outcome == .reply([UInt8(number)]))
    }

    @Test(arguments: [tenYears, -tenYears])
    func `a clock that jumps loses no reply, however often the program starts and purges`(
        days: Int
    ) async throws {
        let first = try database()
        for number in 1...5 { try await add(number, in: first) }
        first.close()

        for life in 1...10 {
            uptime.advance(by: .seconds(600))
            let database = try database()
            let now = WallTime.start.after(days: life.isMultiple(of: 3) ? life : days + life)
            #expect(try await database.purge(at: now).replies == 0, "life \(life)")
            for number in 1...5 { try await add(number, in: database) }
            database.close()
        }

        let last = try database()
        #expect(try last.emails() == (1...5).map { "\($0)" }, "each was done once")
    }

    @Test func `replies go once the database has been open for a week, all its lives together`()
        async throws
    {
        let later = WallTime.start.after(days: 400)
        let first = try database()
        try await add(1, in: first)
        first.close()
        var removed: [Int] = []

        for _ in 1...8 {
            let database = try database()
            uptime.advance(by: Self.day)
            removed.append(try await database.purge(at: later).replies)
            database.close()
        }

        #expect(removed == [0, 0, 0, 0, 0, 0, 1, 0])
    }

    @Test func `replies do not go while the wall clock says that they are young`() async throws {
        let database = try database()
        try await add(1, in: database)
        uptime.advance(by: Self.day * 100)

        #expect(try await database.purge(at: .start.after(days: 7)).replies == 0)
        let next = WallTime.start.after(days: 7).advanced(by: .microseconds(1))
        #expect(try await database.purge(at: next).replies == 1)
    }

    @Test func `what a killed life had not noted is not counted`() async throws {
        let killed = try database()
        try await add(1, in: killed)
        uptime.advance(by: Self.day * 3)
        try await killed.noteRunningTime(at: .start.after(days: 3))
        uptime.advance(by: Self.day * 30)
        killed.close()

        let database = try database()

        #expect(database.runningTime.now == 3 * 86_400 * 1_000_000)
        #expect(try await database.purge(at: .start.after(days: 33)).replies == 0)
    }

    @Test func `lives of seconds are counted, and leave one note a minute`() async throws {
        for life in 1...12 {
            let database = try database()
            uptime.advance(by: .seconds(10))
            try await database.noteRunningTime(at: .start.advanced(by: .seconds(10 * life)))
            database.close()
        }

        let database = try database()
        let notes = try await database.read { snapshot in
            try snapshot.rows("SELECT open_us FROM storage_clock ORDER BY open_us") {
                try $0.int64(0)
            }
        }

        #expect(database.runningTime.now == 120_000_000)
        #expect(notes == [10_000_000, 70_000_000])
    }

    @Test func `time in which the machine's clock for spans goes back is no time`() {
        let offset = Mutex(Duration.seconds(100))
        let running = RunningTime(before: 7, uptime: { offset.withLock { $0 } })

        offset.withLock { $0 = .seconds(40) }

        #expect(running.now == 7)
    }

    // MARK: What others keep for a while

    /// Lets days go by, with a note of the clocks every hour.
    private func pass(
        days: Int, from wall: WallTime, in database: Database
    ) async throws {
        for hour in 0..<days * 24 {
            try await database.noteRunningTime(at: wall.advanced(by: .seconds(3_600 * hour)))
            uptime.advance(by: .seconds(3_600))
        }
    }

    @Test func `without jumps the limit is the wall clock's`() async throws {
        let database = try database()
        try await pass(days: 10, from: .start, in: database)

        let limit = try await database.retentionLimit(Self.day * 7, at: .start.after(days: 10))
        let long = try await database.retentionLimit(Self.day * 11, at: .start.after(days: 10))

        #expect(limit == .start.after(days: 3))
        #expect(long == WallTime(microseconds: .min), "it was not open for so long")
    }

    @Test(arguments: [tenYears, -tenYears])
    func `a jump makes nothing old that came in the days before`(days: Int) async throws {
        let database = try database()
        try await pass(days: 10, from: .start, in: database)
        let jumped = WallTime.start.after(days: 10 + days)

        let atOnce = try await database.retentionLimit(Self.day * 7, at: jumped)
        try await pass(days: 5, from: jumped, in: database)
        let later = try await database.retentionLimit(Self.day * 7, at: jumped.after(days: 5))

        #expect(atOnce <= .start.after(days: 3))
        #expect(later <= .start.after(days: 8))
    }

    @Test func `after the clock was right again for long enough things grow old as before`()
        async throws
    {
        let database = try database()
        try await pass(days: 2, from: .start, in: database)
        try await pass(days: 2, from: .start.after(days: Self.tenYears), in: database)
        try await pass(days: 8, from: .start.after(days: 4), in: database)

        let limit = try await database.retentionLimit(Self.day * 7, at: .start.after(days: 12))

        #expect(limit == .start.after(days: 5))
    }
}
