import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// A change of what is set at an organization, while it is made.
struct AppearanceChange {
    let transaction: Transaction
    let path: TreePath
    let principal: Access.Principal
    var appearance: OwnAppearance

    /// Whether the organization's own values count.
    var hasWhiteLabel: Bool {
        appearance.whiteLabel ?? OriginKind(path.node.origin).whiteLabel
    }

    /// Refuses what would not count.
    func requireWhiteLabel() throws {
        guard hasWhiteLabel else { throw Refusal.whiteLabelDisabled }
    }

    /// Whether whoever makes the change may do something else at the organization too.
    func may(_ action: Action) -> Bool {
        principal.decide(action, at: path.ids) == .allowed
    }
}

extension Service {
    /// Answers from what is here, after waiting for news of an organization that is not known.
    func reading<Answer: Sendable>(
        _ id: OrganizationID, _ context: CallContext,
        _ body: @Sendable (Snapshot) throws -> Answer
    ) async throws -> Answer {
        try await learn(of: id, for: context.principal, on: context.now.day)
        return try database.readInline(body)
    }

    /// Changes what is set at an organization, once for each key.
    func change(
        _ text: String, by action: Action = .editAppearance, for request: some Message,
        _ context: CallContext,
        _ body: @escaping @Sendable (inout AppearanceChange) throws -> Void
    ) async throws -> Appearance {
        let principal = try context.principal
        let id = try OrganizationID(requestText: text, field: "organization_id")
        let now = context.now
        try await learn(of: id, for: principal, on: now.day)
        return try await database.command(context, request) { transaction in
            let path = try transaction.path(to: id, seenBy: principal, on: now.day)
            try principal.requireOpen(action, at: path)
            let own = try transaction.appearance(of: id)
            try context.requireMatch(version: own.version)
            var change = AppearanceChange(
                transaction: transaction, path: path, principal: principal, appearance: own)
            try body(&change)
            guard change.appearance != own else { return Appearance(own, at: path.node) }
            let kept = try transaction.keep(change.appearance, at: now)
            let appearance = Appearance(kept, at: path.node)
            try transaction.publish(appearance, of: id, at: now)
            return appearance
        }
    }

    /// Waits for news when an organization is not known, or archived or being prepared for all
    /// that is known here: it may have been made, or restored, just now.
    private func learn(
        of id: OrganizationID, for principal: Access.Principal, on day: CalendarDay
    ) async throws {
        let isKnown = try database.readInline { snapshot in
            try TreeCopy.path(of: id, in: snapshot, on: day).map(principal.isOpen) ?? false
        }
        if !isKnown { try await treeCatchesUp() }
    }
}

extension Reading {
    /// The path to an organization, if the principal may know of it.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown and for unseen.
    func path(
        to id: OrganizationID, seenBy principal: Access.Principal, on day: CalendarDay
    ) throws -> TreePath {
        guard let path = try TreeCopy.path(of: id, in: self, on: day), principal.sees(path) else {
            throw OutOfScope()
        }
        return path
    }
}

extension Access.Principal {
    /// Whether the principal may know of the organization at the end of a path.
    fileprivate func sees(_ path: TreePath) -> Bool {
        decide(.viewOrganization, at: path.ids) == .allowed && isOpen(path)
    }

    /// Whether a path is there for the principal: what is archived or being prepared is the
    /// business of services.
    fileprivate func isOpen(_ path: TreePath) -> Bool {
        serviceName != nil || path.isThereForPeople
    }

    /// Requires a right that is closed to the people of an organization while it is paused.
    func requireOpen(_ action: Action, at path: TreePath) throws {
        try require(action, at: path.ids, pausedAt: path.pause)
    }
}

extension FeedTarget {
    /// Keeps the copy of the tree.
    static let treeCopy = FeedTarget(
        apply: { event, transaction in try TreeCopy.apply(event, in: transaction) },
        reset: { try TreeCopy.reset(in: $0) },
        caughtUp: { try TreeCopy.finishRebuild(in: $0) },
        isLost: { try TreeCopy.isEmpty(in: $0) })
}
