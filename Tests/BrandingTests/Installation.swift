import Access
import Foundation
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization
import TreeCopy

@testable import Branding

/// The service on a real database in a folder of its own, with callers of every kind.
final class Installation: Sendable {
    let clock = ManualClock()
    let database: Database
    let identifiers: IdentifierSource
    let upstream = Upstream()
    private let folder: String
    private let router: Router

    init() throws {
        folder = NSTemporaryDirectory() + "branding-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let database = try Database(
            DatabaseConfiguration(path: "\(folder)/branding.db"), migrations: migrations)
        self.database = database
        identifiers = IdentifierSource(clock: clock.clock)
        let keys = try KeyRing(folder: "\(folder)/keys", name: "branding")
        let upstream = upstream
        let service = Service(
            database: database, feed: FeedServer(database),
            platform: try PlatformAppearance(
                primary: "#000001", secondary: "#000002", advanced: "link=#000003"),
            treeCatchesUp: { try await upstream.deliver(to: database) })
        router = Router(
            services: [service.registeredMethods],
            interceptors: [
                PrincipalInterceptor(
                    verifier: PrincipalVerifier(service: "branding", keys: keys),
                    clock: clock.clock, openMethods: [BrandingMethods.getAsset])
            ])
    }

    deinit {
        database.close()
        // A folder that stays behind in the temporary one hurts nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// An organization that Organizations has told of, or will when it is asked.
    func organization(
        _ origin: OrganizationOrigin = .manual, below parent: OrganizationID? = nil,
        status: OrganizationStatus = .active, isArchived: Bool = false, isKnown: Bool = true
    ) async throws -> OrganizationID {
        let id: OrganizationID = identifiers.next()
        upstream.tell(
            OrganizationNode(
                id: id.text, parentID: parent?.text ?? "", title: id.text, status: status,
                origin: origin, version: 1, archived: isArchived))
        if isKnown { try await upstream.deliver(to: database) }
        return id
    }

    /// Organizations below one another, all of one origin.
    func chain(
        _ length: Int, _ origin: OrganizationOrigin = .manual
    ) async throws -> [OrganizationID] {
        var chain: [OrganizationID] = []
        for _ in 0..<length {
            chain.append(try await organization(origin, below: chain.last))
        }
        return chain
    }

    /// What the feed has told so far.
    func events() async throws -> [Appearance] {
        try await database.feed.events(after: 0, limit: 1_000).map { event in
            try Appearance(decoding: event.body)
        }
    }

    /// A person with grants.
    func user(
        _ grants: Access.Grant..., as id: UserID? = nil
    ) throws -> BrandingClient {
        let signer = try signer("gateway")
        let user = id ?? identifiers.next()
        return client { try signer.user(user, grants: grants) }
    }

    /// A program with grants.
    func program(_ grants: Access.Grant...) throws -> BrandingClient {
        let signer = try signer("gateway")
        let key: APIKeyID = identifiers.next()
        return client { try signer.apiKey(key, grants: grants) }
    }

    /// A person who may do everything.
    func platformOwner() throws -> BrandingClient {
        try user(Access.Grant(.platformOwner))
    }

    /// Another process of the installation.
    func service(_ name: String) throws -> BrandingClient {
        let signer = try signer(name)
        return client { try signer.service(audience: "branding") }
    }

    /// Somebody who does not say who calls.
    func stranger() -> BrandingClient {
        client { nil }
    }

    private func client(
        _ statement: @escaping @Sendable () throws -> [UInt8]?
    ) -> BrandingClient {
        BrandingClient(
            InProcessChannel(router).intercepted(
                by: Stating(installation: self, statement: statement)))
    }

    private func signer(_ name: String) throws -> PrincipalSigner {
        PrincipalSigner(
            keys: try KeyRing(folder: "\(folder)/keys", name: name), clock: clock.clock)
    }
}

/// What Organizations has said, and how much of it has arrived.
final class Upstream: Sendable {
    private struct State {
        var isReachable = true
        var waiting: [OrganizationNode] = []
    }

    private let state = Mutex(State())

    func setReachable(_ isReachable: Bool) {
        state.withLock { $0.isReachable = isReachable }
    }

    func tell(_ node: OrganizationNode) {
        state.withLock { $0.waiting.append(node) }
    }

    func deliver(to database: Database) async throws {
        let nodes = try state.withLock { state in
            guard state.isReachable else { throw Status(.unavailable, "Nobody answers.") }
            defer { state.waiting = [] }
            return state.waiting
        }
        try await database.write { transaction in
            for node in nodes { try TreeCopy.apply(node, in: transaction) }
            try TreeCopy.finishRebuild(in: transaction)
        }
    }
}

/// Makes calls state one principal, if any.
struct Stating: ClientInterceptor {
    /// Stays for as long as somebody may call it.
    let installation: Installation
    let statement: @Sendable () throws -> [UInt8]?

    func begin(_ method: MethodDescriptor, _ options: inout CallOptions) throws {
        options.metadata[bytes: MetadataKey.principal] = try statement()
        // Many tests run at once.
        options.timeout = options.timeout ?? .seconds(20)
    }
}

extension CallOptions {
    /// Options with an idempotency key.
    static func key(_ key: String) -> CallOptions {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return options
    }
}

/// The status with which a call is refused; a call that succeeds fails the test.
func refusal<Reply: Sendable>(
    of call: () async throws -> Reply
) async throws -> Status {
    do {
        let reply = try await call()
        throw UnexpectedReply(description: "answered: \(reply)")
    } catch let status as Status {
        return status
    }
}

struct UnexpectedReply: Error, CustomStringConvertible {
    let description: String
}

extension Status {
    /// The fields that the status complains about.
    var invalidFields: [String] {
        details.flatMap { detail -> [String] in
            guard case .badRequest(let violations) = detail else { return [] }
            return violations.map(\.field)
        }
    }
}
