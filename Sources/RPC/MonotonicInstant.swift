/// An instant of the clock that only goes forward, to the nanosecond.
///
/// It is `ContinuousClock` whose instants have a known size: the layout of
/// `ContinuousClock.Instant` is known at run time only, which every value that holds one pays for
/// whenever it is copied.
public struct MonotonicInstant: InstantProtocol, Sendable, Hashable {
    private static let epoch = ContinuousClock.now

    /// Nanoseconds since this process first asked for an instant.
    private let nanoseconds: Int64

    /// No instant is later: it lies more than a century ahead.
    public static let distantFuture = MonotonicInstant(nanoseconds: 1 << 62)

    private init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// This instant.
    public static var now: MonotonicInstant {
        // The epoch first: it is the earlier of the two.
        let epoch = epoch
        return MonotonicInstant(nanoseconds: nanoseconds(in: epoch.duration(to: .now)))
    }

    /// The instant that lies a duration later; none is later than ``distantFuture``.
    public func advanced(by duration: Duration) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(Self.nanoseconds(in: duration))
        guard !overflow else { return duration > .zero ? .distantFuture : self }
        return min(MonotonicInstant(nanoseconds: sum), .distantFuture)
    }

    /// The instant that lies so many microseconds later; none is later than ``distantFuture``.
    public func advanced(byMicroseconds count: UInt64) -> MonotonicInstant {
        let (nanosecondCount, overflow) = count.multipliedReportingOverflow(by: 1_000)
        guard !overflow, nanosecondCount < 1 << 62 else { return .distantFuture }
        // Both are below half of what fits.
        return min(
            MonotonicInstant(nanoseconds: nanoseconds &+ Int64(nanosecondCount)), .distantFuture)
    }

    /// The time from this instant to another; negative when that is earlier.
    public func duration(to other: MonotonicInstant) -> Duration {
        .nanoseconds(other.nanoseconds.subtractingReportingOverflow(nanoseconds).partialValue)
    }

    /// Orders by time.
    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    private static func nanoseconds(in duration: Duration) -> Int64 {
        Int64(clamping: duration.attoseconds / 1_000_000_000)
    }
}

extension ContinuousClock.Instant {
    /// The same instant on the standard library's clock.
    public init(_ instant: MonotonicInstant) {
        self = ContinuousClock.now.advanced(by: MonotonicInstant.now.duration(to: instant))
    }
}
