import Access
import Messages
import RPC
import ServiceKit
import Storage

/// Which sales a caller sees.
enum SalesView: Sendable, Hashable {
    case all
    /// Those of the partners for which a person acts.
    case ofPerson(UserID)
}

extension Reading {
    func sale(_ id: SaleID) throws -> Sale? {
        let lines = try rows(
            """
            SELECT product_id, quantity, unit_price_minor, seats_per_unit
            FROM sale_line WHERE sale_id = \(id) ORDER BY position
            """, SaleLine.init(row:))
        return try row(
            """
            SELECT id, partner_id, state, buyer_organization_id, new_parent_id, new_title,
                new_category, new_country, new_colors, currency, list_total_minor,
                distribution_total_minor, discount_basis_points, workflow_id, refusal_code,
                refusal_message, created_at, updated_at, version
            FROM sale WHERE id = \(id)
            """
        ) { try Sale(row: $0, lines: lines) }
    }

    /// The sales before an identifier, the newest first.
    func sales(
        in state: SaleState?, seenBy view: SalesView, before id: [UInt8]?, limit: Int
    ) throws -> [SaleID] {
        let before = id ?? StoreLimits.identifierBeyondAll
        let statement: SQL =
            switch (view, state) {
            case (.all, nil):
                "SELECT id FROM sale WHERE id < \(before) ORDER BY id DESC LIMIT \(limit)"
            case (.all, let state?):
                """
                SELECT id FROM sale WHERE state = \(state.rawValue) AND id < \(before)
                ORDER BY id DESC LIMIT \(limit)
                """
            case (.ofPerson(let user), nil):
                """
                SELECT sale.id FROM partner JOIN sale ON sale.partner_id = partner.id
                WHERE partner.user_id = \(user) AND sale.id < \(before)
                ORDER BY sale.id DESC LIMIT \(limit)
                """
            case (.ofPerson(let user), let state?):
                """
                SELECT sale.id FROM partner JOIN sale ON sale.partner_id = partner.id
                WHERE partner.user_id = \(user) AND sale.state = \(state.rawValue)
                    AND sale.id < \(before)
                ORDER BY sale.id DESC LIMIT \(limit)
                """
            }
        return try rows(statement) { try $0.identifier(0) }
    }

    func saleCount(in state: SaleState?, seenBy view: SalesView) throws -> Int64 {
        let statement: SQL =
            switch (view, state) {
            case (.all, nil): "SELECT count(*) FROM sale"
            case (.all, let state?):
                "SELECT count(*) FROM sale WHERE state = \(state.rawValue)"
            case (.ofPerson(let user), nil):
                """
                SELECT count(*) FROM partner JOIN sale ON sale.partner_id = partner.id
                WHERE partner.user_id = \(user)
                """
            case (.ofPerson(let user), let state?):
                """
                SELECT count(*) FROM partner JOIN sale ON sale.partner_id = partner.id
                WHERE partner.user_id = \(user) AND sale.state = \(state.rawValue)
                """
            }
        return try row(statement) { try $0.int64(0) } ?? 0
    }
}

extension Transaction {
    func insert(_ sale: Sale) throws {
        let plan = sale.plan
        try execute(
            """
            INSERT INTO sale (id, partner_id, state, buyer_organization_id, new_parent_id,
                new_title, new_category, new_country, new_colors, currency, created_at,
                updated_at, version)
            VALUES (\(sale.id), \(sale.partner), \(sale.state.rawValue),
                \(sale.buyer.organization), \(plan?.parent), \(plan?.title),
                \(plan?.category.rawValue), \(plan?.country), \(plan?.colors?.encoded()),
                \(sale.currency), \(sale.createdAt), \(sale.updatedAt), \(sale.version))
            """)
        for (index, line) in sale.lines.enumerated() {
            try execute(
                """
                INSERT INTO sale_line (sale_id, position, product_id, quantity)
                VALUES (\(sale.id), \(index + 1), \(line.product), \(line.quantity))
                """)
        }
    }

    /// Keeps a sale's next state.
    ///
    /// - Throws: ``Unreadable/state`` when the sale is not in the version before: it was read in
    ///   this transaction, so that nothing can have come between.
    func update(_ sale: Sale) throws {
        let changed = try execute(
            """
            UPDATE sale SET state = \(sale.state.rawValue),
                buyer_organization_id = \(sale.buyer.organization),
                list_total_minor = \(sale.amounts?.listTotalMinor),
                distribution_total_minor = \(sale.amounts?.distributionTotalMinor),
                discount_basis_points = \(sale.amounts?.discount.value),
                workflow_id = \(sale.workflow), refusal_code = \(sale.refusal?.code),
                refusal_message = \(sale.refusal?.message), updated_at = \(sale.updatedAt),
                version = \(sale.version)
            WHERE id = \(sale.id) AND version = \(sale.version - 1)
            """)
        guard changed == 1 else { throw Unreadable.state }
    }

    /// Keeps the prices of a sale's lines, or that they have none again.
    func updateLines(of sale: Sale) throws {
        for (index, line) in sale.lines.enumerated() {
            try execute(
                """
                UPDATE sale_line SET unit_price_minor = \(line.price?.unitPriceMinor),
                    seats_per_unit = \(line.price?.seatsPerUnit)
                WHERE sale_id = \(sale.id) AND position = \(index + 1)
                """)
        }
    }
}

extension StoreLimits {
    /// Above every time-ordered identifier, for the first page.
    static let identifierBeyondAll = [UInt8](repeating: 0xFF, count: 16)
}

extension Sale {
    fileprivate var plan: NewOrganization? {
        guard case .new(let plan, _) = buyer else { return nil }
        return plan
    }

    fileprivate init(row: Row, lines: [SaleLine]) throws {
        guard let state = SaleState(rawValue: try row.int64(2)) else { throw Unreadable.state }
        var refusal: SaleRefusal?
        if let code = try row.textOrNil(14) {
            refusal = SaleRefusal(code: code, message: try row.text(15))
        }
        self.init(
            id: try row.identifier(0), partner: try row.identifier(1), state: state,
            buyer: try Buyer(row: row), lines: lines, currency: try row.text(9),
            amounts: try Amounts(row: row), workflow: try row.identifierOrNil(13),
            refusal: refusal, createdAt: try row.time(16), updatedAt: try row.time(17),
            version: try row.int64(18))
    }
}

extension Buyer {
    fileprivate init(row: Row) throws {
        let organization: OrganizationID? = try row.identifierOrNil(3)
        guard let title = try row.textOrNil(5) else {
            guard let organization else { throw Unreadable.buyer }
            self = .existing(organization)
            return
        }
        guard let category = Int32(exactly: try row.int64(6)) else { throw Unreadable.buyer }
        let colors = try row.bytesOrNil(8).map { try Colors(decoding: $0) }
        let plan = NewOrganization(
            parent: try row.identifierOrNil(4), title: title,
            category: OrganizationCategory(rawValue: category), country: try row.text(7),
            colors: colors)
        self = .new(plan, organization)
    }
}

extension Amounts {
    fileprivate init?(row: Row) throws {
        guard try !row.isNull(10) else { return nil }
        guard let discount = BasisPoints(try row.int64(12)) else { throw Unreadable.discount }
        self.init(
            listTotalMinor: try row.int64(10), distributionTotalMinor: try row.int64(11),
            discount: discount)
    }
}

extension SaleLine {
    fileprivate init(row: Row) throws {
        let price: LinePrice? =
            try row.isNull(2)
            ? nil : LinePrice(unitPriceMinor: try row.int64(2), seatsPerUnit: try row.int64(3))
        self.init(product: try row.identifier(0), quantity: try row.int64(1), price: price)
    }
}
