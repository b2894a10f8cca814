import Access
import Messages
import ServiceKit

// What callers send, checked field by field: nothing past this file sees a malformed value.

/// A sale as it was asked for.
struct SaleOrder: Sendable, Hashable {
    let partner: PartnerID
    let buyer: Buyer
    let lines: [SaleLine]

    init(_ request: CreateSaleRequest) throws(Refusal) {
        var check = FieldCheck()
        let partner: PartnerID? = check.identifier(request.partnerID, "partner_id")
        let buyer = check.buyer(of: request)
        let lines = check.lines(request.lines)
        try check.finish()
        guard let partner, let buyer else {
            preconditionFailure("a field that is wrong was refused")
        }
        self.partner = partner
        self.buyer = buyer
        self.lines = lines
    }
}

/// A partner as it was asked for.
struct PartnerOrder: Sendable, Hashable {
    let name: Name
    let region: Region
    let user: UserID?

    init(_ request: CreatePartnerRequest) throws(Refusal) {
        var check = FieldCheck()
        let name = check.name(request.name, "name")
        let region = check.require(
            Region(request.region), "region",
            "The region must be a list of ISO 3166-1 alpha-2 codes, such as “US”.")
        let user: UserID? =
            request.userID.isEmpty ? nil : check.identifier(request.userID, "user_id")
        try check.finish()
        guard let name, let region else {
            preconditionFailure("a field that is wrong was refused")
        }
        self.name = name
        self.region = region
        self.user = user
    }
}

/// A product as it was asked for.
struct ProductOrder: Sendable, Hashable {
    let name: Name
    let price: LinePrice
    let currency: String

    init(_ request: CreateProductRequest) throws(Refusal) {
        var check = FieldCheck()
        let name = check.name(request.name, "name")
        check.expect(
            request.unitPriceMinor >= 0, "unit_price_minor", "The price must not be below 0.")
        check.expect(
            CurrencyCode.isKnown(request.currency), "currency",
            "The currency must be a code of ISO 4217, such as “EUR”.")
        let seatsPerUnit = Int64(request.seatsPerUnit == 0 ? 1 : request.seatsPerUnit)
        check.expect(
            (1...SaleLimits.seatsPerUnitMax).contains(seatsPerUnit), "seats_per_unit",
            "A unit gives 1 to \(SaleLimits.seatsPerUnitMax) seats.")
        try check.finish()
        guard let name else { preconditionFailure("a field that is wrong was refused") }
        self.name = name
        self.price = LinePrice(
            unitPriceMinor: request.unitPriceMinor, seatsPerUnit: seatsPerUnit)
        self.currency = request.currency
    }
}

extension FieldCheck {
    mutating func identifier<Kind>(_ text: String, _ field: String) -> Identifier<Kind>? {
        require(Identifier<Kind>(text: text), field, "This is not an identifier: \(field).")
    }

    mutating func name(_ text: String, _ field: String) -> Name? {
        require(
            Name(text), field,
            """
            The \(field) must have 1 to \(Name.charactersMax) characters, none of them a control \
            character.
            """)
    }

    fileprivate mutating func buyer(of request: CreateSaleRequest) -> Buyer? {
        switch (request.buyerOrganizationID, request.newOrganization) {
        case ("", let plan?):
            return newOrganization(plan).map { .new($0, nil) }
        case ("", nil):
            expect(
                false, "buyer_organization_id",
                "A sale needs a buyer: an organization that exists, or a new one.")
            return nil
        case (_, .some):
            expect(
                false, "new_organization",
                "A sale has one buyer: an organization that exists, or a new one.")
            return nil
        case (let id, nil):
            let organization: OrganizationID? = identifier(id, "buyer_organization_id")
            return organization.map(Buyer.existing)
        }
    }

    private mutating func newOrganization(_ plan: Messages.NewOrganization) -> NewOrganization? {
        let parent: OrganizationID? =
            plan.parentID.isEmpty
            ? nil : identifier(plan.parentID, "new_organization.parent_id")
        let title = require(
            Name(plan.title), "new_organization.title",
            """
            The title must have 1 to \(Name.charactersMax) characters, none of them a control \
            character.
            """)
        expect(
            plan.category.isKnown, "new_organization.category", "Please choose a category.")
        let country = require(
            Country(plan.country), "new_organization.country",
            "The country must be a code of ISO 3166-1 alpha-2, such as “US”.")
        var colors: Colors?
        if let given = plan.colors { colors = checked(given) }
        guard let title, let country else { return nil }
        return NewOrganization(
            parent: parent, title: title.text, category: plan.category, country: country.code,
            colors: colors)
    }

    /// The colors in lower case.
    private mutating func checked(_ colors: Colors) -> Colors {
        expect(
            colors.advanced.count <= Color.furtherMax,
            "new_organization.colors.advanced",
            "There can be at most \(Color.furtherMax) further colors.")
        var checked = Colors()
        checked.primary = colors.primary.flatMap { color($0, "primary") }
        checked.secondary = colors.secondary.flatMap { color($0, "secondary") }
        for (name, value) in colors.advanced.sorted(by: { $0.key < $1.key }) {
            expect(
                Color.isName(name), "new_organization.colors.advanced",
                "The name of a color has 1 to 40 lower-case letters, digits and dashes.")
            checked.advanced[name] = color(value, "advanced.\(name)")
        }
        return checked
    }

    private mutating func color(_ text: String, _ name: String) -> String? {
        require(
            Color(text)?.text, "new_organization.colors.\(name)",
            "A color is written as #rrggbb.")
    }

    fileprivate mutating func lines(_ given: [Messages.SaleLine]) -> [SaleLine] {
        expect(
            (1...SaleLimits.lineCountMax).contains(given.count), "lines",
            "A sale has 1 to \(SaleLimits.lineCountMax) lines.")
        var lines: [SaleLine] = []
        for (index, line) in given.prefix(SaleLimits.lineCountMax).enumerated() {
            let product: ProductID? = identifier(line.productID, "lines[\(index)].product_id")
            let quantity = Int64(line.quantity)
            expect(
                (1...SaleLimits.quantityMax).contains(quantity), "lines[\(index)].quantity",
                "A quantity is from 1 to \(SaleLimits.quantityMax).")
            expect(
                line.unitPriceMinor == 0 && line.seatsPerUnit == 0, "lines[\(index)]",
                "Prices and seats come from the product when the sale is registered.")
            guard let product else { continue }
            lines.append(SaleLine(product: product, quantity: quantity, price: nil))
        }
        return lines
    }
}

extension OrganizationCategory {
    fileprivate var isKnown: Bool {
        switch self {
        case .academicK12, .academicPostSecondary, .businessCompany, .businessTrainingCenter: true
        case .unspecified, .unrecognized: false
        }
    }
}
