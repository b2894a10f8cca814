import Histogram

/// Makes calls as fast as they are answered, a fixed number at a time, and measures each.
struct LoadGenerator: Sendable {
    /// The longest call that is told apart from longer ones.
    static let latencyMax: Duration = .seconds(60)

    /// Callers that run at the same time; each waits for its answer before it calls again.
    let callers: Int
    let duration: Duration
    /// Calls made before measuring begins, so that connections stand and caches are warm.
    let warmUp: Duration

    /// What was measured.
    struct Report: Sendable {
        var calls = 0
        var failures = 0
        var firstFailure: String?
        /// In nanoseconds.
        var latencies = Histogram<UInt32>(
            highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
        var elapsed: Duration = .zero

        var callsPerSecond: Double { Double(calls) / (elapsed / .seconds(1)) }

        func microseconds(at percentile: Double) -> Double {
            Double(latencies.valueAtPercentile(percentile)) / 1_000
        }
    }

    /// Runs the load: each caller calls the closure with its number and a rising count.
    func run(
        _ call: @escaping @Sendable (_ caller: Int, _ count: Int) async throws -> Void
    ) async -> Report {
        let begin = ContinuousClock.now.advanced(by: warmUp)
        let end = begin.advanced(by: duration)
        var report = Report()
        await withTaskGroup(of: Report.self) { group in
            for caller in 0..<callers {
                group.addTask { await Self.callAgainAndAgain(caller, from: begin, to: end, call) }
            }
            for await part in group {
                report.calls += part.calls
                report.failures += part.failures
                report.firstFailure = report.firstFailure ?? part.firstFailure
                report.latencies.add(part.latencies)
            }
        }
        report.elapsed = duration
        return report
    }

    private static func callAgainAndAgain(
        _ caller: Int, from begin: ContinuousClock.Instant, to end: ContinuousClock.Instant,
        _ call: @Sendable (Int, Int) async throws -> Void
    ) async -> Report {
        var report = Report()
        var count = 0
        var started = ContinuousClock.now
        while started < end {
            do {
                try await call(caller, count)
            } catch {
                report.failures += 1
                report.firstFailure = report.firstFailure ?? "\(error)"
            }
            count += 1
            let answered = ContinuousClock.now
            if started >= begin {
                report.calls += 1
                let latency = min(started.duration(to: answered), latencyMax)
                report.latencies.record(UInt64(max(latency / .nanoseconds(1), 1)))
            }
            started = answered
        }
        return report
    }
}
