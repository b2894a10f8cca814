import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func moveSubtree(
        _ request: MoveSubtreeRequest, _ context: CallContext
    ) async throws -> MoveSubtreeReply {
        try context.require(.recountSubtree)
        let order = try MoveOrder(request)
        let now = context.now
        guard !request.dryRun else {
            return try await whenKnown(otherwise: Denial.treeBehind) {
                try await database.read { snapshot in
                    MoveSubtreeReply(try snapshot.move(order, on: now.day))
                }
            }
        }
        // An event that is still on its way must not take back what is decided now.
        try await tree.catchUp()
        return try await whenKnown(otherwise: Denial.treeBehind) {
            try await database.command(context, request) { transaction in
                paths.forget()
                try transaction.move(try transaction.move(order, on: now.day), at: now)
                return MoveSubtreeReply()
            }
        }
    }

    func restoreSubtree(
        _ request: RestoreSubtreeRequest, _ context: CallContext
    ) async throws -> RestoreSubtreeReply {
        try context.require(.recountSubtree)
        let order = try RestoreOrder(request, key: try context.idempotencyKey)
        let now = context.now
        // An event that is still on its way must not archive again what comes back now.
        try await tree.catchUp()
        return try await whenKnown(otherwise: Denial.treeBehind) {
            try await database.command(context, request) { transaction in
                paths.forget()
                try transaction.restore(order, at: now)
                return RestoreSubtreeReply()
            }
        }
    }

    func cancelSubtreeMove(
        _ request: CancelSubtreeMoveRequest, _ context: CallContext
    ) async throws -> CancelSubtreeMoveReply {
        try context.require(.recountSubtree)
        _ = try OrganizationID(requestText: request.organizationID, field: "organization_id")
        // The event that takes the move back says where the people are counted.
        try await database.cancel(
            context, MembershipMethods.moveSubtree, key: request.moveKey
        ) { (_, _: MoveSubtreeReply?) in }
        return CancelSubtreeMoveReply()
    }

    func cancelSubtreeRestore(
        _ request: CancelSubtreeRestoreRequest, _ context: CallContext
    ) async throws -> CancelSubtreeRestoreReply {
        try context.require(.recountSubtree)
        _ = try OrganizationID(requestText: request.organizationID, field: "organization_id")
        let key = request.restoreKey
        let now = context.now
        return try await whenKnown(otherwise: Denial.treeBehind) {
            try await database.cancel(context, MembershipMethods.restoreSubtree, key: key) {
                (transaction, _: RestoreSubtreeReply?) in
                // Counts of a copy that is in the past would not be those of its people.
                guard try !TreeCopy.isBeingFilled(in: transaction) else { throw UnknownNode() }
                paths.forget()
                try transaction.unblock(blockedByRestore: key, at: now)
            }
            return CancelSubtreeRestoreReply()
        }
    }
}

/// Which organization is to hang where.
struct MoveOrder: Sendable {
    let top: OrganizationID
    let parent: OrganizationID?

    init(_ request: MoveSubtreeRequest) throws {
        top = try OrganizationID(requestText: request.organizationID, field: "organization_id")
        parent = try OrganizationID.optional(
            requestText: request.newParentID, field: "new_parent_id")
    }
}

extension Reading {
    /// What a move would change, by all that is known here.
    fileprivate func move(_ order: MoveOrder, on day: CalendarDay) throws -> SubtreeMove {
        let new = try ancestors(
            of: order.top, below: order.parent, field: "new_parent_id", on: day)
        guard try !TreeCopy.standings(of: [order.top], in: self).isEmpty else {
            throw UnknownNode()
        }
        let old = try TreeCopy.ancestors(of: order.top, in: self)
        let (lost, gained) = SubtreeRules.exchange(old, for: new)
        return SubtreeMove(
            top: order.top, parent: order.parent, lost: lost, gained: gained,
            demands: try demands(at: lost + gained, byPeopleOf: order.top))
    }

    /// The ancestors that an organization would have below a parent, nearest first.
    ///
    /// - Throws: ``UnknownNode`` while they are not known, ``Refusal/parentArchived(_:)``, or a
    ///   ``Denial`` that names the field when the parent is the organization or below it.
    fileprivate func ancestors(
        of organization: OrganizationID, below parent: OrganizationID?, field: String,
        on day: CalendarDay
    ) throws -> [OrganizationID] {
        guard try !TreeCopy.isBeingFilled(in: self) else { throw UnknownNode() }
        guard let parent else { return [] }
        guard let path = try TreeCopy.path(of: parent, in: self, on: day) else {
            throw UnknownNode()
        }
        guard !path.ids.contains(organization) else {
            throw Denial.invalid(field: field, "This is the organization itself, or below it.")
        }
        guard path.nodes.allSatisfy({ !$0.isArchived }) else {
            throw Refusal.parentArchived(parent)
        }
        return path.ids.reversed()
    }
}

extension MoveSubtreeReply {
    /// What a dry run answers.
    fileprivate init(_ move: SubtreeMove) {
        self.init(
            gates: move.gates.map { AdmissionGate($0) },
            capChanges: move.limits.compactMap { demand, begins in
                demand.cap.map { cap in
                    Messages.CapChange(
                        kind: demand.kind.word, organizationID: demand.node.text, cap: cap,
                        begins: begins)
                }
            })
    }
}

/// Which organizations leave the archive, and how.
struct RestoreOrder: Sendable {
    /// The one below which the others are.
    let top: OrganizationID
    /// All of them, the top first.
    let organizations: [OrganizationID]
    let parent: OrganizationID?
    let blocksMembers: Bool
    /// The idempotency key, by which it can be cancelled.
    let key: String

    init(_ request: RestoreSubtreeRequest, key: String) throws {
        let ids = try request.organizationIDs.map {
            try OrganizationID(requestText: $0, field: "organization_ids")
        }
        guard let top = ids.first, ids.count <= SubtreeRules.organizationsMax,
            Set(ids).count == ids.count
        else {
            throw Denial.invalid(
                field: "organization_ids",
                "Give 1 to \(SubtreeRules.organizationsMax) organizations, each once.")
        }
        self.top = top
        organizations = ids
        parent = try OrganizationID.optional(requestText: request.parentID, field: "parent_id")
        blocksMembers = request.blocked
        self.key = key
    }
}

extension Transaction {
    /// Takes organizations out of the archive, with the people who were there; those that are out
    /// of it already stay as they are.
    fileprivate func restore(_ order: RestoreOrder, at now: WallTime) throws {
        let standings = try TreeCopy.standings(of: order.organizations, in: self)
        guard standings.count == order.organizations.count else { throw UnknownNode() }
        let archived = standings.filter(\.isArchived)
        try hang(order, archived.first { $0.id == order.top }, at: now)
        let organizations = archived.map(\.id)
        try TreeCopy.restore(organizations, in: self)
        if order.blocksMembers {
            try block(membersOf: organizations, byRestore: order.key, at: now)
            // A program that nobody has let in again stays out, too.
            for organization in organizations { try removeAPIKeys(of: organization) }
        } else {
            try admit(membersOf: organizations, at: now)
        }
    }

    /// Hangs the top below the parent under which it comes back.
    private func hang(
        _ order: RestoreOrder, _ top: TreeCopy.Standing?, at now: WallTime
    ) throws {
        _ = try ancestors(of: order.top, below: order.parent, field: "parent_id", on: now.day)
        guard let top, top.parentID != order.parent else { return }
        let old = try TreeCopy.ancestors(of: top.id, in: self)
        try TreeCopy.hang(top.id, below: order.parent, in: self)
        try rehome(top.id, from: old, at: now)
    }
}
