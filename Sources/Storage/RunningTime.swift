/// How long the database has been open, all its lives together: a clock that nobody can set.
///
/// It is kept in the database from time to time. What a life that was killed had not kept yet is
/// not counted, so that it is late rather than early.
final class RunningTime: Sendable {
    /// What measures a life: it stands still while the machine sleeps.
    static let uptime: @Sendable () -> Duration = {
        let origin = SuspendingClock.now
        return { origin.duration(to: .now) }
    }()

    private let before: WallTime
    private let start: Duration
    private let uptime: @Sendable () -> Duration

    /// The time from now on.
    ///
    /// - Parameters:
    ///   - before: How long the lives before have lasted, in microseconds.
    ///   - uptime: Measures this one.
    init(before: Int64, uptime: @escaping @Sendable () -> Duration) {
        self.before = WallTime(microseconds: before)
        self.uptime = uptime
        start = uptime()
    }

    /// Microseconds for which the database has been open.
    var now: Int64 { before.advanced(by: max(uptime() - start, .zero)).microseconds }

    /// Microseconds for which it had been open a duration ago; negative when that is before its
    /// beginning.
    func ago(_ duration: Duration) -> Int64 {
        WallTime(microseconds: now).advanced(by: .zero - duration).microseconds
    }
}

extension Database {
    /// Notes of the clocks are kept for so much running time: no retention is longer.
    static let clockNotesRetention: Duration = .seconds(400 * 86_400)
    /// The running time between two notes of the clocks: one that comes sooner becomes part of the
    /// last, so that a program that starts again and again does not fill the table.
    static let clockNotePeriod: Duration = .seconds(60)

    /// Keeps how long the database has been open, and what the wall clock says at that time.
    ///
    /// To be called every few minutes: without it nothing ever grows old.
    /// - Parameter now: The wall clock.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func noteRunningTime(at now: WallTime) async throws {
        try await write { transaction in
            let running = transaction.runningTime.now
            try transaction.execute(
                "UPDATE storage_meta SET open_us = \(running) WHERE id = 1 AND open_us < \(running)"
            )
            let recent = transaction.runningTime.ago(Self.clockNotePeriod)
            try transaction.execute(
                """
                INSERT INTO storage_clock (open_us, at_us)
                VALUES (
                    coalesce(
                        (SELECT max(open_us) FROM storage_clock WHERE open_us > \(recent)),
                        \(running)),
                    \(now))
                ON CONFLICT (open_us) DO UPDATE SET at_us = min(at_us, excluded.at_us)
                """)
            try transaction.execute(
                """
                DELETE FROM storage_clock
                WHERE open_us < \(transaction.runningTime.ago(Self.clockNotesRetention))
                """)
        }
    }

    /// Before when something must have happened to be older than an age by the wall clock *and* by
    /// the time for which the database was open: a wall clock that jumps makes nothing old.
    ///
    /// For what is removed for good when it is old.
    /// - Parameters:
    ///   - age: At most 400 days.
    ///   - now: The wall clock.
    /// - Returns: The instant; the beginning of time while the database has not been open for so
    ///   long.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func retentionLimit(_ age: Duration, at now: WallTime) async throws -> WallTime {
        let since = runningTime.ago(age)
        let noted = try await read { snapshot -> WallTime? in
            let first = try snapshot.row(
                """
                SELECT open_us FROM storage_clock WHERE open_us <= \(since)
                ORDER BY open_us DESC LIMIT 1
                """
            ) { try $0.int64(0) }
            guard let first else { return nil }
            // What happened since then bears none of the times before the earliest of these.
            return try snapshot.row(
                """
                SELECT at_us FROM storage_clock WHERE open_us >= \(first) ORDER BY at_us LIMIT 1
                """
            ) { try $0.time(0) }
        }
        guard let noted else { return WallTime(microseconds: .min) }
        return min(noted, now.advanced(by: .zero - age))
    }
}
