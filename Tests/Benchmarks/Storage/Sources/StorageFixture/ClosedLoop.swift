internal import Synchronization

/// Callers that each wait for a reply before they ask again.
public enum ClosedLoop {
    /// What comes before the measurement.
    private static let warmUp: Duration = .seconds(1)

    /// Has so many callers ask for a time, after a second of warming up.
    ///
    /// - Parameters:
    ///   - callers: Each is a task.
    ///   - duration: How long is measured.
    ///   - ask: One request; given its number, from 0.
    /// - Returns: How long each took.
    /// - Throws: What a request throws.
    public static func run(
        callers: Int, for duration: Duration, _ ask: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Latencies {
        let numbers = Numbers()
        let start = ContinuousClock.now + warmUp
        let end = start + duration
        let all = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var latencies: [Duration] = []
                    var now = ContinuousClock.now
                    while now < end {
                        try await ask(numbers.next())
                        let after = ContinuousClock.now
                        if after >= start { latencies.append(now.duration(to: after)) }
                        now = after
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return Latencies(all, elapsed: start.duration(to: .now))
    }
}

/// Numbers the requests of all callers.
private final class Numbers: Sendable {
    private let count = Atomic(0)

    func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}

/// How long requests took.
public struct Latencies: Sendable {
    private let sorted: [Duration]
    private let elapsed: Duration

    init(_ latencies: [Duration], elapsed: Duration) {
        sorted = latencies.sorted()
        self.elapsed = elapsed
    }

    /// How long a request takes when its time is shared out among all callers.
    public var cost: Duration { elapsed / max(sorted.count, 1) }

    /// What `report` reads.
    public var json: String {
        """
        {"commands_per_second": \(Double(sorted.count) / (elapsed / .seconds(1))), \
        "p50_us": \(percentile(50)), "p99_us": \(percentile(99))}
        """
    }

    private func percentile(_ percent: Int) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[sorted.count * percent / 100] / .microseconds(1)
    }
}
