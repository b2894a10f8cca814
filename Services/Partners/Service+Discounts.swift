import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func getDistributorDiscount(
        _ request: GetDistributorDiscountRequest, _ context: CallContext
    ) async throws -> Messages.DistributorDiscount {
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        try await expectDiscountRight(at: organization, context, toRead: true)
        return Messages.DistributorDiscount(
            try database.readInline { try $0.distributorDiscount(of: organization) })
    }

    func setDistributorDiscount(
        _ request: SetDistributorDiscountRequest, _ context: CallContext
    ) async throws -> Messages.DistributorDiscount {
        var check = FieldCheck()
        let organization: OrganizationID? = check.identifier(
            request.organizationID, "organization_id")
        let discount = check.require(
            BasisPoints(Int64(request.basisPoints)), "basis_points",
            "A discount is from 0 to 10000 hundredths of a percent.")
        try check.finish()
        guard let organization, let discount else {
            preconditionFailure("a field that is wrong was refused")
        }
        try await expectDiscountRight(at: organization, context, toRead: false)
        return try await database.command(context, request) { transaction in
            let known = try transaction.distributorDiscount(of: organization)
            try context.requireMatch(version: known.version)
            let changed = DistributorDiscount(
                organization: organization, discount: discount, version: known.version + 1)
            try transaction.set(changed)
            return Messages.DistributorDiscount(changed)
        }
    }

    /// Whoever may set a discount may read it, and so may whoever sells at it.
    private func expectDiscountRight(
        at organization: OrganizationID, _ context: CallContext, toRead: Bool
    ) async throws {
        let caller = try Caller(context.principal)
        let path = try await path(to: organization, on: context.now.day)
        let principal = caller.principal
        let isSeller = toRead && principal.decide(.registerSale, at: path.ids) == .allowed
        if isSeller { return }
        if toRead, try sellsAsPartner(caller, at: path.ids) { return }
        switch principal.decide(.setDistributorDiscount, at: path.ids) {
        case .allowed: return
        case .forbidden, .suspended: throw Denial.notPermitted
        case .notFound: throw Denial.noSuch(.organization)
        }
    }
}
