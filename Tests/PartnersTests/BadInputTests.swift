import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Partners

/// Fields of requests that must be named when they are wrong.
@Suite(.serialized) struct BadInputTests {
    static let id = UserID(high: 5, low: 5).text
    static let long = String(repeating: "x", count: 121)

    @Test(
        arguments: [
            (CreatePartnerRequest(), ["name"]),
            (CreatePartnerRequest(name: " \t "), ["name"]),
            (CreatePartnerRequest(name: long), ["name"]),
            (CreatePartnerRequest(name: "a\u{7}b"), ["name"]),
            (CreatePartnerRequest(name: "a", region: ["XX"]), ["region"]),
            (CreatePartnerRequest(name: "a", region: ["DEU"]), ["region"]),
            (CreatePartnerRequest(name: "a", userID: "ada"), ["user_id"]),
            (CreatePartnerRequest(region: [""], userID: "-"), ["name", "region", "user_id"]),
        ] as [(CreatePartnerRequest, [String])])
    func `a partner with wrong fields is refused`(
        request: CreatePartnerRequest, fields: [String]
    ) async throws {
        try await expect(fields) { life in
            try await life.client.createPartner(request, options: life.options())
        }
    }

    @Test(
        arguments: [
            (CreateProductRequest(), ["name", "currency"]),
            (CreateProductRequest(name: long, currency: "EUR"), ["name"]),
            (
                CreateProductRequest(name: "a", unitPriceMinor: -1, currency: "EUR"),
                ["unit_price_minor"]
            ),
            (CreateProductRequest(name: "a", currency: "eur"), ["currency"]),
            (CreateProductRequest(name: "a", currency: "XXX"), ["currency"]),
            (
                CreateProductRequest(name: "a", currency: "EUR", seatsPerUnit: -1),
                ["seats_per_unit"]
            ),
            (
                CreateProductRequest(name: "a", currency: "EUR", seatsPerUnit: 10_001),
                ["seats_per_unit"]
            ),
            (
                CreateProductRequest(name: "a", currency: "EUR", seatsPerUnit: .max),
                ["seats_per_unit"]
            ),
        ] as [(CreateProductRequest, [String])])
    func `a product with wrong fields is refused`(
        request: CreateProductRequest, fields: [String]
    ) async throws {
        try await expect(fields) { life in
            try await life.client.createProduct(request, options: life.options())
        }
    }

    @Test(
        arguments: [
            (CreateModuleRequest(), ["name"]),
            (CreateModuleRequest(name: "a\u{7}b"), ["name"]),
            (CreateModuleRequest(name: long), ["name"]),
            (
                CreateModuleRequest(name: "a", chapters: [Messages.Chapter(title: "")]),
                ["chapters[0].title"]
            ),
            (
                CreateModuleRequest(
                    name: "a",
                    chapters: [Messages.Chapter(title: "b"), Messages.Chapter(title: " B ")]),
                ["chapters[1].title"]
            ),
            (
                CreateModuleRequest(
                    name: "a",
                    chapters: [
                        Messages.Chapter(
                            id: "018f3c5e-7a10-7c3b-9d52-0242ac120002", title: "b")
                    ]),
                ["chapters[0].id"]
            ),
            (
                CreateModuleRequest(
                    name: "", chapters: [Messages.Chapter(id: "x", title: "b")]),
                ["name", "chapters[0].id"]
            ),
        ] as [(CreateModuleRequest, [String])])
    func `a module with wrong fields is refused`(
        request: CreateModuleRequest, fields: [String]
    ) async throws {
        try await expect(fields) { life in
            try await life.catalog.createModule(request, options: life.options())
        }
    }

    @Test(arguments: sales)
    func `a sale with wrong fields is refused`(
        request: CreateSaleRequest, fields: [String]
    ) async throws {
        try await expect(fields) { life in
            try await life.client.createSale(request, options: life.options())
        }
    }

    private static let sales: [(CreateSaleRequest, [String])] = [
        (CreateSaleRequest(), ["partner_id", "buyer_organization_id", "lines"]),
        (sale { $0.partnerID = "x" }, ["partner_id"]),
        (sale { $0.buyerOrganizationID = "x" }, ["buyer_organization_id"]),
        (sale { $0.buyerOrganizationID = "" }, ["buyer_organization_id"]),
        (sale { $0.newOrganization = organization() }, ["new_organization"]),
        (sale { $0.lines = [] }, ["lines"]),
        (
            sale { $0.lines = Array(repeating: $0.lines[0], count: 101) },
            ["lines"]
        ),
        (sale { $0.lines[0].productID = "" }, ["lines[0].product_id"]),
        (sale { $0.lines[0].quantity = 0 }, ["lines[0].quantity"]),
        (sale { $0.lines[0].quantity = -1 }, ["lines[0].quantity"]),
        (sale { $0.lines[0].quantity = 100_001 }, ["lines[0].quantity"]),
        (sale { $0.lines[0].unitPriceMinor = 1 }, ["lines[0]"]),
        (new { $0.title = "" }, ["new_organization.title"]),
        (new { $0.title = long }, ["new_organization.title"]),
        (new { $0.title = "a\nb" }, ["new_organization.title"]),
        (new { $0.parentID = "x" }, ["new_organization.parent_id"]),
        (new { $0.category = .unspecified }, ["new_organization.category"]),
        (new { $0.category = .unrecognized(99) }, ["new_organization.category"]),
        (new { $0.country = "" }, ["new_organization.country"]),
        (new { $0.country = "ZZ" }, ["new_organization.country"]),
        (
            new { $0.colors = Colors(primary: "red") },
            ["new_organization.colors.primary"]
        ),
        (
            new { $0.colors = Colors(secondary: "#12345g") },
            ["new_organization.colors.secondary"]
        ),
        (
            new { $0.colors = Colors(advanced: ["Bad Name": "#123456"]) },
            ["new_organization.colors.advanced"]
        ),
    ]

    private static func sale(
        _ change: (inout CreateSaleRequest) -> Void
    ) -> CreateSaleRequest {
        var request = CreateSaleRequest(
            partnerID: id, buyerOrganizationID: id,
            lines: [Messages.SaleLine(productID: id, quantity: 1)])
        change(&request)
        return request
    }

    private static func organization() -> Messages.NewOrganization {
        Messages.NewOrganization(title: "School", category: .academicK12, country: "US")
    }

    private static func new(
        _ change: (inout Messages.NewOrganization) -> Void
    ) -> CreateSaleRequest {
        var organization = organization()
        change(&organization)
        return sale { request in
            request.buyerOrganizationID = ""
            request.newOrganization = organization
        }
    }

    @Test func `a discount with wrong fields is refused`() async throws {
        for points in [Int32.min, -1, 10_001, .max] {
            try await expect(["basis_points"]) { life in
                try await life.client.setDistributorDiscount(
                    SetDistributorDiscountRequest(organizationID: Self.id, basisPoints: points),
                    options: life.options())
            }
        }
        try await expect(["organization_id"]) { life in
            try await life.client.setDistributorDiscount(
                SetDistributorDiscountRequest(), options: life.options())
        }
        try await expect(["organization_id"]) { life in
            try await life.client.getDistributorDiscount(
                GetDistributorDiscountRequest(organizationID: "x"), options: life.options())
        }
    }

    @Test(arguments: ["", "x", "018f3c5e-7a10-7c3b-9d52-0242ac12000", "\u{FFFD}"])
    func `what is no identifier is refused everywhere`(text: String) async throws {
        try await Bench().life { life in
            let client = life.client
            let options = try life.options()
            let calls: [() async throws -> Void] = [
                { _ = try await client.getPartner(.init(id: text), options: options) },
                { _ = try await client.getProduct(.init(id: text), options: options) },
                { _ = try await client.getSale(.init(id: text), options: options) },
                { _ = try await client.registerSale(.init(id: text), options: options) },
                { _ = try await client.approveSale(.init(id: text), options: options) },
                { _ = try await client.cancelSale(.init(id: text), options: options) },
                { _ = try await client.getWorkflow(.init(id: text), options: options) },
            ]
            for call in calls { await PartnersTests.expect(refusing: "validation", call) }
        }
    }

    @Test func `what does not exist is not found`() async throws {
        try await Bench().life { life in
            let client = life.client
            let options = try life.options()
            let calls: [() async throws -> Void] = [
                { _ = try await client.getPartner(.init(id: Self.id), options: options) },
                { _ = try await client.getProduct(.init(id: Self.id), options: options) },
                { _ = try await client.getSale(.init(id: Self.id), options: options) },
                { _ = try await client.registerSale(.init(id: Self.id), options: options) },
                { _ = try await client.approveSale(.init(id: Self.id), options: options) },
                { _ = try await client.cancelSale(.init(id: Self.id), options: options) },
                { _ = try await client.getWorkflow(.init(id: Self.id), options: options) },
                { _ = try await life.setDiscount(1, of: OrganizationID(high: 5, low: 5)) },
                { _ = try await life.draft(to: OrganizationID(high: 5, low: 5)) },
                { _ = try await life.draftToNewOrganization(partner: Self.id) },
                { _ = try await life.draftToNewOrganization(product: Self.id) },
                { _ = try await life.draftToNewOrganization(below: .init(high: 5, low: 5)) },
            ]
            for call in calls { await PartnersTests.expect(refusing: "not_found", call) }
        }
    }

    @Test func `names of partners and of products are unique, however they are typed`()
        async throws
    {
        try await Bench().life { life in
            _ = try await life.createPartner("Straße Nord")
            _ = try await life.createProduct("Straße Nord")
            for name in ["STRASSE  NORD", " straße nord ", "Ｓtrasse\u{A0}Nord"] {
                await PartnersTests.expect(refusing: "name_taken") {
                    try await life.createPartner(name)
                }
                await PartnersTests.expect(refusing: "name_taken") {
                    try await life.createProduct(name)
                }
            }
        }
    }

    @Test func `lists refuse pages and states that do not exist`() async throws {
        try await Bench().life { life in
            let client = life.client
            let options = try life.options()
            await PartnersTests.expect(refusing: "page_size_invalid") {
                try await client.listPartners(.init(pageSize: -1), options: options)
            }
            await PartnersTests.expect(refusing: "page_size_invalid") {
                try await client.listSales(.init(pageSize: -1), options: options)
            }
            await PartnersTests.expect(refusing: "page_token_invalid") {
                try await client.listProducts(.init(pageToken: "AAAA"), options: options)
            }
            await PartnersTests.expect(refusing: "page_token_invalid") {
                try await client.listWorkflows(.init(pageToken: "x"), options: options)
            }
            await PartnersTests.expect(refusing: "validation") {
                try await client.listSales(.init(state: .unrecognized(77)), options: options)
            }
            await PartnersTests.expect(refusing: "validation") {
                try await client.listWorkflows(.init(state: .unrecognized(77)), options: options)
            }
        }
    }

    private func expect<Reply>(
        _ fields: [String], sourceLocation: SourceLocation = #_sourceLocation,
        _ call: (Life) async throws -> Reply
    ) async throws {
        let bench = try Bench()
        let status = try await bench.life { life in
            await life.status { try await call(life) }
        }
        #expect(status?.code == .invalidArgument, sourceLocation: sourceLocation)
        #expect(status?.reason == "validation", sourceLocation: sourceLocation)
        #expect(status?.fields == fields, sourceLocation: sourceLocation)
    }
}
