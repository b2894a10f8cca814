import Access
import Logging
import ServiceKit
import Storage

// The sweep: tells the feed of organizations whose trial or validity is over. Nothing else waits
// for it: every call judges by its own day.

extension Upkeep {
    /// Organizations that are told of in one transaction: others are not kept waiting.
    static let lapsesAtOnce = 500
    /// The shortest pause between two sweeps.
    static let sweepPauseMin: Duration = .seconds(1)
    /// The pause after a sweep that failed.
    static let sweepPauseAfterFailure: Duration = .seconds(60)

    /// Sweeps at once, once an hour and right after midnight in UTC, until it is cancelled.
    func sweepLapses(clock: WallClock, logger: Logger) async throws {
        while true {
            var pause = Self.sweepPauseAfterFailure
            do {
                let now = clock.now()
                try await tellLapses(at: now)
                try await noteNotices(at: now)
                pause = Self.sweepPause(after: now, at: clock.now())
            } catch let fault as StorageFault {
                logger.warning("sweep of lapses failed", metadata: ["error": "\(fault)"])
            }
            try await Task.sleep(for: pause)
        }
    }

    /// How long to wait now: until the day after that of the last sweep has begun, at most an hour.
    static func sweepPause(after sweep: WallTime, at now: WallTime) -> Duration {
        let midnight = WallTime(startOf: sweep.day.advanced(by: 1))
        return max(sweepPauseMin, min(period, now.duration(to: midnight)))
    }

    /// One sweep.
    func tellLapses(at now: WallTime) async throws {
        var told = 0
        repeat {
            told = try await database.write { transaction in
                try transaction.tellLapses(on: now.day, atMost: Self.lapsesAtOnce, at: now)
            }
        } while told == Self.lapsesAtOnce
    }

    /// One sweep: notes the mails about last days that have become due.
    func noteNotices(at now: WallTime) async throws {
        for kind in NoticeKind.allCases {
            var cursor: EndingCursor?
            repeat {
                let page = try await database.read { [cursor] snapshot in
                    try snapshot.noticesDue(of: kind, on: now.day, after: cursor)
                }
                if !page.due.isEmpty {
                    try await database.write { try $0.insert(page.due, at: now) }
                }
                cursor = page.next
            } while cursor != nil
        }
    }
}
