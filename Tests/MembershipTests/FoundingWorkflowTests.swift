import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Organizations of sign-ups that do not get made at once: what operators see and do of them.
@Suite(.timeLimit(.minutes(2))) struct FoundingWorkflowTests {
    private func create(
        _ hall: SignUpHall, _ user: UserID, key: String = "one"
    ) async throws -> CreateOwnOrganizationReply {
        try await hall.acting(user).createOwnOrganization(
            CreateOwnOrganizationRequest(title: "Ada's", country: "GB"), options: .key(key))
    }

    /// Begins an organization that stands still at a step.
    private func begin(
        at step: String, _ stall: Stall = .before
    ) async throws -> (hall: SignUpHall, user: UserID, workflow: Workflow) {
        let hall = try SignUpHall()
        let user = try await hall.founder()
        hall.registry.stall(step, stall)
        let waiting = await refusal { try await create(hall, user) }
        #expect(waiting?.reason == "not_acknowledged")
        let found = try await hall.operating().listWorkflows(ListWorkflowsRequest())
        return (hall, user, try #require(found.workflows.first))
    }

    private func end(_ workflow: Workflow, _ hall: SignUpHall) async throws -> Workflow {
        let id = try WorkflowID(requestText: workflow.id, field: "id")
        let end = try await hall.hall.database.workflows.waitForEnd(
            id.bytes, until: .now.advanced(by: .seconds(20)))
        try #require(end != nil, "the workflow did not end")
        return try await hall.operating().getWorkflow(GetWorkflowRequest(id: workflow.id))
    }

    @Test func `operators see a founding that waits, and have it tried again`() async throws {
        let (hall, user, workflow) = try await begin(at: "prepare")
        let operators = hall.operating()

        hall.registry.stall("prepare", nil)
        let retried = try await operators.retryWorkflow(
            RetryWorkflowRequest(id: workflow.id, text: "It is back."))
        let ended = try await end(workflow, hall)
        let late = await refusal {
            try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        }
        let noted = try await operators.annotateWorkflow(
            AnnotateWorkflowRequest(id: workflow.id, text: "The cable was loose."))
        let made = try await create(hall, user)
        let open = try await operators.listWorkflows(ListWorkflowsRequest())
        let done = try await operators.listWorkflows(ListWorkflowsRequest(state: .done))

        #expect(workflow.kind == "found_organization" && workflow.step == "prepare_organization")
        #expect(workflow.state == .running && workflow.startedBy == "user:\(user.text)")
        #expect(workflow.lastError == "unavailable: Nobody answers.")
        #expect(workflow.organizationID == made.organizationID && workflow.saleID.isEmpty)
        #expect(retried.notes.map(\.action) == [.retry])
        #expect(ended.state == .done && ended.step.isEmpty)
        #expect(late?.reason == "wrong_state")
        #expect(noted.notes.map(\.text) == ["It is back.", "The cable was loose."])
        #expect(open.workflows.isEmpty && done.workflows.map(\.id) == [workflow.id])
        #expect(try await hall.me(user).memberships.map(\.roles) == [[.owner]])
    }

    @Test func `a founding that is cancelled comes to nothing, and the person makes another`()
        async throws
    {
        // Prepared, and the reply lost: there is an organization that nobody sees.
        let (hall, user, workflow) = try await begin(at: "prepare", .after)
        let operators = hall.operating()

        let cancelled = try await operators.cancelWorkflow(
            CancelWorkflowRequest(id: workflow.id, text: "A mistake."))
        let ended = try await end(workflow, hall)
        let answered = await refusal { try await create(hall, user) }
        let me = try await hall.me(user)
        hall.registry.stall("prepare", nil)
        let another = try await create(hall, user, key: "two")

        #expect(cancelled.state == .compensating && ended.state == .aborted)
        #expect(ended.notes.map(\.action) == [.cancel])
        #expect(hall.registry.steps.prefix(2) == ["prepare", "cancel"])
        #expect(answered?.reason == "wrong_state")
        #expect(me.memberships.isEmpty && me.prompts == [.createOrganization])
        #expect(another.organizationID != workflow.organizationID)
        #expect(hall.registry.prepared.map(\.id) == [another.organizationID])
        #expect(try await hall.count("SELECT count(*) FROM place WHERE kind = 0") == 0)
        try await expectInvariants(hall.hall)
        #expect(try await hall.findings().isEmpty)
    }

    @Test func `once it may be seen a founding can only go on`() async throws {
        let (hall, user, workflow) = try await begin(at: "commit", .after)
        let operators = hall.operating()

        let refused = await refusal {
            try await operators.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
        }
        hall.registry.stall("commit", nil)
        _ = try await operators.retryWorkflow(RetryWorkflowRequest(id: workflow.id))
        let ended = try await end(workflow, hall)

        #expect(workflow.step == "commit_organization")
        #expect(refused?.reason == "wrong_state")
        #expect(
            refused?.message == "The workflow has come too far to be undone; it can only go on.")
        #expect(ended.state == .done && hall.registry.steps == ["prepare", "commit"])
        #expect(try await create(hall, user).organizationID == workflow.organizationID)
    }

    @Test func `nobody but who owns the platform sees or does anything`() async throws {
        let (hall, user, workflow) = try await begin(at: "prepare")
        let clients = [
            hall.operating([Access.Grant(.globalAdmin)]), hall.operating([]),
            hall.operating(as: "organizations"),
        ]

        for client in clients {
            let statuses = [
                await refusal { try await client.listWorkflows(ListWorkflowsRequest()) },
                await refusal {
                    try await client.getWorkflow(GetWorkflowRequest(id: workflow.id))
                },
                await refusal {
                    try await client.retryWorkflow(RetryWorkflowRequest(id: workflow.id))
                },
                await refusal {
                    try await client.cancelWorkflow(CancelWorkflowRequest(id: workflow.id))
                },
                await refusal {
                    try await client.annotateWorkflow(
                        AnnotateWorkflowRequest(id: workflow.id, text: "x"))
                },
            ]
            #expect(statuses.map { $0?.reason } == Array(repeating: "forbidden", count: 5))
        }
        let unknown = await refusal {
            try await hall.operating().getWorkflow(
                GetWorkflowRequest(id: WorkflowID(high: 1, low: 1).text))
        }
        #expect(unknown?.reason == "not_found")
        hall.registry.stall("prepare", nil)
        #expect(try await create(hall, user).organizationID == workflow.organizationID)
    }
}
