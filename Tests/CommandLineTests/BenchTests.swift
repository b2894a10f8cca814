import DynamicMessages
import Encodings
import Messages
import RPC
import Subprocess
import Testing

/// `guildhall bench` of any method.
@Suite(.serialized) struct BenchTests {
    private func bench(
        _ target: String, _ arguments: [String]
    ) async throws -> (Executable.Ending, JSONValue) {
        let ending = try await Executable.run(
            [
                "bench", "--target", target, "--json", "--seconds", "1", "--warm-up", "0",
                "--connections", "2", "--in-flight", "2",
            ] + arguments)
        return (ending, try JSONValue(parsing: ending.output.utf8))
    }

    private func number(_ json: JSONValue?) -> Double {
        if case .number(let text)? = json { Double(text) ?? -1 } else { -1 }
    }

    @Test func `a closed loop calls as fast as it is answered`() async throws {
        try await Stall.open { stall, target in
            let (ending, report) = try await bench(
                target, ["GetOrganization", "-d", #"{"id": "o1"}"#])

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(
                report["method"]
                    == .string("guildhall.organizations.v1.Organizations/GetOrganization"))
            #expect(number(report["calls"]) > 10)
            #expect(number(report["failures"]) == 0)
            #expect(number(report["p50_us"]) > 0)
            #expect(number(report["p50_us"]) <= number(report["p99_us"]))
            #expect(number(report["p99_us"]) <= number(report["max_us"]))
        }
    }

    @Test func `an open loop calls as often as it is told`() async throws {
        try await Stall.open { stall, target in
            let (ending, report) = try await bench(target, ["GetOrganization", "--rate", "200"])

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(number(report["calls"]) + number(report["missed"]) == 200)
            // They came over the whole second, not at its beginning.
            let arrivals = stall.arrivals
            let first = try #require(arrivals.first)
            let last = try #require(arrivals.last)
            #expect(first.duration(to: last) >= .milliseconds(700))
            // And evenly: half of the time has about half of the calls.
            let early = arrivals.count { first.duration(to: $0) < .milliseconds(500) }
            #expect((40...160).contains(early), "\(early)")
        }
    }

    @Test func `what the server does not take at a time waits, and the report says so`()
        async throws
    {
        try await Stall.open { _, target in
            let (ending, report) = try await bench(
                target, ["GetOrganization", "--connections", "1", "--in-flight", "2000"])
            let words = try await Executable.run([
                "bench", "GetOrganization", "--target", target, "--seconds", "1", "--warm-up", "0",
                "--connections", "1", "--in-flight", "100",
            ])

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(number(report["failures"]) == 0)
            #expect(number(report["calls"]) > 100)
            #expect(number(report["in_flight"]) == 64)
            #expect(words.output.contains("the server takes 64 calls at a time"))
        }
    }

    @Test func `a server that cannot keep up is told from one that can`() async throws {
        try await Stall.open { _, target in
            let (ending, report) = try await bench(
                target, ["GetOrganization", "--rate", "1000000", "--threads", "1"])

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(number(report["missed"]) > 0)
            #expect(number(report["calls"]) + number(report["missed"]) == 1_000_000)
            // A backlog of a second is a latency of nearly a second.
            #expect(number(report["max_us"]) > 500_000)
        }
    }

    @Test func `writes differ by a counter and a name of the run`() async throws {
        try await Stall.open { stall, target in
            let document = #"{"title": "{{run}} {{counter}}"}"#
            let (ending, _) = try await bench(
                target, ["CreateOrganization", "-d", document, "--rate", "50"])

            #expect(ending.hasSucceeded, "\(ending.error)")
            let titles = try stall.requests.map {
                try CreateOrganizationRequest(decoding: $0).title
            }
            #expect(titles.count > 1)
            #expect(Set(titles).count == titles.count)
            #expect(Set(titles.compactMap { $0.split(separator: " ").first }).count == 1)
        }
    }

    @Test func `failures are counted by code and end the command with 1`() async throws {
        try await Stall.open { _, target in
            let ending = try await Executable.run([
                "bench", "GetOrganization", "-d", #"{"id": "missing"}"#, "--target", target,
                "--seconds", "1", "--warm-up", "0", "--rate", "20",
            ])

            #expect(ending.status == .exited(1))
            #expect(ending.output.contains("× NOT_FOUND\n"), "\(ending.output)")
            #expect(ending.output.contains("first failure: NOT_FOUND (5): There is no such"))
        }
    }
}
