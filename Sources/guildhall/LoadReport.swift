import DynamicMessages
import Encodings
import Histogram
import RPC

/// What a load was answered with.
struct LoadReport: Sendable {
    /// The longest call that is told apart from longer ones.
    static let latencyMax: Duration = .seconds(60)
    /// The percentiles that are reported.
    static let percentiles = [50.0, 90, 99, 99.9, 99.99]

    /// Calls that were answered, failures included.
    private(set) var calls = 0
    private(set) var failures: [Status.Code: Int] = [:]
    private(set) var firstFailure: Status?
    /// In nanoseconds.
    private(set) var latencies = Self.histogram
    /// How much later than due calls were begun, in nanoseconds; of an open loop.
    private(set) var lateness = Self.histogram
    /// Calls that were due and never begun, since every caller was waiting.
    var missed = 0
    var elapsed: Duration = .zero
    /// The calls that the server takes at a time on one connection; nil when it is not known.
    var inFlightMax: Int?

    private static var histogram: Histogram<UInt32> {
        Histogram(
            highestTrackableValue: UInt64(latencyMax / .nanoseconds(1)),
            numberOfSignificantValueDigits: .three)
    }

    var failureCount: Int { failures.values.reduce(0, +) }

    var callsPerSecond: Double { Double(calls - failureCount) / (elapsed / .seconds(1)) }

    mutating func record(_ failure: Status?, latency: Duration) {
        calls += 1
        if let failure {
            failures[failure.code, default: 0] += 1
            firstFailure = firstFailure ?? failure
        }
        latencies.record(Self.nanoseconds(latency))
    }

    mutating func recordLateness(_ late: Duration) {
        lateness.record(Self.nanoseconds(late))
    }

    mutating func add(_ other: LoadReport) {
        calls += other.calls
        failures.merge(other.failures, uniquingKeysWith: +)
        firstFailure = firstFailure ?? other.firstFailure
        latencies.add(other.latencies)
        lateness.add(other.lateness)
        missed += other.missed
    }

    private static func nanoseconds(_ span: Duration) -> UInt64 {
        UInt64(max(min(span, latencyMax) / .nanoseconds(1), 1))
    }
}

/// What was measured, for the one who reads the report.
struct LoadHeading: Sendable {
    let method: String
    let target: String
    let pace: LoadGenerator.Pace
    let connections: Int
    let inFlight: Int
    let duration: Duration
    let warmUp: Duration
}

extension LoadReport {
    /// The report for a person, some lines.
    func text(_ heading: LoadHeading) -> String {
        let loop =
            switch heading.pace {
            case .closed: "closed loop"
            case .open(let rate): "open loop, \(Self.short(rate)) calls/s due"
            }
        var lines = [
            "\(heading.method) at \(heading.target)",
            "\(loop), \(heading.connections) × \(heading.inFlight) in flight, "
                + "\(Self.short(heading.duration / .seconds(1))) s after "
                + "\(Self.short(heading.warmUp / .seconds(1))) s of warm-up",
            "  \(Int(callsPerSecond)) calls/s, \(calls) calls, \(failureCount) failed",
        ]
        if let inFlightMax, inFlightMax < heading.inFlight {
            lines.append(
                "  the server takes \(inFlightMax) calls at a time on a connection: the others "
                    + "waited here, which is in their latency")
        }
        for (code, count) in failures.sorted(by: { $0.value > $1.value }) {
            lines.append("    \(count) × \(Failure(Status(code, ""), schema: nil).code)")
        }
        if let firstFailure {
            let words = Failure(firstFailure, schema: nil).text.replacing("\n", with: "\n  ")
            lines.append("  first failure: \(words)")
        }
        if missed > 0 {
            lines.append(
                "  \(missed) calls were due and never begun: the rate was not reached, and the "
                    + "percentiles are better than the truth")
        }
        guard calls > 0 else { return lines.joined(separator: "\n") }
        for percentile in Self.percentiles {
            lines.append("  p\(Self.short(percentile))  \(microseconds(percentile)) µs")
        }
        lines.append("  max  \(Self.microseconds(latencies.max)) µs")
        if heading.pace != .closed {
            lines.append(
                "  latency counts from when a call was due; calls began late by "
                    + "\(Self.microseconds(lateness.valueAtPercentile(50))) µs (p50), "
                    + "\(Self.microseconds(lateness.valueAtPercentile(99))) µs (p99)")
        }
        return lines.joined(separator: "\n")
    }

    /// The report for a program.
    func json(_ heading: LoadHeading) -> JSONValue {
        func number(_ value: Double) -> JSONValue { .number(Self.short(value)) }
        var members: [JSONValue.Member] = [
            .init(name: "method", value: .string(heading.method)),
            .init(name: "target", value: .string(heading.target)),
            .init(name: "connections", value: .number("\(heading.connections)")),
            .init(
                name: "in_flight",
                value: .number("\(min(heading.inFlight, inFlightMax ?? heading.inFlight))")),
            .init(name: "seconds", value: number(heading.duration / .seconds(1))),
        ]
        if case .open(let rate) = heading.pace {
            members += [
                .init(name: "rate", value: number(rate)),
                .init(name: "missed", value: .number("\(missed)")),
                .init(
                    name: "late_p99_us",
                    value: .number("\(Self.microseconds(lateness.valueAtPercentile(99)))")),
            ]
        }
        members += [
            .init(name: "calls_per_second", value: .number("\(Int(callsPerSecond))")),
            .init(name: "calls", value: .number("\(calls)")),
            .init(name: "failures", value: .number("\(failureCount)")),
        ]
        for percentile in Self.percentiles {
            members.append(
                .init(
                    name: "p\(Self.short(percentile))_us",
                    value: .number("\(microseconds(percentile))")))
        }
        members.append(.init(name: "max_us", value: .number("\(Self.microseconds(latencies.max))")))
        return .object(members)
    }

    private func microseconds(_ percentile: Double) -> Double {
        Self.microseconds(latencies.valueAtPercentile(percentile))
    }

    private static func microseconds(_ nanoseconds: UInt64) -> Double {
        Double(nanoseconds) / 1_000
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
}
