import Access
import Messages
import RPC
import RPCServices
import RPCTesting
import RPCTransport
import Synchronization
import Testing

@testable import ServiceKit

@Suite(.timeLimit(.minutes(1))) struct IntrospectionTests {
    private let installation = Installation()
    private let monitor = RPCServerMonitor()
    private let router: Router

    init() throws {
        let introspection = ServiceIntrospection(
            of: monitor, now: { [clock = installation.clock.clock] in Timestamp(clock.now()) },
            admit: { try $0.requirePlatformOwner() })
        router = try installation.router("shelf", introspection.registeredMethods)
    }

    private func client(of peer: Peer = Peer("here", isLocal: true)) -> IntrospectionClient {
        IntrospectionClient(InProcessChannel(router, peer: peer))
    }

    /// Runs the server that the monitor belongs to, and calls it.
    private func serving<Result: Sendable>(
        _ body: @escaping @Sendable (IntrospectionClient, RPCAddress) async throws -> Result
    ) async throws -> Result {
        let configuration = RPCServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: 0), agent: "guildhall-shelf/0.7")
        let server = RPCServer(
            router: router, configuration: configuration, monitor: monitor,
            logger: installation.log.logger)
        return try await during(server.run) {
            let address = try await server.boundAddress
            let client = RPCClient(address, logger: installation.log.logger)
            let result = try await body(IntrospectionClient(client), address)
            await client.close()
            return result
        }
    }

    /// What a caller elsewhere gets, with the grants that its principal states.
    private func refusal(_ grants: [Access.Grant]?) async throws -> Status? {
        var options = CallOptions()
        if let grants {
            let person: UserID = IdentifierSource(milliseconds: { 1 }).next()
            options.metadata[bytes: MetadataKey.principal] =
                try installation.signer("gateway").user(person, grants: grants, audience: "shelf")
        }
        return await status {
            _ = try await client(of: Peer("192.0.2.1:1")).getServer(
                GetServerRequest(), options: options)
        }
    }

    @Test func `whoever is on this machine may ask, as may a peer that was granted it`()
        async throws
    {
        let identity = try PeerIdentity(installation: "guildhall.test", name: "guildhall")

        _ = try await client().getServer(GetServerRequest())
        _ = try await client(of: Peer("192.0.2.1:1", identity: identity))
            .getServer(GetServerRequest())
    }

    @Test func `others need the principal of a platform's owner, for every method`() async throws {
        #expect(try await refusal(nil)?.code == .unauthenticated)
        #expect(try await refusal([Grant(.member)])?.code == .permissionDenied)
        #expect(try await refusal([Grant(.globalAdmin)])?.code == .permissionDenied)
        #expect(try await refusal([Grant(.platformOwner)]) == nil)
        let elsewhere = client(of: Peer("192.0.2.1:1"))
        let connections = await status {
            _ = try await elsewhere.listConnections(ListConnectionsRequest())
        }
        let methods = await status { _ = try await elsewhere.listMethods(ListMethodsRequest()) }
        #expect(connections?.code == .unauthenticated)
        #expect(methods?.code == .unauthenticated)
    }

    @Test func `a server tells what it is, its limits, its connections and its calls`()
        async throws
    {
        try await serving { client, _ in
            _ = try await client.listMethods(ListMethodsRequest())
            let refused = await status {
                _ = try await client.listConnections(ListConnectionsRequest(pageToken: "x"))
            }
            let server = try await client.getServer(GetServerRequest())
            let connections = try await client.listConnections(ListConnectionsRequest())
            let methods = try await client.listMethods(
                ListMethodsRequest(service: "guildhall.rpc.v1.Introspection"))
            let none = try await client.listMethods(ListMethodsRequest(service: "guildhall.rpc"))

            #expect(refused?.code == .invalidArgument)
            #expect(server.agent == "guildhall-shelf/0.7")
            #expect(server.version == "0.7")
            #expect(server.startedAt != nil)
            #expect(server.callsBegun == 3)
            #expect(server.callsFailed == 1)
            #expect(
                server.limits.contains(
                    ServerLimit(
                        name: "handshakeTimeout", value: .time(ProtobufDuration(seconds: 5)))))
            #expect(connections.connections.map(\.phase) == [.open])
            #expect(connections.connections.first?.peer.hasPrefix("127.0.0.1:") == true)
            #expect(connections.nextPageToken.isEmpty)
            let listing = try #require(
                methods.methods.first { $0.path.hasSuffix("/ListConnections") })
            #expect(listing.succeeded == 1)
            #expect(listing.failed == [CodeCount(code: 3, count: 1)])
            #expect(listing.failures.map(\.code) == [3])
            #expect(listing.latency.map(\.count).reduce(0, +) == 2)
            #expect(none.methods.isEmpty)
        }
    }

    @Test func `pages follow one another and end`() async throws {
        try await serving { client, address in
            // Each needs a connection of its own.
            let others = (0..<3).map { _ in RPCClient(address) }
            for other in others {
                _ = try await IntrospectionClient(other).getServer(GetServerRequest())
            }
            var numbers: [UInt64] = []
            var request = ListConnectionsRequest(pageSize: 3)
            repeat {
                let reply = try await client.listConnections(request)
                numbers += reply.connections.map(\.number)
                request.pageToken = reply.nextPageToken
            } while !request.pageToken.isEmpty
            var paths: [String] = []
            var next = ListMethodsRequest(pageSize: 1)
            repeat {
                let reply = try await client.listMethods(next)
                paths += reply.methods.map(\.path)
                next.pageToken = reply.nextPageToken
            } while !next.pageToken.isEmpty
            for other in others { await other.close() }

            #expect(numbers.count == 4)
            #expect(numbers == Set(numbers).sorted())
            #expect(paths == IntrospectionMethods.all.map(\.path).sorted())
        }
    }

    @Test func `every program has it, and tells of it by reflection`() async throws {
        let port = try await installation.freePort()
        let seen = Mutex<(services: [String], agent: String)>(([], ""))

        let exit = await ServiceRunner(name: "shelf", defaultPort: 0).run(
            arguments: ["shelf", "--data", installation.folder.path, "--port", "\(port)"],
            environment: ["GUILDHALL_LOG_LEVEL": "error"]
        ) { environment in
            let visitor = ServiceChild("visitor") {
                let client = RPCClient(
                    .tcp(host: "127.0.0.1", port: port), logger: environment.logger)
                let options = CallOptions(timeout: .seconds(20), waitsForReady: true)
                let services = try await ReflectionClient(client).listServices(
                    ListServicesRequest(), options: options
                ).services
                let agent = try await IntrospectionClient(client).getServer(GetServerRequest())
                    .agent
                seen.withLock { $0 = (services, agent) }
                await client.close()
            }
            return ServiceParts(methods: [], children: [visitor])
        }

        #expect(exit == .success)
        #expect(seen.withLock { $0.services }.contains(ServiceIntrospection.serviceName))
        #expect(seen.withLock { $0.agent } == "guildhall-shelf/0.1")
    }
}
