import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Moves and restores that Membership has decided and that cannot be carried out: they end.
@Suite(.timeLimit(.minutes(2))) struct BackstopTests {
    private let installation: Installation
    private let operators: OrganizationWorkflowsClient

    init() throws {
        installation = try Installation()
        operators = OrganizationWorkflowsClient(
            try installation.channel([Access.Grant(.platformOwner)]))
    }

    /// Something that nobody could do while the trees are closed.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let statement: SQL
        let repair: SQL
        let reason: String
    }

    static let damages = [
        Damage(
            testDescription: "the title is taken",
            statement: """
                UPDATE organization SET parent = (
                    SELECT number FROM organization WHERE title = 'Two'), depth = 2,
                    title_key = 'school' WHERE title = 'Other'
                """,
            repair: """
                UPDATE organization SET parent = NULL, depth = 1, title_key = 'other'
                WHERE title = 'Other'
                """, reason: "name_taken"),
        Damage(
            testDescription: "the new parent is gone",
            statement: "UPDATE organization SET standing = 4 WHERE title = 'Two'",
            repair: "UPDATE organization SET standing = 1 WHERE title = 'Two'",
            reason: "internal"),
        Damage(
            testDescription: "it would hang too deep for the schema",
            statement: "UPDATE organization SET parent = 1, depth = 10 WHERE title = 'Two'",
            repair: "UPDATE organization SET parent = NULL, depth = 1 WHERE title = 'Two'",
            reason: "internal"),
    ]

    @Test(arguments: damages)
    func `a move that cannot be carried out ends, and is taken back`(damage: Damage) async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School", "Class")
        let two = try await owner.create("Two")
        _ = try await owner.create("Other")
        let database = installation.database
        await installation.people.meanwhile {
            try await database.write { _ = try $0.execute(damage.statement) }
        }

        let refused = try await refusal { try await owner.move(chain[1], below: two) }
        try await database.write { _ = try $0.execute(damage.repair) }
        let workflow = try #require(
            try await operators.listWorkflows(ListWorkflowsRequest(state: .aborted))
                .workflows.first)
        let school = try await owner.get(chain[1])
        let told = try await installation.events(OrganizationNode.self)
            .last { $0.id == chain[1].id }

        #expect(refused.reason == damage.reason)
        #expect(workflow.lastError.hasPrefix("not carried out: "))
        #expect(workflow.organizationID == chain[1].id)
        #expect(school.parentID == chain[0].id && school.depth == 2)
        #expect(school.version == chain[1].version + 1)
        #expect(told?.parentID == chain[0].id && told?.version == school.version)
        #expect(try await owner.get(chain[2]).depth == 3)
        #expect(await installation.people.moved.count == 1, "it is not tried again")
        let key = try #require(await installation.people.keys.first)
        #expect(
            await installation.people.cancelledMoves == [
                CancelSubtreeMoveRequest(organizationID: chain[1].id, moveKey: key)
            ])
        // Both trees are free.
        #expect(try await owner.create("New", below: two).depth == 2)
        #expect(try await owner.create("New", below: chain[0]).depth == 2)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a restore of which a part cannot come back leaves all of it in the archive`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Class")
        _ = try await owner.create("Other")
        _ = try await owner.delete(chain[0], cascade: true)
        let head = installation.database.feed.head()
        let database = installation.database
        await installation.people.meanwhile {
            try await database.write { transaction in
                // Hangs below the school, with the title of the class.
                _ = try transaction.execute(
                    """
                    UPDATE organization SET parent = (
                        SELECT number FROM organization WHERE title = 'School'), depth = 3,
                        title_key = 'class' WHERE title = 'Other'
                    """)
            }
        }

        let refused = try await refusal {
            try await owner.restoreOrganization(
                RestoreOrganizationRequest(id: chain[0].id, members: .blocked))
        }
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE organization SET parent = NULL, depth = 1, title_key = 'other'
                WHERE title = 'Other'
                """)
        }
        let events = try await database.feed.events(after: head, limit: 100)
        let told = try events.map { try OrganizationNode(decoding: $0.body) }
        await installation.people.meanwhile {}
        let restored = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[0].id))

        #expect(refused.reason == "name_taken")
        let key = try #require(await installation.people.keys.first)
        // Whom it has blocked Membership gives back.
        #expect(
            await installation.people.cancelledRestores == [
                CancelSubtreeRestoreRequest(organizationID: chain[0].id, restoreKey: key)
            ])
        // Nothing says that any of them came back.
        #expect(told.map(\.id) == chain.map(\.id))
        #expect(told.allSatisfy { $0.archived && $0.version == 3 })
        #expect(restored.organization?.effectiveState == .active)
        #expect(try await owner.get(chain[2]).effectiveState == .active)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `what cannot be carried out stays closed until Membership has heard of it`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        _ = try await owner.create("Other")
        let (database, damage) = (installation.database, Self.damages[0])
        await installation.people.meanwhile {
            try await database.write { _ = try $0.execute(damage.statement) }
        }
        await installation.people.refuseCancelling(with: Status(.unavailable, "Nobody answers."))
        var options = CallOptions.key("move")
        options.timeout = .milliseconds(500)

        let waiting = try await refusal {
            try await owner.moveOrganization(
                MoveOrganizationRequest(id: chain[1].id, newParentID: two.id), options: options)
        }
        let workflow = try #require(
            try await operators.listWorkflows(ListWorkflowsRequest(state: .compensating))
                .workflows.first)
        let closed = try await refusal { try await owner.create("New", below: two) }
        await installation.people.refuseCancelling(with: nil)
        installation.clock.advance(by: .seconds(60))
        let id = try WorkflowID(requestText: workflow.id, field: "id")
        let end = try await database.workflows.waitForEnd(
            id.bytes, until: .now.advanced(by: .seconds(20)))
        try await database.write { _ = try $0.execute(damage.repair) }

        #expect(waiting.reason == "not_acknowledged" || waiting.code == .deadlineExceeded)
        #expect(closed.reason == "org_moving")
        #expect(end?.state == .aborted)
        let stored = try #require(end?.refusal)
        #expect(try Status(decoding: stored).reason == "name_taken")
        #expect(try await owner.get(chain[1]).version == chain[1].version + 1)
        #expect(try await owner.create("New", below: two).depth == 2)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a plan that is not readable is refused before anybody is asked`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        await installation.people.refuse(with: Status(.unavailable, "Nobody answers."))
        var options = CallOptions.key("move")
        options.timeout = .milliseconds(200)
        _ = try await refusal {
            try await owner.moveOrganization(
                MoveOrganizationRequest(id: chain[1].id, newParentID: two.id), options: options)
        }
        let workflow = try #require(
            try await operators.listWorkflows(ListWorkflowsRequest()).workflows.first)

        try await installation.database.write { transaction in
            try transaction.execute("UPDATE storage_workflow SET input = x'FFFF'")
        }
        installation.clock.advance(by: .seconds(60))
        let id = try WorkflowID(requestText: workflow.id, field: "id")
        let end = try await installation.database.workflows.waitForEnd(
            id.bytes, until: .now.advanced(by: .seconds(20)))
        let shown = try await operators.getWorkflow(GetWorkflowRequest(id: workflow.id))

        #expect(end?.state == .aborted)
        #expect(shown.lastError == "the plan is not readable" && shown.organizationID.isEmpty)
        #expect(try await owner.create("New", below: two).depth == 2)
    }
}
