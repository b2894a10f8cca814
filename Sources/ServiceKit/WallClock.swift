public import Access
public import Messages
public import Storage
import Synchronization

/// Tells the time of day; handed to whoever needs it, so that tests can move it by hand.
public struct WallClock: Sendable {
    private let read: @Sendable () -> WallTime

    /// A clock that asks a closure.
    public init(_ read: @escaping @Sendable () -> WallTime) {
        self.read = read
    }

    /// The time of day.
    public func now() -> WallTime { read() }

    /// The machine's clock.
    public static let system = WallClock { WallTime.current() }
}

/// A clock that stands still until it is moved; for tests.
public final class ManualClock: Sendable {
    private let time: Mutex<WallTime>

    /// A clock that shows 2026-01-01T00:00:00Z, or another instant.
    public init(at time: WallTime = WallTime(microseconds: 1_767_225_600_000_000)) {
        self.time = Mutex(time)
    }

    /// The instant it shows.
    public var now: WallTime { time.withLock { $0 } }

    /// Moves it.
    public func advance(by duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
    }

    /// The clock as services take it.
    public var clock: WallClock { WallClock { self.now } }
}

extension IdentifierSource {
    /// A source of identifiers that are ordered by a clock.
    public convenience init(clock: WallClock) {
        self.init(milliseconds: { UInt64(max(clock.now().microseconds, 0) / 1_000) })
    }
}

extension Timestamp {
    /// An instant as it stands in messages.
    public init(_ time: WallTime) {
        let (seconds, rest) = time.microseconds.flooredDivision(by: 1_000_000)
        self.init(seconds: seconds, nanos: Int32(rest) * 1_000)
    }
}

extension WallTime {
    /// An instant that stands in a message; nil when it lies outside of what can be counted.
    public init?(_ timestamp: Timestamp) {
        guard (0..<1_000_000_000).contains(timestamp.nanos) else { return nil }
        let (scaled, isTooLarge) = timestamp.seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflows) = scaled.addingReportingOverflow(Int64(timestamp.nanos) / 1_000)
        guard !isTooLarge, !overflows else { return nil }
        self.init(microseconds: sum)
    }
}

extension Int64 {
    /// Quotient and remainder such that the remainder is never negative.
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
