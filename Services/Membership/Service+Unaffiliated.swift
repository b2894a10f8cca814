import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

// What Organizations asks for when an email mask is applied to people who are there already.

extension Service {
    /// The most people of a page.
    private static let pageSizeMax: Int32 = 1_000

    func listUnaffiliatedUsers(
        _ request: ListUnaffiliatedUsersRequest, _ context: CallContext
    ) async throws -> ListUnaffiliatedUsersReply {
        try context.require(.admitUnaffiliatedUsers)
        guard
            let pattern = DomainPatterns.pattern(
                domain: request.domain, withSubdomains: request.subdomains)
        else {
            throw Denial.invalid(field: "domain", "This is no domain of an email mask.")
        }
        let after = try UserID.optional(
            requestText: request.afterUserID, field: "after_user_id")
        guard (1...Self.pageSizeMax).contains(request.pageSize) else {
            throw Denial.invalid(
                field: "page_size", "A page has 1 to \(Self.pageSizeMax) people.")
        }
        let size = Int(request.pageSize)
        return try await database.read { snapshot in
            let found = try snapshot.unaffiliatedUsers(
                matching: pattern, after: after, limit: size + 1)
            return ListUnaffiliatedUsersReply(
                users: found.prefix(size).map {
                    UnaffiliatedUser(id: $0.user.text, email: $0.email)
                }, more: found.count > size)
        }
    }

    func admitUsers(
        _ request: AdmitUsersRequest, _ context: CallContext
    ) async throws -> AdmitUsersReply {
        try context.require(.admitUnaffiliatedUsers)
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let newcomers = try Parse.newcomers(request.userIDs).map { user in
            (user: user, newID: identifiers.next() as MembershipID)
        }
        let now = context.now
        return try await whenKnown {
            try await database.command(context, request) { transaction in
                let path = try path(to: organization, context, in: transaction)
                var reply = AdmitUsersReply()
                for (user, newID) in newcomers {
                    switch try transaction.admit(
                        user, to: path, for: caller, newID: newID, at: now)
                    {
                    case .admitted: reply.admittedUserIDs.append(user.text)
                    case .refused(let gate):
                        reply.refusals.append(
                            AdmissionRefusal(userID: user.text, gate: AdmissionGate(gate)))
                    case .passedOver: break
                    }
                }
                return reply
            }
        }
    }
}

/// What became of one of several people.
private enum Reception {
    case admitted
    /// With the first gate that refused.
    case refused(Gate)
    /// The person is not there, or belongs to an organization by now.
    case passedOver
}

extension Transaction {
    /// Admits one of several people by the one door; a refusal changes nothing and is answered.
    fileprivate func admit(
        _ id: UserID, to path: TreePath, for caller: Access.Principal, newID: MembershipID,
        at now: WallTime
    ) throws -> Reception {
        guard let user = try user(id), try !isAffiliated(id) else { return .passedOver }
        let previous = try membership(of: id, in: path.node.id)
        do {
            _ = try admit(
                user, in: .member, by: .joining, at: path, for: caller, previous: previous,
                newID: newID, now: now)
            return .admitted
        } catch Refusal.notAdmitted(let gates, let titles) {
            guard let first = gates.first else {
                throw Refusal.notAdmitted(gates, titles: titles)
            }
            return .refused(first)
        }
    }
}

extension Parse {
    /// The most people that are admitted by one call.
    private static let newcomersMax = 500

    fileprivate static func newcomers(_ texts: [String]) throws -> [UserID] {
        let users = try texts.map { try UserID(requestText: $0, field: "user_ids") }
        guard (1...newcomersMax).contains(users.count), Set(users).count == users.count else {
            throw Denial.invalid(
                field: "user_ids", "Give 1 to \(newcomersMax) people, each once.")
        }
        return users
    }
}
