import Access
import FoundationEssentials
import Messages
import Storage
import Testing
import TreeCopy

/// What holds on a day, from nodes and the day alone.
@Suite struct `the state of an organization` {
    private static let identifiers = IdentifierSource(milliseconds: { 2_000 })
    private let district: OrganizationID = identifiers.next()
    private let school: OrganizationID = identifiers.next()
    private let classroom: OrganizationID = identifiers.next()
    private let today = CalendarDay(daysSince1970: 20_000)

    private var yesterday: CalendarDay { today.advanced(by: -1) }

    private func state(
        on day: CalendarDay? = nil, _ nodes: TreeNode...
    ) throws -> TreeState {
        try #require(TreePath(nodes, on: day ?? today)).state
    }

    private func node(
        _ id: OrganizationID, _ status: TreeNode.Status = .active, isArchived: Bool = false,
        trialUntil: CalendarDay? = nil, expiresOn: CalendarDay? = nil
    ) -> TreeNode {
        TreeNode(
            id: id, title: "A school", status: status, isArchived: isArchived,
            trialUntil: trialUntil, expiresOn: expiresOn)
    }

    @Test func `it is valid through its last day and ended on the next`() throws {
        let expiring = node(school, expiresOn: today)
        let trying = node(school, trialUntil: today)

        #expect(try state(expiring) == .active)
        #expect(try state(trying) == .active)
        #expect(try state(on: today.advanced(by: 1), expiring) == .expired(at: school))
        #expect(try state(on: today.advanced(by: 1), trying) == .trialEnded(at: school))
    }

    @Test func `of one organization archived comes before inactive, expired and trial ended`()
        throws
    {
        let (over, before) = (yesterday, Optional(yesterday))
        #expect(
            try state(
                node(school, .inactive, isArchived: true, trialUntil: over, expiresOn: before))
                == .archived(at: school))
        #expect(
            try state(node(school, .inactive, trialUntil: over, expiresOn: before))
                == .inactive(at: school))
        #expect(
            try state(node(school, .provisioning, trialUntil: over, expiresOn: before))
                == .provisioning(at: school))
        #expect(
            try state(node(school, trialUntil: over, expiresOn: before)) == .expired(at: school))
        #expect(try state(node(school, trialUntil: over)) == .trialEnded(at: school))
        #expect(try state(node(school)) == .active)
    }

    @Test func `a branch does not outlive its trunk, and the nearest reason is named`() throws {
        let expired = node(district, expiresOn: yesterday)
        let archived = node(district, isArchived: true)

        #expect(try state(expired, node(school), node(classroom)) == .expired(at: district))
        #expect(
            try state(archived, node(school, .inactive), node(classroom)) == .inactive(at: school))
        #expect(
            try state(node(district), node(school, trialUntil: yesterday), node(classroom))
                == .trialEnded(at: school))
    }

    @Test(arguments: [
        (false, TreeNode.Status.active, true), (true, .active, false),
        (false, .provisioning, false), (false, .inactive, true),
    ])
    func `for people nothing is there below what is archived or being prepared`(
        isArchived: Bool, status: TreeNode.Status, isThere: Bool
    ) throws {
        let nodes = [node(district, status, isArchived: isArchived), node(school, .inactive)]

        #expect(try #require(TreePath(nodes, on: today)).isThereForPeople == isThere)
    }

    @Test func `a path that was read yesterday is judged on the day of today`() throws {
        let path = try #require(TreePath([node(school, expiresOn: yesterday)], on: yesterday))

        #expect(path.state.isActive)
        #expect(path.judged(on: today).state == .expired(at: school))
        #expect(path.judged(on: today).ids == path.ids)
    }

    @Test func `dates and archive arrive by events, and go by later ones`() async throws {
        let copy = try await Copy()
        let yesterday = Int32(yesterday.daysSince1970)
        try await copy.apply(
            OrganizationNode(
                id: school.text, title: "School", status: .active, version: 1, archived: true,
                trialUntil: yesterday, expiresOn: yesterday + 1))

        let first = try #require(try await copy.path(of: school, on: today))
        #expect(first.node.isArchived)
        #expect(first.node.trialUntil == self.yesterday)
        #expect(first.node.expiresOn == today)

        try await copy.apply(
            OrganizationNode(id: school.text, title: "School", status: .active, version: 2))
        let second = try #require(try await copy.path(of: school, on: today))
        #expect(second.state == .active)
        #expect(second.node.trialUntil == nil)
        #expect(second.node.expiresOn == nil)
    }

    @Test func `a copy of an older program has no dates, and takes those that come`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tree-" + UUID().uuidString
        let configuration = DatabaseConfiguration(path: folder + "/tree.db")
        let older = try Database(configuration, migrations: Array(TreeCopy.migrations.prefix(2)))
        try await older.write { [school] transaction in
            try transaction.execute(
                """
                INSERT INTO tree_node (id, title, status, origin, version)
                VALUES (\(school.bytes), 'School', 1, 1, 7)
                """)
            try transaction.execute("DELETE FROM tree_rebuild")
        }
        older.close()

        let newer = try Database(configuration, migrations: TreeCopy.migrations)
        let path = try await newer.read { [school, today] in
            try TreeCopy.path(of: school, in: $0, on: today)
        }
        newer.close()
        try FileManager.default.removeItem(atPath: folder)

        #expect(path?.state == .active)
        #expect(path?.node.version == 7)
    }
}
