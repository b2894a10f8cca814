import Messages
import RPC
import ServiceKit

/// What calls of this service ask of the other services.
///
/// Each names one question and no client, so that tests can answer it.
struct OtherServices: Sendable {
    /// Returns once Membership has applied the feed up to a position.
    let membershipFollows: @Sendable (FeedHead, CallContext) async throws -> Void
    /// Asks Membership what would come of a move.
    let membershipTries:
        @Sendable (MoveSubtreeRequest, CallOptions) async throws -> MoveSubtreeReply
    /// Asks Membership for people who belong to no organization.
    let membershipLists:
        @Sendable (ListUnaffiliatedUsersRequest, CallOptions) async throws
            -> ListUnaffiliatedUsersReply
    /// Has Membership admit people one by one.
    let membershipAdmits: @Sendable (AdmitUsersRequest, CallOptions) async throws -> AdmitUsersReply
    /// Asks Branding what would look otherwise after a move.
    let brandingTries:
        @Sendable (PreviewAppearanceRequest, CallOptions) async throws -> PreviewAppearanceReply
    /// Asks Partners to whom an organization would belong after a move.
    let partnersTry:
        @Sendable (PreviewAssignmentRequest, CallOptions) async throws -> PreviewAssignmentReply
    /// Asks Partners which modules an organization could use after a move.
    let modulesTry:
        @Sendable (PreviewModulesRequest, CallOptions) async throws -> PreviewModulesReply
    /// Asks Branding what is set at an organization itself, white label among it.
    let ownAppearance: @Sendable (GetAppearanceRequest, CallOptions) async throws -> Appearance
}

extension OtherServices {
    /// Asks the services themselves.
    ///
    /// - Parameters:
    ///   - membership: Membership.
    ///   - branding: Branding.
    ///   - partners: Partners.
    ///   - modules: Partners, for the modules of organizations.
    ///   - followingMax: How long Membership may take to follow the feed.
    init(
        membership: MembershipClient, branding: BrandingClient, partners: PartnersClient,
        modules: OrganizationModulesClient, followingMax: Duration
    ) {
        self.init(
            membershipFollows: { head, context in
                _ = try await membership.awaitTree(
                    AwaitTreeRequest(incarnation: head.incarnation, sequence: head.sequence),
                    options: context.tracing(timeout: followingMax))
            },
            membershipTries: { try await membership.moveSubtree($0, options: $1) },
            membershipLists: { try await membership.listUnaffiliatedUsers($0, options: $1) },
            membershipAdmits: { try await membership.admitUsers($0, options: $1) },
            brandingTries: { try await branding.previewAppearance($0, options: $1) },
            partnersTry: { try await partners.previewAssignment($0, options: $1) },
            modulesTry: { try await modules.previewModules($0, options: $1) },
            ownAppearance: { try await branding.getAppearance($0, options: $1) })
    }
}
