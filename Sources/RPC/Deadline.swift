/// The instant by which a call must be answered.
public struct Deadline: Sendable, Hashable, Comparable {
    /// A call whose caller names none gets this much time.
    public static let timeoutDefault: Duration = .seconds(2)
    /// No unary call gets more time than this.
    public static let timeoutMax: Duration = .seconds(30)

    /// The deadline of streams that have none: so far off that no timer is set for it.
    public static let never = Deadline(at: .distantFuture)

    /// The instant, on the clock that only goes forward.
    public let instant: MonotonicInstant

    /// The deadline at an instant.
    public init(at instant: MonotonicInstant) {
        self.instant = instant
    }

    /// The deadline that lies a duration from now.
    public static func after(
        _ timeout: Duration, from now: MonotonicInstant = .now
    ) -> Deadline {
        Deadline(at: now.advanced(by: timeout))
    }

    /// The time left; negative once it has passed.
    public func remaining(at now: MonotonicInstant = .now) -> Duration {
        now.duration(to: instant)
    }

    /// Whether it has passed.
    public func hasPassed(at now: MonotonicInstant = .now) -> Bool {
        instant <= now
    }

    /// Whether there is no deadline in fact.
    public var isNever: Bool { self >= .never }

    /// Orders by instant.
    public static func < (left: Deadline, right: Deadline) -> Bool {
        left.instant < right.instant
    }

    /// The deadline of the call being handled; calls made on its behalf inherit it.
    @TaskLocal public static var current: Deadline?
}
