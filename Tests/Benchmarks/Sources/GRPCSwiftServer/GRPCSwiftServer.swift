import BenchmarkKit
import GRPCCore
import GRPCNIOTransportHTTP2
import SwiftProtobuf

/// `GRPCSwiftServer REPLY-FILE`: prints its port and serves until it is killed.
@main
enum GRPCSwiftServer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { throw Misuse() }
        let reply = try Guildhall_Organizations_V1_Organization(
            serializedBytes: Fixture.bytes(at: CommandLine.arguments[1]))
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
            services: [OrganizationsService(reply: reply)])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.serve() }
            let address = try await server.listeningAddress
            Output.line("\(address?.ipv4?.port ?? 0)")
        }
    }

    /// The arguments are not those of the usage above.
    struct Misuse: Error {}
}
