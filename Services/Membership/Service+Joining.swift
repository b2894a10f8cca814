import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// Asks Organizations where sign-ups lead.
struct Destinations: Sendable {
    /// The question; names no client, so that tests can answer it.
    let resolve: @Sendable (ResolveSignUpRequest, CallOptions) async throws -> ResolveSignUpReply

    /// Refuses a custom URL that leads nowhere, as whoever resolves it is refused.
    func check(_ customURL: String, for email: String, _ context: CallContext) async throws {
        guard !customURL.isEmpty else { return }
        _ = try await ask(customURL, for: email, context)
    }

    /// Where somebody with a verified address goes.
    func find(
        _ customURL: String, for email: String, _ context: CallContext
    ) async throws -> Destination {
        do {
            return Destination(try await ask(customURL, for: email, context))
        } catch {
            let status = Status(thrown: error)
            switch status.reason.flatMap(ErrorReason.init(rawValue:)) {
            case .customURLDisabled?, .customURLReleased?, .notFound?:
                return .closed(code: status.reason ?? "")
            // No mask is like an address that Organizations does not take for one.
            case .validation?: return .nowhere
            default: throw status
            }
        }
    }

    private func ask(
        _ customURL: String, for email: String, _ context: CallContext
    ) async throws -> ResolveSignUpReply {
        try await resolve(
            ResolveSignUpRequest(email: email, customURL: customURL),
            context.tracing(timeout: SignUpLimits.questionTimeMax))
    }
}

extension Destination {
    fileprivate init(_ reply: ResolveSignUpReply) {
        guard let organization = OrganizationID(text: reply.organizationID) else {
            self = .nowhere
            return
        }
        let approval: WaitReason? =
            switch reply.approval {
            case .notNeeded: nil
            case .noMask: .noMask
            // What this version does not know must not open anything.
            case .typeRequires, .unspecified, .unrecognized: .typeRequires
            }
        self = .organization(
            JoinTarget(
                organization: organization,
                source: reply.source == .customURL ? .customURL : .emailMask, value: reply.value,
                allowsSignUp: reply.signUpAllowed, approval: approval))
    }
}

extension Reading {
    /// What becomes of somebody at the organization that a sign-up leads to.
    ///
    /// - Parameters:
    ///   - user: The person; nil: somebody new.
    ///   - destination: Where the sign-up leads.
    ///   - path: To the organization; nil: it is unknown, or there is none.
    /// - Returns: The outcome.
    /// - Throws: `StorageFault`.
    fileprivate func joinOutcome(
        of user: UserID?, at destination: Destination, _ path: TreePath?
    ) throws -> JoinOutcome {
        guard let path else { return JoinRules.outcome(at: destination, nil) }
        let previous = try user.flatMap { try membership(of: $0, in: path.node.id) }
        let facts = try admissionFacts(
            of: user, in: .member, at: path, membership: previous?.state)
        return JoinRules.outcome(at: destination, facts)
    }
}

extension Transaction {
    /// Lets somebody join the organization that a sign-up leads to, or wait for it.
    ///
    /// - Returns: What the person has joined; nil: nothing, for whatever reason.
    /// - Throws: `StorageFault`.
    func join(
        _ user: UserRecord, at destination: Destination, _ path: TreePath?, newID: MembershipID,
        now: WallTime
    ) throws -> (organization: OrganizationID, title: String)? {
        let outcome = try joinOutcome(of: user.id, at: destination, path)
        guard let path else { return nil }
        let organization = path.node.id
        switch outcome {
        case .nowhere, .refused: return nil
        case .waits(let reason):
            try wait(user.id, at: organization, because: reason, since: now)
            return nil
        case .joins:
            _ = try admit(
                user, in: .member, by: .joining, at: path, for: .membershipItself,
                previous: try membership(of: user.id, in: organization), newID: newID, now: now)
        case .isMember: break
        }
        return (organization, path.node.title)
    }
}

extension Access.Principal {
    /// This service, where nobody else asks.
    static let membershipItself = Access.Principal(subject: .service("membership"))
}

extension SignUpService {
    func explainJoin(
        _ request: ExplainJoinRequest, _ context: CallContext
    ) async throws -> ExplainJoinReply {
        guard try context.principal.decide(.changePlatformSettings, at: []) == .allowed else {
            throw Denial.notPermitted
        }
        let email = try Parse.email(request.email)
        let destination = try await destinations.find(
            request.customURL.lowercased(), for: email, context)
        let day = context.now.day
        return try await whenTargetKnown { isUnknownAccepted in
            try await service.database.read { snapshot in
                let path = try destination.target.flatMap { target in
                    try TreeCopy.path(of: target.organization, in: snapshot, on: day)
                }
                guard path != nil || destination.target == nil || isUnknownAccepted else {
                    throw UnknownNode()
                }
                let user = try snapshot.user(email: email)?.id
                return ExplainJoinReply(
                    destination, try snapshot.joinOutcome(of: user, at: destination, path))
            }
        }
    }
}

extension ExplainJoinReply {
    fileprivate init(_ destination: Destination, _ outcome: JoinOutcome) {
        self.init()
        if let target = destination.target {
            organizationID = target.organization.text
            source = target.source == .customURL ? .customURL : .emailMask
            value = target.value
        }
        switch outcome {
        case .refused(let code): refusal = code
        case .waits(let reason): waitsFor = PendingSignUpReason(reason)
        case .joins, .isMember, .nowhere: break
        }
    }
}
