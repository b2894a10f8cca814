import Access
import Messages
import RPC
import ServiceKit
import Storage

// What becomes of organizations: paused and resumed, archived, explained.

extension Service {
    func activateOrganization(
        _ request: ActivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        try await setActivation(true, of: request.id, for: request, context)
    }

    func deactivateOrganization(
        _ request: DeactivateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let organization = try await setActivation(false, of: request.id, for: request, context)
        try await acknowledged(context)
        return organization
    }

    func deleteOrganization(
        _ request: DeleteOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let id = try OrganizationID(requestText: request.id, field: "id")
        let now = context.now
        let batch: ArchiveBatchID = identifiers.next()
        let (cascade, most) = (request.cascade, limits.archiveMax)
        let organization = try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.require(.archiveOrganization, at: line.ids)
            try context.requireMatch(version: node.version)
            try transaction.requireSettled(line)
            if !cascade, try transaction.hasChildren(node.number) { throw Refusal.hasChildren }
            let archived = try transaction.archive(
                node, Archival(at: now, by: principal.scope, batch: batch), most: most)
            return Organization(archived, in: line.replacing(archived.level))
        }
        try await acknowledged(context)
        return organization
    }

    func explainState(
        _ request: ExplainStateRequest, _ context: CallContext
    ) async throws -> ExplainStateReply {
        let principal = try context.principal
        let id = try OrganizationID(requestText: request.id, field: "id")
        let day = context.now.day
        return try database.readInline { snapshot in
            let (_, line) = try snapshot.organization(
                id, seenBy: principal, on: day, archive: .included)
            let nodes = try line.levels.reversed().compactMap { level in
                try snapshot.node(numbered: level.number)
            }
            return ExplainStateReply(
                effectiveState: EffectiveState(line.state), stateReason: StateReason(line),
                levels: nodes.map { LevelState($0, on: day) })
        }
    }

    private func setActivation(
        _ isActivated: Bool, of text: String, for request: some Message, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let id = try OrganizationID(requestText: text, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.require(.changeActivation, at: line.ids)
            try context.requireMatch(version: node.version)
            if node.isActivated != isActivated {
                // An event with the old place would undo what Membership has counted already.
                try transaction.requireSettled(line)
                var next = node
                next.isActivated = isActivated
                node = try transaction.update(
                    next, from: node, below: line.parents?.end.id, at: now)
            }
            return Organization(node, in: line.replacing(node.level))
        }
    }

    /// Returns once Membership lets nobody in any more where it must not.
    ///
    /// Also after a replay: the first attempt may have been stored and never acknowledged.
    private func acknowledged(_ context: CallContext) async throws {
        do {
            try await others.membershipFollows(feed.head, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Status.notAcknowledged
        }
    }
}

extension LevelState {
    fileprivate init(_ node: Node, on day: CalendarDay) {
        self.init(
            organizationID: node.id.text, title: node.details.title.text,
            state: EffectiveState(node.level.state(on: day)),
            trial: node.details.trialUntil.map { Trial(enabled: true, validUntil: $0.text) },
            expiresAt: node.details.expiresOn?.text ?? "",
            archivedAt: node.standing == .archived
                ? node.archival.map { Timestamp($0.at) } : nil)
    }
}
