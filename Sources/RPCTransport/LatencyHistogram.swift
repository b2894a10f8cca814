/// How long calls took: counts in buckets whose bounds are fixed, so that histograms add up.
public struct LatencyHistogram: Sendable, Hashable {
    /// The upper bounds of the buckets; what took longer than the last falls into one more.
    public static let bounds: [Duration] = [
        .microseconds(10), .microseconds(20), .microseconds(50),
        .microseconds(100), .microseconds(200), .microseconds(500),
        .milliseconds(1), .milliseconds(2), .milliseconds(5),
        .milliseconds(10), .milliseconds(20), .milliseconds(50),
        .milliseconds(100), .milliseconds(200), .milliseconds(500),
        .seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(20),
    ]

    /// Calls by bucket, one more than there are ``bounds``; empty when there was none.
    public private(set) var counts: [UInt64] = []
    /// The sum of all times.
    public private(set) var sum: Duration = .zero

    /// A histogram without calls.
    public init() {}

    /// The number of calls.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// Adds calls that took the same time.
    mutating func add(_ latency: Duration, count: Int = 1) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count + 1) }
        let bucket = Self.bounds.firstIndex { latency <= $0 } ?? Self.bounds.count
        counts[bucket] &+= UInt64(count)
        sum += latency * count
    }

    /// Adds what another one counted.
    mutating func add(_ other: LatencyHistogram) {
        guard !other.counts.isEmpty else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count + 1) }
        for (bucket, count) in other.counts.enumerated() { counts[bucket] &+= count }
        sum += other.sum
    }

    /// The bound below which a share of the calls lies, such as 0.99; nil without calls, and when
    /// it is above the last bound.
    public func bound(below share: Double) -> Duration? {
        let wanted = UInt64((Double(count) * share).rounded(.up))
        guard wanted > 0 else { return nil }
        var seen: UInt64 = 0
        for (bound, count) in zip(Self.bounds, counts) {
            seen &+= count
            if seen >= wanted { return bound }
        }
        return nil
    }
}
