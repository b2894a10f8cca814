import Messages
import RPC

// What the other services offer and no sale asks for.

private let notOffered = Status(.unimplemented, "The test's server does not offer this.")

extension OrganizationsService {
    func createOrganization(
        _ request: CreateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func getOrganization(
        _ request: GetOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func listOrganizations(
        _ request: ListOrganizationsRequest, _ context: CallContext
    ) async throws -> ListOrganizationsReply {
        throw notOffered
    }

    func updateOrganization(
        _ request: UpdateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func activateOrganization(
        _ request: ActivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func deactivateOrganization(
        _ request: DeactivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func deleteOrganization(
        _ request: DeleteOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func restoreOrganization(
        _ request: RestoreOrganizationRequest, _ context: CallContext
    ) async throws -> RestoreOrganizationReply {
        throw notOffered
    }

    func moveOrganization(
        _ request: MoveOrganizationRequest, _ context: CallContext
    ) async throws -> MoveOrganizationReply {
        throw notOffered
    }

    func provisionOrganization(
        _ request: ProvisionOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw notOffered
    }

    func explainState(
        _ request: ExplainStateRequest, _ context: CallContext
    ) async throws -> ExplainStateReply {
        throw notOffered
    }

    func createEmailMask(
        _ request: CreateEmailMaskRequest, _ context: CallContext
    ) async throws -> EmailMask {
        throw notOffered
    }

    func listEmailMasks(
        _ request: ListEmailMasksRequest, _ context: CallContext
    ) async throws -> ListEmailMasksReply {
        throw notOffered
    }

    func resolveEmail(
        _ request: ResolveEmailRequest, _ context: CallContext
    ) async throws -> ResolveEmailReply {
        throw notOffered
    }
}

extension MembershipService {
    func moveSubtree(
        _ request: MoveSubtreeRequest, _ context: CallContext
    ) async throws -> MoveSubtreeReply {
        throw notOffered
    }

    func restoreSubtree(
        _ request: RestoreSubtreeRequest, _ context: CallContext
    ) async throws -> RestoreSubtreeReply {
        throw notOffered
    }

    func cancelSubtreeMove(
        _ request: CancelSubtreeMoveRequest, _ context: CallContext
    ) async throws -> CancelSubtreeMoveReply {
        throw notOffered
    }

    func cancelSubtreeRestore(
        _ request: CancelSubtreeRestoreRequest, _ context: CallContext
    ) async throws -> CancelSubtreeRestoreReply {
        throw notOffered
    }

    func listMailAddresses(
        _ request: ListMailAddressesRequest, _ context: CallContext
    ) async throws -> ListMailAddressesReply {
        throw notOffered
    }

    func listMemberCounts(
        _ request: ListMemberCountsRequest, _ context: CallContext
    ) async throws -> ListMemberCountsReply {
        throw notOffered
    }

    func signIn(
        _ request: SignInRequest, _ context: CallContext
    ) async throws -> Session {
        throw notOffered
    }

    func signOut(
        _ request: SignOutRequest, _ context: CallContext
    ) async throws -> SignOutReply {
        throw notOffered
    }

    func authenticate(
        _ request: AuthenticateRequest, _ context: CallContext
    ) async throws -> AuthenticateReply {
        throw notOffered
    }

    func getMe(
        _ request: GetMeRequest, _ context: CallContext
    ) async throws -> Me {
        throw notOffered
    }

    func createUser(
        _ request: CreateUserRequest, _ context: CallContext
    ) async throws -> User {
        throw notOffered
    }

    func getUser(
        _ request: GetUserRequest, _ context: CallContext
    ) async throws -> User {
        throw notOffered
    }

    func addMember(
        _ request: AddMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func getMember(
        _ request: GetMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func listMembers(
        _ request: ListMembersRequest, _ context: CallContext
    ) async throws -> ListMembersReply {
        throw notOffered
    }

    func updateMember(
        _ request: UpdateMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func removeMember(
        _ request: RemoveMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func blockMember(
        _ request: BlockMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func unblockMember(
        _ request: UnblockMemberRequest, _ context: CallContext
    ) async throws -> Member {
        throw notOffered
    }

    func getCaps(
        _ request: GetCapsRequest, _ context: CallContext
    ) async throws -> Caps {
        throw notOffered
    }

    func updateCaps(
        _ request: UpdateCapsRequest, _ context: CallContext
    ) async throws -> Caps {
        throw notOffered
    }

    func getUsage(
        _ request: GetUsageRequest, _ context: CallContext
    ) async throws -> Usage {
        throw notOffered
    }

    func getSeats(
        _ request: GetSeatsRequest, _ context: CallContext
    ) async throws -> Seats {
        throw notOffered
    }

    func updateSeats(
        _ request: UpdateSeatsRequest, _ context: CallContext
    ) async throws -> Seats {
        throw notOffered
    }

    func listSeatLedger(
        _ request: ListSeatLedgerRequest, _ context: CallContext
    ) async throws -> ListSeatLedgerReply {
        throw notOffered
    }

    func listWorkspaces(
        _ request: ListWorkspacesRequest, _ context: CallContext
    ) async throws -> ListWorkspacesReply {
        throw notOffered
    }

    func explainAdmission(
        _ request: ExplainAdmissionRequest, _ context: CallContext
    ) async throws -> ExplainAdmissionReply {
        throw notOffered
    }

    func awaitTree(
        _ request: AwaitTreeRequest, _ context: CallContext
    ) async throws -> AwaitTreeReply {
        throw notOffered
    }

    func listUnaffiliatedUsers(
        _ request: ListUnaffiliatedUsersRequest, _ context: CallContext
    ) async throws -> ListUnaffiliatedUsersReply {
        throw notOffered
    }

    func admitUsers(
        _ request: AdmitUsersRequest, _ context: CallContext
    ) async throws -> AdmitUsersReply {
        throw notOffered
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        throw notOffered
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        throw notOffered
    }
}

extension BrandingService {
    func getAppearance(
        _ request: GetAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        throw notOffered
    }

    func updateAppearance(
        _ request: UpdateAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        throw notOffered
    }

    func getEffectiveAppearance(
        _ request: GetEffectiveAppearanceRequest, _ context: CallContext
    ) async throws -> EffectiveAppearance {
        throw notOffered
    }

    func resetAppearance(
        _ request: ResetAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        throw notOffered
    }

    func setWhiteLabel(
        _ request: SetWhiteLabelRequest, _ context: CallContext
    ) async throws -> Appearance {
        throw notOffered
    }

    func setLogo(
        _ request: SetLogoRequest, _ context: CallContext
    ) async throws -> Appearance {
        throw notOffered
    }

    func getAsset(
        _ request: GetAssetRequest, _ context: CallContext
    ) async throws -> Asset {
        throw notOffered
    }

    func previewAppearance(
        _ request: PreviewAppearanceRequest, _ context: CallContext
    ) async throws -> PreviewAppearanceReply {
        throw notOffered
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        throw notOffered
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        throw notOffered
    }
}
