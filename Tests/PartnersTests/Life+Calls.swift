import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

extension Bench {
    /// Puts an organization into the tree.
    func plant(_ title: String, below parent: OrganizationID? = nil) -> OrganizationID {
        let id: OrganizationID = identifiers.next()
        neighbours.change { world in
            world.publish(
                OrganizationNode(
                    id: id.text, parentID: parent?.text ?? "", title: title, status: .active,
                    origin: .manual))
        }
        return id
    }

    /// One organization, its seats once, its colors once, and every step with one effect.
    func expectOneOfEverything(
        for sale: Messages.Sale, seats: Int64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let world = neighbours.world
        let buyer = sale.buyerOrganizationID
        #expect(sale.state == .fulfilled, sourceLocation: sourceLocation)
        #expect(world.prepared.isEmpty, sourceLocation: sourceLocation)
        #expect(Array(world.committed.keys) == [buyer], sourceLocation: sourceLocation)
        #expect(world.seats == [buyer: seats], sourceLocation: sourceLocation)
        #expect(Array(world.appearances.keys) == [buyer], sourceLocation: sourceLocation)
        for step in Step.forward {
            #expect(world.effects[step] == 1, "\(step)", sourceLocation: sourceLocation)
        }
        for step in Step.allCases where !Step.forward.contains(step) {
            #expect(world.effects[step] == nil, "\(step)", sourceLocation: sourceLocation)
        }
    }

    /// A draft again, and nothing of the sale anywhere.
    func expectNothing(
        of sale: Messages.Sale, code: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(sale.state == .draft, sourceLocation: sourceLocation)
        #expect(sale.refusal?.code == code, sourceLocation: sourceLocation)
        #expect(sale.buyerOrganizationID.isEmpty, sourceLocation: sourceLocation)
        #expect(sale.listTotalMinor == 0, sourceLocation: sourceLocation)
        #expect(neighbours.world.isEmpty, sourceLocation: sourceLocation)
    }
}

extension Life {
    func createPartner(
        _ name: String = "Northwind", region: [String] = [], user: UserID? = nil,
        by caller: TestCaller = .owner
    ) async throws -> Messages.Partner {
        try await client.createPartner(
            CreatePartnerRequest(name: name, region: region, userID: user?.text ?? ""),
            options: options(caller))
    }

    func createProduct(
        _ name: String = "Seats", price: Int64 = 1_999, currency: String = "EUR",
        by caller: TestCaller = .owner
    ) async throws -> Messages.Product {
        try await client.createProduct(
            CreateProductRequest(
                name: name, unitPriceMinor: price, currency: currency, seatsPerUnit: 10),
            options: options(caller))
    }

    /// A draft of 7 units of 10 seats to an organization that exists.
    func draft(
        to buyer: OrganizationID, partner: String? = nil, product: String? = nil,
        quantity: Int32 = 7, by caller: TestCaller = .owner, key: String? = nil
    ) async throws -> Messages.Sale {
        try await client.createSale(
            CreateSaleRequest(
                partnerID: try await id(ofPartner: partner), buyerOrganizationID: buyer.text,
                lines: [
                    Messages.SaleLine(
                        productID: try await id(ofProduct: product), quantity: quantity)
                ]), options: options(caller, key: key))
    }

    /// A draft of 7 units of 10 seats to an organization that the sale makes.
    func draftToNewOrganization(
        _ title: String = "Springfield", below parent: OrganizationID? = nil,
        partner: String? = nil, product: String? = nil, country: String = "US",
        by caller: TestCaller = .owner, key: String? = nil
    ) async throws -> Messages.Sale {
        try await client.createSale(
            CreateSaleRequest(
                partnerID: try await id(ofPartner: partner),
                newOrganization: Messages.NewOrganization(
                    parentID: parent?.text ?? "", title: title, category: .academicK12,
                    country: country, colors: Colors(primary: "#102030")),
                lines: [
                    Messages.SaleLine(
                        productID: try await id(ofProduct: product), quantity: 7)
                ]), options: options(caller, key: key))
    }

    func register(
        _ sale: Messages.Sale, by caller: TestCaller = .owner, key: String? = nil
    ) async throws -> Messages.Sale {
        try await client.registerSale(
            RegisterSaleRequest(id: sale.id), options: options(caller, key: key))
    }

    func approve(
        _ sale: Messages.Sale, by caller: TestCaller = .owner, key: String? = nil
    ) async throws -> Messages.Sale {
        try await client.approveSale(
            ApproveSaleRequest(id: sale.id), options: options(caller, key: key))
    }

    func cancel(
        _ sale: Messages.Sale, by caller: TestCaller = .owner
    ) async throws -> Messages.Sale {
        try await client.cancelSale(CancelSaleRequest(id: sale.id), options: options(caller))
    }

    func sale(_ id: String, by caller: TestCaller = .owner) async throws -> Messages.Sale {
        try await client.getSale(GetSaleRequest(id: id), options: options(caller))
    }

    @discardableResult
    func setDiscount(
        _ points: Int32, of organization: OrganizationID, by caller: TestCaller = .owner
    ) async throws -> Messages.DistributorDiscount {
        try await client.setDistributorDiscount(
            SetDistributorDiscountRequest(
                organizationID: organization.text, basisPoints: points),
            options: options(caller))
    }

    /// The sale once its workflow has ended.
    func settled(_ sale: Messages.Sale) async throws -> Messages.Sale {
        let workflow = try #require(WorkflowID(text: sale.workflowID))
        let end = try await database.workflows.waitForEnd(
            workflow.bytes, until: .now.advanced(by: .seconds(20)))
        try #require(end != nil, "the workflow did not end")
        return try await self.sale(sale.id)
    }

    /// The status with which a call is refused; nil when it is not.
    func status<Reply>(_ call: () async throws -> Reply) async -> Status? {
        do {
            _ = try await call()
            return nil
        } catch {
            return Status(thrown: error)
        }
    }

    /// The partner given, or the one that every sale of a test may have.
    private func id(ofPartner given: String?) async throws -> String {
        if let given { return given }
        let known = try await client.listPartners(ListPartnersRequest(), options: options())
        if let known = known.partners.first { return known.id }
        return try await createPartner().id
    }

    private func id(ofProduct given: String?) async throws -> String {
        if let given { return given }
        let known = try await client.listProducts(ListProductsRequest(), options: options())
        if let known = known.products.first { return known.id }
        return try await createProduct().id
    }
}

/// Expects a call to be refused for a reason.
func expect<Reply>(
    refusing reason: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws -> Reply
) async {
    do {
        _ = try await call()
        Issue.record("expected to be refused: \(reason)", sourceLocation: sourceLocation)
    } catch {
        #expect(Status(thrown: error).reason == reason, sourceLocation: sourceLocation)
    }
}
