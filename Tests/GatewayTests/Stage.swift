import Access
import Foundation
import Logging
import Messages
import RPC
import RPCTesting
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// A gateway on a real socket before four services in the same process.
struct Stage: Sendable {
    /// Speaks HTTP to the gateway.
    let http: HTTPClient
    /// Speaks RPC to the gateway's own port, without a socket.
    let rpc: InProcessChannel
    /// Moves the time after which sessions are asked again.
    let clock: ManualInstant

    /// The token of the only person who is signed in.
    static let token = "token-of-ada"
    static let ada = UserID(millisecondsSince1970: 1, random: (7, 7))

    /// Runs a gateway before services that have the given methods, some of them ready.
    static func run(
        _ methods: [RegisteredMethod], limits: Limits = Limits(),
        allowedOrigins: String = "", trustedProxies: String = "",
        publicURL: String = "http://gateway.test",
        serving: Set<Backend> = Set(Backend.allCases),
        _ body: @escaping @Sendable (Stage) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "gateway-tests-\(UUID().uuidString)")
        // What is left behind lies in the temporary folder.
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = PrincipalSigner(keys: try KeyRing(folder: folder.path, name: "gateway"))
        let upstreams = try Upstreams(folder: folder.path, methods, serving)
        let clock = ManualInstant()
        let sessions = Sessions(
            membership: upstreams.membership, signer: signer, now: { clock.now })
        let openCalls = OpenCalls(
            limits: limits, proxies: try #require(TrustedProxies(trustedProxies)),
            now: { clock.now })
        let address = HTTPAddress(configured: publicURL)
        let api = API(
            routes: RouteTable(Routes.all), transcoder: Transcoder(limits: limits),
            sessions: sessions, openCalls: openCalls, upstreams: upstreams)
        let door = PageDoor(
            sessions: sessions, openCalls: openCalls, upstreams: upstreams, address: address,
            limits: limits)
        let front = Front(
            limits: limits, api: api,
            pages: Pages(upstreams: upstreams, address: address),
            assets: Assets(branding: upstreams.branding, callTimeout: limits.callTimeout),
            contact: Contact(
                organizations: upstreams.organizations, openCalls: openCalls, address: address,
                limits: limits),
            accounts: Accounts(door: door, api: api),
            crossOrigin: try #require(CrossOrigin(allowedOrigins)),
            logger: Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() })
        let port = RPCPort(
            sessions: sessions, openCalls: openCalls, upstreams: upstreams, routes: Routes.all)
        let channel = InProcessChannel(Router(services: [port.methods]))
        try await serve(front) { port in
            try await body(
                Stage(http: HTTPClient(port: port), rpc: channel, clock: clock))
        }
    }

    private static func serve(
        _ front: Front, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let address = HTTPAddress(configured: nil)
        let server = HTTPServer(front: front, host: "127.0.0.1", port: 0, address: address)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let url = try await address.whenListening()
            let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
            try await body(port)
            group.cancelAll()
        }
    }
}

extension Upstreams {
    /// The four services, each believing the gateway and nobody else.
    fileprivate init(
        folder: String, _ methods: [RegisteredMethod], _ serving: Set<Backend>
    ) throws {
        func service(_ upstream: Backend) throws -> InProcessChannel {
            let keys = try KeyRing(folder: folder, name: upstream.rawValue)
            let names = Set(upstream.methods.map(\.service))
            let health = RegisteredMethod(
                HealthMethods.check,
                .unary { _, _ in
                    .message(
                        CheckHealthReply(
                            state: serving.contains(upstream) ? .serving : .notServing))
                })
            return InProcessChannel(
                Router(
                    services: [methods.filter { names.contains($0.descriptor.service) }, [health]],
                    interceptors: [
                        PrincipalInterceptor(
                            verifier: PrincipalVerifier(service: upstream.rawValue, keys: keys),
                            openMethods: [
                                MembershipMethods.signIn, BrandingMethods.getAsset,
                                ContactsMethods.submitContact, SignUpsMethods.signUp,
                                SignUpsMethods.verifyEmail,
                            ])
                    ]))
        }
        self.init(
            organizations: try service(.organizations), membership: try service(.membership),
            partners: try service(.partners), branding: try service(.branding))
    }
}

/// Serves a method with a closure.
func serve<Request: RPC.Message, Reply: RPC.Message>(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (Request, CallContext) async throws -> Reply
) -> RegisteredMethod {
    RegisteredMethod(
        method,
        .unary { payload, context in
            let request = try Request(decoding: payload.bytes)
            return .message(try await body(request, context))
        })
}

/// Answers whose session a token is: Ada's, for hers.
let authentication = serve(MembershipMethods.authenticate) {
    (request: AuthenticateRequest, context) -> AuthenticateReply in
    try context.require(.authenticateSessions)
    guard request.token == Stage.token else { throw Status.unauthenticated() }
    return AuthenticateReply(
        userID: Stage.ada.text, grants: [Messages.Grant(role: .platformOwner)])
}

/// An instant that is moved by hand.
final class ManualInstant: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) {
        instant.withLock { $0 = $0.advanced(by: duration) }
    }
}

/// Counts, from any task.
final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() { count.withLock { $0 += 1 } }
}

/// Keeps the last value that it was given, from any task.
final class Last<Value: Sendable>: Sendable {
    private let kept = Mutex<Value?>(nil)

    var value: Value? { kept.withLock { $0 } }

    func keep(_ value: Value) { kept.withLock { $0 = value } }
}
