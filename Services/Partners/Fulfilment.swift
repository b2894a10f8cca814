import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage

/// What fulfilling a sale asks of the other services, in order.
///
/// The names are part of keys.
enum FulfilmentStep: String, Sendable, Hashable, CaseIterable {
    case prepareOrganization = "prepare_organization"
    case grantSeats = "grant_seats"
    case prepareAppearance = "prepare_appearance"
    /// Makes everything visible: the pivot.
    case commitOrganization = "commit_organization"
}

/// Fulfils approved sales: a durable workflow over the other services.
///
/// Every identifier is chosen before the first step and every step has a key of its own, so that
/// however often a step is sent, and by whatever life of this program, it has one effect. What
/// the sale becomes is written in the transaction that ends the workflow.
struct FulfilSale: Sendable {
    /// The kind of workflow that makes the buyer: nobody sees it before the last step.
    static let newBuyer = "fulfil_sale"
    /// The kind of workflow for a buyer that exists.
    static let existingBuyer = "fulfil_sale_to_existing_buyer"
    /// How long one attempt of a step may take.
    static let stepTimeout: Duration = .seconds(2)
    /// What the seller reads when no service refused in words of its own; what went wrong on the
    /// way is for the operator, and listed with the workflows.
    static let refusedWithoutWords =
        "The sale could not be carried out, and nothing of it was kept. Try it again later."

    let organizations: OrganizationsClient
    let membership: MembershipClient
    let branding: BrandingClient
    let clock: WallClock

    /// Does the work of every sale in a database.
    func runner(
        of database: Database, settings: WorkflowSettings = WorkflowSettings(),
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        logger: Logger = Logger(label: "partners")
    ) -> WorkflowRunner {
        WorkflowRunner(
            of: database, following: definitions, settings: settings, clock: clock,
            random: random, logger: logger)
    }

    var definitions: [WorkflowDefinition] {
        [Self.newBuyer, Self.existingBuyer].map { kind in
            WorkflowDefinition(
                kind: kind, steps: Self.steps(of: kind).map { step($0, of: kind) },
                onTransition: conclude)
        }
    }

    /// The steps of a kind of workflow, in their order.
    static func steps(of kind: String) -> [FulfilmentStep] {
        kind == newBuyer ? FulfilmentStep.allCases : [.grantSeats]
    }

    private func step(_ step: FulfilmentStep, of kind: String) -> WorkflowStep {
        switch step {
        case .prepareOrganization: prepareOrganization
        case .grantSeats: grantSeats(isPivot: kind == Self.existingBuyer)
        case .prepareAppearance: prepareAppearance
        case .commitOrganization: commitOrganization
        }
    }

    /// The start of the workflow of a sale that has just been approved.
    ///
    /// The organization is the one to make, should one be made; the person is who approved.
    static func start(
        _ sale: Sale, workflow: WorkflowID, newOrganization organization: OrganizationID,
        by person: String, at now: WallTime
    ) throws -> WorkflowStart {
        var plan = Fulfilment(saleID: sale.id.text, seats: try sale.seats())
        let kind: String
        switch sale.buyer {
        case .existing(let buyer):
            kind = existingBuyer
            plan.organizationID = buyer.text
        case .new(let order, _):
            kind = newBuyer
            plan.organizationID = organization.text
            plan.newOrganization = Messages.NewOrganization(order)
        }
        return WorkflowStart(
            id: workflow.bytes, kind: kind, input: plan.encoded(), startedBy: person, at: now)
    }
}

// MARK: The steps

extension FulfilSale {
    private var prepareOrganization: WorkflowStep {
        WorkflowStep(
            FulfilmentStep.prepareOrganization.rawValue,
            action: call { plan, options in
                let order = plan.newOrganization ?? Messages.NewOrganization()
                _ = try await organizations.prepareOrganization(
                    PrepareOrganizationRequest(
                        id: plan.organizationID, parentID: order.parentID, title: order.title,
                        category: order.category, country: order.country, origin: .sale),
                    options: options)
            },
            compensation: undo { plan, key, options in
                _ = try await organizations.cancelPreparation(
                    CancelPreparationRequest(id: plan.organizationID, preparationKey: key),
                    options: options)
            })
    }

    /// The last step for a buyer that exists.
    private func grantSeats(isPivot: Bool) -> WorkflowStep {
        WorkflowStep(
            FulfilmentStep.grantSeats.rawValue, isPivot: isPivot,
            action: call { plan, options in
                _ = try await membership.grantSeats(
                    GrantSeatsRequest(
                        organizationID: plan.organizationID, quantity: plan.seats,
                        saleID: plan.saleID),
                    options: options)
            },
            compensation: undo { plan, key, options in
                _ = try await membership.cancelSeatGrant(
                    CancelSeatGrantRequest(organizationID: plan.organizationID, grantKey: key),
                    options: options)
            })
    }

    private var prepareAppearance: WorkflowStep {
        WorkflowStep(
            FulfilmentStep.prepareAppearance.rawValue,
            action: call { plan, options in
                // Without colors of its own the organization inherits: nothing to set.
                guard let colors = plan.newOrganization?.colors, colors != Colors() else { return }
                _ = try await branding.prepareAppearance(
                    PrepareAppearanceRequest(
                        organizationID: plan.organizationID, colors: colors),
                    options: options)
            },
            compensation: undo { plan, key, options in
                guard let colors = plan.newOrganization?.colors, colors != Colors() else { return }
                _ = try await branding.cancelAppearance(
                    CancelAppearanceRequest(
                        organizationID: plan.organizationID, preparationKey: key),
                    options: options)
            })
    }

    private var commitOrganization: WorkflowStep {
        WorkflowStep(
            FulfilmentStep.commitOrganization.rawValue, isPivot: true,
            action: call { plan, options in
                _ = try await organizations.commitOrganization(
                    CommitOrganizationRequest(id: plan.organizationID), options: options)
            })
    }

    private func call(
        _ body: @escaping @Sendable (Fulfilment, CallOptions) async throws -> Void
    ) -> WorkflowStep.Action {
        { workflow in
            await Self.outcome {
                try await body(
                    Fulfilment(decoding: workflow.input),
                    CallOptions(stepKey: workflow.stepKeyText, timeout: Self.stepTimeout))
            }
        }
    }

    private func undo(
        _ body: @escaping @Sendable (Fulfilment, String, CallOptions) async throws -> Void
    ) -> WorkflowStep.Action {
        { workflow in
            await Self.outcome {
                let key = workflow.stepKeyText
                try await body(
                    Fulfilment(decoding: workflow.input), key,
                    CallOptions(stepKey: "\(key)-cancel", timeout: Self.stepTimeout))
            }
        }
    }

    private static func outcome(of call: () async throws -> Void) async -> StepOutcome {
        await .of(call) { status in
            Messages.SaleRefusal(
                code: status.reason ?? "refused",
                message: status.reason == nil ? refusedWithoutWords : status.message
            ).encoded()
        }
    }
}

// MARK: The end

extension FulfilSale {
    /// Writes what a workflow that ends makes of its sale.
    private func conclude(_ transaction: Transaction, _ workflow: WorkflowInstance) throws {
        switch workflow.state {
        case .running, .compensating: return
        case .done: try fulfil(workflow, in: transaction)
        case .aborted: try refuse(workflow, in: transaction)
        }
    }

    private func fulfil(_ workflow: WorkflowInstance, in transaction: Transaction) throws {
        let plan = try Fulfilment(decoding: workflow.input)
        guard let organization = OrganizationID(text: plan.organizationID) else {
            throw Unreadable.fulfilment
        }
        let now = clock.now()
        let sale = try transaction.sale(of: plan).fulfilled(for: organization, now: now)
        try transaction.update(sale)
        if case .new = sale.buyer {
            try transaction.assign(organization, to: sale.partner, at: now)
        }
        _ = try transaction.publish(sale)
    }

    private func refuse(_ workflow: WorkflowInstance, in transaction: Transaction) throws {
        let plan = try Fulfilment(decoding: workflow.input)
        // A refusal that cannot be read must not keep the workflow from its end.
        let words = workflow.refusal.flatMap { try? Messages.SaleRefusal(decoding: $0) }
        let refusal = SaleRefusal(
            code: words?.code ?? "unavailable", message: words?.message ?? Self.refusedWithoutWords)
        let sale = try transaction.sale(of: plan).refused(because: refusal, now: clock.now())
        try transaction.update(sale)
        try transaction.updateLines(of: sale)
        _ = try transaction.publish(sale)
    }
}

extension Reading {
    fileprivate func sale(of plan: Fulfilment) throws -> Sale {
        guard let id = SaleID(text: plan.saleID), let sale = try sale(id) else {
            throw Unreadable.fulfilment
        }
        return sale
    }
}
