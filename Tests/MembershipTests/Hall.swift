import Access
import Foundation
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Membership

enum Sample {
    /// An identifier that a number tells apart.
    static func organization(_ number: UInt64) -> OrganizationID {
        OrganizationID(millisecondsSince1970: number, random: (0, number))
    }

    static let password = "correct horse battery"
}

/// One Membership service in this process, on a database in a file of its own.
final class Hall: Sendable {
    let clock: ManualClock
    let identifiers: IdentifierSource
    let database: Database
    let follower: TreeFollower
    let service: Service
    let router: Router
    let signers: [String: PrincipalSigner]
    let folder: URL
    private let earlier: Hall?
    private let version: Atomic<Int64>

    /// A hall.
    ///
    /// - Parameters:
    ///   - tree: Waits for the copy of the tree.
    ///   - passwords: Checks passwords.
    ///   - earlier: A hall that has closed its database, to go on with it.
    ///   - organizations: Answers what is asked of Organizations.
    ///   - freeBytesMin: Writes are refused while less is free on the disk.
    /// - Throws: When there is no room for it.
    init(
        tree: TreeBarrier = .none, passwords: Passwords = Passwords(), after earlier: Hall? = nil,
        organizations: OrganizationOffice = OrganizationOffice(), freeBytesMin: Int64 = 0
    ) throws {
        self.earlier = earlier
        version = Atomic(earlier?.version.load(ordering: .relaxed) ?? 0)
        folder =
            earlier?.folder
            ?? FileManager.default.temporaryDirectory
            .appending(path: "membership-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        clock = earlier?.clock ?? ManualClock()
        let clock = clock.clock
        identifiers = IdentifierSource(clock: clock)
        var settings = DatabaseConfiguration(path: folder.appending(path: "membership.db").path)
        settings.freeBytesMin = freeBytesMin
        database = try Database(settings, migrations: Membership.migrations)
        let paths = TreePaths()
        follower = TreeFollower(paths: paths, identifiers: identifiers, clock: clock)
        let keys = folder.appending(path: "keys").path
        signers = try Dictionary(
            uniqueKeysWithValues: ["gateway", "organizations", "partners", "branding"].map {
                ($0, PrincipalSigner(keys: try KeyRing(folder: keys, name: $0), clock: clock))
            })
        let ring = try KeyRing(folder: keys, name: "membership")
        service = Service(
            database: database, identifiers: identifiers, passwords: passwords,
            failures: SignInFailureTable(),
            random: { count in
                (0..<count).map { _ in UInt8.random(in: 0 ... .max) }
            },
            paths: paths, tree: tree, pageTokens: PageTokens(keys: ring),
            digestKey: ring.secret(for: "requests with passwords"),
            feed: FeedServer(database))
        let keyDesk = APIKeyDesk(
            service: service, secrets: ring.secret(for: APIKeySecret.purpose))
        let provisioning = ProvisioningDesk(
            service: service, organization: { try organizations.provision($0, $1) })
        router = Router(
            services: [
                service.registeredMethods, keyDesk.registeredMethods,
                provisioning.registeredMethods,
                SeatTypeDesk(service: service).registeredMethods,
                LicenseTypeDesk(service: service).registeredMethods,
                AccessDesk(service: service).registeredMethods,
            ],
            interceptors: [
                PrincipalInterceptor(
                    verifier: PrincipalVerifier(service: "membership", keys: ring), clock: clock,
                    openMethods: Service.openMethods)
            ])
    }

    deinit {
        database.close()
        // What is left behind lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: - Who calls

    /// Calls of a person with grants.
    func acting(_ user: UserID, _ grants: [Access.Grant]) -> MembershipClient {
        MembershipClient(
            InProcessChannel(router).acting { [signers] in
                guard let gateway = signers["gateway"] else { return [] }
                return try gateway.user(user, grants: grants, audience: "membership")
            })
    }

    /// Calls of somebody with one role.
    func acting(_ role: Access.Role, at node: OrganizationID? = nil) -> MembershipClient {
        acting(identifiers.next(), [Access.Grant(role, at: node)])
    }

    /// Calls of a process for itself.
    func service(_ name: String) -> MembershipClient {
        MembershipClient(
            InProcessChannel(router).acting { [signers] in
                guard let signer = signers[name] else { return [] }
                return try signer.service(audience: "membership")
            })
    }

    /// What the gateway says of a person.
    func statement(of user: UserID, _ grants: [Access.Grant]) throws -> [UInt8] {
        guard let gateway = signers["gateway"] else { return [] }
        return try gateway.user(user, grants: grants, audience: "membership")
    }

    /// What a process says of itself.
    func statement(of name: String, audience: String) throws -> [UInt8] {
        guard let signer = signers[name] else { return [] }
        return try signer.service(audience: audience)
    }

    /// Finds out who calls a service whose keys are those of this hall.
    func interceptor(
        for service: String, openMethods: Set<MethodDescriptor> = []
    ) throws -> PrincipalInterceptor {
        let ring = try KeyRing(folder: folder.appending(path: "keys").path, name: service)
        return PrincipalInterceptor(
            verifier: PrincipalVerifier(service: service, keys: ring), clock: clock.clock,
            openMethods: openMethods)
    }

    /// Calls without a principal.
    var anonymous: MembershipClient {
        MembershipClient(InProcessChannel(router).acting { nil })
    }

    /// Calls of the platform's owner.
    var platformOwner: MembershipClient { acting(.platformOwner) }

    // MARK: - The tree

    /// Tells the service of an organization, as the feed of Organizations would.
    @discardableResult
    func organization(
        _ id: OrganizationID? = nil, below parent: OrganizationID? = nil,
        title: String = "Organization", status: OrganizationStatus = .active,
        removed: Bool = false, archived: Bool = false, trialUntil: CalendarDay? = nil,
        expiresOn: CalendarDay? = nil
    ) async throws -> OrganizationID {
        let id = id ?? identifiers.next()
        try await apply(
            node(
                id, below: parent, title: title, status: status, removed: removed,
                archived: archived, trialUntil: trialUntil, expiresOn: expiresOn))
        return id
    }

    func node(
        _ id: OrganizationID, below parent: OrganizationID? = nil,
        title: String = "Organization", status: OrganizationStatus = .active,
        removed: Bool = false, archived: Bool = false, trialUntil: CalendarDay? = nil,
        expiresOn: CalendarDay? = nil
    ) -> OrganizationNode {
        OrganizationNode(
            id: id.text, parentID: parent?.text ?? "", title: title, status: status,
            removed: removed, version: version.add(1, ordering: .relaxed).newValue,
            archived: archived, trialUntil: trialUntil.map { Int32($0.daysSince1970) },
            expiresOn: expiresOn.map { Int32($0.daysSince1970) })
    }

    func apply(_ node: OrganizationNode) async throws {
        let event = Messages.FeedEvent(
            sequence: node.version, kind: OrganizationNode.messageName,
            aggregateID: OrganizationID(text: node.id)?.bytes ?? [], version: node.version,
            body: node.encoded())
        try await database.write { [follower] transaction in
            try follower.apply(event, in: transaction)
            try follower.caughtUp(in: transaction)
        }
    }

    // MARK: - People

    /// A person without memberships.
    func person(
        _ name: String = "Ada", at domain: String = "example.com", isVerified: Bool = true
    ) async throws -> UserID {
        let id: UserID = identifiers.next()
        let user = UserRecord(
            id: id, email: "\(id.text)@\(domain)", name: name, created: clock.now, version: 1,
            isEmailVerified: isVerified)
        try await database.write { try $0.add(user, passwordHash: nil) }
        return id
    }

    /// Admits somebody new, or the given person.
    @discardableResult
    func admit(
        _ user: UserID? = nil, to organization: OrganizationID,
        as roles: [Messages.Role] = []
    ) async throws -> UserID {
        let person = if let user { user } else { try await person() }
        _ = try await platformOwner.addMember(
            AddMemberRequest(
                organizationID: organization.text, userID: person.text, roles: roles))
        return person
    }
}

extension TreeBarrier {
    /// Organizations has nothing that is not known here.
    static var none: TreeBarrier {
        TreeBarrier(catchUp: {}, wait: { _, _ in })
    }
}

/// Adds a principal to every call, and the time that a busy machine needs.
struct Acting: ClientInterceptor {
    private let principal: @Sendable () throws -> [UInt8]?

    init(_ principal: @escaping @Sendable () throws -> [UInt8]?) {
        self.principal = principal
    }

    func begin(_ method: MethodDescriptor, _ options: inout CallOptions) throws {
        options.metadata[bytes: MetadataKey.principal] = try principal()
        options.timeout = options.timeout ?? Deadline.timeoutMax
    }
}

extension InProcessChannel {
    /// The channel with a principal on every call.
    func acting(_ principal: @escaping @Sendable () throws -> [UInt8]?) -> any Channel {
        intercepted(by: Acting(principal))
    }
}

/// The status with which a call is refused; nil when it succeeds.
func refusal<Value>(_ call: () async throws -> Value) async -> Status? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? Status
    }
}

extension Status {
    /// The named facts beside the reason.
    var facts: [String: String] {
        for case .errorInfo(_, _, let metadata) in details { return metadata }
        return [:]
    }

    /// The sentences of every gate that refused, in order.
    var sentences: [String] {
        for case .preconditionFailure(let violations) in details {
            return violations.map(\.description)
        }
        return []
    }

    /// The codes of every gate that refused, in order.
    var gates: [String] {
        for case .preconditionFailure(let violations) in details {
            return violations.map(\.type)
        }
        return []
    }
}
