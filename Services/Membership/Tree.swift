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

/// An organization whose parent changed.
///
/// Places are counted at every ancestor, so that a move is
/// a call of its own, with its own gates; the feed alone must never do it.
struct ParentChanged: Error {
    let organization: OrganizationID
}

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

    /// The path to an organization.
    ///
    /// - Throws: ``UnknownNode``.
    func path(to organization: OrganizationID, in transaction: Transaction) throws -> TreePath {
        if let kept = paths.withLock({ $0[organization] }) { return kept }
        guard let path = try TreeCopy.path(of: organization, in: transaction) else {
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

    /// Applies an event of Organizations.
    ///
    /// - Throws: ``ParentChanged``: the copy then stays as it is, and the service is not ready.
    func apply(_ event: Messages.FeedEvent, in transaction: Transaction) throws {
        paths.forget()
        switch try TreeCopy.apply(event, in: transaction) {
        case .none: break
        case .added(let node):
            try transaction.ensureDefaultWorkspace(of: node.id, id: identifiers.next())
        case .updated(let node, let before):
            guard node.parentID == before.parentID else {
                throw ParentChanged(organization: node.id)
            }
        case .removed(let organization):
            try transaction.removeWorkspaces(of: organization)
        }
    }

    /// Ends a rebuild, if one is under way: organizations that are gone lose what they had here.
    func caughtUp(in transaction: Transaction) throws {
        let gone = try TreeCopy.finishRebuild(in: transaction)
        if !gone.isEmpty { paths.forget() }
        for organization in gone { try transaction.removeWorkspaces(of: organization) }
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
    /// - Throws: ``UnknownNode`` while it is being prepared: then only services know of it, and
    ///   this copy may be behind.
    func visible(to principal: Access.Principal) throws -> TreePath {
        guard principal.userID != nil, case .provisioning = state else { return self }
        throw UnknownNode()
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
