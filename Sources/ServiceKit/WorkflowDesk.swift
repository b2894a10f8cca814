internal import Access
public import Messages
public import RPC
public import Storage

/// What a workflow is about, for its operator; empty where it is about none.
public struct WorkflowSubject: Sendable, Hashable {
    /// The sale that it fulfils.
    public let saleID: String
    /// The organization that it makes, moves, restores or gives to.
    public let organizationID: String

    /// What a workflow is about.
    public init(saleID: String = "", organizationID: String = "") {
        self.saleID = saleID
        self.organizationID = organizationID
    }
}

/// Where operators look after the workflows of a service: one for every service that has some.
///
/// Only those who own the platform may.
public struct WorkflowDesk: Sendable {
    /// The most characters of what an operator has to say.
    public static let noteCharactersMax = 500

    private let database: Database
    private let definitions: [WorkflowDefinition]
    private let pages: PageTokens
    private let subject: @Sendable (WorkflowInstance) -> WorkflowSubject

    /// A desk.
    ///
    /// - Parameters:
    ///   - database: Holds the workflows.
    ///   - definitions: What they follow.
    ///   - pages: Makes and reads page tokens.
    ///   - subject: Tells what a workflow is about; one that it cannot read is about nothing, and
    ///     listed all the same.
    public init(
        _ database: Database, following definitions: [WorkflowDefinition], pages: PageTokens,
        subject: @escaping @Sendable (WorkflowInstance) -> WorkflowSubject
    ) {
        self.database = database
        self.definitions = definitions
        self.pages = pages
        self.subject = subject
    }

    /// Answers workflows, those that are stuck first, each group by age.
    public func list(
        _ request: ListWorkflowsRequest, _ context: CallContext
    ) async throws -> ListWorkflowsReply {
        try context.requirePlatformOwner()
        let states = try Set<Storage.WorkflowState>(filter: request.state)
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListWorkflowsRequest(state: request.state))
        let found = try await workflows(in: states, after: WorkflowPlace(page), limit: page.limit)
        let (workflows, token) = page.cut(found) { [$0.isStuck, $0.id] }
        return ListWorkflowsReply(
            workflows: workflows.map { message(of: $0, notes: []) }, nextPageToken: token)
    }

    /// Answers one workflow with what operators did and said.
    public func get(
        _ request: GetWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try context.requirePlatformOwner()
        let id = try WorkflowID(requestText: request.id, field: "id")
        return try database.readInline { snapshot in
            guard let workflow = try snapshot.workflow(id.bytes) else {
                throw WorkflowFault.noSuchWorkflow.status
            }
            return message(of: workflow, notes: try snapshot.workflowNotes(of: id.bytes))
        }
    }

    /// Has a workflow that is under way tried again at once.
    public func retry(
        _ request: RetryWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        try await intervene(request, in: request.id, request.text, context) {
            transaction, id, note in
            try transaction.retryWorkflow(id, note)
        }
    }

    /// Gives a workflow up, before there is no way back.
    public func cancel(
        _ request: CancelWorkflowRequest, _ context: CallContext
    ) async throws -> Workflow {
        let definitions = definitions
        return try await intervene(request, in: request.id, request.text, context) {
            transaction, id, note in
            try transaction.cancelWorkflow(id, following: definitions, note)
        }
    }

    /// Adds a remark to a workflow, for other operators.
    public func annotate(
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
        try context.requirePlatformOwner()
        let id = try WorkflowID(requestText: id, field: "id").bytes
        let text = try Text.accept(
            text, field: "text", form: .paragraph,
            lengths: charactersMin...Self.noteCharactersMax)
        let note = Storage.WorkflowNote(
            by: try context.principal.scope, at: context.now, text: text)
        return try await database.command(context, request) { transaction in
            do {
                let workflow = try body(transaction, id, note)
                return message(of: workflow, notes: try transaction.workflowNotes(of: id))
            } catch let fault as WorkflowFault {
                throw fault.status
            }
        }
    }
}

// MARK: Lists

extension WorkflowDesk {
    /// Workflows after a place: those that are stuck first.
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

// MARK: Messages

extension WorkflowDesk {
    private func message(
        of workflow: WorkflowInstance, notes: [Storage.WorkflowNote]
    ) -> Workflow {
        let subject = subject(workflow)
        return Workflow(
            id: WorkflowID(bytes: workflow.id)?.text ?? "", kind: workflow.kind,
            state: Messages.WorkflowState(workflow.state), step: stepName(of: workflow),
            attempts: Int32(clamping: workflow.attempts),
            nextAttemptAt: workflow.state.isOpen ? Timestamp(workflow.dueAt) : nil,
            lastError: workflow.lastError ?? "", saleID: subject.saleID,
            createdAt: Timestamp(workflow.createdAt), updatedAt: Timestamp(workflow.updatedAt),
            startedBy: workflow.startedBy, stuck: workflow.isStuck,
            notes: notes.map(Messages.WorkflowNote.init),
            organizationID: subject.organizationID)
    }

    /// The name of the step at which a workflow stands; empty once it has ended, or when this
    /// program does not know its steps.
    private func stepName(of workflow: WorkflowInstance) -> String {
        let definition = definitions.first {
            $0.kind == workflow.kind && $0.version == workflow.version
        }
        guard workflow.state.isOpen, let steps = definition?.steps,
            steps.indices.contains(workflow.step)
        else { return "" }
        return steps[workflow.step].name
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

extension WorkflowFault {
    /// The answer to an operator whose wish is not followed.
    fileprivate var status: Status {
        switch self {
        case .noSuchWorkflow: .notFound("There is no such workflow.")
        case .ended(let state):
            .refusal(.wrongState, "The workflow has ended: it is \(state).")
        case .pastPivot(.compensating):
            .refusal(.wrongState, "The workflow is being undone already.")
        case .pastPivot:
            .refusal(
                .wrongState,
                "The workflow has come too far to be undone; it can only go on.")
        case .unknownKind:
            .refusal(
                .wrongState,
                "This version of the service does not know the steps of the workflow.")
        case .tooManyNotes:
            .refusal(
                .wrongState, "A workflow has at most \(Storage.WorkflowNote.countMax) notes.")
        }
    }
}
