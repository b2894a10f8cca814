import Access
import Foundation
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Organizations

/// The service on a real database in a folder of its own, with callers of every kind.
final class Installation: Sendable {
    let clock = ManualClock()
    /// By how much the clock has jumped, while no time has passed.
    private let jumps = Jumps()
    let database: Database
    let acknowledgements = Acknowledgements()
    let people = CountedPeople()
    let lobby = Lobby()
    let branding = Looks()
    let partners = Assignments()
    let textRecords = PublishedRecords()
    let identifiers: IdentifierSource
    let pageTokens: PageTokens
    private let folder: String
    private let limits: Limits
    private let keys: KeyRing
    private let work: Task<Void, Never>
    private let ownRouter: Mutex<Router?> = Mutex(nil)

    init(
        limits: Limits = Limits(), hooks: HookRules = HookRules(), hookPace: HookPace = HookPace()
    ) throws {
        self.limits = limits
        folder = NSTemporaryDirectory() + "organizations-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        var settings = DatabaseConfiguration(path: "\(folder)/organizations.db")
        // Time passes for the database as well when a test lets it pass.
        settings.uptime = { [clock, jumps] in
            WallTime(microseconds: 0).duration(to: clock.now) - jumps.sum.withLock { $0 }
        }
        database = try Database(settings, migrations: migrations)
        identifiers = IdentifierSource(clock: clock.clock)
        keys = try KeyRing(folder: "\(folder)/keys", name: "organizations")
        pageTokens = PageTokens(keys: keys)
        let (acknowledgements, people, lobby) = (acknowledgements, people, lobby)
        let (branding, partners) = (branding, partners)
        let service = Service(
            database: database, feed: FeedServer(database), identifiers: identifiers,
            pageTokens: pageTokens, limits: limits,
            textRecords: textRecords,
            others: OtherServices(
                membershipFollows: { head, _ in try acknowledgements.record(head) },
                membershipTries: { try await people.tries($0, $1) },
                membershipLists: { request, _ in try await lobby.list(request) },
                membershipAdmits: { try await lobby.admit($0, $1) },
                brandingTries: { try await branding.tries($0, $1) },
                partnersTry: { try await partners.tries($0, $1) },
                modulesTry: { try await partners.tries($0, $1) },
                ownAppearance: { try await branding.appearance($0, $1) }), hooks: hooks,
            hookPace: hookPace)
        var pace = WorkflowSettings()
        pace.pollInterval = .milliseconds(50)
        let relocations = Relocations(
            moveSubtree: { request, options in try await people.moves(request, options) },
            cancelMove: { request, _ in try await people.cancels(request) },
            restoreSubtree: { request, options in try await people.restores(request, options) },
            cancelRestore: { request, _ in try await people.cancels(request) },
            clock: clock.clock)
        let runner = relocations.runner(of: database, settings: pace)
        let operators = WorkflowService(desk: relocations.desk(of: database, pages: pageTokens))
        // Ends with the test, by being cancelled.
        work = Task { try? await runner.run() }
        let router = router(
            for: Array(service.methods.joined()) + operators.registeredMethods)
        ownRouter.withLock { $0 = router }
    }

    /// Methods behind what finds out who calls.
    func router(for methods: [RegisteredMethod]) -> Router {
        Router(
            services: [methods],
            interceptors: [
                PrincipalInterceptor(
                    verifier: PrincipalVerifier(service: "organizations", keys: keys),
                    clock: clock.clock, openMethods: Service.openMethods)
            ])
    }

    /// A channel to methods, for a person with grants.
    func channel(
        _ router: Router, _ grants: [Access.Grant], as person: UserID? = nil
    ) throws -> any Channel {
        try channel(router, grants, of: .user(person ?? identifiers.next()))
    }

    /// A channel to methods, for a person or a program with grants.
    func channel(
        _ router: Router, _ grants: [Access.Grant], of subject: Access.Principal.Subject
    ) throws -> any Channel {
        let signer = try signer("gateway")
        return InProcessChannel(router).intercepted(
            by: Stating(installation: self) {
                switch subject {
                case .user(let id): try signer.user(id, grants: grants)
                case .apiKey(let id): try signer.apiKey(id, grants: grants)
                case .service: nil
                }
            })
    }

    deinit {
        work.cancel()
        database.close()
        // A folder that stays behind in the temporary one hurts nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// A person with grants.
    func user(
        _ grants: Access.Grant..., as id: UserID? = nil
    ) throws -> OrganizationsClient {
        let signer = try signer("gateway")
        let user = id ?? identifiers.next()
        return client { try signer.user(user, grants: grants) }
    }

    /// A program with grants.
    func program(
        _ grants: Access.Grant..., as id: APIKeyID? = nil
    ) throws -> OrganizationsClient {
        let signer = try signer("gateway")
        let key = id ?? identifiers.next()
        return client { try signer.apiKey(key, grants: grants) }
    }

    /// A person who may do everything.
    func platformOwner() throws -> OrganizationsClient {
        try user(Access.Grant(.platformOwner))
    }

    /// Another process of the installation.
    func service(_ name: String) throws -> OrganizationsClient {
        let signer = try signer(name)
        return client { try signer.service(audience: "organizations") }
    }

    /// Somebody who does not say who calls.
    func stranger() -> OrganizationsClient {
        client { nil }
    }

    /// Lets days go by with the database open, as its housekeeping notes at their beginning.
    func pass(days: Int) async throws {
        clock.advance(by: .milliseconds(1))
        try await database.noteRunningTime(at: clock.now)
        clock.advance(by: .seconds(days * 86_400))
    }

    /// Sets the clock another time, of which the database has not been open.
    func jump(by duration: Duration) {
        jumps.sum.withLock { $0 += duration }
        clock.advance(by: duration)
    }

    /// What the service does from time to time.
    func upkeep() -> Upkeep {
        Upkeep(database: database, limits: limits)
    }

    private func client(
        _ statement: @escaping @Sendable () throws -> [UInt8]?
    ) -> OrganizationsClient {
        OrganizationsClient(channel(statement))
    }

    /// A channel whose calls state one principal, if any.
    func channel(_ statement: @escaping @Sendable () throws -> [UInt8]?) -> any Channel {
        guard let router = ownRouter.withLock({ $0 }) else {
            preconditionFailure("the router is made with the installation")
        }
        return InProcessChannel(router).intercepted(
            by: Stating(installation: self, statement: statement))
    }

    func signer(_ name: String) throws -> PrincipalSigner {
        PrincipalSigner(
            keys: try KeyRing(folder: "\(folder)/keys", name: name), clock: clock.clock)
    }
}

/// What Membership was asked to acknowledge, and whether it does.
final class Acknowledgements: Sendable {
    private struct State {
        var isReachable = true
        var heads: [FeedHead] = []
    }

    private let state = Mutex(State())

    var heads: [FeedHead] { state.withLock { $0.heads } }

    func setReachable(_ isReachable: Bool) {
        state.withLock { $0.isReachable = isReachable }
    }

    func record(_ head: FeedHead) throws {
        try state.withLock { state in
            guard state.isReachable else { throw Status(.unavailable, "Nobody answers.") }
            state.heads.append(head)
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

    /// Options of a call whose update mask was made of what was sent.
    static var impliedMask: CallOptions {
        var options = CallOptions()
        options.metadata[text: MetadataKey.maskIsImplied] = "true"
        return options
    }
}

extension CreateOrganizationRequest {
    /// A request in which everything but the title is there.
    static func named(_ title: String, below parent: String = "") -> Self {
        Self(parentID: parent, title: title, category: .academicK12, country: "US")
    }
}

extension OrganizationsClient {
    /// Creates an organization of which only the title matters.
    func create(_ title: String, below parent: Organization? = nil) async throws -> Organization {
        try await createOrganization(.named(title, below: parent?.id ?? ""))
    }

    /// Creates organizations below one another, and answers them from the root down.
    func chain(_ titles: String...) async throws -> [Organization] {
        var chain: [Organization] = []
        for title in titles { chain.append(try await create(title, below: chain.last)) }
        return chain
    }
}

extension Organization {
    /// The identifier as a value.
    var organizationID: OrganizationID {
        get throws {
            try OrganizationID(requestText: id, field: "id")
        }
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

extension Installation {
    /// What the feed has told so far.
    func nodes() async throws -> [OrganizationNode] {
        try await database.feed.events(after: 0, limit: 1_000).map { event in
            try OrganizationNode(decoding: event.body)
        }
    }
}

extension Installation {
    /// What the service's verifiers find wrong.
    func findings() async throws -> [String] {
        let found = Mutex<[String]>([])
        try await database.verify(verifiers) { findings in
            found.withLock { $0 += findings.differences.map { "\(findings.name): \($0)" } }
        }
        return found.withLock { $0 }
    }
}

/// By how much a clock was set.
private final class Jumps: Sendable {
    let sum = Mutex(Duration.zero)
}
