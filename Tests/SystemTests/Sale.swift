import Testing

/// A sale that creates an organization, driven through the API.
struct Sale: Sendable {
    static let title = "Jefferson Middle School"

    let api: API
    let id: String

    /// Drafts, registers and approves a sale.
    static func approve(
        _ api: API, below parent: String, quantity: Int, title: String = Sale.title
    ) async throws -> Sale {
        let sale = try await register(api, below: parent, quantity: quantity, title: title)
        let approved = try await sale.approve()
        try #require(approved.status == 200, "\(approved.body)")
        return sale
    }

    /// Drafts and registers a sale.
    static func register(
        _ api: API, below parent: String, quantity: Int, title: String = Sale.title
    ) async throws -> Sale {
        let partner = try await api.post("/v1/partners", ["name": .text("Partner of \(title)")])
        try #require(partner.status == 201, "\(partner.body)")
        let product = try await api.post(
            "/v1/products",
            [
                "name": .text("Seat for \(title)"), "unitPriceMinor": "1500", "currency": "USD",
                "seatsPerUnit": 1,
            ])
        try #require(product.status == 201, "\(product.body)")
        let draft = try await api.post(
            "/v1/sales",
            [
                "partnerId": partner.body.id,
                "newOrganization": [
                    "parentId": .text(parent), "title": .text(title),
                    "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12", "country": "US",
                    "colors": ["primary": "#8a3b12"],
                ],
                "lines": [
                    ["productId": product.body.id, "quantity": .number(Double(quantity))]
                ],
            ])
        try #require(draft.status == 201, "\(draft.body)")
        let sale = Sale(api: api, id: try #require(draft.body.id.string))
        let registered = try await api.post("/v1/sales/\(sale.id):register")
        try #require(registered.status == 200, "\(registered.body)")
        #expect(registered.body.listTotalMinor.integer == 1_500 * quantity)
        return sale
    }

    func approve() async throws -> API.Answer {
        try await api.post("/v1/sales/\(id):approve", key: "approve-\(id)")
    }

    func now() async throws -> JSON {
        try await api.get("/v1/sales/\(id)").body
    }

    /// Waits until the workflow that fulfils the sale stands at a step.
    func stands(at step: String, in installation: RunningInstallation) async throws {
        try await installation.until("the sale stands at \(step)") {
            guard let workflow = try await now().workflowId.string, !workflow.isEmpty else {
                return false
            }
            return try await api.get("/v1/workflows/\(workflow)").body.step.string == step
        }
    }

    /// Waits until the sale is fulfilled and answers the organization it made.
    func fulfilled(in installation: RunningInstallation) async throws -> String {
        try await installation.until("the sale is fulfilled") {
            try await now().state.string == "SALE_STATE_FULFILLED"
        }
        return try #require(try await now().buyerOrganizationId.string)
    }

    /// One organization of the title, with its seats, one workspace, the color sold and the logo
    /// of the district above it.
    static func expectExactlyOne(
        _ api: API, below parent: String, buyer: String, seats: Int
    ) async throws {
        let children = try await api.get("/v1/organizations?parent=\(parent)")
        let sold = children.body.organizations.items.filter { $0.title.string == title }
        #expect(sold.map(\.id.string) == [buyer])
        #expect(sold.map(\.effectiveState.string) == ["EFFECTIVE_STATE_ACTIVE"])
        let pool = try await api.get("/v1/organizations/\(buyer)/seats").body
        #expect(pool.seatCount.integer == seats)
        #expect(pool.seatCeiling.integer == seats)
        let workspaces = try await api.get("/v1/organizations/\(buyer)/workspaces").body
        #expect(workspaces.workspaces.items.map(\.title.string) == ["Default Workspace"])
        let appearance = try await api.get("/v1/organizations/\(buyer)/appearance").body
        #expect(appearance.colors.primary.string == "#8a3b12")
        let ledger = try await api.get("/v1/organizations/\(buyer)/seats/ledger").body
        let resizes = ledger.entries.items.filter { $0.operation.string == "resize" }
        #expect(resizes.map(\.balanceAfter.integer) == [seats])
        let effective = try await api.get("/v1/organizations/\(buyer)/appearance:effective").body
        #expect(effective.logo.source.organizationId.string == parent)
        #expect(effective.logo.source.distance.integer == 1)
    }
}
