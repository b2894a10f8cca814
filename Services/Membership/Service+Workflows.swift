import Messages
import RPC
import ServiceKit
import Storage

/// What operators do about organizations that people make when they sign up.
struct WorkflowService: SignUpWorkflowsService {
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

extension FoundOrganization {
    /// Where operators look after foundings.
    func desk(pages: PageTokens) -> WorkflowDesk {
        WorkflowDesk(service.database, following: [definition], pages: pages) { workflow in
            // A row of another version of this program may not be readable.
            guard workflow.kind == Self.kind,
                let plan = try? PrepareOrganizationRequest(decoding: workflow.input)
            else { return WorkflowSubject() }
            return WorkflowSubject(organizationID: plan.id)
        }
    }
}
