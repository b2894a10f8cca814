import Access
import RPC
import ServiceKit
import Storage
import TreeCopy

// Who may sell what to whom; and what of a sale a caller may see.

extension Service {
    /// Refuses a sale that the caller may not register.
    func expectSale(
        by partner: PartnerID, to buyer: Buyer, caller: Caller, on day: CalendarDay
    ) async throws {
        guard let partner = try database.readInline({ try $0.partner(partner) }),
            caller.sees(partner)
        else { throw Denial.noSuch(.partner) }
        guard let place = buyer.place else {
            return try caller.expectSale(by: partner, at: [], home: nil)
        }
        let path = try await path(to: place, on: day)
        let assignment = try database.readInline { snapshot in
            try snapshot.nearestAssignment(on: path.ids)
        }
        let isAssigned = assignment?.partner == partner.id
        try caller.expectSale(
            by: partner, at: path.ids, home: isAssigned ? assignment?.organization : nil)
    }

    /// Whether the caller acts for the partner to which the end of a path is assigned.
    func sellsAsPartner(_ caller: Caller, at path: [OrganizationID]) throws -> Bool {
        let partner = try database.readInline { snapshot in
            try snapshot.nearestAssignment(on: path).flatMap { try snapshot.partner($0.partner) }
        }
        return partner.map(caller.actsFor) ?? false
    }

    /// The path from the root to an organization that is there for everyone.
    func path(to organization: OrganizationID, on day: CalendarDay) async throws -> TreePath {
        var path = try database.readInline { try TreeCopy.path(of: organization, in: $0, on: day) }
        if path?.isThereForPeople != true {
            // This copy may be behind: what Organizations knows now has to arrive first.
            try await organizations.catchUp()
            path = try database.readInline { try TreeCopy.path(of: organization, in: $0, on: day) }
        }
        guard let path, path.isThereForPeople else { throw Denial.noSuch(.organization) }
        return path
    }

    /// A sale of a partner for which the caller acts, or any for those who run the platform.
    func visibleSale(_ text: String, _ context: CallContext) throws -> (sale: Sale, caller: Caller)
    {
        let caller = try Caller(context.principal)
        let id = try SaleID(requestText: text, field: "id")
        let found = try database.readInline { snapshot -> (Sale, Partner)? in
            guard let sale = try snapshot.sale(id),
                let partner = try snapshot.partner(sale.partner)
            else { return nil }
            return (sale, partner)
        }
        guard let (sale, partner) = found, caller.sees(partner) else {
            throw Denial.noSuch(.sale)
        }
        return (sale, caller)
    }

    /// A sale that the caller sees and may still register.
    func sellableSale(_ text: String, _ context: CallContext) async throws -> SaleID {
        let (sale, caller) = try visibleSale(text, context)
        try await expectSale(
            by: sale.partner, to: sale.buyer, caller: caller, on: context.now.day)
        return sale.id
    }
}

extension Buyer {
    /// Where in the tree the sale is decided: the buyer, or the parent of the one to create.
    fileprivate var place: OrganizationID? {
        switch self {
        case .existing(let organization): organization
        case .new(let plan, _): plan.parent
        }
    }
}

extension Partner {
    /// Refuses an organization to create outside the partner's region.
    func expectRegion(of buyer: Buyer) throws(Refusal) {
        guard case .new(let plan, _) = buyer, !region.covers(plan.country) else { return }
        throw .outsideRegion(country: plan.country, region: region.countries)
    }
}
