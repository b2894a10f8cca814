import Access
import Messages
import RPC
import ServiceKit
import Storage

/// An organization on its way, as it is stored.
struct RelocationRecord: Sendable, Hashable {
    let workflow: WorkflowID
    let number: Int64
    /// The number of the new parent; 0 for the root.
    let place: Int64
    let titleKey: String
    let sourceRoot: Int64
    let targetRoot: Int64
    let begun: WallTime
}

extension Reading {
    /// Whether an organization is on its way in a tree, by the number of its root.
    func isMoving(inTreeOf root: Int64) throws -> Bool {
        try exists(
            "SELECT 1 FROM relocation WHERE source_root = \(root) AND open = 1 LIMIT 1")
            || exists("SELECT 1 FROM relocation WHERE target_root = \(root) AND open = 1 LIMIT 1")
    }

    /// Whether any organization is on its way.
    func isAnythingMoving() throws -> Bool {
        try exists("SELECT 1 FROM relocation WHERE open = 1 LIMIT 1")
    }

    /// Whether an organization on its way has taken a title below a parent; nil: at the root.
    func isTitleReserved(_ titleKey: String, below parent: Int64?) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM relocation
            WHERE place = \(parent ?? 0) AND title_key = \(titleKey) AND open = 1 LIMIT 1
            """)
    }

    /// What could not be given back to an organization that was restored.
    func notRestored(by workflow: WorkflowID) throws -> [String] {
        try row("SELECT not_restored FROM relocation WHERE workflow = \(workflow)") { row in
            try row.text(0).split(separator: "\n").map(String.init)
        } ?? []
    }

    /// The number of the organization that a workflow moves or restores.
    fileprivate func relocated(by workflow: WorkflowID) throws -> Int64? {
        try row("SELECT number FROM relocation WHERE workflow = \(workflow)") { try $0.int64(0) }
    }

    /// The numbers of an organization of the archive and of what was archived with it below, a
    /// parent before its children; at most so many.
    func archived(from number: Int64, in batch: ArchiveBatchID, limit: Int) throws -> [Int64] {
        try rows(
            """
            WITH RECURSIVE down (number, level) AS (
                SELECT number, 1 FROM organization WHERE number = \(number)
                UNION ALL
                SELECT o.number, down.level + 1
                FROM down JOIN organization AS o ON o.parent = down.number
                WHERE o.standing = 3 AND o.archive_batch = \(batch) AND down.level < 10
            )
            SELECT number FROM down LIMIT \(limit)
            """
        ) { try $0.int64(0) }
    }

    /// How many levels an organization has with what hangs below it, in the archive or not.
    func height(of number: Int64) throws -> Int {
        try row(
            """
            WITH RECURSIVE down (number, level) AS (
                SELECT number, 1 FROM organization WHERE number = \(number)
                UNION ALL
                SELECT o.number, down.level + 1
                FROM down JOIN organization AS o ON o.parent = down.number
                WHERE o.standing <= 3 AND down.level < 10
            )
            SELECT max(level) FROM down LIMIT 1
            """
        ) { try $0.int(0) } ?? 1
    }
}

extension Transaction {
    /// Refuses a change of a tree in which an organization is on its way.
    func requireSettled(_ line: Line?) throws {
        guard let root = line?.levels.first?.number else { return }
        if try isMoving(inTreeOf: root) { throw Refusal.organizationMoving }
    }

    /// Notes that an organization is on its way, and keeps its title and both trees for it.
    ///
    /// - Throws: ``Refusal/organizationMoving``, ``Refusal/nameTaken``.
    func insert(_ relocation: RelocationRecord) throws {
        for root in [relocation.sourceRoot, relocation.targetRoot]
        where try isMoving(inTreeOf: root) {
            throw Refusal.organizationMoving
        }
        let parent = relocation.place == 0 ? nil : relocation.place
        if try isTitleReserved(relocation.titleKey, below: parent) { throw Refusal.nameTaken }
        try execute(
            """
            INSERT INTO relocation (workflow, number, place, title_key, source_root, target_root,
                open, not_restored, begun_micros)
            VALUES (\(relocation.workflow), \(relocation.number), \(relocation.place),
                \(relocation.titleKey), \(relocation.sourceRoot), \(relocation.targetRoot), 1, '',
                \(relocation.begun))
            """)
    }

    /// Ends a relocation, whatever it came to.
    func endRelocation(_ workflow: WorkflowID, notRestored: [String] = []) throws {
        try execute(
            """
            UPDATE relocation SET open = 0,
                not_restored = \(notRestored.joined(separator: "\n"))
            WHERE workflow = \(workflow)
            """)
    }

    /// Tells the feed anew of organizations that stay where they are, though another service may
    /// have followed their move or restore already: each as its next version.
    func takeBack(_ workflow: WorkflowID, at now: WallTime) throws {
        guard let top = try relocated(by: workflow).flatMap({ try node(numbered: $0) }) else {
            return
        }
        var numbers = [top.number]
        if top.standing == .archived, let batch = top.archival?.batch {
            numbers = try archived(from: top.number, in: batch, limit: Limits.archiveEver)
        }
        for number in numbers {
            guard let node = try node(numbered: number) else { continue }
            let parent = try node.parent.flatMap { try self.node(numbered: $0)?.id }
            _ = try update(node, from: node, below: parent, at: now, isDecided: true)
        }
    }

    /// Hangs an organization elsewhere, with everything below it.
    func move(_ number: Int64, below parent: Node?, at now: WallTime) throws {
        guard let before = try node(numbered: number) else { throw Unreadable.relocation }
        let difference = (parent?.depth ?? 0) + 1 - before.depth
        var next = before
        next.parent = parent?.number
        next.depth = before.depth + difference
        _ = try update(next, from: before, below: parent?.id, at: now)
        if difference != 0 { try settleDepths(below: next) }
    }

    /// Brings the depth of everything below an organization in line with its own, whatever has
    /// become of it: what is gone for good may hang deeper than anything can, and stays within.
    func settleDepths(below node: Node) throws {
        try execute(
            """
            WITH RECURSIVE down (number, level) AS (
                SELECT number, 1 FROM organization WHERE parent = \(node.number)
                UNION ALL
                SELECT o.number, down.level + 1
                FROM down JOIN organization AS o ON o.parent = down.number
                WHERE down.level < 10
            )
            UPDATE organization SET depth = min(\(Line.depthMax), \(node.depth) + down.level)
            FROM down WHERE organization.number = down.number
            """)
    }

    /// Refuses to restore organizations whose titles are taken where titles must be free.
    ///
    /// - Parameters:
    ///   - ids: The organizations.
    ///   - title: The title that the first comes back with; nil: its own.
    ///   - parent: Where the first comes to hang; nil: at the root.
    /// - Throws: ``Refusal/nameTaken``.
    func requireFreeTitles(
        of ids: [OrganizationID], first title: Title?, below parent: Int64?
    ) throws {
        for (index, id) in ids.enumerated() {
            guard var node = try node(id) else { continue }
            node.standing = .present
            if index == 0 {
                node.parent = parent
                node.details.title = title ?? node.details.title
            }
            try requireFreeTitle(of: node)
        }
    }

    /// Takes organizations out of the archive.
    ///
    /// - Parameters:
    ///   - ids: The organizations, a parent before its children.
    ///   - title: The title that the first comes back with; nil: its own.
    ///   - parent: Where the first comes to hang.
    ///   - now: When.
    /// - Returns: What could not be given back: email domains and custom URLs that others have.
    /// - Throws: ``Unreadable/relocation`` for what is not in the archive.
    func restore(
        _ ids: [OrganizationID], title: Title?, below parent: Node?, at now: WallTime
    ) throws -> [String] {
        var notRestored: [String] = []
        var change = try changeOfMany()
        for (index, id) in ids.enumerated() {
            guard let before = try node(id) else { throw Unreadable.relocation }
            guard before.standing == .archived else { continue }
            var next = before
            next.standing = .present
            next.archival = nil
            var above = try before.parent.flatMap { try node(numbered: $0) }
            if index == 0 {
                above = parent
                next.parent = parent?.number
                next.details.title = title ?? before.details.title
            }
            next.depth = (above?.depth ?? 0) + 1
            _ = try update(
                next, from: before, below: above?.id, at: now, isDecided: true, as: &change)
            if index == 0, next.depth != before.depth { try settleDepths(below: next) }
            notRestored += try reclaimEmailMasks(of: id)
            notRestored += try restoreCustomURLs(of: id, at: now)
        }
        try count(change)
        return notRestored
    }

    /// Gives an organization the domains back that nobody has taken meanwhile.
    private func reclaimEmailMasks(of organization: OrganizationID) throws -> [String] {
        let released = try rows(
            """
            SELECT value FROM email_mask WHERE organization_id = \(organization) AND state = 3
            ORDER BY value LIMIT \(Limits.emailMasksEver)
            """
        ) { try $0.text(0) }
        var taken: [String] = []
        for value in released {
            if try self.organization(joinedBy: value) == nil {
                try execute(
                    """
                    UPDATE email_mask SET state = 1
                    WHERE organization_id = \(organization) AND value = \(value)
                    """)
            } else {
                taken.append(value)
                try execute(
                    """
                    DELETE FROM email_mask
                    WHERE organization_id = \(organization) AND value = \(value)
                    """)
            }
        }
        return taken
    }
}

/// What this service wrote itself and cannot read: a defect, or a damaged database.
enum Unreadable: Error {
    case relocation
}
