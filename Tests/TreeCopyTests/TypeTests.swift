import Access
import FoundationEssentials
import Messages
import RPC
import Storage
import Testing
import TreeCopy

/// The types of organizations in the copy.
@Suite struct TypeTests {
    private static let identifiers = IdentifierSource(milliseconds: { 3_000 })
    private let copy: Copy
    private let type: OrganizationTypeID = identifiers.next()
    private let other: OrganizationTypeID = identifiers.next()
    private let school: OrganizationID = identifiers.next()

    init() async throws {
        copy = try await Copy()
    }

    private func event(
        _ type: OrganizationTypeID, _ name: String = "School", removed: Bool = false,
        version: Int64
    ) -> Messages.FeedEvent {
        let message = OrganizationType(
            id: type.text, name: name, version: version, removed: removed)
        return Messages.FeedEvent(
            sequence: version, kind: TreeCopy.typeEventKind, aggregateID: type.bytes,
            version: version, body: message.encoded())
    }

    private func apply(_ events: Messages.FeedEvent...) async throws {
        try await copy.database.write { transaction in
            for event in events {
                let change = try TreeCopy.apply(event, in: transaction)
                #expect(change == .none)
            }
        }
    }

    private func name(of type: OrganizationTypeID) async throws -> String? {
        try await copy.database.read { try TreeCopy.organizationType(type, in: $0)?.name }
    }

    private func isTold(of type: OrganizationTypeID) async throws -> Bool {
        try await copy.database.read { try TreeCopy.isTold(of: type, in: $0) }
    }

    private func hasType(named name: String) async throws -> Bool {
        try await copy.database.read { try TreeCopy.hasType(in: $0) { $0.name == name } }
    }

    @Test func `a type is what was told of it last`() async throws {
        #expect(try await name(of: type) == nil)

        try await apply(event(type, version: 1), event(other, "Company", version: 1))
        try await apply(event(type, "College", version: 2))

        #expect(try await name(of: type) == "College")
        #expect(try await name(of: other) == "Company")
        #expect(try await hasType(named: "College"))
        #expect(try await !hasType(named: "School"))
    }

    @Test func `an event that comes again, or late, changes nothing`() async throws {
        try await apply(event(type, "New", version: 3))

        try await apply(event(type, "Late", version: 2), event(type, "Again", version: 3))

        #expect(try await name(of: type) == "New")
    }

    @Test func `a type that was deleted is gone, and an old event does not bring it back`()
        async throws
    {
        #expect(try await !isTold(of: type))
        try await apply(event(type, version: 1), event(type, removed: true, version: 2))
        #expect(try await name(of: type) == nil)
        #expect(try await isTold(of: type))
        #expect(try await !hasType(named: "School"))

        try await apply(event(type, version: 1))

        #expect(try await name(of: type) == nil)
        #expect(try await !hasType(named: "School"))
    }

    @Test func `a rebuild takes what is older now, and drops what it does not meet`() async throws {
        try await apply(event(type, "New", version: 8), event(other, "Company", version: 5))

        try await copy.reset()
        #expect(try await name(of: other) == "Company", "until the end it stays")
        try await apply(event(type, "Restored", version: 2))
        _ = try await copy.finish()

        #expect(try await name(of: type) == "Restored")
        #expect(try await name(of: other) == nil)
        // The feed began anew, and so do versions: what is dropped can come again.
        try await apply(event(other, "Back", version: 1))
        #expect(try await name(of: other) == "Back")
    }

    @Test func `nodes say which type they have, and lose it by later events`() async throws {
        try await copy.apply(
            OrganizationNode(
                id: school.text, title: "School", status: .active, version: 1, typeID: type.text))
        #expect(try await copy.path(of: school)?.node.typeID == type)

        try await copy.apply(
            OrganizationNode(id: school.text, title: "School", status: .active, version: 2))

        #expect(try await copy.path(of: school)?.node.typeID == nil)
    }

    @Test(arguments: [[1, 2, 3], OrganizationType(id: "nonsense", name: "A").encoded()])
    func `a malformed type is refused whole`(body: [UInt8]) async throws {
        let event = Messages.FeedEvent(
            sequence: 1, kind: TreeCopy.typeEventKind, version: 1, body: body)

        await #expect(throws: TreeFault.self) {
            try await copy.database.write { try TreeCopy.apply(event, in: $0) }
        }
    }

    @Test func `a copy of an older program reads the feed anew`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tree-" + UUID().uuidString
        let configuration = DatabaseConfiguration(path: folder + "/tree.db")
        let older = try Database(configuration, migrations: Array(TreeCopy.migrations.prefix(3)))
        try await older.write { [school] transaction in
            try transaction.execute(
                """
                INSERT INTO tree_node (id, title, status, origin, version)
                VALUES (\(school.bytes), 'School', 1, 1, 7)
                """)
            try transaction.execute("DELETE FROM tree_rebuild")
            for source in ["organizations", "membership"] {
                try transaction.setFeedPosition(
                    FeedPosition(
                        incarnation: [UInt8](repeating: 1, count: 16), sequence: 900), of: source)
            }
        }
        older.close()

        let newer = try Database(configuration, migrations: TreeCopy.migrations)
        let (positions, version) = try await newer.read { [school] snapshot in
            (
                try ["organizations", "membership"].map {
                    try snapshot.feedPosition(of: $0)?.sequence
                },
                try TreeCopy.path(
                    of: school, in: snapshot, on: CalendarDay(daysSince1970: 20_000))?
                    .node.version
            )
        }
        newer.close()
        try FileManager.default.removeItem(atPath: folder)

        #expect(positions == [nil, 900])
        // What was known stays until the feed says otherwise.
        #expect(version == 7)
    }
}
