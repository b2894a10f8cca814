import BenchmarkKit
import Messages
import RPC
import RPCTransport
import Synchronization

/// `GuildhallClient PORT CONNECTIONS IN-FLIGHT SECONDS global|loops`: calls a server from as many
/// tasks as calls are in flight, on the global executor or on the event loop, and prints a line of
/// JSON.
@main
enum GuildhallClient {
    /// Where the calling tasks run.
    enum Place: String {
        case global
        case loops
    }

    private static let warmUp: Duration = .seconds(1)

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let port = Int(arguments[1]),
            let connections = Int(arguments[2]), let inFlight = Int(arguments[3]),
            let seconds = Int(arguments[4]), let place = Place(rawValue: arguments[5])
        else { throw Misuse() }
        let loops = RPCEventLoops(threadCount: 1)
        let clients = (0..<connections).map { _ in
            RPCClient(.tcp(host: "127.0.0.1", port: port), loops: loops)
        }
        let executor = place == .loops ? loops.taskExecutors[0] : nil
        let counter = Counter()
        try await withThrowingDiscardingTaskGroup { group in
            for caller in 0..<connections * inFlight {
                let client = OrganizationsClient(clients[caller % connections])
                group.addTask(executorPreference: executor) {
                    try await callAgainAndAgain(client, counter)
                }
            }
            try await Task.sleep(for: warmUp)
            report(try await measure(counter, for: .seconds(seconds)))
            group.cancelAll()
        }
        for client in clients { await client.close() }
    }

    private static func callAgainAndAgain(
        _ client: OrganizationsClient, _ counter: Counter
    ) async throws {
        let request = GetOrganizationRequest(id: "01890a5d-ac96-774b-bcce-b302099a8057")
        while !Task.isCancelled {
            do {
                blackHole(try await client.getOrganization(request))
            } catch {
                // The call that the end of the window cuts off.
                if Task.isCancelled { return }
                throw error
            }
            counter.calls.wrappingAdd(1, ordering: .relaxed)
        }
    }

    private static func measure(
        _ counter: Counter, for span: Duration
    ) async throws -> (calls: Int, elapsed: Duration, processorTime: Duration) {
        let begin = (counter.value, ContinuousClock.now, Usage.processorTime)
        try await Task.sleep(for: span)
        return (
            counter.value - begin.0, begin.1.duration(to: .now), Usage.processorTime - begin.2
        )
    }

    private static func report(
        _ window: (calls: Int, elapsed: Duration, processorTime: Duration)
    ) {
        let calls = Double(window.calls)
        Output.line(
            "{\"calls_per_second\": \(calls / (window.elapsed / .seconds(1))), "
                + "\"client_cpu_us\": \(window.processorTime / .microseconds(1) / calls)}")
    }

    /// The calls answered so far, by all tasks.
    private final class Counter: Sendable {
        let calls = Atomic<Int>(0)

        var value: Int { calls.load(ordering: .relaxed) }
    }

    /// The arguments are not those of the usage above.
    struct Misuse: Error {}
}
