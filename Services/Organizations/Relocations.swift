import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage

/// Moves and restores: durable workflows whose one step is Membership's.
///
/// It decides whether the people fit at the new place. What follows from its answer is written in
/// the transaction that ends the workflow.
struct Relocations: Sendable {
    static let move = "move_organization"
    static let restore = "restore_organization"
    /// How long one attempt of the step may take.
    static let stepTimeout: Duration = .seconds(5)

    /// Counts the people of a subtree elsewhere.
    let moveSubtree: @Sendable (MoveSubtreeRequest, CallOptions) async throws -> Void
    /// Admits the people of organizations that leave the archive.
    let restoreSubtree: @Sendable (RestoreSubtreeRequest, CallOptions) async throws -> Void
    let clock: WallClock

    /// Does the work of all relocations in a database.
    func runner(
        of database: Database, settings: WorkflowSettings = WorkflowSettings(),
        logger: Logger = Logger(label: "organizations")
    ) -> WorkflowRunner {
        WorkflowRunner(
            database, definitions: definitions, stepKey: Self.key(of:step:), settings: settings,
            now: clock.now,
            onStuck: { workflow in
                logger.error(
                    "workflow stuck",
                    metadata: [
                        "workflow": "\(Hexadecimal.text(workflow.id))",
                        "kind": "\(workflow.kind)", "attempts": "\(workflow.attempts)",
                        "error": "\(workflow.lastError ?? "")",
                    ])
            })
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
                    }
                ], onTransition: conclude),
        ]
    }

    private static func key(of workflow: [UInt8], step: String) -> [UInt8] {
        Array(digest(workflow + Array(step.utf8)).prefix(16))
    }

    private func step(
        _ call: @escaping @Sendable (Relocation, CallOptions) async throws -> Void
    ) -> WorkflowStep {
        WorkflowStep("count_people", isPivot: true) { workflow in
            do {
                var options = CallOptions(timeout: Self.stepTimeout)
                options.metadata[text: MetadataKey.idempotencyKey] =
                    Hexadecimal.text(workflow.stepKey)
                try await call(Relocation(decoding: workflow.input, limits: .bulk), options)
                return .done([])
            } catch {
                let status = Status(thrown: error)
                let words = "\(status.code): \(status.message)"
                return status.isForGood ? .refused(status.encoded(), words) : .unknown(words)
            }
        }
    }

    /// Writes what a workflow that ends makes of its organizations.
    private func conclude(_ transaction: Transaction, _ workflow: WorkflowInstance) throws {
        guard !workflow.state.isOpen, let id = WorkflowID(bytes: workflow.id) else { return }
        guard workflow.state == .done else { return try transaction.endRelocation(id) }
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
    /// Whether Membership said no for good, so that there is nothing to wait for.
    fileprivate var isForGood: Bool {
        switch code {
        case .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .outOfRange,
            .resourceExhausted:
            code != .resourceExhausted || reason != ErrorReason.busy.rawValue
        case .aborted: reason == ErrorReason.commandCancelled.rawValue
        default: false
        }
    }
}
