import Storage
import Synchronization
import Testing

@testable import ServiceKit

/// What a service does for its database from day to day.
@Suite(.timeLimit(.minutes(1))) struct HousekeepingTests {
    /// A clock on which every pause is over at once, until a life has lasted its time.
    private final class Life: Clock {
        typealias Instant = ContinuousClock.Instant

        private let start = ContinuousClock.now
        private let end: Duration
        private let passed = Mutex(Duration.zero)

        init(lasting end: Duration) {
            self.end = end
        }

        /// How long it has lasted.
        var age: Duration { passed.withLock { $0 } }
        var now: Instant { start + age }
        var minimumResolution: Duration { .nanoseconds(1) }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            let pause = now.duration(to: deadline)
            passed.withLock { $0 += pause }
            if age > end { throw CancellationError() }
        }
    }

    private static let day: Duration = .seconds(86_400)
    private static let tenYears = day * 3_652

    private let installation = Installation()
    private let command = Command(
        principal: "ada", key: [UInt8](repeating: 1, count: 16), method: "m", requestDigest: [],
        now: ManualClock().now)

    /// Lets a service live for a while, with its housekeeping and a clock that is off.
    ///
    /// - Returns: Whether the reply to the command is there at the end.
    private func live(for span: Duration, off: Duration = .zero) async throws -> Bool {
        let life = Life(lasting: span)
        var settings = DatabaseConfiguration(path: "\(installation.folder.path)/house.db")
        settings.uptime = { life.age }
        let database = try Database(settings, migrations: [])
        defer { database.close() }
        let (installation, before) = (installation, installation.clock.now)
        let house = Housekeeping(
            database: database,
            clock: WallClock { before.advanced(by: off + life.age) },
            logger: installation.log.logger, pauses: life)
        await #expect(throws: CancellationError.self) { try await house.run() }
        installation.clock.advance(by: life.age)
        return try database.isSettled(command)
    }

    private func perform() async throws {
        let database = try installation.database("house")
        _ = try await database.command(command) { _ in [1] }
        database.close()
    }

    @Test(arguments: [tenYears, .zero - tenYears])
    func `starts under a clock that is wrong by years remove no reply`(
        off: Duration
    ) async throws {
        try await perform()

        for start in 1...10 {
            #expect(try await live(for: .seconds(1_800), off: off), "start \(start)")
        }

        #expect(installation.log.lines.isEmpty)
    }

    @Test func `a service that starts every few hours forgets replies after a week all the same`()
        async throws
    {
        try await perform()
        var lives = 0

        while try await live(for: .seconds(5 * 3_600)), lives < 100 { lives += 1 }

        // What has not been noted at the end of a life is not counted.
        #expect((33...36).contains(lives))
    }

    @Test func `a service that runs on forgets replies after a week`() async throws {
        try await perform()

        #expect(try await live(for: Self.day * 7 - .seconds(60)))
        #expect(try await !live(for: Self.day * 2))
    }

    @Test func `what a program adds after its last note is counted when it ends`() async throws {
        let uptime = Mutex(Duration.zero)
        let exit = await ServiceRunner(name: "house", defaultPort: 0).run(
            arguments: ["house", "--data", installation.folder.path, "--drain-seconds", "1"],
            environment: ["GUILDHALL_LOG_LEVEL": "error"]
        ) { environment in
            let database = try environment.openDatabase(migrations: []) {
                $0.uptime = { uptime.withLock { $0 } }
            }
            let life = ServiceChild("life") {
                while try await !isNoted(in: database) {
                    try await Task.sleep(for: .milliseconds(1))
                }
                uptime.withLock { $0 = .seconds(60) }
            }
            return ServiceParts(methods: [], children: [life])
        }
        let database = try installation.database("house")
        let open = try await database.read { snapshot in
            try snapshot.row("SELECT open_us FROM storage_meta") { try $0.int64(0) }
        }
        database.close()

        #expect(exit == .success)
        #expect(open == 60_000_000)
    }

    /// Whether the running time of a database was noted.
    private func isNoted(in database: Database) async throws -> Bool {
        try await database.read { try $0.exists("SELECT 1 FROM storage_clock") }
    }
}
