import Access
import Foundation
import Mail
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Membership

/// How a step comes to nothing that its caller knows of.
enum Stall: Sendable, Hashable, CaseIterable {
    /// The request is lost.
    case before
    /// The reply is lost.
    case after
}

/// What Organizations says of sign-ups, and what it is asked to make.
final class Registry: Sendable {
    private struct State {
        var reply = ResolveSignUpReply()
        var refusal: Status?
        var questions: [ResolveSignUpRequest] = []
        var steps: [String] = []
        var keys: [String] = []
        var prepareRefusal: Status?
        var stalls: [String: Stall] = [:]
        var commitRefusal: Status?
        var prepared: [String: PrepareOrganizationRequest] = [:]
    }

    private let state = Mutex(State())

    var questions: [ResolveSignUpRequest] { state.withLock { $0.questions } }
    var steps: [String] { state.withLock { $0.steps } }
    var keys: [String] { state.withLock { $0.keys } }
    var prepared: [PrepareOrganizationRequest] { state.withLock { Array($0.prepared.values) } }

    /// Makes every sign-up lead to an organization.
    func lead(
        to organization: OrganizationID, by source: JoinSource = .emailMask,
        isAllowed: Bool = true, approval: JoinApproval = .notNeeded
    ) {
        state.withLock { state in
            state.refusal = nil
            state.reply = ResolveSignUpReply(
                organizationID: organization.text, title: "Organization", source: source,
                value: source == .customURL ? "springfield" : "example.com",
                signUpAllowed: isAllowed, approval: approval)
        }
    }

    func refuse(with status: Status?) { state.withLock { $0.refusal = status } }
    func refusePreparing(with status: Status?) { state.withLock { $0.prepareRefusal = status } }
    func refuseCommitting(with status: Status?) { state.withLock { $0.commitRefusal = status } }
    /// Makes every attempt of a step come to nothing, or none any more.
    func stall(_ step: String, _ stall: Stall?) { state.withLock { $0.stalls[step] = stall } }

    func resolve(_ request: ResolveSignUpRequest) throws -> ResolveSignUpReply {
        try state.withLock { state in
            state.questions.append(request)
            if let refusal = state.refusal { throw refusal }
            return state.reply
        }
    }

    /// Does a step, the first time that its key comes.
    private func take(
        _ step: String, _ options: CallOptions, _ effect: () async throws -> Void
    ) async throws {
        let key = options.metadata[text: MetadataKey.idempotencyKey] ?? ""
        let stall = state.withLock { $0.stalls[step] }
        if stall == .before { throw Status(.unavailable, "Nobody answers.") }
        let isFirst = state.withLock { state in
            guard !state.keys.contains(key) else { return false }
            state.keys.append(key)
            state.steps.append(step)
            return true
        }
        if isFirst { try await effect() }
        if stall == .after { throw Status(.unavailable, "Nobody answers.") }
    }

    func prepare(
        _ request: PrepareOrganizationRequest, _ options: CallOptions, in hall: Hall
    ) async throws {
        try await take("prepare", options) {
            if let refusal = state.withLock({ $0.prepareRefusal }) { throw refusal }
            state.withLock { $0.prepared[request.id] = request }
            try await hall.tell(request, .provisioning)
        }
    }

    func commit(
        _ request: CommitOrganizationRequest, _ options: CallOptions, in hall: Hall
    ) async throws {
        try await take("commit", options) {
            if let refusal = state.withLock({ $0.commitRefusal }) { throw refusal }
            guard let prepared = state.withLock({ $0.prepared[request.id] }) else { return }
            try await hall.tell(prepared, .active)
        }
    }

    func cancel(
        _ request: CancelPreparationRequest, _ options: CallOptions, in hall: Hall
    ) async throws {
        try await take("cancel", options) {
            state.withLock { $0.prepared[request.id] = nil }
            let id = try OrganizationID(requestText: request.id, field: "id")
            try await hall.organization(id, removed: true)
        }
    }
}

/// Sign-ups on a real database, with Organizations played by the test.
final class SignUpHall: Sendable {
    let hall: Hall
    let registry: Registry
    let founding: FoundOrganization
    let runner: WorkflowRunner
    private let router: Router
    private let work: Task<Void, Never>

    /// - Parameters:
    ///   - pace: How many may sign up.
    ///   - hall: The service; nil: a new one.
    ///   - registry: Plays Organizations.
    /// - Throws: When there is no room for it.
    init(
        pace: HourlyPace = HourlyPace(allMax: 1_000, ofOneMax: 5), in hall: Hall? = nil,
        _ registry: Registry = Registry()
    ) throws {
        let hall = try hall ?? Hall()
        self.hall = hall
        self.registry = registry
        let founding = FoundOrganization(
            service: hall.service,
            prepare: { try await registry.prepare($0, $1, in: hall) },
            cancel: { try await registry.cancel($0, $1, in: hall) },
            commit: { try await registry.commit($0, $1, in: hall) }, clock: hall.clock.clock)
        guard let address = PublicAddress("https://guildhall.example/") else {
            preconditionFailure("this is an address")
        }
        var service = SignUpService(
            service: hall.service,
            destinations: Destinations { request, _ in try registry.resolve(request) },
            publicAddress: address, pace: pace)
        // What is never made keeps no test waiting.
        service.patience = FoundingPatience(wait: .seconds(2))
        router = Router(
            services: [
                service.registeredMethods, hall.service.registeredMethods,
                WorkflowService(desk: founding.desk(pages: hall.service.pageTokens))
                    .registeredMethods,
            ],
            interceptors: [
                try hall.interceptor(for: "membership", openMethods: Service.openMethods)
            ])
        self.founding = founding
        var settings = WorkflowSettings()
        settings.pollInterval = .milliseconds(20)
        let runner = founding.runner(settings: settings, random: { 0 })
        self.runner = runner
        // Ends with the test, by being cancelled.
        work = Task { try? await runner.run() }
    }

    deinit { work.cancel() }

    // MARK: - Who calls

    private func channel(_ statement: @escaping @Sendable () throws -> [UInt8]?) -> any Channel {
        InProcessChannel(router).acting(statement)
    }

    /// Somebody who is not signed in.
    var visitor: SignUpsClient { SignUpsClient(channel { nil }) }

    func acting(_ user: UserID, _ grants: [Access.Grant] = []) -> SignUpsClient {
        SignUpsClient(channel { [hall] in try hall.statement(of: user, grants) })
    }

    /// Somebody who looks after foundings.
    func operating(_ grants: [Access.Grant] = [Access.Grant(.platformOwner)])
        -> SignUpWorkflowsClient
    {
        let user: UserID = hall.identifiers.next()
        return SignUpWorkflowsClient(channel { [hall] in try hall.statement(of: user, grants) })
    }

    /// A service that asks for itself.
    func operating(as service: String) -> SignUpWorkflowsClient {
        SignUpWorkflowsClient(
            channel { [hall] in try hall.statement(of: service, audience: "membership") })
    }

    func acting(_ role: Access.Role, at node: OrganizationID? = nil) -> SignUpsClient {
        acting(hall.identifiers.next(), [Access.Grant(role, at: node)])
    }

    /// What the person is answered of themselves.
    func me(_ user: UserID) async throws -> Me {
        try await hall.acting(user, []).getMe(GetMeRequest())
    }

    // MARK: - Mails and links

    /// The mails that wait, the oldest first.
    func mails() async throws -> [(receiver: String, subject: String, text: String)] {
        try await hall.database.read { snapshot in
            try snapshot.rows(
                "SELECT receiver, subject, content FROM mail ORDER BY number LIMIT 1000"
            ) { row in
                (
                    receiver: try row.text(0), subject: try row.text(1), text: try row.text(2)
                )
            }
        }
    }

    /// The tokens in the mails to an address, the oldest first.
    func tokens(for email: String) async throws -> [String] {
        let link = "https://guildhall.example/signup/verify?token="
        return try await mails().filter { $0.receiver == email }.flatMap { mail in
            mail.text.split(separator: "\n").filter { $0.hasPrefix(link) }
                .map { String($0.dropFirst(link.count)) }
        }
    }

    func signUp(
        _ email: String = "ada@example.com", password: String = Sample.password,
        customURL: String = "", key: String? = nil
    ) async throws {
        _ = try await visitor.signUp(
            SignUpRequest(email: email, password: password, name: "Ada", customURL: customURL),
            options: .key(key))
    }

    /// Signs up and follows the link.
    @discardableResult
    func join(_ email: String = "ada@example.com") async throws -> VerifyEmailReply {
        try await signUp(email)
        guard let token = try await tokens(for: email).last else {
            throw Status(.notFound, "There is no mail.")
        }
        return try await verify(token)
    }

    /// Follows a link, and gives a password.
    @discardableResult
    func verify(
        _ token: String, password: String = Sample.password
    ) async throws -> VerifyEmailReply {
        try await visitor.verifyEmail(VerifyEmailRequest(token: token, password: password))
    }

    /// Somebody who signed up and belongs nowhere.
    func founder(_ email: String = "ada@example.com") async throws -> UserID {
        try await UserID(requestText: join(email).userID, field: "user_id")
    }

    func pending(
        _ organization: OrganizationID, _ state: PendingSignUpState = .unspecified
    ) async throws -> [PendingSignUp] {
        try await acting(.platformOwner).listPendingSignUps(
            ListPendingSignUpsRequest(organizationID: organization.text, state: state)
        ).pendingSignUps
    }

    /// What the service's verifiers find wrong.
    func findings() async throws -> [String] {
        let found = Mutex<[String]>([])
        try await hall.database.verify(verifiers) { findings in
            found.withLock { $0 += findings.differences.map { "\(findings.name): \($0)" } }
        }
        return found.withLock { $0 }
    }
}

extension Hall {
    /// Tells of an organization that is being made.
    fileprivate func tell(
        _ prepared: PrepareOrganizationRequest, _ status: OrganizationStatus
    ) async throws {
        let id = try OrganizationID(requestText: prepared.id, field: "id")
        try await organization(id, title: prepared.title, status: status)
    }
}

extension CallOptions {
    /// Options with an idempotency key, if there is one.
    static func key(_ key: String?) -> CallOptions {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return options
    }
}
