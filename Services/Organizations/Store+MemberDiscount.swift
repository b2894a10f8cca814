import Access
import ServiceKit
import Storage

extension Statements {
    static func discounts(along number: Int64) -> SQL {
        """
        WITH RECURSIVE line (number, parent) AS (
            SELECT number, parent FROM organization WHERE number = \(number)
            UNION ALL
            SELECT above.number, above.parent
            FROM line JOIN organization AS above ON above.number = line.parent
            LIMIT 10
        )
        SELECT o.id, o.discount, o.discount_until, o.discount_scope
        FROM line JOIN organization AS o ON o.number = line.number
        ORDER BY o.depth DESC
        """
    }
}

extension Reading {
    /// The discounts that are set at an organization and at its ancestors, the organization first.
    func discounts(along number: Int64) throws -> [(OrganizationID, MemberDiscount)] {
        try rows(Statements.discounts(along: number)) { row in
            (
                try row.identifier(0),
                MemberDiscount(
                    basisPoints: try row.intOrNil(1), until: try row.dayOrNil(2),
                    scope: try DiscountScope(stored: row.int(3)))
            )
        }
    }
}
