import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func listMemberCounts(
        _ request: ListMemberCountsRequest, _ context: CallContext
    ) async throws -> ListMemberCountsReply {
        try context.require(.readMemberCounts)
        guard request.afterSequence >= 0 else {
            throw Denial.invalid(field: "after_sequence", "This must not be negative.")
        }
        let incarnation = database.incarnation
        return try await database.read { snapshot in
            let head = try snapshot.ledgerHead()
            let position = CountPosition(
                sequence: request.afterSequence, token: request.incarnation,
                incarnation: incarnation, head: head)
            switch position {
            case .anew:
                return try snapshot.beginning(
                    after: nil, then: head, head: head, incarnation: incarnation)
            case .beginning(let organization, let sequence):
                return try snapshot.beginning(
                    after: organization, then: sequence, head: head, incarnation: incarnation)
            case .changes(let sequence):
                return try snapshot.changes(
                    after: sequence, head: head, incarnation: incarnation)
            }
        }
    }
}

extension Reading {
    /// A part of all counts, by organization.
    fileprivate func beginning(
        after organization: OrganizationID?, then sequence: Int64, head: Int64,
        incarnation: [UInt8]
    ) throws -> ListMemberCountsReply {
        let counts = try memberCounts(after: organization, limit: CountPosition.partMax + 1)
        let part = counts.prefix(CountPosition.partMax)
        let last = counts.count > part.count ? part.last?.organization : nil
        return ListMemberCountsReply(
            counts: part.map { MemberCount($0) }, sequence: sequence,
            incarnation: incarnation + (last?.bytes ?? []),
            more: last != nil || sequence < head, anew: organization == nil)
    }

    /// What a part of the ledger has changed.
    fileprivate func changes(
        after sequence: Int64, head: Int64, incarnation: [UInt8]
    ) throws -> ListMemberCountsReply {
        let lines = try ledgerLines(after: sequence, limit: CountPosition.partMax)
        var newest: [OrganizationID: Int64] = [:]
        for line in lines where line.kind == .members { newest[line.organization] = line.balance }
        let last = lines.last?.sequence ?? sequence
        return ListMemberCountsReply(
            counts: newest.map { MemberCount(organizationID: $0.key.text, members: $0.value) },
            sequence: last, incarnation: incarnation, more: last < head)
    }
}

extension MemberCount {
    fileprivate init(_ count: MemberCountRecord) {
        self.init(organizationID: count.organization.text, members: count.members)
    }
}
