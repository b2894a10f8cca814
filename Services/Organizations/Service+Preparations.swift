import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func prepareOrganization(
        _ request: PrepareOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        try context.require(.prepareOrganization)
        let id = try OrganizationID(requestText: request.id, field: "id")
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        let draft = try Draft(
            title: request.title, description: "", category: request.category.rawValue,
            country: request.country)
        let origin = try accept(request.origin.rawValue, field: "origin", as: Origin.init)
        let now = context.now
        return try await database.command(context, request) { transaction in
            let above = try parent.map { try transaction.line(to: $0, seenBy: principal) }
            try above?.admitChild()
            let node = Node(
                id: id, below: above, draft, status: .provisioning, origin: origin, at: now)
            try transaction.insert(node, by: principal.scope)
            return Organization(node, in: Line((above?.levels ?? []) + [node.level]))
        }
    }

    func commitOrganization(
        _ request: CommitOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        try context.require(.prepareOrganization)
        let id = try OrganizationID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            guard var node = try transaction.node(id) else { throw Refusal.noSuchPreparation }
            if node.status == .provisioning {
                // The pivot of the workflow: one row makes all of its work visible.
                node.status = .active
                node = try transaction.update(node, at: now)
            }
            return Organization(node, in: try transaction.line(of: node))
        }
    }

    func cancelPreparation(
        _ request: CancelPreparationRequest, _ context: CallContext
    ) async throws -> CancelPreparationReply {
        try context.require(.prepareOrganization)
        let id = try OrganizationID(requestText: request.id, field: "id")
        let now = context.now
        try await database.cancel(
            context, OrganizationsMethods.prepareOrganization, key: request.preparationKey
        ) { (transaction, prepared: Organization) in
            guard prepared.id == id.text else { throw Refusal.noSuchPreparation }
            guard var node = try transaction.node(id) else { return }
            guard node.status == .provisioning else { throw Refusal.alreadyCommitted }
            node.status = .cancelled
            _ = try transaction.update(node, at: now)
        }
        return CancelPreparationReply()
    }
}
