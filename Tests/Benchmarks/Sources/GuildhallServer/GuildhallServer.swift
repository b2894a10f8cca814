import BenchmarkKit
import Messages
import RPC
import RPCTransport

/// `GuildhallServer asynchronous|synchronous REPLY-FILE`: prints its port and serves until it is
/// killed.
@main
enum GuildhallServer {
    /// The connections that part `memory` holds, and some.
    static let connectionsMax = 20_000

    /// How the unary method is registered.
    enum Form: String {
        case asynchronous
        case synchronous
    }

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let form = Form(rawValue: arguments[1]) else {
            throw Misuse(reason: "usage: GuildhallServer asynchronous|synchronous REPLY-FILE")
        }
        let reply = try Organization(decoding: Fixture.bytes(at: arguments[2]))
        var configuration = RPCServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: 0), agent: "benchmark/1")
        configuration.limits.connectionsMax = connectionsMax
        let server = RPCServer(
            router: Router(services: [methods(form, reply), [Stream.method(reply)]]),
            configuration: configuration, loops: RPCEventLoops(threadCount: 1))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.run() }
            if case .tcp(_, let port) = try await server.boundAddress { Output.line("\(port)") }
        }
    }

    private static func methods(
        _ form: Form, _ reply: Organization
    ) -> [RegisteredMethod] {
        switch form {
        case .asynchronous: return Service(reply: reply).registeredMethods
        case .synchronous:
            return [
                RegisteredMethod(
                    OrganizationsMethods.getOrganization,
                    .synchronous { payload, _ in
                        _ = try payload.withBytes { bytes in
                            try GetOrganizationRequest(decoding: bytes, limits: .standard)
                        }
                        return .message(reply)
                    })
            ]
        }
    }

    /// What was asked for is not there.
    struct Misuse: Error {
        let reason: String
    }
}
