import ArgumentParser
import DynamicMessages
import RPC
import RPCTransport

/// `guildhall bench`: loads a running server and reports calls a second and latencies.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures any method of a running server, closed or open loop.",
        discussion: """
            The method is found by reflection, as by `guildhall call`. In the request, \
            {{counter}} becomes a number that no other call of the run has, and {{run}} eight \
            letters and digits that no other run has, so that writes differ:

              guildhall bench GetOrganization -d '{"id": "…"}' --target 127.0.0.1:7101 --data data
              guildhall bench AddMember --rate 2000 --target 127.0.0.1:7102 --data data \\
                  -d '{"organizationId": "…", "name": "P", "email": "{{counter}}@{{run}}.example"}'

            Without --rate each caller calls again as soon as it was answered. With --rate so many \
            calls a second are due, and the latency of each counts from then, so that a stall is \
            seen in all calls that it delays.

            get-organization, add-member and check-health measure an installation without more \
            ado: they make an organization of their own, and members in it. Run them against an \
            installation that you can delete.
            """
    )

    /// More connections or calls in flight than this are a slip of the finger.
    static let countMax = 10_000
    /// Threads of the load; more take the processor from a server on the same machine.
    static let threadsDefault = 2

    @Argument(help: "The method, or get-organization, add-member or check-health.")
    var subject: String
    @Option(
        name: .customShort("d"), parsing: .unconditional,
        help: ArgumentHelp("The request as JSON. (default: {})", valueName: "json|@file|-"))
    var document: DocumentArgument?
    @Option(help: ArgumentHelp("The server of the method.", valueName: TargetArgument.form))
    var target: TargetArgument?
    @Option(help: ArgumentHelp("Organizations, without --target.", valueName: "host:port"))
    var organizations = TargetArgument(.tcp(host: "127.0.0.1", port: 7101))
    @Option(help: ArgumentHelp("Membership, without --target.", valueName: "host:port"))
    var membership = TargetArgument(.tcp(host: "127.0.0.1", port: 7102))
    @Option(help: "How many connections.")
    var connections = 8
    @Option(help: "How many calls in flight on each connection.")
    var inFlight = 16
    @Option(help: "How many calls a second are due; without it, as many as are answered.")
    var rate: Double?
    @Option(help: "How many seconds to measure.")
    var seconds = 5
    @Option(help: "How many seconds to call before measuring.")
    var warmUp = 1
    @Option(help: "How many threads make the calls.")
    var threads = BenchCommand.threadsDefault
    @Flag(help: "Prints one line of JSON.")
    var json = false
    @OptionGroup var caller: CallerOptions

    func validate() throws {
        for (name, value) in [
            ("connections", connections), ("in-flight", inFlight), ("seconds", seconds),
            ("threads", threads),
        ] where !(1...Self.countMax).contains(value) {
            throw ValidationError("--\(name) is from 1 to \(Self.countMax)")
        }
        guard (0...Self.countMax).contains(warmUp) else {
            throw ValidationError("--warm-up is from 0 to \(Self.countMax)")
        }
        guard rate.map({ (0.1...10_000_000).contains($0) }) ?? true else {
            throw ValidationError("--rate is from 0.1 to 10000000")
        }
        guard BenchPreset(rawValue: subject) != nil || target != nil else {
            throw ValidationError("--target says where the method is.")
        }
    }

    func run() async throws {
        // One loop each: a connection then stays on the thread of its callers.
        let loops = (0..<threads).map { _ in RPCEventLoops(threadCount: 1) }
        try await Failure.told {
            let work = try await work(loops[0])
            let report = try await load(work, loops)
            let heading = LoadHeading(
                method: work.method.path, target: "\(work.target.target)", pace: pace,
                connections: connections, inFlight: inFlight, duration: .seconds(seconds),
                warmUp: .seconds(warmUp))
            Console().line(json ? report.json(heading).text() : report.text(heading))
            guard report.failureCount == 0, report.calls > 0 else { throw ExitCode.failure }
        }
        for loop in loops { await loop.shutDown() }
    }

    private var pace: LoadGenerator.Pace { rate.map { .open(callsPerSecond: $0) } ?? .closed }

    private func work(_ loops: RPCEventLoops) async throws -> BenchWork {
        if let preset = BenchPreset(rawValue: subject) {
            return try await preset.work(self, loops)
        }
        guard let target else { throw ValidationError("--target says where the method is.") }
        let client = try target.client(loops: loops, caller.protection.security())
        let remote = try await RemoteAPI(
            asking: try caller.signed(client), options: caller.callOptions)
        await client.close()
        let call = try DynamicCall(
            remote.method(named: subject), remote, options: caller.callOptions)
        return try BenchWork(call, document: try (document ?? .empty).whole(), target: target)
    }

    /// Calls over connections of its own, each with its callers on its thread.
    private func load(_ work: BenchWork, _ loops: [RPCEventLoops]) async throws -> LoadReport {
        let security = try caller.protection.security()
        let clients = try (0..<connections).map {
            try work.target.client(loops: loops[$0 % threads], security, callers: inFlight)
        }
        let channels = try clients.map { try caller.signed($0, data: work.dataFolder) }
        let generator = LoadGenerator(
            callers: connections * inFlight, pace: pace, duration: .seconds(seconds),
            warmUp: .seconds(warmUp),
            executors: (0..<connections).flatMap { loops[$0 % threads].taskExecutors })
        var report = await generator.run { caller, number in
            try await work.call(number, over: channels[caller % channels.count])
        }
        report.inFlightMax = clients.compactMap(\.callsPerConnectionMax).min()
        for client in clients { await client.close() }
        return report
    }
}
