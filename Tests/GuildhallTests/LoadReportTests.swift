import DynamicMessages
import Encodings
import RPC
import Testing

@testable import guildhall

/// What `guildhall bench` prints of a load whose latencies are known.
@Suite struct LoadReportTests {
    private let heading = LoadHeading(
        method: "demo.v1.Demo/Call", target: "127.0.0.1:1", pace: .closed, connections: 2,
        inFlight: 100, duration: .seconds(10), warmUp: .seconds(1))

    /// One call of each whole millisecond from 1 to 10,000; the slowest ten have failed.
    private func report() -> LoadReport {
        var parts = [LoadReport(), LoadReport()]
        for milliseconds in 1...10_000 {
            let failure: Status? =
                milliseconds > 9_990 ? Status(.unavailable, "Not now.") : nil
            parts[milliseconds % 2].record(failure, latency: .milliseconds(milliseconds))
        }
        var report = LoadReport()
        for part in parts { report.add(part) }
        report.elapsed = .seconds(10)
        return report
    }

    /// The tracked latencies have three digits.
    private func isNear(_ value: JSONValue?, milliseconds: Double) -> Bool {
        guard case .number(let text)? = value, let microseconds = Double(text) else { return false }
        return abs(microseconds / 1_000 - milliseconds) <= milliseconds * 0.001
    }

    @Test func `percentiles are those of all calls`() {
        let json = report().json(heading)

        #expect(json["calls"] == .number("10000"))
        #expect(json["failures"] == .number("10"))
        #expect(json["calls_per_second"] == .number("999"))
        #expect(isNear(json["p50_us"], milliseconds: 5_000))
        #expect(isNear(json["p90_us"], milliseconds: 9_000))
        #expect(isNear(json["p99_us"], milliseconds: 9_900))
        #expect(isNear(json["p99.9_us"], milliseconds: 9_990))
        #expect(isNear(json["p99.99_us"], milliseconds: 9_999))
        #expect(isNear(json["max_us"], milliseconds: 10_000))
    }

    @Test func `a person reads the same`() throws {
        var report = report()
        report.inFlightMax = 64
        let lines = report.text(heading).split(separator: "\n").map(String.init)

        #expect(lines[0] == "demo.v1.Demo/Call at 127.0.0.1:1")
        #expect(lines[1] == "closed loop, 2 × 100 in flight, 10 s after 1 s of warm-up")
        #expect(lines[2] == "  999 calls/s, 10000 calls, 10 failed")
        #expect(lines[3].hasPrefix("  the server takes 64 calls at a time on a connection"))
        #expect(lines.contains("    10 × UNAVAILABLE"))
        for percentile in ["p50", "p90", "p99", "p99.9", "p99.99", "max"] {
            #expect(lines.contains { $0.hasPrefix("  \(percentile) ") }, "\(percentile)")
        }
    }

    @Test func `what the server takes at a time is what was in flight`() {
        var report = report()
        report.inFlightMax = 64
        #expect(report.json(heading)["in_flight"] == .number("64"))
        report.inFlightMax = 200
        #expect(report.json(heading)["in_flight"] == .number("100"))
    }

    @Test func `a rate that was not reached is said`() {
        var report = report()
        report.missed = 3
        let open = LoadHeading(
            method: "m", target: "t", pace: .open(callsPerSecond: 1_000), connections: 1,
            inFlight: 1, duration: .seconds(10), warmUp: .zero)

        #expect(report.text(open).contains("3 calls were due and never begun"))
        #expect(report.json(open)["missed"] == .number("3"))
    }
}
