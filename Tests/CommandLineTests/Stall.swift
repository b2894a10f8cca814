import DynamicMessages
import Foundation
import Logging
import Messages
import RPC
import RPCServices
import RPCTransport
import ServiceKit
import Synchronization

/// A server in this process with something of every kind to call.
final class Stall: Sendable {
    /// What its methods were called with.
    struct Heard: Sendable {
        var requests: [[UInt8]] = []
        var metadata: [Metadata] = []
        var arrivals: [ContinuousClock.Instant] = []
    }

    private static let kindsFile = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "DynamicMessagesTests/Fixtures/kinds.pb")

    private let heard = Mutex(Heard())
    private let kinds: [UInt8]

    init() throws {
        kinds = Array(try Data(contentsOf: Self.kindsFile))
    }

    var requests: [[UInt8]] { heard.withLock { $0.requests } }
    var metadata: [Metadata] { heard.withLock { $0.metadata } }
    /// When they came.
    var arrivals: [ContinuousClock.Instant] { heard.withLock { $0.arrivals } }

    /// Serves on a free port while a closure runs; the closure gets the address.
    static func open(
        keys: String? = nil, security: RPCServerSecurity = .plaintext,
        _ body: (Stall, String) async throws -> Void
    ) async throws {
        let stall = try Stall()
        let methods = [stall.methods, ServiceHealth().registeredMethods]
        // Two sets, one after the other, are one set.
        let reflection = ServiceReflection(
            of: methods.joined().map(\.descriptor), descriptors: FileDescriptors.set + stall.kinds)
        var interceptors: [any ServerInterceptor] = []
        if let keys {
            let ring = try KeyRing(folder: keys, name: "stall")
            interceptors.append(
                PrincipalInterceptor(verifier: PrincipalVerifier(service: "stall", keys: ring)))
        }
        var configuration = RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0))
        configuration.security = security
        let server = RPCServer(
            router: Router(
                services: methods + [reflection.registeredMethods], interceptors: interceptors),
            configuration: configuration,
            logger: Logger(label: "stall") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = try await server.boundAddress
            do {
                try await body(stall, "\(address)")
            } catch {
                server.shutdownGracefully()
                throw error
            }
            server.shutdownGracefully()
            try await group.waitForAll()
        }
    }

    private func hear(_ payload: any Payload, _ context: CallContext) {
        heard.withLock { heard in
            heard.requests.append(payload.bytes)
            heard.metadata.append(context.metadata)
            heard.arrivals.append(.now)
        }
    }

    private static let kindsService = "guildhall.kinds.v1.Grower"

    private var methods: [RegisteredMethod] {
        [
            RegisteredMethod(
                OrganizationsMethods.getOrganization,
                .unary { payload, context in
                    self.hear(payload, context)
                    let request = try GetOrganizationRequest(decoding: payload.bytes)
                    guard request.id != "missing" else { throw Self.refusal }
                    var organization = Organization(
                        id: request.id, title: "Riverside", category: .academicK12,
                        createdAt: Timestamp(seconds: 951_782_400))
                    organization.version = 7
                    return .message(organization)
                }),
            RegisteredMethod(
                OrganizationsMethods.createOrganization,
                .unary { payload, context in
                    self.hear(payload, context)
                    let request = try CreateOrganizationRequest(decoding: payload.bytes)
                    return .message(Organization(title: request.title))
                }),
            RegisteredMethod(
                MethodDescriptor(
                    service: Self.kindsService, name: "Grow", kind: .unary, idempotency: .safe),
                .unary { payload, context in
                    self.hear(payload, context)
                    return .encoded([] as [UInt8])
                }),
            RegisteredMethod(
                MethodDescriptor(
                    service: Self.kindsService, name: "GrowMany", kind: .bidirectional),
                .bidirectional { requests, context, replies in
                    while let payload = try await requests.next() {
                        self.hear(payload, context)
                        // A leaf whose weight is the number of bytes heard.
                        let weight = UInt8(min(payload.byteCount, 60)) * 2
                        try await replies.write(.encoded([0x10, weight]))
                    }
                }),
        ]
    }

    private static let refusal = Status(
        .notFound, "There is no such organization.",
        details: [
            .errorInfo(reason: "not_found", domain: "guildhall", metadata: ["kind": "tree"]),
            .badRequest([.init(field: "id", description: "Nobody has it.")]),
            .other(
                typeURL: "type.googleapis.com/guildhall.kinds.v1.Kinds.Leaf",
                value: [0x0A, 0x01, 0x61]),
        ])
}
