import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: CustomUrlsService {
    func createCustomUrl(
        _ request: CreateCustomUrlRequest, _ context: CallContext
    ) async throws -> CustomUrl {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let slug = try Slug(request.slug)
        let now = context.now
        let start = WallTime(startOf: Quarantine.start(on: now.day))
        let most = limits.customURLsMax
        try await requireWhiteLabel(of: id, for: request, context)
        return try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireOpen(.editAppearance, at: line)
            let own = try transaction.customURL(slug, of: id)
            // One in quarantine is counted already.
            let isCounted = own?.releasedAt.map { $0 >= start } ?? false
            let count = try transaction.customURLCount(of: id, releasedSince: start)
            guard isCounted || count < most else { throw Refusal.tooMany("custom URLs", most) }
            let url = try transaction.take(slug, for: id, by: principal.scope, at: now)
            try transaction.touch(node, in: line, at: now)
            return CustomUrl(url)
        }
    }

    func listCustomUrls(
        _ request: ListCustomUrlsRequest, _ context: CallContext
    ) async throws -> ListCustomUrlsReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        let start = WallTime(startOf: Quarantine.start(on: day))
        return try await database.read { snapshot in
            let (_, line) = try snapshot.organization(
                id, seenBy: principal, on: day, archive: .included)
            try principal.requireOpen(.openSettings, at: line)
            let urls = try snapshot.customURLs(of: id, releasedSince: start)
            return ListCustomUrlsReply(customURLs: urls.map(CustomUrl.init))
        }
    }

    func disableCustomUrl(
        _ request: DisableCustomUrlRequest, _ context: CallContext
    ) async throws -> CustomUrl {
        try await setState(
            .disabled, of: request.slug, at: request.organizationID, for: request, context)
    }

    func enableCustomUrl(
        _ request: EnableCustomUrlRequest, _ context: CallContext
    ) async throws -> CustomUrl {
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        try await requireWhiteLabel(of: id, for: request, context)
        return try await setState(
            .enabled, of: request.slug, at: request.organizationID, for: request, context)
    }

    func deleteCustomUrl(
        _ request: DeleteCustomUrlRequest, _ context: CallContext
    ) async throws -> CustomUrl {
        try await setState(
            .released, of: request.slug, at: request.organizationID, for: request, context)
    }

    func resolveCustomUrl(
        _ request: ResolveCustomUrlRequest, _ context: CallContext
    ) async throws -> ResolveCustomUrlReply {
        try context.require(.resolveCustomURL)
        let day = context.now.day
        return try database.readInline { snapshot in
            let url = try snapshot.enabledCustomURL(request.slug, on: day)
            return ResolveCustomUrlReply(organizationID: url.organization.text, slug: url.slug)
        }
    }

    private func setState(
        _ state: CustomURLState, of slug: String, at organization: String,
        for request: some Message, _ context: CallContext
    ) async throws -> CustomUrl {
        let principal = try context.principal
        let id = try OrganizationID(requestText: organization, field: "organization_id")
        guard let slug = Slug.known(slug) else { throw Refusal.noSuchCustomURL }
        let now = context.now
        return try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireOpen(.editAppearance, at: line)
            guard var url = try transaction.customURL(slug, of: id) else {
                throw Refusal.noSuchCustomURL
            }
            try context.requireMatch(version: url.version)
            guard url.state != state else { return CustomUrl(url) }
            guard url.state != .released else { throw Refusal.customURLReleased }
            url = try transaction.update(url, to: state, at: now)
            try transaction.touch(node, in: line, at: now)
            return CustomUrl(url)
        }
    }
}

extension CustomUrl {
    /// A custom URL as it is answered, and told by the feed.
    init(_ url: CustomURL) {
        self.init(
            slug: url.slug, organizationID: url.organization.text,
            state: CustomUrlState(rawValue: Int32(url.state.rawValue)),
            createdAt: Timestamp(url.createdAt), releasedAt: url.releasedAt.map(Timestamp.init),
            version: url.version, etag: EntityTag.of(version: url.version))
    }
}
