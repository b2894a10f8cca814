import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing

@testable import Partners

@Suite(.serialized) struct PermissionTests {
    static let ada = UserID(high: 2, low: 1)
    static let bob = UserID(high: 2, low: 2)

    @Test func `only the owner of the platform creates partners`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            _ = try await life.createPartner(by: .owner)
            for caller in [TestCaller.admin, .stranger, .service] {
                await expect(refusing: "forbidden") {
                    try await life.createPartner("Other", by: caller)
                }
            }
        }
    }

    @Test func `those who run the platform create products, nobody else`() async throws {
        let bench = try Bench()
        let person = TestCaller.person(Self.ada, [Access.Grant(.partner)])

        try await bench.life { life in
            _ = try await life.createProduct("One", by: .owner)
            _ = try await life.createProduct("Two", by: .admin)
            for caller in [person, .stranger, .service] {
                await expect(refusing: "forbidden") {
                    try await life.createProduct("Three", by: caller)
                }
            }
        }
    }

    @Test func `a program does what its role may, and acts for no partner`() async throws {
        let bench = try Bench()
        // A key with the number of the person for whom the partner acts is not that person.
        let key = APIKeyID(high: Self.ada.high, low: Self.ada.low)
        let staff = TestCaller.program(key, [Access.Grant(.globalAdmin)])
        let member = TestCaller.program(key, [Access.Grant(.member, at: bench.plant("School"))])

        try await bench.life { life in
            let partner = try await life.createPartner(user: Self.ada, by: .owner)
            _ = try await life.createProduct("One", by: staff)
            for (caller, seen) in [(staff, [partner.id]), (member, [])] {
                let partners = try await life.client.listPartners(
                    ListPartnersRequest(), options: life.options(caller))
                #expect(partners.partners.map(\.id) == seen)
            }
            await expect(refusing: "forbidden") { try await life.createProduct("Two", by: member) }
            await expect(refusing: "forbidden") {
                try await life.client.listSales(
                    ListSalesRequest(), options: life.options(member))
            }
        }
    }

    @Test func `a call without a principal is refused`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let status = await life.status {
                try await life.client.listSales(

                    ListSalesRequest(), options: CallOptions(timeout: .seconds(30)))
            }

            #expect(status?.code == .unauthenticated)
        }
    }

    @Test func `a change without an idempotency key is refused`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            // The client adds a key of its own; this call is made without it.
            let status = await life.status {
                try await InProcessChannel(life.router).unary(
                    PartnersMethods.createPartner,
                    .message(CreatePartnerRequest(name: "Northwind")), options: life.options())
            }

            #expect(status?.code == .invalidArgument)
            #expect(status?.reason == "idempotency_key_required")
        }
    }

    @Test func `a person sees the own partner and its sales, and no other`() async throws {
        let bench = try Bench()
        let ada = TestCaller.person(Self.ada, [])

        try await bench.life { life in
            let own = try await life.createPartner("Own", user: Self.ada)
            let other = try await life.createPartner("Other", user: Self.bob)
            let product = try await life.createProduct()
            let mine = try await life.draftToNewOrganization(
                "Mine", partner: own.id, product: product.id)
            let theirs = try await life.draftToNewOrganization(
                "Theirs", partner: other.id, product: product.id)
            let partners = try await life.client.listPartners(
                ListPartnersRequest(), options: life.options(ada))
            let sales = try await life.client.listSales(
                ListSalesRequest(), options: life.options(ada))

            #expect(partners.partners == [own])
            #expect(sales.sales == [mine])
            #expect(sales.totalSize == 1)
            #expect(try await life.sale(mine.id, by: ada) == mine)
            await expect(refusing: "not_found") { try await life.sale(theirs.id, by: ada) }
            await expect(refusing: "not_found") {
                try await life.client.getPartner(
                    GetPartnerRequest(id: other.id), options: life.options(ada))
            }
            for change in [life.register, life.approveNow, life.cancelNow] {
                await expect(refusing: "not_found") { try await change(theirs, ada, nil) }
            }
        }
    }

    @Test func `a person sells for the own partner: new roots, and below what was sold`()
        async throws
    {
        let bench = try Bench()
        let ada = TestCaller.person(Self.ada, [])
        let elsewhere = bench.plant("Elsewhere")

        try await bench.life { life in
            let own = try await life.createPartner("Own", user: Self.ada)
            let product = try await life.createProduct()
            let draft = try await life.draftToNewOrganization(
                partner: own.id, product: product.id, by: ada)
            let registered = try await life.register(draft, by: ada)
            let sale = try await life.approve(registered, by: ada)
            #expect(sale.state == .fulfilled)

            let sold = try #require(OrganizationID(text: sale.buyerOrganizationID))
            let more = try await life.draft(
                to: sold, partner: own.id, product: product.id, by: ada)
            let branch = try await life.draftToNewOrganization(
                "Branch", below: sold, partner: own.id, product: product.id, by: ada)
            #expect(more.state == .draft)
            #expect(branch.newOrganization?.parentID == sold.text)
            await expect(refusing: "not_found") {
                try await life.draft(
                    to: elsewhere, partner: own.id, product: product.id, by: ada)
            }
            await expect(refusing: "not_found") {
                try await life.draftToNewOrganization(
                    "Branch", below: elsewhere, partner: own.id, product: product.id, by: ada)
            }
        }
    }

    @Test func `a role at an organization allows sales below it, for the own partner alone`()
        async throws
    {
        let bench = try Bench()
        let district = bench.plant("District")
        let school = bench.plant("School", below: district)
        let elsewhere = bench.plant("Elsewhere")
        let ada = TestCaller.person(Self.ada, [Access.Grant(.partner, at: district)])
        let owner = TestCaller.person(Self.ada, [Access.Grant(.owner, at: district)])

        try await bench.life { life in
            let own = try await life.createPartner("Own", user: Self.ada)
            let other = try await life.createPartner("Other", user: Self.bob)
            let product = try await life.createProduct()
            let sale = try await life.draft(
                to: school, partner: own.id, product: product.id, by: ada)
            #expect(sale.buyerOrganizationID == school.text)
            await expect(refusing: "not_found") {
                try await life.draft(
                    to: elsewhere, partner: own.id, product: product.id, by: ada)
            }
            await expect(refusing: "not_found") {
                try await life.draft(
                    to: school, partner: other.id, product: product.id, by: ada)
            }
            await expect(refusing: "forbidden") {
                try await life.draft(
                    to: school, partner: own.id, product: product.id, by: owner)
            }
        }
    }

    @Test func `a discount is set from above and read by those who sell at it`() async throws {
        let bench = try Bench()
        let district = bench.plant("District")
        let school = bench.plant("School", below: district)
        let admin = TestCaller.person(Self.bob, [Access.Grant(.platformAdmin, at: district)])
        let seller = TestCaller.person(Self.ada, [Access.Grant(.partner, at: district)])
        let owner = TestCaller.person(Self.ada, [Access.Grant(.owner, at: district)])

        try await bench.life { life in
            let set = try await life.setDiscount(1_250, of: school, by: admin)
            let read = try await life.discount(of: school, by: seller)

            #expect(set.basisPoints == 1_250)
            #expect(read == set)
            #expect(try await life.discount(of: district, by: seller).basisPoints == 0)
            await expect(refusing: "forbidden") {
                try await life.setDiscount(0, of: school, by: seller)
            }
            await expect(refusing: "forbidden") {
                try await life.discount(of: school, by: owner)
            }
            await expect(refusing: "not_found") {
                try await life.setDiscount(0, of: school, by: .stranger)
            }
        }
    }

    @Test func `an organization that arrives late is waited for, one that does not exist is not`()
        async throws
    {
        let bench = try Bench()

        try await bench.life { life in
            let school = bench.plant("School")
            let sale = try await life.draft(to: school)
            #expect(sale.buyerOrganizationID == school.text)
            await expect(refusing: "not_found") {
                try await life.draft(to: bench.identifiers.next())
            }
        }
    }

    @Test func `an organization that is being prepared is not there for anyone`() async throws {
        let bench = try Bench()
        let school: OrganizationID = bench.identifiers.next()
        bench.neighbours.change {
            $0.publish(
                OrganizationNode(id: school.text, title: "School", status: .provisioning))
        }

        try await bench.life { life in
            await expect(refusing: "not_found") { try await life.draft(to: school) }
        }
    }

    @Test func `an organization that is archived, or below one, is not there for anyone`()
        async throws
    {
        let bench = try Bench()
        let (district, school): (OrganizationID, OrganizationID) = (
            bench.identifiers.next(), bench.identifiers.next()
        )
        bench.neighbours.change {
            $0.publish(
                OrganizationNode(
                    id: district.text, title: "District", status: .active, archived: true))
            $0.publish(
                OrganizationNode(
                    id: school.text, parentID: district.text, title: "School", status: .active))
        }

        try await bench.life { life in
            for organization in [district, school] {
                await expect(refusing: "not_found") { try await life.draft(to: organization) }
            }
        }
    }

    @Test func `the feed is for services, and workflows are for the owner of the platform`()
        async throws
    {
        let bench = try Bench()

        try await bench.life { life in
            let head = try await life.client.getFeedHead(
                GetFeedHeadRequest(), options: life.options(.service))
            #expect(head.incarnation == life.database.incarnation)
            await expect(refusing: "forbidden") {
                try await life.client.getFeedHead(GetFeedHeadRequest(), options: life.options())
            }
            for caller in [TestCaller.admin, .stranger, .service] {
                await expect(refusing: "forbidden") {
                    try await life.client.listWorkflows(
                        ListWorkflowsRequest(), options: life.options(caller))
                }
                await expect(refusing: "forbidden") {
                    try await life.client.getWorkflow(
                        GetWorkflowRequest(id: "x"), options: life.options(caller))
                }
            }
        }
    }
}

extension Life {
    fileprivate func approveNow(
        _ sale: Messages.Sale, by caller: TestCaller, key: String?
    ) async throws -> Messages.Sale {
        try await approve(sale, by: caller, key: key)
    }

    fileprivate func cancelNow(
        _ sale: Messages.Sale, by caller: TestCaller, key: String?
    ) async throws -> Messages.Sale {
        try await cancel(sale, by: caller)
    }

    fileprivate func discount(
        of organization: OrganizationID, by caller: TestCaller
    ) async throws -> Messages.DistributorDiscount {
        try await client.getDistributorDiscount(
            GetDistributorDiscountRequest(organizationID: organization.text),
            options: options(caller))
    }
}
