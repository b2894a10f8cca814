import Access
import Logging
import Messages
import ServiceKit
import Storage
import Synchronization
import TreeCopy

/// An organization that this service does not know (yet), or not (yet) as one that is there for
/// people: the caller catches up and tries again.
struct UnknownNode: Error {}

/// Waits for the copy of the tree.
struct TreeBarrier: Sendable {
    /// Returns once everything that Organizations has said by now is applied.
    let catchUp: @Sendable () async throws -> Void
    /// Returns once an event is applied, given its sequence and the incarnation of its source.
    let wait: @Sendable (Int64, [UInt8]) async throws -> Void
}

extension TreeBarrier {
    init(_ consumer: FeedConsumer) {
        self.init(
            catchUp: { try await consumer.catchUp() },
            wait: { try await consumer.waitUntilApplied($0, incarnation: $1) })
    }
}

/// The paths of the tree, kept in memory for the writer.
///
/// Only the writer's jobs use it: they run one after the other, so that a path kept by one is
/// what the next would read, until a job that changes the tree forgets them all.
final class TreePaths: Sendable {
    /// When it is full it begins anew: refilling costs a query a path.
    static let pathsMax = 20_000

    private let paths = Mutex<[OrganizationID: TreePath]>([:])

    /// The path to an organization, judged on a day: what is kept is of the day it was read.
    ///
    /// - Throws: ``UnknownNode``.
    func path(
        to organization: OrganizationID, in transaction: Transaction, on day: CalendarDay
    ) throws -> TreePath {
        if let kept = paths.withLock({ $0[organization] }) { return kept.judged(on: day) }
        guard let path = try TreeCopy.path(of: organization, in: transaction, on: day) else {
            throw UnknownNode()
        }
        paths.withLock { paths in
            if paths.count >= Self.pathsMax { paths.removeAll(keepingCapacity: true) }
            paths[organization] = path
        }
        return path
    }

    /// Forgets every path; the job that changes the tree calls it.
    func forget() {
        paths.withLock { $0.removeAll(keepingCapacity: true) }
    }
}

/// What this service does when the tree changes, in the transaction that changes its copy.
struct TreeFollower: Sendable {
    let paths: TreePaths
    let identifiers: IdentifierSource
    let clock: WallClock

    /// Applies an event of Organizations.
    ///
    /// A change that was decided here before it came is in the copy, and changes nothing more.
    /// Another one is carried out as it is: limits were asked when it was made.
    func apply(_ event: Messages.FeedEvent, in transaction: Transaction) throws {
        paths.forget()
        let isBeingFilled = try TreeCopy.isBeingFilled(in: transaction)
        switch try TreeCopy.apply(event, in: transaction) {
        case .none: break
        case .added(let node):
            try transaction.ensureDefaultWorkspace(of: node.id, id: identifiers.next())
        case .returned(let node):
            try transaction.ensureDefaultWorkspace(of: node.id, id: identifiers.next())
            // Its people have stayed, and have counted nowhere since it was gone.
            guard !isBeingFilled, !node.isArchived else { break }
            try transaction.count(node.id, at: clock.now())
        case .updated(let node, let before):
            // What comes on the way to the end of the feed is the past: the end recounts all.
            if !isBeingFilled { try follow(from: before, to: node, in: transaction) }
        case .removed(let before):
            try transaction.removeWorkspaces(of: before.id)
            try transaction.removeRestoreBlocks(of: before.id)
            try transaction.rejectPendingSignUps(at: before.id, at: clock.now())
            try transaction.removeAPIKeys(of: before.id)
            guard !isBeingFilled, !before.isArchived else { break }
            try transaction.stopCounting(before.id, at: clock.now())
        }
    }

    private func follow(
        from before: TreeNode, to node: TreeNode, in transaction: Transaction
    ) throws {
        let now = clock.now()
        if node.parentID != before.parentID {
            let above = try before.parentID.map { parent in
                [parent] + (try TreeCopy.ancestors(of: parent, in: transaction))
            }
            try transaction.rehome(node.id, from: above ?? [], at: now)
        }
        switch (before.isArchived, node.isArchived) {
        case (false, true):
            try transaction.stopCounting(node.id, at: now)
            try transaction.removeRestoreBlocks(of: node.id)
            try transaction.rejectPendingSignUps(at: node.id, at: now)
        case (true, false): try transaction.count(node.id, at: now)
        case (false, false), (true, true): break
        }
    }

    /// Ends a rebuild, if one is under way: organizations that are gone lose what they had here,
    /// and people are counted where the tree that is known now has them.
    func caughtUp(in transaction: Transaction) throws {
        guard try TreeCopy.isBeingFilled(in: transaction) else { return }
        let gone = try TreeCopy.finishRebuild(in: transaction)
        paths.forget()
        for organization in gone {
            try transaction.removeWorkspaces(of: organization)
            try transaction.removeRestoreBlocks(of: organization)
            try transaction.rejectPendingSignUps(at: organization, at: clock.now())
            try transaction.removeAPIKeys(of: organization)
        }
        try transaction.rejectPendingSignUpsInArchive(at: clock.now())
        try transaction.recount(at: clock.now())
    }

    /// Follows the feed of Organizations into a database.
    func consumer(
        of organizations: FeedSource, into database: Database,
        logger: Logger = Logger(label: "membership")
    ) -> FeedConsumer {
        FeedConsumer(organizations, into: database, target: target, logger: logger)
    }

    private var target: FeedTarget {
        FeedTarget(
            apply: { try self.apply($0, in: $1) },
            reset: { transaction in
                paths.forget()
                try TreeCopy.reset(in: transaction)
            },
            caughtUp: { try self.caughtUp(in: $0) },
            isLost: { try TreeCopy.isEmpty(in: $0) })
    }
}

extension TreePath {
    /// The path for somebody who calls.
    ///
    /// - Throws: ``UnknownNode`` while it is archived or being prepared: then only services know
    ///   of it, and this copy may be behind.
    func visible(to principal: Access.Principal) throws -> TreePath {
        guard principal.serviceName != nil || isThereForPeople else { throw UnknownNode() }
        return self
    }

    /// The titles of those organizations on the path of which somebody may know.
    func titles(for principal: Access.Principal) -> [OrganizationID: String] {
        var titles: [OrganizationID: String] = [:]
        var ids: [OrganizationID] = []
        for node in nodes {
            ids.append(node.id)
            guard principal.decide(.viewOrganization, at: ids) == .allowed else { continue }
            titles[node.id] = node.title
        }
        return titles
    }
}
