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
        let input = DetailsInput(request)
        let details =
            request.origin == .signup
            ? try Details.signedUp(input) : try Details.new(input, today: context.now.day).details
        let origin = try accept(request.origin.rawValue, field: "origin", as: Origin.init)
        let now = context.now
        return try await database.command(context, request) { transaction in
            let above = try parent.map {
                try transaction.line(to: $0, seenBy: principal, on: now.day)
            }
            try above?.admitChild()
            try transaction.requireSettled(above)
            let node = Node(
                id: id, number: try transaction.nextNumber(), below: above, details,
                standing: .provisioning, origin: origin, at: now)
            try transaction.insert(node, below: above?.end.id, by: principal.scope)
            return Organization(node, in: Line(below: above, node.level, on: now.day))
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
            let line = try transaction.line(of: node, on: now.day)
            if node.standing == .provisioning {
                // The pivot of the workflow: one row makes all of its work visible.
                var next = node
                next.standing = .present
                node = try transaction.update(
                    next, from: node, below: line.parents?.end.id, at: now)
            }
            return Organization(node, in: line.replacing(node.level))
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
        ) { (transaction, prepared: Organization?) in
            // Without a reply it was prepared long ago, or never: the organization itself says it.
            guard (prepared?.id ?? id.text) == id.text else { throw Refusal.noSuchPreparation }
            guard let node = try transaction.node(id), node.standing != .cancelled else { return }
            guard node.standing == .provisioning else { throw Refusal.alreadyCommitted }
            let line = try transaction.line(of: node, on: now.day)
            var next = node
            next.standing = .cancelled
            _ = try transaction.update(next, from: node, below: line.parents?.end.id, at: now)
        }
        return CancelPreparationReply()
    }
}

extension DetailsInput {
    fileprivate init(_ request: PrepareOrganizationRequest) {
        self.init(
            title: request.title, description: request.description,
            category: request.category.rawValue, country: request.country,
            kind: request.kind.rawValue)
    }
}
