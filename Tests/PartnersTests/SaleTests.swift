import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

@Suite(.serialized) struct SaleTests {
    @Test func `a sale to a new organization makes one of everything`() async throws {
        let bench = try Bench()

        let sale = try await bench.life { life in
            let draft = try await life.draftToNewOrganization()
            return try await life.approve(try await life.register(draft))
        }

        #expect(sale.state == .fulfilled)
        #expect(!sale.buyerOrganizationID.isEmpty)
        bench.expectOneOfEverything(for: sale, seats: 70)
    }

    @Test func `a sale to an organization that exists gives it seats and nothing else`()
        async throws
    {
        let bench = try Bench()
        let school = bench.plant("School")

        let sale = try await bench.life { life in
            let draft = try await life.draft(to: school)
            return try await life.approve(try await life.register(draft))
        }

        let world = bench.neighbours.world
        #expect(sale.state == .fulfilled)
        #expect(world.seats == [school.text: 70])
        #expect(world.effects == [.grantSeats: 1])
    }

    @Test func `prices, seats and discount are fixed when a sale is registered`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let draft = try await life.draft(to: school)
            try await life.setDiscount(1_250, of: school)
            let registered = try await life.register(draft)
            try await life.setDiscount(5_000, of: school)
            let fulfilled = try await life.approve(registered)

            #expect(draft.listTotalMinor == 0)
            #expect(draft.lines.allSatisfy { $0.unitPriceMinor == 0 })
            #expect(registered.listTotalMinor == 7 * 1_999)
            #expect(registered.distributionTotalMinor == 12_244)
            #expect(registered.discountBasisPoints == 1_250)
            #expect(registered.lines.map(\.seatsPerUnit) == [10])
            #expect(fulfilled.listTotalMinor == registered.listTotalMinor)
            #expect(fulfilled.distributionTotalMinor == registered.distributionTotalMinor)
            #expect(fulfilled.discountBasisPoints == 1_250)
        }
    }

    @Test func `a sale to a new organization has no discount`() async throws {
        let bench = try Bench()

        let registered = try await bench.life { life in
            try await life.register(try await life.draftToNewOrganization())
        }

        #expect(registered.discountBasisPoints == 0)
        #expect(registered.distributionTotalMinor == registered.listTotalMinor)
    }

    @Test func `a sale goes through its states in order`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let draft = try await life.draft(to: school)
            await expect(refusing: "sale_state") { try await life.approve(draft) }
            let registered = try await life.register(draft)
            await expect(refusing: "sale_state") { try await life.register(registered) }
            let fulfilled = try await life.approve(registered)
            await expect(refusing: "sale_state") { try await life.register(fulfilled) }
            await expect(refusing: "sale_state") { try await life.approve(fulfilled) }
            await expect(refusing: "sale_state") { try await life.cancel(fulfilled) }
        }
    }

    @Test func `a refusal by state names the state`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        let status = try await bench.life { life in
            let draft = try await life.draft(to: school)
            return await life.status { try await life.approve(draft) }
        }

        #expect(status?.code == .failedPrecondition)
        #expect(status?.message == "The sale is draft; only a registered sale can be approved.")
    }

    @Test func `drafts and registered sales can be cancelled, and stay cancelled`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let draft = try await life.draft(to: school)
            let cancelled = try await life.cancel(draft)
            let other = try await life.register(try await life.draft(to: school))
            let otherCancelled = try await life.cancel(other)

            #expect(cancelled.state == .cancelled)
            #expect(otherCancelled.state == .cancelled)
            #expect(otherCancelled.listTotalMinor == other.listTotalMinor)
            await expect(refusing: "sale_state") { try await life.register(cancelled) }
            await expect(refusing: "sale_state") { try await life.cancel(cancelled) }
        }
    }

    @Test func `a repeated call changes nothing and answers the same`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let draft = try await life.draftToNewOrganization(key: "draft")
            let again = try await life.draftToNewOrganization(key: "draft")
            let registered = try await life.register(draft, key: "register")
            let registeredAgain = try await life.register(draft, key: "register")
            let approved = try await life.approve(registered, key: "approve")
            let approvedAgain = try await life.approve(registered, key: "approve")

            #expect(draft == again)
            #expect(registered == registeredAgain)
            #expect(approved == approvedAgain)
            bench.expectOneOfEverything(for: approved, seats: 70)
        }
    }

    @Test func `a key that was used for something else is refused`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let draft = try await life.draft(to: school, key: "same")

            await expect(refusing: "idempotency_mismatch") {
                try await life.register(draft, key: "same")
            }
        }
    }

    @Test func `approving twice at once starts one fulfilment`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            async let one = life.status { try await life.approve(registered) }
            async let other = life.status { try await life.approve(registered) }
            let refused = await [one, other].compactMap { $0 }

            #expect(refused.map(\.reason) == ["sale_state"])
            let sale = try await life.sale(registered.id)
            bench.expectOneOfEverything(for: sale, seats: 70)
        }
    }

    @Test func `an approval that takes long answers the sale as it stands`() async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.silenceBefore, at: .commitOrganization)

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.approve(registered)
        }

        #expect(sale.state == .approved)
        #expect(!sale.workflowID.isEmpty)
    }

    @Test func `an organization outside the partner's region is refused`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let partner = try await life.createPartner(region: ["AT", "CH"])
            let product = try await life.createProduct()
            await expect(refusing: "outside_region") {
                try await life.draftToNewOrganization(
                    partner: partner.id, product: product.id, country: "DE")
            }
            let sale = try await life.draftToNewOrganization(
                partner: partner.id, product: product.id, country: "AT")

            #expect(sale.state == .draft)
        }
    }

    @Test func `the products of a sale have one currency`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let partner = try await life.createPartner()
            let euros = try await life.createProduct("Euros", currency: "EUR")
            let yen = try await life.createProduct("Yen", currency: "JPY")

            await expect(refusing: "mixed_currencies") {
                try await life.client.createSale(
                    CreateSaleRequest(
                        partnerID: partner.id, buyerOrganizationID: school.text,
                        lines: [euros, yen].map { SaleLine(productID: $0.id, quantity: 1) }),
                    options: life.options())
            }
        }
    }

    @Test func `a total that cannot be counted is refused when the sale is registered`()
        async throws
    {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let product = try await life.createProduct("Palace", price: .max)
            let draft = try await life.draft(to: school, product: product.id, quantity: 2)

            await expect(refusing: "amount_too_large") { try await life.register(draft) }
            #expect(try await life.sale(draft.id) == draft)
        }
    }

    @Test func `every state of a sale is in the feed`() async throws {
        let bench = try Bench()

        let states = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            _ = try await life.approve(registered)
            return try await life.database.feed.events(after: 0, limit: 100).map {
                try Messages.Sale(decoding: $0.body).state
            }
        }

        #expect(states == [.draft, .registered, .approved, .fulfilled])
    }

    @Test func `sales are listed page by page, the newest first`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            var made: [String] = []
            let partner = try await life.createPartner()
            let product = try await life.createProduct()
            for _ in 0..<5 {
                let sale = try await life.draft(
                    to: school, partner: partner.id, product: product.id)
                made.append(sale.id)
            }
            var listed: [String] = []
            var token = ""
            repeat {
                let page = try await life.client.listSales(
                    ListSalesRequest(state: .draft, pageSize: 2, pageToken: token),
                    options: life.options())
                #expect(page.totalSize == 5)
                listed += page.sales.map(\.id)
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(listed == made.reversed())
        }
    }

    @Test func `an etag that no longer holds stops a change`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            let draft = try await life.draft(to: school)
            _ = try await life.register(draft)
            var options = try life.options()
            options.metadata[text: MetadataKey.ifMatch] = draft.etag
            let stale = options

            await expect(refusing: "version_mismatch") {
                try await life.client.cancelSale(
                    CancelSaleRequest(id: draft.id), options: stale)
            }
        }
    }
}
