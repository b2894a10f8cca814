import Access
import Messages
import RPC
import ServiceKit
import Storage

/// The calls of Organizations, in the order of the proto.
struct Service: OrganizationsService {
    /// Of more organizations with one title only so many are looked at for a warning.
    static let namesakesMax = 100

    let database: Database
    let feed: FeedServer
    let identifiers: IdentifierSource
    let pageTokens: PageTokens
    let limits: Limits
    /// Returns once Membership has applied the feed up to a position.
    let membershipFollows: @Sendable (FeedHead, CallContext) async throws -> Void

    func createOrganization(
        _ request: CreateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let draft = try Draft(
            title: request.title, description: request.description,
            category: request.category.rawValue, country: request.country)
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        let id: OrganizationID = identifiers.next()
        let now = context.now
        return try await database.command(context, request) { transaction in
            let above = try parent.map { try transaction.line(to: $0, seenBy: principal) }
            try principal.requireCreation(below: above)
            try above?.admitChild()
            let node = Node(
                id: id, below: above, draft, status: .active,
                origin: principal.originOfCreation(below: above), at: now)
            try transaction.insert(node, by: principal.scope)
            return Organization(
                node, in: Line((above?.levels ?? []) + [node.level]),
                warnings: try transaction.warnings(about: node, for: principal))
        }
    }

    func getOrganization(
        _ request: GetOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let id = try OrganizationID(requestText: request.id, field: "id")
        return try database.readInline { snapshot in
            let (node, line) = try snapshot.organization(id, seenBy: principal)
            return Organization(node, in: line)
        }
    }

    func listOrganizations(
        _ request: ListOrganizationsRequest, _ context: CallContext
    ) async throws -> ListOrganizationsReply {
        let principal = try context.principal
        let parent = try OrganizationID.optional(requestText: request.parent, field: "parent")
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        return try await database.read { snapshot in
            try snapshot.list(page, below: parent, seenBy: principal)
        }
    }

    func updateOrganization(
        _ request: UpdateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let asked = request.organization ?? Organization()
        let id = try OrganizationID(
            requestText: asked.id, field: "organization.id")
        let change = try Change(
            naming: request.updateMask?.paths ?? [], title: asked.title,
            description: asked.description, category: asked.category.rawValue,
            country: asked.country)
        let conditions: Set<Condition> = change.isTitleOnly ? [.titleOnly] : []
        let now = context.now
        return try await database.command(context, request) { transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal)
            try principal.requireOpen(.editOrganization, at: line, meeting: conditions)
            try context.requireMatch(version: node.version, etag: asked.etag)
            try change.requireParent(asked.parentID, is: node.parent)
            if let changed = node.applying(change) {
                node = try transaction.update(changed, at: now)
            }
            return Organization(
                node, in: line.replacing(node.level),
                warnings: change.title == nil
                    ? [] : try transaction.warnings(about: node, for: principal))
        }
    }

    func activateOrganization(
        _ request: ActivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        try await set(.active, of: request.id, for: request, context)
    }

    func deactivateOrganization(
        _ request: DeactivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let organization = try await set(.inactive, of: request.id, for: request, context)
        // Also after a replay: the first attempt may have been stored and never acknowledged.
        do {
            try await membershipFollows(feed.head, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Status.notAcknowledged
        }
        return organization
    }

    private func set(
        _ status: NodeStatus, of text: String, for request: some Message, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let id = try OrganizationID(requestText: text, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal)
            try principal.require(.changeActivation, at: line.ids)
            try context.requireMatch(version: node.version)
            if node.status != status {
                node.status = status
                node = try transaction.update(node, at: now)
            }
            return Organization(node, in: line.replacing(node.level))
        }
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        try await feed.watch(request, context, replies)
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        try feed.head(request, context)
    }
}
