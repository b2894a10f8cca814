import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func getMe(_ request: GetMeRequest, _ context: CallContext) async throws -> Me {
        let id = try context.person
        let day = context.now.day
        return try await database.read { snapshot in
            guard let user = try snapshot.user(id) else { throw Denial.noSuchUser }
            return Me(
                user: User(user),
                grants: try Self.grants(of: id, in: snapshot, on: day).map { Messages.Grant($0) },
                memberships: try Self.memberships(of: id, in: snapshot, on: day)
                    .map { Member($0.member) },
                prompts: try snapshot.foundingFacts(of: id)?.allowsOne == true
                    ? [.createOrganization] : [])
        }
    }

    func createUser(_ request: CreateUserRequest, _ context: CallContext) async throws -> User {
        let caller = try context.principal
        try check(caller.decide(.createUsers, at: []))
        if request.emailVerified { try check(GrantRules.decideVouching(by: caller)) }
        let user = UserRecord(
            id: identifiers.next(), email: try Parse.email(request.email),
            name: try Parse.name(request.name), created: context.now, version: 1,
            isEmailVerified: request.emailVerified)
        var hash: String?
        if !request.password.isEmpty {
            let password = try Parse.newPassword(request.password)
            hash = try await passwords.hash(password, salt: random(Passwords.saltByteCount))
        }
        return try await database.command(context, request, digestedWith: digestKey) {
            [hash] transaction in
            try transaction.add(user, passwordHash: hash)
            return User(user)
        }
    }

    func getUser(_ request: GetUserRequest, _ context: CallContext) async throws -> User {
        let caller = try context.principal
        let id = try UserID(requestText: request.id, field: "id")
        let day = context.now.day
        return try await database.read { snapshot in
            guard let user = try snapshot.user(id),
                try Self.maySee(id, caller, in: snapshot, on: day)
            else { throw Denial.noSuchUser }
            return User(user)
        }
    }

    // Oneself, those who may create users, and those who look after one of the memberships.
    private static func maySee(
        _ user: UserID, _ caller: Access.Principal, in snapshot: Snapshot, on day: CalendarDay
    ) throws -> Bool {
        if caller.userID == user || caller.serviceName != nil { return true }
        if caller.grants.contains(where: { $0.role.reach == .platform }) { return true }
        return try memberships(of: user, in: snapshot, on: day).contains { (_, path) in
            guard let path else { return false }
            return caller.decide(.manageMembers, at: path.ids, pausedAt: path.pause) == .allowed
        }
    }
}
