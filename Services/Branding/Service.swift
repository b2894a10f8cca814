import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of Branding, in the order of the proto.
struct Service: BrandingService {
    let database: Database
    let feed: FeedServer
    let platform: PlatformAppearance
    /// Returns once the copy of the tree has everything that Organizations has said by now.
    let treeCatchesUp: @Sendable () async throws -> Void

    func getAppearance(
        _ request: GetAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        return try await reading(id, context) { snapshot in
            let path = try snapshot.path(to: id, seenBy: principal, on: day)
            if principal.serviceName == nil { try principal.requireOpen(.openSettings, at: path) }
            return Appearance(try snapshot.appearance(of: id), at: path.node)
        }
    }

    func updateAppearance(
        _ request: UpdateAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        let palette = try Palette(request.colors)
        return try await change(request.organizationID, for: request, context) { change in
            try change.requireWhiteLabel()
            change.appearance.colors.merge(palette.colors) { $1 }
            guard change.appearance.advancedCount <= Color.furtherMax else {
                throw Refusal.tooManyColors(Color.furtherMax)
            }
        }
    }

    func getEffectiveAppearance(
        _ request: GetEffectiveAppearanceRequest, _ context: CallContext
    ) async throws -> EffectiveAppearance {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        return try await reading(id, context) { snapshot in
            let path = try snapshot.path(to: id, seenBy: principal, on: day)
            try principal.requireOpen(.viewOrganization, at: path)
            return EffectiveAppearance(
                of: id,
                try snapshot.effectiveValues(along: path.nodes, platform: platform.values))
        }
    }

    func resetAppearance(
        _ request: ResetAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        guard let field = Field(name: request.field) else {
            throw Status.invalid(
                "field", "This is not logo, primary, secondary or advanced.NAME.")
        }
        return try await change(request.organizationID, for: request, context) { change in
            try change.requireWhiteLabel()
            change.appearance.colors[field] = nil
            if field == .logo { change.appearance.logo = nil }
        }
    }

    func setWhiteLabel(
        _ request: SetWhiteLabelRequest, _ context: CallContext
    ) async throws -> Appearance {
        try await change(
            request.organizationID, by: .switchWhiteLabel, for: request, context
        ) { change in
            change.appearance.whiteLabel = request.enabled
        }
    }

    func setLogo(
        _ request: SetLogoRequest, _ context: CallContext
    ) async throws -> Appearance {
        let image = try Image.accepted(request.image, field: "image")
        let hash = AssetHash(digest(request.image))
        let now = context.now
        return try await change(request.organizationID, for: request, context) { change in
            if !change.hasWhiteLabel {
                // Whoever may switch white label on says so by setting a logo.
                guard change.may(.switchWhiteLabel) else { throw Refusal.whiteLabelDisabled }
                change.appearance.whiteLabel = true
            }
            try change.transaction.keep(image, as: hash, at: now)
            change.appearance.logo = hash.bytes
        }
    }

    func getAsset(_ request: GetAssetRequest, _ context: CallContext) async throws -> Asset {
        guard let hash = AssetHash(text: request.hash) else {
            throw Status.invalid("hash", "This is not 64 lower-case hexadecimal digits.")
        }
        return try await database.read { snapshot in
            guard let asset = try snapshot.asset(hash) else { throw Refusal.noSuchAsset }
            return asset
        }
    }

    func prepareAppearance(
        _ request: PrepareAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        try context.require(.prepareAppearance)
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let palette = try Palette(request.colors)
        guard palette.advancedCount <= Color.furtherMax else {
            throw Refusal.tooManyColors(Color.furtherMax)
        }
        let now = context.now
        return try await database.command(context, request) { transaction in
            var own = try transaction.appearance(of: id)
            guard own.isBlank else { throw Refusal.appearanceExists }
            // Without colors the organization looks like those above it.
            own.whiteLabel = palette.colors.isEmpty ? nil : true
            own.colors = palette.colors
            own = try transaction.keep(own, at: now)
            let appearance = Appearance(own, whiteLabel: own.whiteLabel ?? false)
            try transaction.publish(appearance, of: id, at: now)
            return appearance
        }
    }

    func cancelAppearance(
        _ request: CancelAppearanceRequest, _ context: CallContext
    ) async throws -> CancelAppearanceReply {
        try context.require(.prepareAppearance)
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let now = context.now
        try await database.cancel(
            context, BrandingMethods.prepareAppearance, key: request.preparationKey
        ) { (transaction, prepared: Appearance?) in
            guard (prepared?.organizationID ?? id.text) == id.text else {
                throw Refusal.noSuchOrganization
            }
            var own = try transaction.appearance(of: id)
            // Without a reply it was prepared long ago, or never: the facts say which.
            guard prepared != nil || !own.isBlank else { return }
            own.whiteLabel = nil
            own.colors = [:]
            own.logo = nil
            own = try transaction.keep(own, at: now)
            try transaction.publish(Appearance(own, whiteLabel: false), of: id, at: now)
        }
        return CancelAppearanceReply()
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
