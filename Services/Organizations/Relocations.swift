import Access
import Encodings
import Logging
import Messages
import RPC
import ServiceKit
import Storage

/// Moves and restores: durable workflows whose one step is Membership's.
///
/// It decides whether the people fit at the new place. What follows from its answer is written in
/// the transaction that ends the workflow. A workflow that is given up before the answer is known,
/// and one whose end cannot be written, is cancelled at Membership, which then does nothing more of
/// it; and the feed tells anew where the organizations are, so that Membership follows.
struct Relocations: Sendable {
    static let move = "move_organization"
    static let restore = "restore_organization"
    /// How long one attempt of the step, or to undo it, may take.
    static let stepTimeout: Duration = .seconds(5)

    /// Counts the people of a subtree elsewhere.
    let moveSubtree: @Sendable (MoveSubtreeRequest, CallOptions) async throws -> Void
    /// Sees to it that nobody is counted elsewhere any more.
    let cancelMove: @Sendable (CancelSubtreeMoveRequest, CallOptions) async throws -> Void
    /// Admits the people of organizations that leave the archive.
    let restoreSubtree: @Sendable (RestoreSubtreeRequest, CallOptions) async throws -> Void
    /// Sees to it that nobody is admitted any more, and that whom it blocked is no longer blocked.
    let cancelRestore: @Sendable (CancelSubtreeRestoreRequest, CallOptions) async throws -> Void
    let clock: WallClock
    var logger = Logger(label: "organizations")

    /// Does the work of all relocations in a database.
    func runner(
        of database: Database, settings: WorkflowSettings = WorkflowSettings()
    ) -> WorkflowRunner {
        WorkflowRunner(
            of: database, following: definitions, settings: settings, clock: clock,
            logger: logger)
    }

    var definitions: [WorkflowDefinition] {
        [
            WorkflowDefinition(
                kind: Self.move,
                steps: [
                    step { plan, options in
                        try await moveSubtree(
                            MoveSubtreeRequest(
                                organizationID: plan.organizationID,
                                newParentID: plan.parentID), options)
                    } undo: { plan, key, options in
                        try await cancelMove(
                            CancelSubtreeMoveRequest(
                                organizationID: plan.organizationID, moveKey: key), options)
                    }
                ], onTransition: conclude),
            WorkflowDefinition(
                kind: Self.restore,
                steps: [
                    step { plan, options in
                        try await restoreSubtree(
                            RestoreSubtreeRequest(
                                organizationIDs: plan.organizationIDs, parentID: plan.parentID,
                                blocked: plan.blocked), options)
                    } undo: { plan, key, options in
                        try await cancelRestore(
                            CancelSubtreeRestoreRequest(
                                organizationID: plan.organizationID, restoreKey: key), options)
                    }
                ], onTransition: conclude),
        ]
    }

    /// The step: no pivot, for Membership undoes it, and events take back the rest.
    private func step(
        _ call: @escaping @Sendable (Relocation, CallOptions) async throws -> Void,
        undo: @escaping @Sendable (Relocation, _ key: String, CallOptions) async throws -> Void
    ) -> WorkflowStep {
        WorkflowStep(
            "count_people",
            action: { workflow in
                guard let plan = Self.plan(of: workflow) else {
                    return .refused(Status.notCarriedOut.encoded(), "the plan is not readable")
                }
                return await .of {
                    try await call(
                        plan,
                        CallOptions(stepKey: workflow.stepKeyText, timeout: Self.stepTimeout))
                }
            },
            compensation: { workflow in
                // Nobody is asked by a plan that is not readable.
                guard let plan = Self.plan(of: workflow) else { return .done([]) }
                let key = workflow.stepKeyText
                return await .of {
                    try await undo(
                        plan, key,
                        CallOptions(stepKey: "\(key)-cancel", timeout: Self.stepTimeout))
                }
            })
    }

    private static func plan(of workflow: WorkflowInstance) -> Relocation? {
        // What is wrong with the bytes helps nobody: they are this service's own.
        try? Relocation(decoding: workflow.input, limits: .bulk)
    }
}

// MARK: The end

extension Relocations {
    /// Writes what a workflow that ends makes of its organizations.
    private func conclude(_ transaction: Transaction, _ workflow: WorkflowInstance) throws {
        guard !workflow.state.isOpen, let id = WorkflowID(bytes: workflow.id) else { return }
        guard workflow.state == .done else {
            try transaction.endRelocation(id)
            // What Membership refused it has not done; all else it has done, or may have.
            let isDone = !workflow.results.isEmpty
            if isDone || workflow.refusal == nil { try transaction.takeBack(id, at: clock.now()) }
            return
        }
        do {
            try transaction.attempt { try carryOut(workflow, id, in: transaction) }
        } catch let fault as StorageFault where fault.isPassing {
            throw fault
        } catch {
            // Trying again would fail again, and keep both trees closed for ever.
            logger.error(
                "relocation not carried out",
                metadata: [
                    "workflow": "\(Hexadecimal.text(workflow.id))", "kind": "\(workflow.kind)",
                    "error": "\(error)",
                ])
            let status = (error as? any StatusConvertible)?.status ?? .notCarriedOut
            try transaction.undoDoneWorkflow(
                workflow.id, refusal: status.encoded(), words: "not carried out: \(error)",
                at: clock.now())
        }
    }

    /// Moves or restores what Membership has counted.
    private func carryOut(
        _ workflow: WorkflowInstance, _ id: WorkflowID, in transaction: Transaction
    ) throws {
        let plan = try Relocation(decoding: workflow.input, limits: .bulk)
        let now = clock.now()
        let parent = try OrganizationID.optional(requestText: plan.parentID, field: "parent_id")
            .flatMap { try transaction.node($0) }
        guard parent != nil || plan.parentID.isEmpty else { throw Unreadable.relocation }
        // The title is free again at the moment it is used.
        try transaction.endRelocation(id)
        if workflow.kind == Self.move {
            guard let organization = OrganizationID(text: plan.organizationID),
                let node = try transaction.node(organization)
            else { throw Unreadable.relocation }
            try transaction.move(node.number, below: parent, at: now)
        } else {
            let ids = plan.organizationIDs.compactMap { OrganizationID(text: $0) }
            let title =
                try plan.title.isEmpty
                ? nil : accept(plan.title, field: "title", as: Title.init(_:field:))
            let notRestored = try transaction.restore(
                ids, title: title, below: parent, at: now)
            try transaction.endRelocation(id, notRestored: notRestored)
        }
    }
}

extension Status {
    /// The answer to a move or a restore that could not be written: its reason is in the log, and
    /// with the workflow.
    fileprivate static var notCarriedOut: Status {
        refusal(.internal, "This could not be carried out; organizations are where they were.")
    }
}
