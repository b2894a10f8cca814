import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// What making an organization asks, in order.
///
/// The names are part of keys.
enum FoundingStep: String, Sendable, Hashable, CaseIterable {
    case prepareOrganization = "prepare_organization"
    /// Makes the founder its owner, while nobody sees it.
    case makeOwner = "make_owner"
    /// Makes everything visible: the pivot.
    case commitOrganization = "commit_organization"
}

/// Makes the organizations of people who signed up: a durable workflow over Organizations and this
/// service.
///
/// The identifier of the organization is chosen before the first step and every step has a key of
/// its own, so that however often a step is sent, and by whatever life of this program, there is
/// one organization with one owner in the end, or none.
struct FoundOrganization: Sendable {
    static let kind = "found_organization"
    /// How long one attempt of a step may take.
    static let stepTimeout: Duration = .seconds(2)

    let service: Service
    let prepare: @Sendable (PrepareOrganizationRequest, CallOptions) async throws -> Void
    let cancel: @Sendable (CancelPreparationRequest, CallOptions) async throws -> Void
    let commit: @Sendable (CommitOrganizationRequest, CallOptions) async throws -> Void
    let clock: WallClock

    /// Does the work of every founding.
    func runner(
        settings: WorkflowSettings = WorkflowSettings(),
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        logger: Logger = Logger(label: "membership")
    ) -> WorkflowRunner {
        WorkflowRunner(
            of: service.database, following: [definition], settings: settings, clock: clock,
            random: random, logger: logger)
    }

    var definition: WorkflowDefinition {
        WorkflowDefinition(
            kind: Self.kind, steps: [prepareOrganization, makeOwner, commitOrganization],
            onTransition: conclude)
    }

    /// The start of the workflow that makes an organization.
    static func start(
        _ own: OwnOrganizationRecord, _ request: CreateOwnOrganizationRequest,
        by person: String, at now: WallTime
    ) -> WorkflowStart {
        let plan = PrepareOrganizationRequest(
            id: own.organization.text, title: request.title, category: request.category,
            country: request.country, origin: .signup, description: request.description,
            kind: request.kind)
        return WorkflowStart(
            id: own.workflow.bytes, kind: kind, input: plan.encoded(), startedBy: person, at: now)
    }

    // MARK: - The steps

    private var prepareOrganization: WorkflowStep {
        WorkflowStep(
            FoundingStep.prepareOrganization.rawValue,
            action: { workflow in
                await .of {
                    try await prepare(
                        PrepareOrganizationRequest(decoding: workflow.input),
                        CallOptions(stepKey: workflow.stepKeyText, timeout: Self.stepTimeout))
                }
            },
            compensation: { workflow in
                await .of {
                    let plan = try PrepareOrganizationRequest(decoding: workflow.input)
                    let key = workflow.stepKeyText
                    try await cancel(
                        CancelPreparationRequest(id: plan.id, preparationKey: key),
                        CallOptions(stepKey: "\(key)-cancel", timeout: Self.stepTimeout))
                }
            })
    }

    private var makeOwner: WorkflowStep {
        WorkflowStep(
            FoundingStep.makeOwner.rawValue,
            action: { workflow in
                await .of { try await admitFounder(of: try Self.organization(of: workflow)) }
            },
            compensation: { workflow in
                await .of { try await withdrawFounder(of: try Self.organization(of: workflow)) }
            })
    }

    private var commitOrganization: WorkflowStep {
        WorkflowStep(
            FoundingStep.commitOrganization.rawValue, isPivot: true,
            action: { workflow in
                await .of {
                    let plan = try PrepareOrganizationRequest(decoding: workflow.input)
                    try await commit(
                        CommitOrganizationRequest(id: plan.id),
                        CallOptions(stepKey: workflow.stepKeyText, timeout: Self.stepTimeout))
                }
            })
    }

    private func admitFounder(of organization: OrganizationID) async throws {
        let now = clock.now()
        let newID: MembershipID = service.identifiers.next()
        try await service.whenKnown(otherwise: Denial.treeBehind) {
            try await service.database.write { [paths = service.paths] transaction in
                // Sent again after its end, it must not bring back an owner who has left.
                guard let own = try transaction.ownOrganization(organization),
                    own.state == .underWay, let founder = try transaction.user(own.founder)
                else { return }
                let path = try paths.path(to: organization, in: transaction, on: now.day)
                let previous = try transaction.membership(of: founder.id, in: organization)
                guard previous?.state != .active else { return }
                _ = try transaction.admit(
                    founder, in: .owner, by: .founding, at: path, for: .membershipItself,
                    previous: previous, newID: newID, now: now)
            }
        }
    }

    private func withdrawFounder(of organization: OrganizationID) async throws {
        let now = clock.now()
        try await service.database.write { transaction in
            guard let own = try transaction.ownOrganization(organization),
                let founder = try transaction.member(own.founder, of: organization),
                founder.membership.state == .active
            else { return }
            let path = try TreeCopy.path(of: organization, in: transaction, on: now.day)
            try transaction.withdraw(founder, at: path, now: now)
        }
    }

    // MARK: - The end

    /// Writes what a workflow that ends makes of its organization.
    private func conclude(_ transaction: Transaction, _ workflow: WorkflowInstance) throws {
        guard !workflow.state.isOpen else { return }
        let organization = try Self.organization(of: workflow)
        guard workflow.state == .done else {
            return try transaction.noteRefused(
                organization, because: workflow.refusal ?? Status.foundingGivenUp.encoded())
        }
        let plan = try PrepareOrganizationRequest(decoding: workflow.input)
        let path = try TreeCopy.path(of: organization, in: transaction, on: clock.now().day)
        try transaction.noteMade(organization, title: path?.node.title ?? plan.title)
    }

    private static func organization(of workflow: WorkflowInstance) throws -> OrganizationID {
        let plan = try PrepareOrganizationRequest(decoding: workflow.input)
        return try OrganizationID(requestText: plan.id, field: "id")
    }
}

extension Status {
    /// Why there is no organization that nobody has refused.
    fileprivate static let foundingGivenUp = Status.refusal(
        .wrongState, "The organization could not be made, and nothing of it was kept.")
}
