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
            return try user(
                at: email, named: name, newID: newID, isVouchedFor: false, created: now)
        }
    }

    /// The user of an address, made now if it is new.
    ///
    /// The word of a caller who may vouch counts for somebody new, and for a user without a
    /// password. Who has one may be somebody else than who signed in elsewhere: an address becomes
    /// nobody's by that.
    ///
    /// - Parameters:
    ///   - email: The address.
    ///   - name: What somebody new is called; nil: only somebody known is meant.
    ///   - newID: Names somebody new.
    ///   - isVouchedFor: Whether the caller may say that the address is the person's, and does.
    ///   - now: When.
    /// - Returns: The user.
    /// - Throws: What is wrong with the name, if one is needed and not there.
    func user(
        at email: String, named name: String?, newID: UserID, isVouchedFor: Bool,
        created now: WallTime
    ) throws -> UserRecord {
        guard let known = try credentials(email: email) else {
            let user = UserRecord(
                id: newID, email: email, name: try name ?? Parse.name(""), created: now,
                version: 1, isEmailVerified: isVouchedFor)
            try add(user, passwordHash: nil)
            return user
        }
        guard isVouchedFor, known.passwordHash == nil else { return known.user }
        try verifyEmail(of: known.user)
        return try user(known.user.id) ?? known.user
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
    ///
    /// - Parameters:
    ///   - request: The request of the call.
    ///   - context: The call.
    ///   - organizationText: Names the organization.
    ///   - userText: Names the person.
    ///   - touched: Those roles, given all that the person has, that the caller needs the right to
    ///     grant.
    ///   - body: Makes the change.
    /// - Returns: The member as changed.
    /// - Throws: Why it may not be, or cannot.
    func change(
        _ request: some Message, _ context: CallContext, _ organizationText: String,
        _ userText: String, touching touched: @escaping @Sendable (RoleSet) -> RoleSet = { $0 },
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
                let roles = touched(member.membership.roles)
                try check(GrantRules.decide(roles, of: user, by: caller, at: path.ids))
                try context.requireMatch(version: member.membership.version)
                return Member(try body(transaction, member, path, now))
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
