import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import Organizations

/// Moves and restores that do not go their way: what operators see and do, and how they end.
@Suite(.timeLimit(.minutes(2))) struct WorkflowTests {
    private let installation: Installation
    private let operators: OrganizationWorkflowsClient

    init() throws {
        installation = try Installation()
        operators = OrganizationWorkflowsClient(
            try installation.channel([Access.Grant(.platformOwner)]))
    }

    /// Begins to move a school from one root to another while Membership is away.
    private func beginMove() async throws -> (chain: [Organization], two: Organization) {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        await installation.people.refuse(with: Status(.unavailable, "Nobody answers."))
        _ = try await refusal { try await move(chain[1], to: two, within: .milliseconds(200)) }
        return (chain, two)
    }

    private func move(
        _ organization: Organization, to parent: Organization, within time: Duration? = nil
    ) async throws -> MoveOrganizationReply {
        var options = CallOptions.key("move")
        options.timeout = time
        return try await mover().moveOrganization(
            MoveOrganizationRequest(id: organization.id, newParentID: parent.id),
            options: options)
    }

    /// One person, whose keys are the same in every call.
    private func mover() throws -> OrganizationsClient {
        try installation.user(
            Access.Grant(.platformOwner), as: UserID(high: 7, low: 7))
    }

    private func end(of workflow: Workflow) async throws -> Workflow {
        let id = try WorkflowID(requestText: workflow.id, field: "id")
        let end = try await installation.database.workflows.waitForEnd(
            id.bytes, until: .now.advanced(by: .seconds(20)))
        try #require(end != nil, "the workflow did not end")
        return try await operators.getWorkflow(GetWorkflowRequest(id: workflow.id))
    }

    @Test func `operators see a move that waits, and have it tried again`() async throws {
        let (chain, two) = try await beginMove()

        let list = try await operators.listWorkflows(ListWorkflowsRequest())
        let workflow = try #require(list.workflows.first)
        await installation.people.refuse(with: nil)
        let retried = try await operators.retryWorkflow(
            RetryWorkflowRequest(id: workflow.id, text: "It is back."))
        let ended = try await end(of: workflow)
        let late = try await refusal {
            try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        }
        let noted = try await operators.annotateWorkflow(
            AnnotateWorkflowRequest(id: workflow.id, text: "The cable was loose."))

        #expect(list.workflows.count == 1 && list.nextPageToken.isEmpty)
        #expect(workflow.kind == "move_organization" && workflow.step == "count_people")
        #expect(workflow.state == .running)
        #expect(workflow.organizationID == chain[1].id && workflow.saleID.isEmpty)
        #expect(workflow.lastError == "unavailable: Nobody answers.")
        #expect(retried.notes.map(\.action) == [.retry])
        #expect(ended.state == .done && ended.step.isEmpty)
        #expect(late.reason == "wrong_state")
        #expect(late.message == "The workflow has ended: it is done.")
        #expect(noted.notes.map(\.text) == ["It is back.", "The cable was loose."])
        let owner = try installation.platformOwner()
        #expect(try await owner.get(chain[1]).parentID == two.id)
    }

    @Test func `nobody else sees or does anything`() async throws {
        _ = try await beginMove()
        let workflow = try #require(
            try await operators.listWorkflows(ListWorkflowsRequest()).workflows.first)
        let channels = [
            try installation.channel([Access.Grant(.globalAdmin)]),
            try installation.channel([]), try installation.channel(of: "membership"),
        ]

        for client in channels.map({ OrganizationWorkflowsClient($0) }) {
            let statuses = [
                try await refusal { try await client.listWorkflows(ListWorkflowsRequest()) },
                try await refusal {
                    try await client.getWorkflow(GetWorkflowRequest(id: workflow.id))
                },
                try await refusal {
                    try await client.retryWorkflow(RetryWorkflowRequest(id: workflow.id))
                },
                try await refusal {
                    try await client.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
                },
                try await refusal {
                    try await client.annotateWorkflow(
                        AnnotateWorkflowRequest(id: workflow.id, text: "x"))
                },
            ]
            #expect(statuses.map(\.reason) == Array(repeating: "forbidden", count: 5))
        }
        let unknown = try await refusal {
            try await operators.getWorkflow(
                GetWorkflowRequest(id: WorkflowID(high: 1, low: 1).text))
        }
        #expect(unknown.reason == "not_found")
    }

    /// The one workflow that is under way.
    private func workflow() async throws -> Workflow {
        try #require(
            try await operators.listWorkflows(ListWorkflowsRequest()).workflows.first)
    }

    @Test func `a move that is cancelled is taken back, and its trees are free`() async throws {
        let (chain, two) = try await beginMove()
        let owner = try installation.platformOwner()
        let workflow = try await workflow()

        let cancelled = try await operators.cancelWorkflow(
            CancelWorkflowRequest(id: workflow.id, text: "Not needed."))
        let ended = try await end(of: workflow)
        let answered = try await refusal { try await move(chain[1], to: two) }
        let asked = await installation.people.moved.count
        let free = try await owner.create("New", below: two)

        #expect(cancelled.state == .compensating)
        #expect(ended.state == .aborted && ended.notes.map(\.action) == [.cancel])
        #expect(answered.reason == "command_cancelled")
        #expect(await installation.people.moved.count == asked, "nobody asks again")
        #expect(free.parentID == two.id)
        let key = try #require(await installation.people.keys.first)
        #expect(
            await installation.people.cancelledMoves == [
                CancelSubtreeMoveRequest(organizationID: chain[1].id, moveKey: key)
            ])
        #expect(await installation.people.cancelledRestores.isEmpty)
        try await expectTakenBack(chain[1])
    }

    @Test func `until Membership has heard that it is cancelled, the trees stay closed`()
        async throws
    {
        let (chain, two) = try await beginMove()
        let owner = try installation.platformOwner()
        let workflow = try await workflow()
        await installation.people.refuseCancelling(with: Status(.unavailable, "Nobody answers."))

        _ = try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        while await installation.people.cancelledMoves.isEmpty {
            try await Task.sleep(for: .milliseconds(5))
        }
        let closed = [
            try await refusal { try await owner.create("New", below: two) },
            try await refusal { try await owner.create("New", below: chain[0]) },
        ]
        let waiting = try await refusal {
            try await move(chain[1], to: two, within: .milliseconds(200))
        }
        await installation.people.refuseCancelling(with: nil)
        installation.clock.advance(by: .seconds(60))
        let ended = try await end(of: workflow)
        let tries = await installation.people.cancelledMoves

        #expect(closed.map(\.reason) == ["org_moving", "org_moving"])
        #expect(waiting.reason == "not_acknowledged" || waiting.code == .deadlineExceeded)
        #expect(ended.state == .aborted)
        #expect(tries.count >= 2 && Set(tries.map(\.moveKey)).count == 1)
        #expect(try await owner.create("New", below: two).depth == 2)
        try await expectTakenBack(chain[1])
    }

    @Test func `a restore that is cancelled stays in the archive, and blocks nobody`()
        async throws
    {
        let owner = try mover()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.delete(chain[0], cascade: true)
        let head = installation.database.feed.head()
        await installation.people.refuse(with: Status(.unavailable, "Nobody answers."))
        var options = CallOptions.key("restore")
        options.timeout = .milliseconds(200)
        let request = RestoreOrganizationRequest(id: chain[0].id, members: .blocked)
        _ = try await refusal { try await owner.restoreOrganization(request, options: options) }
        let workflow = try await workflow()

        _ = try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        let ended = try await end(of: workflow)
        let answered = try await refusal {
            try await owner.restoreOrganization(request, options: .key("restore"))
        }
        let events = try await installation.database.feed.events(after: head, limit: 100)
        let told = try events.map { try OrganizationNode(decoding: $0.body) }
        await installation.people.refuse(with: nil)
        let restored = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: chain[0].id))

        #expect(ended.state == .aborted && ended.kind == "restore_organization")
        #expect(answered.reason == "command_cancelled")
        let key = try #require(await installation.people.keys.first)
        #expect(
            await installation.people.cancelledRestores == [
                CancelSubtreeRestoreRequest(organizationID: chain[0].id, restoreKey: key)
            ])
        #expect(await installation.people.cancelledMoves.isEmpty)
        #expect(told.map(\.id) == chain.map(\.id))
        #expect(told.allSatisfy { $0.archived && $0.version == 3 })
        #expect(restored.organization?.effectiveState == .active)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `an attempt that succeeds after it was cancelled moves nothing`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        let (asked, asking) = AsyncStream.makeStream(of: Void.self)
        let (answers, answering) = AsyncStream.makeStream(of: Void.self)
        await installation.people.meanwhile {
            asking.yield()
            for await _ in answers { break }
        }
        async let waiting = refusal {
            try await move(chain[1], to: two, within: .milliseconds(500))
        }
        for await _ in asked { break }
        let workflow = try await workflow()

        _ = try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        answering.yield()
        _ = try await waiting
        let ended = try await end(of: workflow)

        #expect(ended.state == .aborted)
        #expect(await installation.people.cancelledMoves.count == 1)
        try await expectTakenBack(chain[1])
    }

    @Test func `a move that is not decided for ten minutes is given up`() async throws {
        let (chain, two) = try await beginMove()
        let workflow = try await workflow()

        installation.clock.advance(by: .seconds(599))
        // When it is asked a second time, what came of the first is kept.
        for _ in 1...2 {
            let asked = await installation.people.moved.count
            _ = try await operators.retryWorkflow(RetryWorkflowRequest(id: workflow.id))
            while await installation.people.moved.count == asked {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let early = await installation.people.cancelledMoves.count
        installation.clock.advance(by: .seconds(60))
        let ended = try await end(of: workflow)
        let answered = try await refusal { try await move(chain[1], to: two) }

        #expect(early == 0)
        #expect(ended.state == .aborted)
        #expect(answered.reason == "command_cancelled")
        #expect(await installation.people.cancelledMoves.count == 1)
        try await expectTakenBack(chain[1])
    }

    /// The school is below the first root, and the feed has told so once more.
    private func expectTakenBack(
        _ school: Organization, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let owner = try installation.platformOwner()
        let now = try await owner.get(school)
        let told = try await installation.events(OrganizationNode.self).last { $0.id == school.id }
        #expect(now.parentID == school.parentID, sourceLocation: sourceLocation)
        #expect(now.version == school.version + 1, sourceLocation: sourceLocation)
        #expect(told?.version == now.version, sourceLocation: sourceLocation)
        #expect(told?.parentID == school.parentID, sourceLocation: sourceLocation)
        #expect(try await installation.findings().isEmpty, sourceLocation: sourceLocation)
    }
}
