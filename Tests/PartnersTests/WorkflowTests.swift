import Messages
import RPC
import Storage
import Testing

@testable import Partners

@Suite(.serialized) struct WorkflowTests {
    @Test func `operators see where a workflow stands and what went wrong last`() async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.lostRequest(.unavailable), .silenceBefore, at: .grantSeats)

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let approved = try await life.approve(registered)
            for await _ in bench.neighbours.silences { break }
            let workflow = try await life.client.getWorkflow(
                GetWorkflowRequest(id: approved.workflowID), options: life.options())
            let list = try await life.client.listWorkflows(
                ListWorkflowsRequest(), options: life.options())

            #expect(workflow.kind == "fulfil_sale")
            #expect(workflow.state == .running)
            #expect(workflow.step == "grant_seats")
            #expect(workflow.attempts == 1)
            #expect(workflow.lastError == "unavailable: The request was lost.")
            #expect(workflow.saleID == approved.id)
            #expect(workflow.nextAttemptAt != nil)
            #expect(list.workflows == [workflow])
        }
    }

    @Test func `workflows are listed by state, page by page`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            var made: [String] = []
            for number in 0..<5 {
                let draft = try await life.draftToNewOrganization("District \(number)")
                let registered = try await life.register(draft)
                made.append(try await life.settled(try await life.approve(registered)).workflowID)
            }
            var listed: [String] = []
            var token = ""
            repeat {
                let page = try await life.client.listWorkflows(
                    ListWorkflowsRequest(state: .done, pageSize: 2, pageToken: token),
                    options: life.options())
                listed += page.workflows.map(\.id)
                token = page.nextPageToken
            } while !token.isEmpty
            let open = try await life.client.listWorkflows(
                ListWorkflowsRequest(), options: life.options())

            #expect(listed == made)
            #expect(open.workflows.isEmpty)
        }
    }

    @Test func `a workflow that was refused says so`() async throws {
        let bench = try Bench()
        bench.neighbours.expect(.refusal("not_today"), at: .grantSeats)

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let sale = try await life.settled(try await life.approve(registered))
            let list = try await life.client.listWorkflows(
                ListWorkflowsRequest(state: .aborted), options: life.options())

            #expect(list.workflows.map(\.id) == [sale.workflowID])
            #expect(
                list.workflows.first?.lastError == "failedPrecondition: Refused: not_today.")
            #expect(list.workflows.first?.step == "")
        }
    }
}
