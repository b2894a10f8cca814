import Access
import ServiceKit
import Storage

// Partners, products, discounts and assignments. What finds a row reads; what changes one is of a
// transaction alone.

private let partnerColumns: SQL = "id, name, name_key, region, user_id, created_at, version"
private let productColumns: SQL =
    "id, name, name_key, unit_price_minor, seats_per_unit, currency, created_at, version"

extension Reading {
    func partner(_ id: PartnerID) throws -> Partner? {
        try row(
            """
            SELECT \(partnerColumns) FROM partner WHERE id = \(id)
            """, Partner.init(row:))
    }

    func partner(named key: String) throws -> PartnerID? {
        try row("SELECT id FROM partner WHERE name_key = \(key)") { try $0.identifier(0) }
    }

    func partners(of user: UserID) throws -> [PartnerID] {
        try rows(
            """
            SELECT id FROM partner WHERE user_id = \(user)
            ORDER BY id LIMIT \(StoreLimits.partnersOfUserMax)
            """
        ) { try $0.identifier(0) }
    }

    /// Partners by name, after a key.
    func partners(after key: String, limit: Int) throws -> [Partner] {
        try rows(
            """
            SELECT \(partnerColumns) FROM partner WHERE name_key > \(key)
            ORDER BY name_key LIMIT \(limit)
            """, Partner.init(row:))
    }

    func partnerCount() throws -> Int64 {
        try row("SELECT count(*) FROM partner") { try $0.int64(0) } ?? 0
    }

    func product(_ id: ProductID) throws -> Product? {
        try row(
            """
            SELECT \(productColumns) FROM product WHERE id = \(id)
            """, Product.init(row:))
    }

    func product(named key: String) throws -> ProductID? {
        try row("SELECT id FROM product WHERE name_key = \(key)") { try $0.identifier(0) }
    }

    /// Products by name, after a key.
    func products(after key: String, limit: Int) throws -> [Product] {
        try rows(
            """
            SELECT \(productColumns) FROM product WHERE name_key > \(key)
            ORDER BY name_key LIMIT \(limit)
            """, Product.init(row:))
    }

    func productCount() throws -> Int64 {
        try row("SELECT count(*) FROM product") { try $0.int64(0) } ?? 0
    }

    func distributorDiscount(of organization: OrganizationID) throws -> DistributorDiscount {
        let found = try row(
            """
            SELECT basis_points, version FROM distributor_discount
            WHERE organization_id = \(organization)
            """
        ) { row in
            guard let discount = BasisPoints(try row.int64(0)) else { throw Unreadable.discount }
            return DistributorDiscount(
                organization: organization, discount: discount, version: try row.int64(1))
        }
        return found
            ?? DistributorDiscount(organization: organization, discount: .none, version: 0)
    }

    /// The partner to which an organization itself is assigned.
    func assignment(of organization: OrganizationID) throws -> PartnerID? {
        try row(
            "SELECT partner_id FROM assignment WHERE organization_id = \(organization)"
        ) { try $0.identifier(0) }
    }

    /// The assignment that counts at the end of a path: the nearest one.
    func nearestAssignment(
        on path: [OrganizationID]
    ) throws -> (organization: OrganizationID, partner: PartnerID)? {
        for organization in path.reversed() {
            if let partner = try assignment(of: organization) { return (organization, partner) }
        }
        return nil
    }
}

extension Transaction {
    func insert(_ partner: Partner) throws {
        try execute(
            """
            INSERT INTO partner (id, name, name_key, region, user_id, created_at, version)
            VALUES (\(partner.id), \(partner.name.text), \(partner.name.key),
                \(partner.region.text), \(partner.user), \(partner.createdAt), \(partner.version))
            """)
    }

    func insert(_ product: Product) throws {
        try execute(
            """
            INSERT INTO product (id, name, name_key, unit_price_minor, currency, seats_per_unit,
                created_at, version)
            VALUES (\(product.id), \(product.name.text), \(product.name.key),
                \(product.price.unitPriceMinor), \(product.currency),
                \(product.price.seatsPerUnit), \(product.createdAt), \(product.version))
            """)
    }

    func set(_ discount: DistributorDiscount) throws {
        try execute(
            """
            INSERT INTO distributor_discount (organization_id, basis_points, version)
            VALUES (\(discount.organization), \(discount.discount.value), \(discount.version))
            ON CONFLICT (organization_id) DO UPDATE
            SET basis_points = excluded.basis_points, version = excluded.version
            """)
    }

    /// Assigns an organization to a partner unless it has one.
    func assign(
        _ organization: OrganizationID, to partner: PartnerID, at now: WallTime
    ) throws {
        try execute(
            """
            INSERT INTO assignment (organization_id, partner_id, assigned_at)
            VALUES (\(organization), \(partner), \(now))
            ON CONFLICT (organization_id) DO NOTHING
            """)
    }
}

enum StoreLimits {
    /// A person who acts for more partners than this sees the first of them.
    static let partnersOfUserMax = 100
}

/// A row that no statement of this service can have written.
enum Unreadable: Error {
    case region, discount, state, buyer, fulfilment, payment
}

extension Region {
    /// The countries with a space between.
    var text: String { countries.joined(separator: " ") }
}

extension Partner {
    fileprivate init(row: Row) throws {
        guard let region = Region(try row.text(3).split(separator: " ").map(String.init)) else {
            throw Unreadable.region
        }
        self.init(
            id: try row.identifier(0), name: Name(text: try row.text(1), key: try row.text(2)),
            region: region, user: try row.identifierOrNil(4), createdAt: try row.time(5),
            version: try row.int64(6))
    }
}

extension Product {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), name: Name(text: try row.text(1), key: try row.text(2)),
            price: LinePrice(
                unitPriceMinor: try row.int64(3), seatsPerUnit: try row.int64(4)),
            currency: try row.text(5), createdAt: try row.time(6), version: try row.int64(7))
    }
}
