import Access
import FoundationEssentials
import Messages
import RPC
import Storage
import Testing
import TreeCopy

/// A database with the copy, in a folder that goes with it.
final class Copy: Sendable {
    let database: Database
    private let folder: String

    /// A copy that has been filled: nothing more is known to come.
    init() async throws {
        folder = FileManager.default.temporaryDirectory.path + "/tree-" + UUID().uuidString
        database = try Database(
            DatabaseConfiguration(path: folder + "/tree.db"), migrations: TreeCopy.migrations)
        _ = try await finish()
    }

    deinit {
        database.close()
        // What is left behind is removed by the system.
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func apply(_ nodes: OrganizationNode...) async throws -> [TreeChange] {
        try await database.write { transaction in
            try nodes.map { try TreeCopy.apply($0, in: transaction) }
        }
    }

    func path(
        of id: OrganizationID, on day: CalendarDay = CalendarDay(daysSince1970: 20_000)
    ) async throws -> TreePath? {
        try await database.read { try TreeCopy.path(of: id, in: $0, on: day) }
    }

    func reset() async throws {
        try await database.write { try TreeCopy.reset(in: $0) }
    }

    func finish() async throws -> [OrganizationID] {
        try await database.write { try TreeCopy.finishRebuild(in: $0) }
    }
}

private let identifiers = IdentifierSource(milliseconds: { 1_000 })

private func node(
    _ id: OrganizationID, under parent: OrganizationID? = nil, title: String = "A school",
    status: OrganizationStatus = .active, removed: Bool = false, version: Int64 = 1
) -> OrganizationNode {
    OrganizationNode(
        id: id.text, parentID: parent?.text ?? "", title: title, status: status,
        origin: .manual, removed: removed, version: version)
}

@Suite struct TreeCopyTests {
    private let copy: Copy
    private let district: OrganizationID = identifiers.next()
    private let school: OrganizationID = identifiers.next()
    private let classroom: OrganizationID = identifiers.next()

    init() async throws {
        copy = try await Copy()
    }

    @Test func `a path leads from the root to the organization`() async throws {
        try await copy.apply(
            node(district, title: "District"), node(school, under: district, title: "School"),
            node(classroom, under: school))

        let path = try #require(try await copy.path(of: classroom))

        #expect(path.ids == [district, school, classroom])
        #expect(path.node.id == classroom)
        #expect(path.nodes.map(\.title) == ["District", "School", "A school"])
        #expect(path.depth == 3)
        #expect(path.state == .active)
    }

    @Test func `an organization that is not known has no path`() async throws {
        #expect(try await copy.path(of: district) == nil)
    }

    @Test func `half a path is none, until the parent arrives`() async throws {
        try await copy.apply(node(school, under: district))
        #expect(try await copy.path(of: school) == nil)

        try await copy.apply(node(district))

        #expect(try await copy.path(of: school)?.ids == [district, school])
    }

    @Test func `a circle of parents is no path and no hang`() async throws {
        try await copy.apply(node(district, under: school), node(school, under: district))

        #expect(try await copy.path(of: school) == nil)
    }

    @Test func `ten levels are a path`() async throws {
        let ids: [OrganizationID] = (0..<11).map { _ in identifiers.next() }
        for (index, id) in ids.enumerated() {
            try await copy.apply(node(id, under: index == 0 ? nil : ids[index - 1]))
        }

        #expect(try await copy.path(of: ids[9])?.ids == Array(ids.prefix(10)))
        #expect(try await copy.path(of: ids[10]) == nil)
    }

    @Test func `an event that comes again, or late, changes nothing`() async throws {
        try await copy.apply(node(district, title: "Old", version: 1))
        try await copy.apply(node(district, title: "New", version: 3))

        let again = try await copy.apply(
            node(district, title: "New", version: 3), node(district, title: "Late", version: 2))

        #expect(again == [.none, .none])
        #expect(try await copy.path(of: district)?.node.title == "New")
    }

    @Test func `a change says what was there before`() async throws {
        let first = try await copy.apply(node(district, title: "Old", version: 1))
        let second = try await copy.apply(node(district, title: "New", version: 2))

        let old = TreeNode(id: district, title: "Old", version: 1)
        let new = TreeNode(id: district, title: "New", version: 2)
        #expect(first == [.added(old)])
        #expect(second == [.updated(new, from: old)])
    }

    @Test func `a removed organization disappears, and so does what is below`() async throws {
        try await copy.apply(node(district), node(school, under: district))

        let change = try await copy.apply(node(district, removed: true, version: 2))

        #expect(change == [.removed(TreeNode(id: district, title: "A school"))])
        #expect(try await copy.path(of: district) == nil)
        #expect(try await copy.path(of: school) == nil)
    }

    @Test func `a change says of what comes again that it was gone`() async throws {
        try await copy.apply(node(district), node(district, removed: true, version: 2))

        let change = try await copy.apply(node(district, title: "Back", version: 3))

        #expect(change == [.returned(TreeNode(id: district, title: "Back", version: 3))])
        #expect(try await copy.path(of: district)?.node.title == "Back")
    }

    @Test func `a removed organization does not come back by an old event`() async throws {
        try await copy.apply(node(district, removed: true, version: 2))

        let change = try await copy.apply(node(district, version: 1))

        #expect(change == [.none])
        #expect(try await copy.path(of: district) == nil)
    }

    @Test(arguments: [
        (OrganizationStatus.inactive, OrganizationStatus.active, true),
        (.active, .inactive, false), (.active, .provisioning, false),
    ])
    func `the state is the nearest that is not active, looking upward`(
        ofDistrict: OrganizationStatus, ofSchool: OrganizationStatus, isInherited: Bool
    ) async throws {
        try await copy.apply(
            node(district, status: ofDistrict), node(school, under: district, status: ofSchool),
            node(classroom, under: school))

        let state = try #require(try await copy.path(of: classroom)).state

        #expect(!state.isActive)
        #expect(state.reason == (isInherited ? district : school))
        if ofSchool == .provisioning { #expect(state == .provisioning(at: school)) }
    }

    @Test func `a status that nobody knows opens nothing`() async throws {
        try await copy.apply(node(district, status: .unrecognized(99)))

        #expect(try await copy.path(of: district)?.state == .provisioning(at: district))
    }

    @Test func `a copy that was never filled answers no path`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tree-" + UUID().uuidString
        let fresh = try Database(
            DatabaseConfiguration(path: folder + "/tree.db"), migrations: TreeCopy.migrations)
        defer {
            fresh.close()
            // What is left behind is removed by the system.
            try? FileManager.default.removeItem(atPath: folder)
        }

        let path = try await fresh.write { [district] transaction in
            try TreeCopy.apply(node(district), in: transaction)
            return try TreeCopy.path(
                of: district, in: transaction, on: CalendarDay(daysSince1970: 20_000))
        }

        #expect(path == nil)
    }

    @Test func `a rebuild keeps nodes, answers none until its end, and drops only what is gone`()
        async throws
    {
        try await copy.apply(node(district, version: 8), node(school, under: district, version: 5))

        try await copy.reset()
        #expect(try await copy.path(of: district) == nil)
        try await copy.apply(node(district, title: "Restored", version: 2))
        #expect(try await copy.path(of: district) == nil)
        let gone = try await copy.finish()

        #expect(gone == [school])
        #expect(try await copy.path(of: district)?.node.title == "Restored")
        #expect(try await copy.path(of: school) == nil)
        #expect(try await copy.finish() == [])
    }

    @Test func `a copy is empty only before anything came`() async throws {
        #expect(try await copy.database.read { try TreeCopy.isEmpty(in: $0) })

        try await copy.apply(node(district, removed: true))

        #expect(try await copy.database.read { try !TreeCopy.isEmpty(in: $0) })
    }

    @Test func `events of other kinds are passed over`() async throws {
        let event = Messages.FeedEvent(sequence: 1, kind: "guildhall.else.v1.Thing", body: [1, 2])

        let change = try await copy.database.write { try TreeCopy.apply(event, in: $0) }

        #expect(change == .none)
    }

    @Test func `what is told of the passing of days changes no copy`() async throws {
        try await copy.apply(node(district))
        let lapse = OrganizationLapse(
            organizationID: district.text, kind: .expired, lastDay: 19_000)
        let event = Messages.FeedEvent(
            sequence: 2, kind: OrganizationLapse.messageName, version: 7, body: lapse.encoded())

        let change = try await copy.database.write { try TreeCopy.apply(event, in: $0) }
        let later = try await copy.apply(node(district, title: "New", version: 2))

        #expect(change == .none)
        // It has not taken the place of a version of the organization.
        #expect(later.count == 1 && later[0] != .none)
        #expect(try await copy.path(of: district)?.state == .active)
    }

    @Test(arguments: [
        OrganizationNode(id: "nonsense", title: "A"),
        OrganizationNode(
            id: "018f3c5e-7a10-7c3b-9d52-0242ac120002", parentID: "nonsense", title: "A"),
    ])
    func `a malformed node is refused whole`(message: OrganizationNode) async throws {
        let event = Messages.FeedEvent(
            sequence: 1, kind: TreeCopy.eventKind, version: 1, body: message.encoded())

        await #expect(throws: TreeFault.self) {
            try await copy.database.write { try TreeCopy.apply(event, in: $0) }
        }
        #expect(try await copy.database.read { try TreeCopy.isEmpty(in: $0) })
    }

    @Test func `queries of a path use the key`() async throws {
        let plan = try await copy.database.read { snapshot in
            try snapshot.rows(
                """
                EXPLAIN QUERY PLAN SELECT id FROM tree_node
                WHERE parent_id IS \(district.bytes) AND removed = 0 ORDER BY id LIMIT 10
                """
            ) { try $0.text(3) }
        }

        #expect(plan.allSatisfy { !$0.hasPrefix("SCAN") }, "\(plan)")
    }
}
