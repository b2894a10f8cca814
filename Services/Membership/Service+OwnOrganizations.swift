import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// How long a call waits for an organization to be made.
struct FoundingPatience: Sendable, Hashable {
    /// The longest wait.
    var wait: Duration = .seconds(6)
    /// What is kept of the caller's time to answer in.
    var margin: Duration = .milliseconds(150)

    /// The wait, given what is left of the caller's time.
    func wait(within remaining: Duration) -> Duration {
        max(min(wait, remaining - margin), .zero)
    }
}

extension SignUpService {
    func createOwnOrganization(
        _ request: CreateOwnOrganizationRequest, _ context: CallContext
    ) async throws -> CreateOwnOrganizationReply {
        let user = try context.person
        let now = context.now
        // Organizations has the rules, and names what is wrong by the same fields; what can never
        // pass them is not kept.
        try Self.check(request)
        let own = OwnOrganizationRecord(
            organization: service.identifiers.next(), founder: user,
            workflow: service.identifiers.next(), state: .underWay,
            title: try Text.accept(
                request.title, field: "title", lengths: 1...SignUpLimits.titleCharactersMax),
            reference: try Text.accept(
                request.reference, field: "reference", form: .paragraph,
                lengths: 0...SignUpLimits.referenceCharactersMax),
            refusal: nil, created: now)
        let workflow = FoundOrganization.start(
            own, request, by: try context.principal.scope, at: now)
        let begun = try await service.database.command(context, request) { transaction in
            guard try transaction.foundingFacts(of: user)?.allowsOne == true else {
                throw Denial.organizationCreationClosed
            }
            let start = now.advanced(by: .zero - SignUpLimits.refusedFoundingsPeriod)
            let refused = try transaction.refusedFoundingCount(of: user, after: start)
            guard refused < SignUpLimits.refusedFoundingsMax else {
                throw Denial.tooManyFoundings(retryAfter: SignUpLimits.refusedFoundingsPeriod)
            }
            try transaction.add(own)
            try transaction.start(workflow)
            return CreateOwnOrganizationReply(
                organizationID: own.organization.text, title: own.title)
        }
        return try await ended(begun, by: context.deadline)
    }

    /// Refuses what Organizations would refuse of any organization.
    private static func check(_ request: CreateOwnOrganizationRequest) throws {
        _ = try Text.accept(
            request.description, field: "description", form: .paragraph,
            lengths: 0...SignUpLimits.descriptionCharactersMax)
        guard request.country.isEmpty || Country(request.country) != nil else {
            throw Denial.invalid(
                field: "country",
                "The country must be a code of ISO 3166-1 alpha-2, such as “US”.")
        }
    }

    /// The organization once it is made, or why it is not; the same however often it is asked.
    private func ended(
        _ begun: CreateOwnOrganizationReply, by deadline: Deadline
    ) async throws -> CreateOwnOrganizationReply {
        let database = service.database
        guard let id = OrganizationID(text: begun.organizationID),
            let own = try database.readInline({ try $0.ownOrganization(id) })
        else { throw Denial.organizationCreationClosed }
        if own.state == .underWay {
            let wait = patience.wait(within: deadline.remaining())
            _ = try await database.workflows.waitForEnd(
                own.workflow.bytes, until: .now.advanced(by: wait))
        }
        guard let ended = try database.readInline({ try $0.ownOrganization(id) }) else {
            throw Denial.organizationCreationClosed
        }
        switch ended.state {
        case .underWay: throw Denial.stillBeingMade
        case .refused: throw try Status(decoding: ended.refusal ?? [])
        case .made:
            // What the founder asks next should know of the organization; it does so soon anyway.
            try? await service.tree.catchUp()
            return CreateOwnOrganizationReply(organizationID: id.text, title: ended.title)
        }
    }

    func getSignUpData(
        _ request: GetSignUpDataRequest, _ context: CallContext
    ) async throws -> SignUpData {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        guard caller.decide(.changePlatformSettings, at: []) == .allowed else {
            // Whoever may know of the organization learns that it is not for them.
            return try await service.whenKnown {
                let path = try service.database.readInline {
                    try service.path(to: organization, context, in: $0)
                }
                try service.check(caller.decide(.viewOrganization, at: path.ids))
                throw Denial.notPermitted
            }
        }
        let own = try service.database.readInline { try $0.ownOrganization(organization) }
        guard let own, own.state == .made else { throw OutOfScope() }
        return SignUpData(
            organizationID: own.organization.text, userID: own.founder.text,
            reference: own.reference, createdAt: Timestamp(own.created))
    }
}
