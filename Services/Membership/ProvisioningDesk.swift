import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of `guildhall.membership.v1.Provisioning`.
struct ProvisioningDesk: ProvisioningService {
    /// How long Organizations may take to answer the organization.
    static let organizationTimeMax: Duration = .seconds(5)

    let service: Service
    /// Asks Organizations for the organization of an outside system, made if need be.
    let organization:
        @Sendable (ProvisionOrganizationRequest, CallOptions) async throws -> Organization

    func provisionMember(
        _ request: ProvisionMemberRequest, _ context: CallContext
    ) async throws -> Member {
        let newcomer = Provisioned(
            email: try Parse.email(request.email), name: try Parse.name(request.name),
            roles: try Parse.roles(request.roles), newUser: service.identifiers.next(),
            newMembership: service.identifiers.next())
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        // What was answered before is answered again, and Organizations is not asked.
        guard try !service.database.isRepeated(context, request) else {
            return try await service.database.command(context, request) { _ in
                throw Denial.treeBehind
            }
        }
        try await service.whenKnown {
            try requireRights(to: newcomer, below: parent, context)
        }
        let id = try await organization(of: request, context)
        return try await service.whenKnown(otherwise: Denial.treeBehind) {
            try await service.database.command(context, request) { transaction in
                try admit(newcomer, to: id, context, in: transaction)
            }
        }
    }

    /// Requires the rights to make the organization there and to add the member to it, who is not
    /// the caller, so that no organization is made that stays empty.
    private func requireRights(
        to newcomer: Provisioned, below parent: OrganizationID?, _ context: CallContext
    ) throws {
        let caller = try context.principal
        let (above, known) = try service.database.readInline { snapshot in
            let path = try parent.map { try service.path(to: $0, context, in: snapshot) }
            return (path?.ids ?? [], try snapshot.user(email: newcomer.email)?.id)
        }
        try service.check(
            caller.decide(
                parent == nil ? .createRootOrganization : .createSuborganization, at: above))
        let place: OrganizationID = service.identifiers.next()
        let decision = GrantRules.decide(
            newcomer.roles, of: known, by: caller, at: above + [place])
        // A root that one may make and then not see is none that one may fill.
        try service.check(decision == .notFound ? .forbidden : decision)
    }

    /// The organization of the outside system, asked for in the name of the caller.
    private func organization(
        of request: ProvisionMemberRequest, _ context: CallContext
    ) async throws -> OrganizationID {
        let key = Hexadecimal.text(Command.key(of: try context.idempotencyKey))
        var options = context.tracing(
            timeout: context.patience(atMost: Self.organizationTimeMax),
            idempotencyKey: "provision-member-\(key)")
        options.metadata[bytes: MetadataKey.principal] =
            context.metadata[bytes: MetadataKey.principal]
        let answer: Organization
        do {
            answer = try await organization(
                ProvisionOrganizationRequest(
                    externalID: request.externalID, title: request.title,
                    parentID: request.parentID), options)
        } catch {
            let status = Status(thrown: error)
            throw status.isForTheCaller ? status : Denial.organizationsSilent.status
        }
        guard let id = OrganizationID(text: answer.id) else {
            throw Status.refusal(.internal, "Organizations has named no organization.")
        }
        return id
    }

    /// Admits the person by the one door; somebody who is a member stays as they are.
    private func admit(
        _ newcomer: Provisioned, to organization: OrganizationID, _ context: CallContext,
        in transaction: Transaction
    ) throws -> Member {
        let caller = try context.principal
        let path = try service.path(to: organization, context, in: transaction)
        try service.check(GrantRules.decide(newcomer.roles, of: nil, by: caller, at: path.ids))
        let isVouchedFor = GrantRules.decideVouching(by: caller) == .allowed
        let user = try transaction.user(
            at: newcomer.email, named: newcomer.name, newID: newcomer.newUser,
            isVouchedFor: isVouchedFor, created: context.now)
        try service.check(GrantRules.decide(newcomer.roles, of: user.id, by: caller, at: path.ids))
        let previous = try transaction.member(user.id, of: organization)
        if let previous, previous.membership.state == .active { return Member(previous) }
        return Member(
            try transaction.admit(
                user, in: newcomer.roles, by: .joining, at: path, for: caller,
                previous: previous?.membership, newID: newcomer.newMembership, now: context.now))
    }
}

/// Somebody whom an outside system brings along.
private struct Provisioned: Sendable {
    let email: String
    let name: String
    let roles: RoleSet
    /// Names the user, if the address is new.
    let newUser: UserID
    /// Names the membership, if it is the first.
    let newMembership: MembershipID
}

extension Status {
    /// Whether Organizations has decided this about the caller, who is told it as it is.
    ///
    /// A missing right is the caller's if its reason says so: without one, it is this service that
    /// may not ask. That an organization is being moved passes by itself, and has a name.
    fileprivate var isForTheCaller: Bool {
        switch (code, reason.flatMap(ErrorReason.init(rawValue:))) {
        case (.permissionDenied, .forbidden?), (.permissionDenied, .notFound?),
            (.aborted, .orgMoving?):
            true
        default: isForGood
        }
    }
}
