import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: MemberDiscountsService {
    func getMemberDiscount(
        _ request: GetMemberDiscountRequest, _ context: CallContext
    ) async throws -> MemberDiscountReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        return try database.readInline { snapshot in
            // It is part of the organization: whoever sees the one sees the other.
            let (node, _) = try snapshot.organization(
                id, seenBy: principal, on: day, archive: .included)
            return try MemberDiscountReply(of: node, in: snapshot, on: day)
        }
    }

    func setMemberDiscount(
        _ request: SetMemberDiscountRequest, _ context: CallContext
    ) async throws -> MemberDiscountReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let wish = try MemberDiscountWish(
            basisPoints: request.basisPoints, expiresOn: request.expiresOn,
            appliesTo: request.appliesTo.rawValue)
        let now = context.now
        return try await database.command(context, request) { transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireOpen(.setMemberDiscount, at: line)
            try context.requireMatch(version: node.version)
            let discount = try wish.decide(kept: node.details.discount, today: now.day)
            if discount != node.details.discount {
                try transaction.requireSettled(line)
                var next = node
                next.details.discount = discount
                node = try transaction.update(
                    next, from: node, below: line.parents?.end.id, at: now)
            }
            return try MemberDiscountReply(of: node, in: transaction, on: now.day)
        }
    }
}

extension MemberDiscountReply {
    fileprivate init(of node: Node, in reading: some Reading, on day: CalendarDay) throws {
        let effective = EffectiveDiscount(along: try reading.discounts(along: node.number), on: day)
        self.init(
            organizationID: node.id.text, own: Messages.MemberDiscount(node.details.discount),
            effectiveBasisPoints: Int32(effective.basisPoints),
            sourceOrganizationID: effective.source?.text ?? "",
            etag: EntityTag.of(version: node.version))
    }
}
