import Messages
import RPC

/// Answers one organization, as a service with everything in memory would: its methods are
/// registered by generated code, as in a real service.
struct Service: OrganizationsService {
    let reply: Organization

    func getOrganization(
        _ request: GetOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        reply
    }
}

// MARK: Not measured

extension Service {
    private static let absent = Status(.unimplemented, "The benchmark does not call it.")

    func createOrganization(
        _ request: CreateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func listOrganizations(
        _ request: ListOrganizationsRequest, _ context: CallContext
    ) async throws -> ListOrganizationsReply {
        throw Self.absent
    }

    func updateOrganization(
        _ request: UpdateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func activateOrganization(
        _ request: ActivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func deactivateOrganization(
        _ request: DeactivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func deleteOrganization(
        _ request: DeleteOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func restoreOrganization(
        _ request: RestoreOrganizationRequest, _ context: CallContext
    ) async throws -> RestoreOrganizationReply {
        throw Self.absent
    }

    func moveOrganization(
        _ request: MoveOrganizationRequest, _ context: CallContext
    ) async throws -> MoveOrganizationReply {
        throw Self.absent
    }

    func provisionOrganization(
        _ request: ProvisionOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func explainState(
        _ request: ExplainStateRequest, _ context: CallContext
    ) async throws -> ExplainStateReply {
        throw Self.absent
    }

    func createEmailMask(
        _ request: CreateEmailMaskRequest, _ context: CallContext
    ) async throws -> EmailMask {
        throw Self.absent
    }

    func listEmailMasks(
        _ request: ListEmailMasksRequest, _ context: CallContext
    ) async throws -> ListEmailMasksReply {
        throw Self.absent
    }

    func resolveEmail(
        _ request: ResolveEmailRequest, _ context: CallContext
    ) async throws -> ResolveEmailReply {
        throw Self.absent
    }

    func prepareOrganization(
        _ request: PrepareOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func commitOrganization(
        _ request: CommitOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        throw Self.absent
    }

    func cancelPreparation(
        _ request: CancelPreparationRequest, _ context: CallContext
    ) async throws -> CancelPreparationReply {
        throw Self.absent
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext,
        _ replies: ReplyStream<WatchReply>
    ) async throws {
        throw Self.absent
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        throw Self.absent
    }
}
