import Access
import Messages
import RPC
import ServiceKit
import Storage

// Moves and restores: begun here, carried out by ``Relocations``.

extension Service {
    /// Pauses between looks at a workflow that is under way.
    private static let lookPause: Duration = .milliseconds(5)
    /// How long an answer waits for the end of a workflow; the deadline of the call shortens it.
    private static let relocationWaitMax: Duration = .seconds(8)

    func moveOrganization(
        _ request: MoveOrganizationRequest, _ context: CallContext
    ) async throws -> MoveOrganizationReply {
        let principal = try context.principal
        let id = try OrganizationID(requestText: request.id, field: "id")
        let target = try OrganizationID.optional(
            requestText: request.newParentID, field: "new_parent_id")
        guard (target == nil) == request.toRoot else {
            throw Status.invalid(
                "new_parent_id", "Please name a new parent, or say that it becomes a root.")
        }
        if request.dryRun { return try await tryMove(id, to: target, context) }
        return try await namingTheSeen(context) {
            let begun = try await begin(request, of: id, to: target, for: principal, context)
            _ = try await end(of: begun, context)
            return MoveOrganizationReply(organization: try await organization(id, context))
        }
    }

    /// Begins a move, unless the organization hangs there already.
    private func begin(
        _ request: MoveOrganizationRequest, of id: OrganizationID, to target: OrganizationID?,
        for principal: Access.Principal, _ context: CallContext
    ) async throws -> RelocationBegun {
        let now = context.now
        let workflow: WorkflowID = identifiers.next()
        return try await database.command(context, request) { transaction in
            let facts = try transaction.moveFacts(of: id, to: target, for: principal, on: now.day)
            guard let node = try transaction.node(id) else { throw OutOfScope() }
            try context.requireMatch(version: node.version)
            if facts.isNothing { return RelocationBegun() }
            if let obstacle = facts.obstacles.first { throw obstacle }
            try transaction.insert(
                RelocationRecord(
                    workflow: workflow, number: node.number, place: facts.target?.end.number ?? 0,
                    titleKey: node.details.title.key, sourceRoot: facts.line.levels[0].number,
                    targetRoot: facts.target?.levels[0].number ?? node.number, begun: now))
            try transaction.start(
                WorkflowStart(
                    id: workflow.bytes, kind: Relocations.move,
                    input: Relocation(
                        organizationID: id.text, parentID: target?.text ?? ""
                    ).encoded(), startedBy: principal.scope, at: now))
            return RelocationBegun(workflow: workflow.bytes)
        }
    }

    func restoreOrganization(
        _ request: RestoreOrganizationRequest, _ context: CallContext
    ) async throws -> RestoreOrganizationReply {
        let id = try OrganizationID(requestText: request.id, field: "id")
        let place = try RestorePlace(request)
        let title =
            try request.title.isEmpty
            ? nil : accept(request.title, field: "title", as: Title.init(_:field:))
        guard [.unspecified, .blocked].contains(request.members) else {
            throw Status.invalid("members", "There is no such way to restore members.")
        }
        return try await namingTheSeen(context) {
            let begun = try await begin(request, of: id, title: title, at: place, context)
            let ended = try await end(of: begun, context)
            return RestoreOrganizationReply(
                organization: try await organization(id, context),
                notRestored: try await database.read { snapshot in
                    try ended.map { try snapshot.notRestored(by: $0) } ?? []
                })
        }
    }

    /// Begins a restore.
    private func begin(
        _ request: RestoreOrganizationRequest, of id: OrganizationID, title: Title?,
        at place: RestorePlace, _ context: CallContext
    ) async throws -> RelocationBegun {
        let principal = try context.principal
        let blocked = request.members == .blocked
        let now = context.now
        let most = limits.archiveMax
        let workflow: WorkflowID = identifiers.next()
        return try await database.command(context, request) { transaction in
            let plan = try transaction.restorePlan(
                of: id, title: title, at: place, for: principal, on: now.day, most: most)
            try context.requireMatch(version: plan.node.version)
            let parent = plan.target?.end
            try transaction.requireFreeTitles(
                of: plan.ids, first: title, below: parent?.number)
            try transaction.insert(
                RelocationRecord(
                    workflow: workflow, number: plan.node.number, place: parent?.number ?? 0,
                    titleKey: (title ?? plan.node.details.title).key,
                    sourceRoot: plan.root,
                    targetRoot: plan.target?.levels[0].number ?? plan.node.number, begun: now))
            try transaction.start(
                WorkflowStart(
                    id: workflow.bytes, kind: Relocations.restore,
                    input: Relocation(
                        organizationID: id.text, parentID: parent?.id.text ?? "",
                        title: title?.text ?? "", blocked: blocked,
                        organizationIDs: plan.ids.map(\.text)
                    ).encoded(), startedBy: principal.scope, at: now))
            return RelocationBegun(workflow: workflow.bytes)
        }
    }

    /// Waits for the end of a workflow.
    ///
    /// - Returns: The workflow; nil when there was nothing to do.
    /// - Throws: Why it came to nothing, or ``RPC/Status/underWay`` when it takes longer.
    private func end(of begun: RelocationBegun, _ context: CallContext) async throws
        -> WorkflowID?
    {
        guard !begun.workflow.isEmpty else { return nil }
        let limit = min(context.deadline.remaining(), Self.relocationWaitMax)
        let end = ContinuousClock.now.advanced(by: limit * 0.9)
        while ContinuousClock.now < end {
            let workflow = try database.readInline { try $0.workflow(begun.workflow) }
            guard let workflow else { throw Unreadable.relocation }
            switch workflow.state {
            case .done: return WorkflowID(bytes: begun.workflow)
            case .aborted:
                throw try workflow.refusal.map { try Status(decoding: $0) } ?? Status.givenUp
            case .running, .compensating: try await Task.sleep(for: Self.lookPause)
            }
        }
        throw Status.underWay
    }

    private func organization(
        _ id: OrganizationID, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let day = context.now.day
        return try database.readInline { snapshot in
            let (node, line) = try snapshot.organization(id, seenBy: principal, on: day)
            return Organization(node, in: line)
        }
    }
}

/// Where an organization is to come back.
private enum RestorePlace: Sendable {
    /// Where it was.
    case own
    case root
    case below(OrganizationID)

    init(_ request: RestoreOrganizationRequest) throws {
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        guard parent == nil || !request.toRoot else {
            throw Status.invalid(
                "parent_id", "Please name a parent, or say that it becomes a root.")
        }
        self = parent.map(RestorePlace.below) ?? (request.toRoot ? .root : .own)
    }
}

/// What a restore is decided on.
private struct RestorePlan: Sendable {
    let node: Node
    /// The number of the root above it, in the archive or not.
    let root: Int64
    /// Where it comes to hang; nil for the root.
    let target: Line?
    /// The organizations that come back, a parent before its children.
    let ids: [OrganizationID]
}

extension Reading {
    /// What a move is decided on, if the principal may make it.
    ///
    /// - Throws: ``OutOfScope``, `PERMISSION_DENIED`.
    func moveFacts(
        of id: OrganizationID, to target: OrganizationID?, for principal: Access.Principal,
        on day: CalendarDay
    ) throws -> MoveFacts {
        let (node, line) = try organization(id, seenBy: principal, on: day)
        let above = try target.map { try self.line(to: $0, seenBy: principal, on: day) }
        switch principal.decideMove(from: line.ids, to: above?.ids ?? []) {
        case .allowed: break
        case .notFound: throw OutOfScope()
        case .forbidden, .suspended: throw Status.forbidden()
        }
        let namesake = try child(of: above?.end.number, titleKey: node.details.title.key)
        let isReserved = try isTitleReserved(node.details.title.key, below: above?.end.number)
        return MoveFacts(
            line: line, target: above, height: try height(of: node.number),
            isTitleTaken: isReserved || namesake.map { $0.id != id } ?? false)
    }

    /// What a restore is decided on, if the principal may make it.
    fileprivate func restorePlan(
        of id: OrganizationID, title: Title?, at place: RestorePlace,
        for principal: Access.Principal, on day: CalendarDay, most: Int
    ) throws -> RestorePlan {
        let (node, line) = try organization(id, seenBy: principal, on: day, archive: .included)
        try principal.require(.restoreOrganization, at: line.ids)
        guard node.standing == .archived, let batch = node.archival?.batch else {
            throw Refusal.wrongState("This organization is not in the archive.")
        }
        let target = try parents(of: line, at: place, for: principal, on: day)
        try target?.admitChild()
        let key = (title ?? node.details.title).key
        if try child(of: target?.end.number, titleKey: key) != nil { throw Refusal.nameTaken }
        let numbers = try archived(from: node.number, in: batch, limit: most + 1)
        guard numbers.count <= most else { throw Refusal.tooManyAtOnce(most) }
        guard (target?.depth ?? 0) + (try height(of: node.number)) <= Line.depthMax else {
            throw Refusal.depthExceeded
        }
        let ids = try numbers.compactMap { try self.node(numbered: $0)?.id }
        return RestorePlan(
            node: node, root: line.levels[0].number, target: target, ids: ids)
    }

    /// The line to the parent below which an organization comes back; nil: it is a root.
    private func parents(
        of line: Line, at place: RestorePlace, for principal: Access.Principal,
        on day: CalendarDay
    ) throws -> Line? {
        let parents: Line?
        switch place {
        case .own: parents = line.parents
        case .root:
            // What was a root comes back to where it was.
            if line.depth > 1 { try principal.requireCreation(below: nil) }
            parents = nil
        case .below(let parent):
            let (_, named) = try organization(
                parent, seenBy: principal, on: day, archive: .included)
            try principal.require(.restoreOrganization, at: named.ids)
            parents = named
        }
        guard parents?.isArchived != true else { throw Refusal.parentArchived }
        return parents
    }
}

extension Status {
    /// A relocation that is begun and goes on by itself.
    fileprivate static var underWay: Status {
        passing(
            .notAcknowledged,
            "This is under way, and goes on by itself. Retry with the same idempotency key.")
    }

    /// A relocation that was begun, and not decided in time or cancelled by an operator.
    fileprivate static var givenUp: Status {
        refusal(
            .commandCancelled,
            "This was given up before it was decided; organizations are where they were.")
    }
}
