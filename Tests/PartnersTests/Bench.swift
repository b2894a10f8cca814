import Access
import Crypto
import Foundation
import Logging
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing
import TreeCopy

@testable import Partners

/// A database that outlives each life of the service, and the other services around it.
final class Bench: Sendable {
    let neighbours = Neighbours()
    let clock = ManualClock()
    let identifiers: IdentifierSource
    let folder: String
    private let approval: ApprovalPatience
    private let limits: CatalogLimits
    private let gateway: KeyRing
    private let partners: KeyRing

    /// A bench on which approvals wait for so long, and the catalog has room for so much.
    init(
        approvalWait: Duration = .seconds(10), limits: CatalogLimits = CatalogLimits()
    ) throws {
        self.limits = limits
        approval = ApprovalPatience(wait: approvalWait)
        identifiers = IdentifierSource(clock: clock.clock)
        folder = "\(NSTemporaryDirectory())guildhall-partners-\(UUID().uuidString)"
        gateway = try KeyRing(folder: "\(folder)/keys", name: "gateway")
        partners = try KeyRing(folder: "\(folder)/keys", name: "partners")
    }

    deinit {
        // What is left behind in the temporary folder harms nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs the service once, from opening its database to the end of the body.
    func life<Result: Sendable>(
        _ body: (Life) async throws -> Result
    ) async throws -> Result {
        var configuration = DatabaseConfiguration(path: "\(folder)/partners.db")
        configuration.freeBytesMin = 0
        let database = try Database(configuration, migrations: Configuration.migrations)
        defer { database.close() }
        let consumer = FeedConsumer(
            FeedSource(OrganizationsClient(channel(to: "organizations"))), into: database,
            target: Configuration.treeTarget, logger: Logger(label: "test"))
        let runner = fulfilment.runner(of: database, random: { 0 })
        let pages = PageTokens(key: SymmetricKey(data: [UInt8](repeating: 1, count: 32)))
        var service = Service(
            database: database, organizations: consumer, pages: pages, identifiers: identifiers,
            workflows: fulfilment.desk(of: database, pages: pages))
        service.approval = approval
        service.limits = limits
        let life = Life(bench: self, database: database, router: router(of: service))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            group.addTask { try await runner.run() }
            try await consumer.waitUntilApplied(
                Int64(neighbours.world.events.count), incarnation: Neighbours.incarnation)
            let result = try await body(life)
            // As a process that is killed: nothing is written from here on.
            database.close()
            group.cancelAll()
            while let ended = await group.nextResult() {
                if case .failure(let error) = ended { life.note(error) }
            }
            return result
        }
    }

    private var fulfilment: FulfilSale {
        FulfilSale(
            organizations: OrganizationsClient(channel(to: "organizations")),
            membership: MembershipClient(channel(to: "membership")),
            branding: BrandingClient(channel(to: "branding")), clock: clock.clock)
    }

    private func router(of service: Service) -> Router {
        Router(services: service.methods, interceptors: [check(for: "partners")])
    }

    private func channel(to name: String) -> any Channel {
        let methods =
            switch name {
            case "organizations": (neighbours as any OrganizationsService).registeredMethods
            case "membership": (neighbours as any MembershipService).registeredMethods
            default: (neighbours as any BrandingService).registeredMethods
            }
        let router = Router(services: [methods], interceptors: [check(for: name)])
        let signer = PrincipalSigner(keys: partners, clock: clock.clock)
        return InProcessChannel(router).intercepted(
            by: SigningInterceptor(signer: signer, audience: name))
    }

    private func check(for service: String) -> PrincipalInterceptor {
        PrincipalInterceptor(
            verifier: PrincipalVerifier(service: service, keys: partners), clock: clock.clock)
    }

    /// The statement by which the service believes who calls.
    func statement(of caller: TestCaller) throws -> [UInt8] {
        switch caller {
        case .person(let user, let grants):
            try PrincipalSigner(keys: gateway, clock: clock.clock).user(user, grants: grants)
        case .program(let key, let grants):
            try PrincipalSigner(keys: gateway, clock: clock.clock).apiKey(key, grants: grants)
        case .service:
            try PrincipalSigner(keys: gateway, clock: clock.clock).service(audience: "partners")
        case .organizations:
            try PrincipalSigner(
                keys: try KeyRing(folder: "\(folder)/keys", name: "organizations"),
                clock: clock.clock
            ).service(audience: "partners")
        }
    }
}

/// Who makes a call in a test.
enum TestCaller: Sendable {
    case person(UserID, [Access.Grant])
    case program(APIKeyID, [Access.Grant])
    case service
    /// The service of that name.
    case organizations

    /// Owns the platform.
    static let owner = TestCaller.person(UserID(high: 1, low: 1), [Access.Grant(.platformOwner)])
    /// Administers the platform.
    static let admin = TestCaller.person(UserID(high: 1, low: 2), [Access.Grant(.globalAdmin)])
    /// Has no role anywhere.
    static let stranger = TestCaller.person(UserID(high: 1, low: 3), [])
}

/// One life of the service: the time between two crashes.
struct Life: Sendable {
    let bench: Bench
    let database: Database
    let router: Router

    var client: PartnersClient { PartnersClient(InProcessChannel(router)) }

    func options(
        _ caller: TestCaller = .owner, key: String? = nil
    ) throws -> CallOptions {
        // Time enough for a machine that is busy with other tests.
        var options = CallOptions(timeout: .seconds(30))
        options.metadata[bytes: MetadataKey.principal] = try bench.statement(of: caller)
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return options
    }

    /// A run that ends with the database closed under it is what a crash looks like.
    func note(_ error: any Error) {
        if error is CancellationError || error is StorageFault || error is Status { return }
        Issue.record(error)
    }
}
