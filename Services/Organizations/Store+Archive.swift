import Access
import ServiceKit
import Storage

// The archive: what is deleted stays for a while, and may come back.

extension Transaction {
    /// Archives an organization with everything below it.
    ///
    /// - Parameters:
    ///   - node: The organization.
    ///   - archival: When, by whom, and the batch that all of them belong to.
    ///   - most: The most organizations at once.
    /// - Returns: The organization as archived.
    /// - Throws: ``Refusal/tooManyAtOnce(_:)``.
    func archive(_ node: Node, _ archival: Archival, most: Int) throws -> Node {
        let nodes = try subtree(of: node.number, limit: most + 1)
        guard nodes.count <= most else { throw Refusal.tooManyAtOnce(most) }
        let above = try node.parent.flatMap { try self.node(numbered: $0)?.id }
        var ids: [Int64: OrganizationID] = [:]
        var top: Node?
        var change = try changeOfMany()
        for before in nodes {
            let parent = before.number == node.number ? above : before.parent.flatMap { ids[$0] }
            ids[before.number] = before.id
            var next = before
            if before.standing == .provisioning {
                // What was never there cannot come back.
                next.standing = .cancelled
                try releaseEmailMasks(of: before.id)
                try releaseCustomURLs(of: before.id, at: archival.at)
            } else {
                next.standing = .archived
                next.archival = archival
            }
            let kept = try update(
                next, from: before, below: parent, at: archival.at, as: &change)
            if before.number == node.number { top = kept }
        }
        try count(change)
        try releaseEmailMasks(archivedIn: archival.batch)
        try releaseCustomURLs(archivedIn: archival.batch, at: archival.at)
        guard let top else {
            preconditionFailure("a subtree begins with its own organization")
        }
        return top
    }

    /// Frees the domains by which people join an organization.
    private func releaseEmailMasks(of organization: OrganizationID) throws {
        try execute(
            """
            UPDATE email_mask SET state = 3
            WHERE organization_id = \(organization) AND mode = 1 AND state = 1
            """)
    }

    /// Frees the domains by which people join organizations that were archived together.
    private func releaseEmailMasks(archivedIn batch: ArchiveBatchID) throws {
        try execute(
            """
            UPDATE email_mask SET state = 3
            WHERE mode = 1 AND state = 1 AND organization_id IN (
                SELECT id FROM organization WHERE archive_batch = \(batch) AND standing = 3)
            """)
    }
}

extension Reading {
    /// The organizations that have been in the archive the longest, since before an instant; at
    /// most so many.
    fileprivate func archived(before instant: WallTime, limit: Int) throws -> [Node] {
        try rows(
            """
            SELECT \(Node.columns) FROM organization
            WHERE standing = 3 AND archived_micros < \(instant)
            ORDER BY archived_micros, serial LIMIT \(limit)
            """, Node.init(row:))
    }
}

extension Transaction {
    /// What stands where a purged organization's title was.
    private static let purgedTitle = Title(stored: "-", key: "-")

    /// Removes for good what organizations of the archive held; their identifiers stay spent.
    ///
    /// - Parameters:
    ///   - instant: Those archived before it.
    ///   - most: The most of them.
    ///   - now: When.
    /// - Returns: How many.
    /// - Throws: `StorageFault`.
    func purgeArchive(before instant: WallTime, atMost most: Int, at now: WallTime) throws -> Int {
        // What is on its way out of the archive is left to arrive.
        guard try !isAnythingMoving() else { return 0 }
        let nodes = try archived(before: instant, limit: most)
        for before in nodes {
            var next = before
            next.standing = .purged
            next.details = Details(
                title: Self.purgedTitle, description: Description(stored: ""),
                category: before.details.category,
                categorySource: before.details.categorySource, country: "")
            let parent = try before.parent.flatMap { try node(numbered: $0)?.id }
            _ = try update(next, from: before, below: parent, at: now)
            try execute("DELETE FROM email_mask WHERE organization_id = \(before.id)")
            try execute("DELETE FROM contact_receiver WHERE organization_id = \(before.id)")
        }
        return nodes.count
    }

    /// Forgets relocations that are over and were begun before an instant.
    func forgetRelocations(before instant: WallTime) throws {
        try execute(
            """
            DELETE FROM relocation WHERE begun_micros < \(instant) AND open = 0
            """)
    }
}
