import Access
import Messages
import Storage

/// An account that sells.
struct Partner: Sendable, Hashable {
    let id: PartnerID
    let name: Name
    let region: Region
    /// The person who acts for it.
    let user: UserID?
    let createdAt: WallTime
    let version: Int64
}

/// Something that is sold.
struct Product: Sendable, Hashable {
    let id: ProductID
    let name: Name
    let price: LinePrice
    let currency: String
    let createdAt: WallTime
    let version: Int64
}

/// What an organization that buys for resale gets off the list price.
struct DistributorDiscount: Sendable, Hashable {
    let organization: OrganizationID
    let discount: BasisPoints
    /// 0 while none was ever set.
    let version: Int64
}

/// Who buys.
enum Buyer: Sendable, Hashable {
    case existing(OrganizationID)
    /// An organization that the sale creates; known once the sale is fulfilled.
    case new(NewOrganization, OrganizationID?)

    var organization: OrganizationID? {
        switch self {
        case .existing(let organization): organization
        case .new(_, let organization): organization
        }
    }
}

/// The organization that a sale creates.
struct NewOrganization: Sendable, Hashable {
    /// None for a root.
    let parent: OrganizationID?
    let title: String
    let category: OrganizationCategory
    let country: String
    let colors: Colors?
}

/// Why a sale could not be fulfilled.
struct SaleRefusal: Sendable, Hashable {
    let code: String
    let message: String
}

/// What a partner sells to an organization.
struct Sale: Sendable, Hashable {
    let id: SaleID
    let partner: PartnerID
    private(set) var state: SaleState
    private(set) var buyer: Buyer
    private(set) var lines: [SaleLine]
    let currency: String
    /// Fixed when it was registered; a draft has none.
    private(set) var amounts: Amounts?
    private(set) var workflow: WorkflowID?
    private(set) var refusal: SaleRefusal?
    let createdAt: WallTime
    private(set) var updatedAt: WallTime
    private(set) var version: Int64
}

extension Sale {
    /// The draft of a sale.
    static func draft(
        _ id: SaleID, of partner: PartnerID, to buyer: Buyer, lines: [SaleLine],
        in currency: String, at now: WallTime
    ) -> Sale {
        Sale(
            id: id, partner: partner, state: .draft, buyer: buyer, lines: lines,
            currency: currency, amounts: nil, workflow: nil, refusal: nil, createdAt: now,
            updatedAt: now, version: 1)
    }

    /// The sale with the prices of today and the buyer's discount of today, fixed from here on.
    func registered(
        at prices: [ProductID: LinePrice], discount: BasisPoints, now: WallTime
    ) throws(Refusal) -> Sale {
        var next = try moved(by: .register, at: now)
        var priced: [(quantity: Int64, price: LinePrice)] = []
        for line in lines {
            guard let price = prices[line.product] else { throw .noSuch(.product) }
            priced.append((line.quantity, price))
        }
        next.lines = zip(lines, priced).map { line, priced in
            SaleLine(product: line.product, quantity: line.quantity, price: priced.price)
        }
        next.amounts = try Amounts(priced, discount: discount)
        next.refusal = nil
        _ = try next.seats()
        return next
    }

    /// The sale with its fulfilment under way.
    func approved(workflow: WorkflowID, now: WallTime) throws(Refusal) -> Sale {
        var next = try moved(by: .approve, at: now)
        next.workflow = workflow
        return next
    }

    /// The sale once the buyer has everything.
    func fulfilled(for organization: OrganizationID, now: WallTime) throws(Refusal) -> Sale {
        var next = try moved(by: .fulfil, at: now)
        if case .new(let plan, _) = buyer { next.buyer = .new(plan, organization) }
        return next
    }

    /// The sale as a draft again, after its fulfilment was refused and undone.
    func refused(because refusal: SaleRefusal, now: WallTime) throws(Refusal) -> Sale {
        var next = try moved(by: .refuse, at: now)
        next.lines = lines.map {
            SaleLine(product: $0.product, quantity: $0.quantity, price: nil)
        }
        next.amounts = nil
        next.refusal = refusal
        return next
    }

    /// The sale called off.
    func cancelled(now: WallTime) throws(Refusal) -> Sale {
        try moved(by: .cancel, at: now)
    }

    /// The seats that its lines give, once their prices are fixed.
    func seats() throws(Refusal) -> Int64 {
        var priced: [(quantity: Int64, price: LinePrice)] = []
        for line in lines {
            guard let price = line.price else { throw .saleState(state, .approve) }
            priced.append((line.quantity, price))
        }
        return try Partners.seats(of: priced)
    }

    private func moved(by event: SaleEvent, at now: WallTime) throws(Refusal) -> Sale {
        var next = self
        next.state = try state.after(event)
        next.updatedAt = now
        next.version += 1
        return next
    }
}
