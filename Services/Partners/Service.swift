import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// Partners, products, discounts and sales; with the catalog, modules and subscriptions.
struct Service: PartnersService {
    let database: Database
    /// The copy of the tree, kept up to date by the feed of Organizations.
    let organizations: FeedConsumer
    let pages: PageTokens
    let identifiers: IdentifierSource
    /// Where operators look after the workflows of sales.
    let workflows: WorkflowDesk
    var approval = ApprovalPatience()
    var limits = CatalogLimits()

    /// Every method of this program.
    var methods: [[RegisteredMethod]] {
        [
            (self as any PartnersService).registeredMethods,
            (self as any CatalogService).registeredMethods,
            (self as any OrganizationModulesService).registeredMethods,
            (self as any SubscriptionsService).registeredMethods,
        ]
    }

    func createPartner(
        _ request: CreatePartnerRequest, _ context: CallContext
    ) async throws -> Messages.Partner {
        let caller = try Caller(context.principal)
        try caller.expectOwner()
        let order = try PartnerOrder(request)
        let now = context.now
        let id: PartnerID = identifiers.next()
        return try await database.command(context, request) { transaction in
            guard try transaction.partner(named: order.name.key) == nil else {
                throw Refusal.nameTaken(.partner)
            }
            let partner = Partner(
                id: id, name: order.name, region: order.region, user: order.user,
                createdAt: now, version: 1)
            try transaction.insert(partner)
            return Messages.Partner(partner)
        }
    }

    func getPartner(
        _ request: GetPartnerRequest, _ context: CallContext
    ) async throws -> Messages.Partner {
        let caller = try Caller(context.principal)
        let id = try PartnerID(requestText: request.id, field: "id")
        let partner = try database.readInline { try $0.partner(id) }
        guard let partner, caller.sees(partner) else { throw Denial.noSuch(.partner) }
        return Messages.Partner(partner)
    }

    func listPartners(
        _ request: ListPartnersRequest, _ context: CallContext
    ) async throws -> ListPartnersReply {
        let caller = try Caller(context.principal)
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListPartnersRequest())
        guard caller.isStaff else { return try await ownPartners(of: caller) }
        let (found, total) = try await database.read { snapshot in
            (
                try snapshot.partners(after: page.nameKey, limit: page.limit),
                try snapshot.partnerCount()
            )
        }
        let (partners, token) = page.cut(found) { [$0.name.key] }
        return ListPartnersReply(
            partners: partners.map(Messages.Partner.init), nextPageToken: token,
            totalSize: total)
    }

    /// The partners for which a person acts: few enough for one page.
    private func ownPartners(of caller: Caller) async throws -> ListPartnersReply {
        guard let user = caller.user else { return ListPartnersReply() }
        let partners = try await database.read { snapshot in
            try snapshot.partners(of: user).compactMap { try snapshot.partner($0) }
        }
        return ListPartnersReply(
            partners: partners.map(Messages.Partner.init), totalSize: Int64(partners.count))
    }

    func createProduct(
        _ request: CreateProductRequest, _ context: CallContext
    ) async throws -> Messages.Product {
        let caller = try Caller(context.principal)
        try caller.expectStaff()
        let order = try ProductOrder(request)
        let now = context.now
        let id: ProductID = identifiers.next()
        return try await database.command(context, request) { transaction in
            guard try transaction.product(named: order.name.key) == nil else {
                throw Refusal.nameTaken(.product)
            }
            let product = Product(
                id: id, name: order.name, price: order.price, currency: order.currency,
                createdAt: now, version: 1)
            try transaction.insert(product)
            return Messages.Product(product)
        }
    }

    func getProduct(
        _ request: GetProductRequest, _ context: CallContext
    ) async throws -> Messages.Product {
        _ = try context.principal
        let id = try ProductID(requestText: request.id, field: "id")
        guard let product = try database.readInline({ try $0.product(id) }) else {
            throw Denial.noSuch(.product)
        }
        return Messages.Product(product)
    }

    func listProducts(
        _ request: ListProductsRequest, _ context: CallContext
    ) async throws -> ListProductsReply {
        _ = try context.principal
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListProductsRequest())
        let (found, total) = try await database.read { snapshot in
            (
                try snapshot.products(after: page.nameKey, limit: page.limit),
                try snapshot.productCount()
            )
        }
        let (products, token) = page.cut(found) { [$0.name.key] }
        return ListProductsReply(
            products: products.map(Messages.Product.init), nextPageToken: token,
            totalSize: total)
    }
}

extension Page {
    /// The key of the last name of the page before.
    var nameKey: String {
        guard case .text(let key) = after?.first else { return "" }
        return key
    }
}
