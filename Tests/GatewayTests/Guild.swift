import Access
import Messages
import RPC
import ServiceKit
import Synchronization

@testable import Gateway

/// Services that keep a few organizations in memory, as far as pages ask for them: with keys of
/// changes and versions, as the services have them.
final class Guild: Sendable {
    static let school = OrganizationID(millisecondsSince1970: 5, random: (1, 1)).text
    static let district = OrganizationID(millisecondsSince1970: 4, random: (1, 1)).text
    static let password = "correct horse"
    static let schoolPath = "/console/organizations/\(school)"

    struct State {
        /// What the person who is signed in may act as.
        var grants = [Messages.Grant(role: .platformOwner)]
        var organizations: [String: Organization] = [:]
        var members: [Member] = []
        /// Those who signed up and wait.
        var waiting: [PendingSignUp] = []
        /// Those of them on a later page; nil: every page is the same.
        var laterWaiting: [PendingSignUp]?
        var keys: [ApiKey] = []
        var askedKey = CreateApiKeyRequest()
        var hooks: [Hook] = []
        var updatedHook = UpdateHookRequest()
        var calls: [HookDelivery] = []
        var askedCalls = ListHookDeliveriesRequest()
        var receivers: [KindReceivers] = []
        var receiversTag = "r1"
        var caps = Caps(students: 7, etag: "c1")
        /// How far the limits are used.
        var usage = Usage(
            people: 3,
            caps: [.init(organizationID: Guild.district, kind: "members", cap: 5, used: 3)])
        var seats = Seats(seatCount: 10, seatCeiling: 25, used: 2, etag: "s1")
        var askedMembers = ListMembersRequest()
        var urls: [CustomUrl] = []
        var importing = Importing()
        var look = Look()
        var offers = Offers()
        /// What others have by now, so that a restore does not bring it back.
        var notRestored: [String] = []
        var masks: [EmailMask] = []
        var prompts: [Prompt] = []
        /// What was answered, by the key of the change.
        var replies: [String: [UInt8]] = [:]
        /// The names of the calls that changed something, in order.
        var changes: [String] = []
        var asked = ListOrganizationsRequest()
        var updated = UpdateOrganizationRequest()
        var signUp = SignUpRequest()
        var signedOut: [String] = []
        /// What the next change ends in instead.
        var refusal: Status?
        /// What questions for the owner of a session end in instead.
        var sessionRefusal: Status?
        /// What questions for an organization end in instead.
        var readRefusal: Status?
        /// What lists of organizations end in instead.
        var listRefusal: Status?
        var nextPage = ""
        var isSessionOver = false
    }

    private let state: Mutex<State>

    init() {
        var start = State()
        start.organizations[Self.district] = Organization(
            id: Self.district, depth: 1, title: "District", status: .active,
            effectiveState: .active, updatedAt: Timestamp(seconds: 1_796_000_000),
            version: 1, etag: "d1")
        start.organizations[Self.school] = Organization(
            id: Self.school, parentID: Self.district, depth: 2, title: "School",
            description: "Line one\nline two", category: .academicK12, country: "US",
            status: .active, effectiveState: .active,
            updatedAt: Timestamp(seconds: 1_796_000_000), version: 1, etag: "v1",
            path: [PathElement(id: Self.district, title: "District")],
            trial: Trial(enabled: true, validUntil: "2030-01-31"), services: ["pls"],
            memberCount: 1_234)
        state = Mutex(start)
    }

    /// Looks at what is kept, or changes it.
    func with<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { body(&$0) }
    }

    var changes: [String] { with { $0.changes } }
    var school: Organization { with { $0.organizations[Self.school] ?? Organization() } }

    /// Makes a change once for its key.
    func change<Reply: Message>(
        _ name: String, _ context: CallContext, _ body: (inout State) throws -> Reply
    ) throws -> Reply {
        guard let key = context.metadata[text: MetadataKey.idempotencyKey] else {
            throw Status.refusal(.idempotencyKeyRequired, "A key is needed.")
        }
        return try state.withLock { state in
            if let kept = state.replies[key] { return try Reply(decoding: kept) }
            if let refusal = state.refusal {
                state.refusal = nil
                throw refusal
            }
            let reply = try body(&state)
            state.replies[key] = reply.encoded()
            state.changes.append(name)
            return reply
        }
    }

    /// Refuses a change of another version than the one that is kept.
    static func require(_ etag: String, _ context: CallContext) throws {
        let match = context.metadata[text: MetadataKey.ifMatch]
        guard match == nil || match == etag else {
            throw Status.refusal(.versionMismatch, "It has changed meanwhile.")
        }
    }

    fileprivate func organization(_ id: String) throws -> Organization {
        if let refusal = with({ $0.readRefusal }) { throw refusal }
        guard let found = with({ $0.organizations[id] }) else {
            throw Status.notFound("There is no such organization.")
        }
        return found
    }

    /// Everything that pages call.
    var methods: [RegisteredMethod] {
        signing + reading + organizations + people + places + signUps + programs
            + imports + looks + types + catalog + given
    }

    private var signing: [RegisteredMethod] {
        [
            serve(MembershipMethods.authenticate) {
                (request: AuthenticateRequest, context) throws -> AuthenticateReply in
                try context.require(.authenticateSessions)
                if let refusal = self.with({ $0.sessionRefusal }) { throw refusal }
                if request.token == Self.keySecret, self.with({ !$0.keys.isEmpty }) {
                    return AuthenticateReply(apiKeyID: Self.key)
                }
                guard request.token == Stage.token, !self.with({ $0.isSessionOver }) else {
                    throw Status.unauthenticated()
                }
                return AuthenticateReply(
                    userID: Stage.ada.text, grants: self.with { $0.grants })
            },
            serve(MembershipMethods.signIn) { (request: SignInRequest, _) throws -> Session in
                guard request.password == Self.password else {
                    throw Status.refusal(.wrongCredentials, "Email or password is wrong.")
                }
                return Session(token: Stage.token)
            },
            serve(MembershipMethods.signOut) {
                (request: SignOutRequest, _) -> SignOutReply in
                self.with {
                    $0.signedOut.append(request.token)
                    $0.isSessionOver = true
                }
                return SignOutReply()
            },
            serve(MembershipMethods.getMe) { (_: GetMeRequest, _) -> Me in
                Me(prompts: self.with { $0.prompts })
            },
        ]
    }

    private var reading: [RegisteredMethod] {
        [
            serve(OrganizationsMethods.listOrganizations) {
                (request: ListOrganizationsRequest, _) throws -> ListOrganizationsReply in
                try self.with { state in
                    state.asked = request
                    return Result { () throws(Status) -> ListOrganizationsReply in
                        if let refusal = state.listRefusal { throw refusal }
                        let found = state.organizations.values
                            .filter { request.q.isEmpty || $0.title.contains(request.q) }
                            .filter { request.parent.isEmpty || $0.parentID == request.parent }
                            .sorted { $0.title < $1.title }
                        return ListOrganizationsReply(
                            organizations: found, nextPageToken: state.nextPage,
                            totalSize: Int64(found.count))
                    }
                }.get()
            },
            serve(OrganizationsMethods.getOrganization) {
                (request: GetOrganizationRequest, _) throws -> Organization in
                try self.organization(request.id)
            },
        ]
    }

    private var organizations: [RegisteredMethod] {
        [
            serve(OrganizationsMethods.createOrganization) {
                (request: CreateOrganizationRequest, context) throws -> Organization in
                try self.change("create", context) { state in
                    let title = request.title
                    let isTaken = state.organizations.values.contains { $0.title == title }
                    try Self.require(title, request.category, isTaken)
                    let id = OrganizationID(
                        millisecondsSince1970: 9, random: (1, UInt64(state.changes.count))
                    ).text
                    let made = Organization(
                        id: id, parentID: request.parentID, title: title, status: .active,
                        effectiveState: .active, etag: "n1",
                        warnings: title == "Twin"
                            ? [Warning(code: "name_exists_elsewhere", message: "")] : [])
                    state.organizations[id] = made
                    return made
                }
            },
            serve(OrganizationsMethods.updateOrganization) {
                (request: UpdateOrganizationRequest, context) throws -> Organization in
                try self.change("update", context) { state in
                    let asked = request.organization ?? Organization()
                    guard var kept = state.organizations[asked.id] else {
                        throw Status.notFound("There is no such organization.")
                    }
                    try Self.require(kept.etag, context)
                    state.updated = request
                    for path in request.updateMask?.paths ?? [] {
                        switch path {
                        case "title": kept.title = asked.title
                        case "description": kept.description = asked.description
                        case "country": kept.country = asked.country
                        case "services": kept.services = asked.services
                        default: break
                        }
                    }
                    kept.version += 1
                    kept.etag = "v\(kept.version)"
                    state.organizations[kept.id] = kept
                    return kept
                }
            },
            serve(OrganizationsMethods.deactivateOrganization) {
                (request: DeactivateOrganizationRequest, context) throws -> Organization in
                try self.setState(.inactive, of: request.id, context)
            },
            serve(OrganizationsMethods.activateOrganization) {
                (request: ActivateOrganizationRequest, context) throws -> Organization in
                try self.setState(.active, of: request.id, context)
            },
            serve(OrganizationsMethods.deleteOrganization) {
                (request: DeleteOrganizationRequest, context) throws -> Organization in
                try self.change(request.cascade ? "delete all" : "delete", context) { state in
                    state.organizations.removeValue(forKey: request.id) ?? Organization()
                }
            },
            serve(OrganizationsMethods.restoreOrganization) {
                (request: RestoreOrganizationRequest, context) throws
                    -> RestoreOrganizationReply in
                let isBlocked = request.members == .blocked
                let name = "restore \(request.title)" + (isBlocked ? ", blocked" : "")
                return try self.change(name, context) { state in
                    var kept = state.organizations[request.id] ?? Organization()
                    let title = request.title.isEmpty ? kept.title : request.title
                    let isTaken = state.organizations.values.contains {
                        $0.title == title && $0.id != request.id
                    }
                    try Self.require(title, kept.category, isTaken)
                    kept.title = title
                    kept.effectiveState = .active
                    kept.archivedAt = nil
                    state.organizations[request.id] = kept
                    return RestoreOrganizationReply(
                        organization: kept, notRestored: state.notRestored)
                }
            },
        ]
    }

    private func setState(
        _ status: OrganizationStatus, of id: String, _ context: CallContext
    ) throws -> Organization {
        try change(status == .active ? "activate" : "deactivate", context) { state in
            var kept = state.organizations[id] ?? Organization()
            kept.status = status
            kept.effectiveState = status == .active ? .active : .inactive
            state.organizations[id] = kept
            return kept
        }
    }

    /// Refuses as Organizations does.
    private static func require(
        _ title: String, _ category: OrganizationCategory, _ isTaken: Bool
    ) throws {
        guard !isTaken else {
            throw Status.refusal(
                .nameTaken,
                """
                An organization with this name already exists. Please, type another name for your \
                organization.
                """, fields: [.init(field: "title", description: "This name is taken.")])
        }
        var faults: [FieldFault] = []
        if title.isEmpty { faults.append(.init(field: "title", sentence: "A title is needed.")) }
        if category == .unspecified {
            faults.append(.init(field: "category", sentence: "A category is needed."))
        }
        if !faults.isEmpty { throw Status.invalid(faults) }
    }
}
