import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    /// Answers the organization of an outside system, made if need be.
    ///
    /// The outside identifier makes it idempotent: whatever the key, there is one organization. It
    /// is the caller's name for it, and needs no right beyond creating.
    func provisionOrganization(
        _ request: ProvisionOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let externalID = try accept(
            request.externalID, field: "external_id", as: ExternalIdentifier.check)
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        let id: OrganizationID = identifiers.next()
        let now = context.now
        return try await database.command(context, request) { transaction in
            if let node = try transaction.node(externalID: externalID) {
                let line = try transaction.line(of: node, on: now.day)
                try principal.requireKnowledge(of: line)
                return Organization(node, in: line)
            }
            let above = try parent.map {
                try transaction.line(to: $0, seenBy: principal, on: now.day)
            }
            try principal.requireCreation(below: above)
            let template = try above.flatMap { try transaction.node(numbered: $0.end.number) }
            let details = try Details.provisioned(
                DetailsInput(request), externalID: externalID, below: template?.details)
            try above?.admitChild()
            try transaction.requireSettled(above)
            let node = Node(
                id: id, number: try transaction.nextNumber(), below: above, details,
                standing: .present, origin: .automatic, at: now)
            try transaction.insert(node, below: above?.end.id, by: principal.scope)
            return Organization(
                node, in: Line(below: above, node.level, on: now.day),
                warnings: try transaction.warnings(about: node, for: principal, on: now.day))
        }
    }
}

extension Access.Principal {
    /// Refuses an organization that is not to be answered: one out of sight has the identifier for
    /// all that the caller may know, one in the archive is nobody's to use.
    fileprivate func requireKnowledge(of line: Line) throws {
        guard decide(.viewOrganization, at: line.ids) == .allowed else {
            throw Refusal.externalIDTaken
        }
        guard !line.isArchived else {
            throw Refusal.wrongState("The organization with this identifier is in the archive.")
        }
        guard sees(line) else { throw Refusal.externalIDTaken }
    }
}

extension DetailsInput {
    fileprivate init(_ request: ProvisionOrganizationRequest) {
        self.init(
            title: request.title, category: request.category.rawValue, country: request.country)
    }
}
