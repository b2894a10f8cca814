import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func listWorkflows(
        _ request: ListWorkflowsRequest, _ context: CallContext
    ) async throws -> ListWorkflowsReply {
        try await workflows.list(request, context)
    }

    func getWorkflow(
        _ request: GetWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await workflows.get(request, context)
    }

    func retryWorkflow(
        _ request: RetryWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await workflows.retry(request, context)
    }

    func cancelWorkflow(
        _ request: CancelWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await workflows.cancel(request, context)
    }

    func annotateWorkflow(
        _ request: AnnotateWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await workflows.annotate(request, context)
    }
}

extension FulfilSale {
    /// Where operators look after the workflows of sales.
    func desk(of database: Database, pages: PageTokens) -> WorkflowDesk {
        WorkflowDesk(database, following: definitions, pages: pages) { workflow in
            // A row of another version of this program may not be readable.
            guard let plan = try? Fulfilment(decoding: workflow.input) else {
                return WorkflowSubject()
            }
            return WorkflowSubject(saleID: plan.saleID, organizationID: plan.organizationID)
        }
    }
}
