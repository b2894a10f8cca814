internal import Glibc
internal import Logging
internal import RPCServices
internal import RPCTransport
internal import ServiceLifecycle

/// Says when the program is ready, and first of all when it no longer is.
struct ReadyService: Service {
    let server: RPCServer
    let name: String
    let environment: ServiceEnvironment
    let suffix: (@Sendable () async throws -> String)?
    /// What must have caught up before the program is ready.
    let copies: [FeedConsumer]
    /// How long that is waited for.
    let copiesTimeMax: Duration

    func run() async throws {
        // What keeps the server from listening is told by the server.
        guard let address = try? await server.boundAddress else { return }
        var line = "ready \(name) \(address)"
        if let suffix { line += " \(try await suffix())" }
        let behind = await cancelWhenGracefulShutdown { await sourcesBehind() }
        guard !Task.isShuttingDownGracefully, !Task.isCancelled else { return }
        if !behind.isEmpty {
            let names = behind.joined(separator: ",")
            line += " \(ReadyLine.behind) \(names)"
            environment.logger.warning("ready before its copies are", metadata: ["of": "\(names)"])
        }
        environment.health.set(serving: true)
        StandardErrorLog.write("\(line)\n", to: STDOUT_FILENO)
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // The group ends in a hurry; readiness ends all the same.
        }
        environment.health.set(serving: false)
    }

    /// The services of which not everything is known here when the time is over.
    private func sourcesBehind() async -> [String] {
        await withTaskGroup(of: String?.self) { group in
            for copy in copies {
                group.addTask {
                    await copy.catchesUp(within: copiesTimeMax) ? nil : copy.sourceName
                }
            }
            var names: [String] = []
            for await name in group { if let name { names.append(name) } }
            return names.sorted()
        }
    }
}

/// The line on standard output by which a program says that it is ready.
///
/// `ready NAME ADDRESS`, what belongs to the program itself, and, when copies have not caught up
/// in time, `behind` with the names of their services.
public enum ReadyLine {
    static let behind = "behind"

    /// The services that a program was missing when it became ready, as the end of its line says.
    public static func servicesBehind(in line: some StringProtocol) -> [String] {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[words.count - 2] == behind else { return [] }
        return words[words.count - 1].split { $0 == "," }.map { String($0) }
    }
}
