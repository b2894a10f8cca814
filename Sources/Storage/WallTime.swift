internal import Glibc

/// An instant of the wall clock: microseconds since 1970 in UTC.
public struct WallTime: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var microseconds: Int64

    /// The instant so many microseconds after 1970.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// What the machine's clock shows; for the wiring of a program, never for its rules.
    public static func current() -> WallTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Orders by time.
    public static func < (left: WallTime, right: WallTime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant a duration later; earlier when it is negative.
    public func advanced(by duration: Duration) -> WallTime {
        let (seconds, attoseconds) = duration.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let span = isTooLong ? (seconds < 0 ? Int64.min : .max) : whole
        let (sum, overflows) = microseconds.addingReportingOverflow(span)
        guard !overflows else { return WallTime(microseconds: span < 0 ? .min : .max) }
        let (instant, tips) = sum.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return WallTime(microseconds: tips ? sum : instant)
    }

    /// The time from here to another instant; negative when that is earlier.
    public func duration(to other: WallTime) -> Duration {
        .microseconds(other.microseconds) - .microseconds(microseconds)
    }
}

extension WallTime: SQLBindable {
    /// Microseconds since 1970.
    public var sqlValue: SQLValue { .integer(microseconds) }
}
