import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func listWorkflows(
        _ request: ListWorkflowsRequest, _ context: CallContext
    ) async throws -> ListWorkflowsReply {
        try Caller(context.principal).expectOwner()
        let states = try Set<Storage.WorkflowState>(filter: request.state)
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListWorkflowsRequest(state: request.state))
        let found = try await workflows(in: states, after: WorkflowPlace(page), limit: page.limit)
        let (workflows, token) = page.cut(found) { [$0.isStuck, $0.id] }
        return ListWorkflowsReply(
            workflows: workflows.map { Workflow($0, notes: []) }, nextPageToken: token)
    }

    func getWorkflow(
        _ request: GetWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try Caller(context.principal).expectOwner()
        let id = try WorkflowID(requestText: request.id, field: "id")
        return try database.readInline { snapshot in
            guard let workflow = try snapshot.workflow(id.bytes) else {
                throw Denial.noSuch(.workflow)
            }
            return Workflow(workflow, notes: try snapshot.workflowNotes(of: id.bytes))
        }
    }

    func retryWorkflow(
        _ request: RetryWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await intervene(request, in: request.id, request.text, context) {
            transaction, id, note in
            try transaction.retryWorkflow(id, note)
        }
    }

    func cancelWorkflow(
        _ request: CancelWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        let definitions = workflows
        return try await intervene(request, in: request.id, request.text, context) {
            transaction, id, note in
            try transaction.cancelWorkflow(id, following: definitions, note)
        }
    }

    func annotateWorkflow(
        _ request: AnnotateWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await intervene(
            request, in: request.id, request.text, charactersMin: 1, context
        ) { transaction, id, note in
            try transaction.annotateWorkflow(id, note)
        }
    }

    /// Does what an operator wants about a workflow, and answers how it stands then.
    private func intervene(
        _ request: some Message, in id: String, _ text: String, charactersMin: Int = 0,
        _ context: CallContext,
        _ body:
            @escaping @Sendable (Transaction, [UInt8], Storage.WorkflowNote) throws ->
            WorkflowInstance
    ) async throws -> Workflow {
        let caller = try Caller(context.principal)
        try caller.expectOwner()
        let id = try WorkflowID(requestText: id, field: "id").bytes
        let text = try Text.accept(
            text, field: "text", form: .paragraph,
            lengths: charactersMin...WorkflowLimits.noteCharactersMax)
        let note = Storage.WorkflowNote(by: caller.principal.scope, at: context.now, text: text)
        return try await database.command(context, request) { transaction in
            do {
                let workflow = try body(transaction, id, note)
                return Workflow(workflow, notes: try transaction.workflowNotes(of: id))
            } catch WorkflowFault.noSuchWorkflow {
                throw Denial.noSuch(.workflow)
            } catch let fault as WorkflowFault {
                throw Refusal.workflow(fault)
            }
        }
    }

    /// Workflows after a place: those that are stuck first, each group by age.
    private func workflows(
        in states: Set<Storage.WorkflowState>, after place: WorkflowPlace, limit: Int
    ) async throws -> [WorkflowInstance] {
        var found: [WorkflowInstance] = []
        if place.isAmongStuck {
            let filter = WorkflowFilter(states: states, isStuck: true)
            found = try await workflows(filter, after: place.id, limit: limit) { _ in true }
        }
        guard found.count < limit else { return found }
        let start = place.isAmongStuck ? [] : place.id
        return try await found
            + workflows(
                WorkflowFilter(states: states), after: start, limit: limit - found.count
            ) { !$0.isStuck }
    }

    private func workflows(
        _ filter: WorkflowFilter, after start: [UInt8], limit: Int,
        where isWanted: (WorkflowInstance) -> Bool
    ) async throws -> [WorkflowInstance] {
        var found: [WorkflowInstance] = []
        var place = start
        while found.count < limit {
            let batch = try await database.workflows.list(
                filter, after: place, limit: Workflows.listMax)
            guard let last = batch.last else { break }
            found += batch.filter(isWanted)
            place = last.id
        }
        return Array(found.prefix(limit))
    }
}

/// Where a list of workflows goes on.
private struct WorkflowPlace {
    let isAmongStuck: Bool
    let id: [UInt8]

    init(_ page: Page) {
        guard let keys = page.after, keys.count == 2, case .integer(let stuck) = keys[0],
            case .blob(let id) = keys[1]
        else {
            isAmongStuck = true
            self.id = []
            return
        }
        isAmongStuck = stuck == 1
        self.id = id
    }
}

extension Set<Storage.WorkflowState> {
    /// The states that a list is limited to; those under way when none is named.
    fileprivate init(filter state: Messages.WorkflowState) throws(Status) {
        switch state {
        case .unspecified: self = [.running, .compensating]
        case .running: self = [.running]
        case .compensating: self = [.compensating]
        case .done: self = [.done]
        case .aborted: self = [.aborted]
        case .unrecognized: throw .invalid("state", "There is no such state of a workflow.")
        }
    }
}

extension Workflow {
    fileprivate init(_ workflow: WorkflowInstance, notes: [Storage.WorkflowNote]) {
        // A row of another version of this program may not be readable; it is listed all the same.
        let plan = try? Fulfilment(decoding: workflow.input)
        let isOpen = workflow.state.isOpen
        self.init(
            id: WorkflowID(bytes: workflow.id)?.text ?? "", kind: workflow.kind,
            state: Messages.WorkflowState(workflow.state),
            step: workflow.currentStep, attempts: Int32(clamping: workflow.attempts),
            nextAttemptAt: isOpen ? Timestamp(workflow.dueAt) : nil,
            lastError: workflow.lastError ?? "", saleID: plan?.saleID ?? "",
            createdAt: Timestamp(workflow.createdAt), updatedAt: Timestamp(workflow.updatedAt),
            startedBy: workflow.startedBy, stuck: workflow.isStuck,
            notes: notes.map(Messages.WorkflowNote.init))
    }
}

extension Messages.WorkflowNote {
    fileprivate init(_ note: Storage.WorkflowNote) {
        let action: WorkflowAction =
            switch note.action {
            case .remark: .remark
            case .retry: .retry
            case .cancel: .cancel
            }
        self.init(action: action, author: note.author, at: Timestamp(note.at), text: note.text)
    }
}

/// What bounds what operators say.
enum WorkflowLimits {
    static let noteCharactersMax = 500
}

extension WorkflowInstance {
    /// The name of the step at which it stands; empty once it has ended.
    fileprivate var currentStep: String {
        let steps = FulfilSale.steps(of: kind)
        return state.isOpen && steps.indices.contains(step) ? steps[step].rawValue : ""
    }
}

extension Messages.WorkflowState {
    fileprivate init(_ state: Storage.WorkflowState) {
        self =
            switch state {
            case .running: .running
            case .compensating: .compensating
            case .done: .done
            case .aborted: .aborted
            }
    }
}
