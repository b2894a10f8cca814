import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func createSale(
        _ request: CreateSaleRequest, _ context: CallContext
    ) async throws -> Messages.Sale {
        let caller = try Caller(context.principal)
        let order = try SaleOrder(request)
        try await expectSale(
            by: order.partner, to: order.buyer, caller: caller, on: context.now.day)
        let now = context.now
        let id: SaleID = identifiers.next()
        return try await database.command(context, request) { transaction in
            guard let partner = try transaction.partner(order.partner) else {
                throw Refusal.noSuch(.partner)
            }
            try partner.expectRegion(of: order.buyer)
            let products = try transaction.products(of: order.lines)
            let sale = Sale.draft(
                id, of: order.partner, to: order.buyer, lines: order.lines,
                in: try currency(of: products), at: now)
            try transaction.insert(sale)
            return try transaction.publish(sale)
        }
    }

    func getSale(_ request: GetSaleRequest, _ context: CallContext) async throws -> Messages.Sale {
        Messages.Sale(try visibleSale(request.id, context).sale)
    }

    func listSales(
        _ request: ListSalesRequest, _ context: CallContext
    ) async throws -> ListSalesReply {
        let caller = try Caller(context.principal)
        let state = try SaleState.filter(request.state)
        let view = try caller.salesView()
        let page = try pages.page(
            context, size: min(request.pageSize, SaleLimits.pageSizeMax),
            token: request.pageToken, arguments: ListSalesRequest(state: request.state))
        let (found, total) = try await database.read { snapshot in
            let ids = try snapshot.sales(
                in: state, seenBy: view, before: page.identifierBefore, limit: page.limit)
            return (
                try ids.compactMap { try snapshot.sale($0) },
                try snapshot.saleCount(in: state, seenBy: view)
            )
        }
        let (sales, token) = page.cut(found) { [$0.id] }
        return ListSalesReply(
            sales: sales.map(Messages.Sale.init), nextPageToken: token, totalSize: total)
    }

    func registerSale(
        _ request: RegisterSaleRequest, _ context: CallContext
    ) async throws -> Messages.Sale {
        let id = try await sellableSale(request.id, context)
        let now = context.now
        return try await database.command(context, request) { transaction in
            let sale = try transaction.existingSale(id)
            try context.requireMatch(version: sale.version)
            let products = try transaction.products(of: sale.lines)
            let discount: BasisPoints =
                switch sale.buyer {
                case .new: .none
                case .existing(let buyer):
                    try transaction.distributorDiscount(of: buyer).discount
                }
            let prices = Dictionary(
                products.map { ($0.id, $0.price) }, uniquingKeysWith: { first, _ in first })
            let registered = try sale.registered(at: prices, discount: discount, now: now)
            try transaction.update(registered)
            try transaction.updateLines(of: registered)
            return try transaction.publish(registered)
        }
    }

    func approveSale(
        _ request: ApproveSaleRequest, _ context: CallContext
    ) async throws -> Messages.Sale {
        let id = try await sellableSale(request.id, context)
        let now = context.now
        let workflow: WorkflowID = identifiers.next()
        let organization: OrganizationID = identifiers.next()
        let person = try context.principal.scope
        let approved = try await database.command(context, request) { transaction in
            let sale = try transaction.existingSale(id)
            try context.requireMatch(version: sale.version)
            let approved = try sale.approved(workflow: workflow, now: now)
            try transaction.update(approved)
            try transaction.start(
                FulfilSale.start(
                    approved, workflow: workflow, newOrganization: organization, by: person,
                    at: now))
            return try transaction.publish(approved)
        }
        return try await settled(approved, id: id, by: context.deadline)
    }

    func cancelSale(
        _ request: CancelSaleRequest, _ context: CallContext
    ) async throws -> Messages.Sale {
        let id = try visibleSale(request.id, context).sale.id
        let now = context.now
        return try await database.command(context, request) { transaction in
            let sale = try transaction.existingSale(id)
            try context.requireMatch(version: sale.version)
            let cancelled = try sale.cancelled(now: now)
            try transaction.update(cancelled)
            return try transaction.publish(cancelled)
        }
    }
}

extension Service {
    /// The sale once it is fulfilled or refused, or as it stands when time is up.
    private func settled(
        _ approved: Messages.Sale, id: SaleID, by deadline: Deadline
    ) async throws -> Messages.Sale {
        guard let workflow = WorkflowID(text: approved.workflowID) else { return approved }
        let wait = approval.wait(within: deadline.isNever ? nil : deadline.remaining())
        if wait > .zero {
            _ = try await database.workflows.waitForEnd(
                workflow.bytes, until: .now.advanced(by: wait))
        }
        let sale = try database.readInline { try $0.sale(id) }
        return sale.map(Messages.Sale.init) ?? approved
    }
}

extension SaleState {
    /// The state that a list is limited to; nil for all.
    fileprivate static func filter(_ state: Messages.SaleState) throws(Status) -> SaleState? {
        switch state {
        case .unspecified: nil
        case .draft: .draft
        case .registered: .registered
        case .approved: .approved
        case .fulfilled: .fulfilled
        case .cancelled: .cancelled
        case .unrecognized: throw .invalid("state", "There is no such state of a sale.")
        }
    }
}

extension Page {
    /// The identifier of the last entry of the page before.
    var identifierBefore: [UInt8]? {
        guard case .blob(let bytes) = after?.first else { return nil }
        return bytes
    }
}

extension Reading {
    fileprivate func existingSale(_ id: SaleID) throws -> Sale {
        guard let sale = try sale(id) else { throw Refusal.noSuch(.sale) }
        return sale
    }

    /// The products of lines, in their order.
    fileprivate func products(of lines: [SaleLine]) throws -> [Product] {
        try lines.map { line in
            guard let product = try product(line.product) else { throw Refusal.noSuch(.product) }
            return product
        }
    }
}
