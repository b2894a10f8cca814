import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// Whom a call admits.
enum Newcomer: Sendable, Hashable {
    case known(UserID)
    /// Whoever has the address; somebody new needs a name.
    case address(email: String, name: String?)

    init(_ request: AddMemberRequest) throws {
        switch (request.userID.isEmpty, request.email.isEmpty) {
        case (false, true): self = .known(try UserID(requestText: request.userID, field: "user_id"))
        case (true, false):
            self = .address(
                email: try Parse.email(request.email),
                name: request.name.isEmpty ? nil : try Parse.name(request.name))
        case (true, true), (false, false):
            throw Denial.invalid(field: "user_id", "Give either user_id, or email and name.")
        }
    }
}

extension Transaction {
    /// The person whom a call admits, made now if the address is new.
    fileprivate func person(
        _ newcomer: Newcomer, newID: UserID, now: WallTime
    ) throws -> UserRecord {
        switch newcomer {
        case .known(let id):
            guard let user = try user(id) else { throw Refusal.noSuchUser }
            return user
        case .address(let email, let name):
            if let user = try user(email: email) { return user }
            // Somebody new without a name is told what is missing.
            let name = try name ?? Parse.name("")
            let user = UserRecord(id: newID, email: email, name: name, created: now, version: 1)
            try add(user, passwordHash: nil)
            return user
        }
    }
}

extension Service {
    func addMember(_ request: AddMemberRequest, _ context: CallContext) async throws -> Member {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let roles = try Parse.roles(request.roles)
        let newcomer = try Newcomer(request)
        let newUser: UserID = identifiers.next()
        let newMembership: MembershipID = identifiers.next()
        let now = context.now
        return try await whenKnown {
            try await database.command(context, request) { transaction in
                let path = try path(to: organization, context, in: transaction)
                try check(GrantRules.decide(roles, of: nil, by: caller, at: path.ids))
                let user = try transaction.person(newcomer, newID: newUser, now: now)
                try check(GrantRules.decide(roles, of: user.id, by: caller, at: path.ids))
                let previous = try transaction.membership(of: user.id, in: organization)
                return Member(
                    try transaction.admit(
                        user, in: roles, by: .joining, at: path, for: caller,
                        previous: previous, newID: newMembership, now: now))
            }
        }
    }

    func getMember(_ request: GetMemberRequest, _ context: CallContext) async throws -> Member {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let user = try UserID(requestText: request.userID, field: "user_id")
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                if caller.userID != user { try checkView(.manageMembers, caller, path) }
                guard let member = try snapshot.member(user, of: organization),
                    member.membership.state != .removed
                else {
                    // Whoever asks about themselves must not learn which organizations there are.
                    guard caller.decide(.viewOrganization, at: path.ids) == .allowed else {
                        throw OutOfScope()
                    }
                    throw Refusal.noSuchMember
                }
                return Member(member)
            }
        }
    }

    func listMembers(
        _ request: ListMembersRequest, _ context: CallContext
    ) async throws -> ListMembersReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let filter = try Parse.memberFilter(request.state)
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        let cursor = try MemberCursor(page)
        return try await whenKnown {
            try await database.read { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try checkView(.manageMembers, caller, path)
                let found = try snapshot.members(
                    of: organization, filter, after: cursor, limit: page.limit)
                let (members, next) = page.cut(found) { [$0.nameKey, $0.user.id] }
                return ListMembersReply(
                    members: members.map { Member($0) }, nextPageToken: next,
                    totalSize: try snapshot.memberCount(of: organization, filter))
            }
        }
    }

    func removeMember(
        _ request: RemoveMemberRequest, _ context: CallContext
    ) async throws -> Member {
        try await change(request, context, request.organizationID, request.userID) {
            transaction, member, path, now in
            try transaction.release(member, to: .removed, at: path, now: now)
        }
    }

    func blockMember(_ request: BlockMemberRequest, _ context: CallContext) async throws -> Member {
        try await change(request, context, request.organizationID, request.userID) {
            transaction, member, path, now in
            guard member.membership.state == .active else { return member }
            return try transaction.release(member, to: .blocked, at: path, now: now)
        }
    }

    func unblockMember(
        _ request: UnblockMemberRequest, _ context: CallContext
    ) async throws -> Member {
        let caller = try context.principal
        return try await change(request, context, request.organizationID, request.userID) {
            transaction, member, path, now in
            guard member.membership.state == .blocked else { return member }
            return try transaction.admit(
                member.user, in: member.membership.roles, by: .unblocking, at: path, for: caller,
                previous: member.membership, newID: member.membership.id, now: now)
        }
    }

    /// Changes a membership that is active or blocked.
    private func change(
        _ request: some Message, _ context: CallContext, _ organizationText: String,
        _ userText: String,
        _ body:
            @escaping @Sendable (
                Transaction, MemberRecord, TreePath, WallTime
            ) throws -> MemberRecord
    ) async throws -> Member {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: organizationText, field: "organization_id")
        let user = try UserID(requestText: userText, field: "user_id")
        let now = context.now
        return try await whenKnown {
            try await database.command(context, request) { transaction in
                let path = try path(to: organization, context, in: transaction)
                try check(caller.decide(.manageMembers, at: path.ids, pausedAt: path.pause))
                guard let member = try transaction.member(user, of: organization),
                    member.membership.state != .removed
                else { throw Refusal.noSuchMember }
                let roles = member.membership.roles
                try check(GrantRules.decide(roles, of: user, by: caller, at: path.ids))
                try context.requireMatch(version: member.membership.version)
                return Member(try body(transaction, member, path, now))
            }
        }
    }

    func explainAdmission(
        _ request: ExplainAdmissionRequest, _ context: CallContext
    ) async throws -> ExplainAdmissionReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let user = try UserID.optional(requestText: request.userID, field: "user_id")
        let roles = try Parse.roles(request.roles)
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try check(caller.decide(.manageMembers, at: path.ids))
                let previous = try user.flatMap {
                    try snapshot.membership(of: $0, in: organization)
                }
                let facts = try snapshot.admissionFacts(
                    of: user, in: roles, at: path, membership: previous?.state)
                let gates = Admission.gates(facts, entry: .joining)
                return ExplainAdmissionReply(
                    admitted: gates.isEmpty, gates: gates.map { AdmissionGate($0) })
            }
        }
    }

    /// Whether the caller may look: services may see everything.
    func checkView(_ action: Action, _ caller: Access.Principal, _ path: TreePath) throws {
        guard caller.serviceName == nil else { return }
        try check(
            caller.decide(
                action, at: path.ids, meeting: [.usersTab, .billingTab, .view],
                pausedAt: path.pause))
    }
}
