import Messages
import RPC
import ServiceKit
import Storage

/// What operators do about moves and restores.
struct WorkflowService: OrganizationWorkflowsService {
    let desk: WorkflowDesk

    func listWorkflows(
        _ request: ListWorkflowsRequest, _ context: CallContext
    ) async throws -> ListWorkflowsReply {
        try await desk.list(request, context)
    }

    func getWorkflow(
        _ request: GetWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await desk.get(request, context)
    }

    func retryWorkflow(
        _ request: RetryWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await desk.retry(request, context)
    }

    func cancelWorkflow(
        _ request: CancelWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await desk.cancel(request, context)
    }

    func annotateWorkflow(
        _ request: AnnotateWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await desk.annotate(request, context)
    }
}

extension Relocations {
    /// Where operators look after moves and restores.
    func desk(of database: Database, pages: PageTokens) -> WorkflowDesk {
        WorkflowDesk(database, following: definitions, pages: pages) { workflow in
            // A row of another version of this program may not be readable.
            guard [Self.move, Self.restore].contains(workflow.kind),
                let plan = try? Relocation(decoding: workflow.input, limits: .bulk)
            else { return WorkflowSubject() }
            return WorkflowSubject(organizationID: plan.organizationID)
        }
    }
}
