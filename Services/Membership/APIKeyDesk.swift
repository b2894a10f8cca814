import Access
import Crypto
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of `guildhall.membership.v1.ApiKeys`.
struct APIKeyDesk: ApiKeysService {
    let service: Service
    /// Secrets of keys are made with it.
    let secrets: SymmetricKey

    func createApiKey(
        _ request: CreateApiKeyRequest, _ context: CallContext
    ) async throws -> CreateApiKeyReply {
        let (person, caller) = (try context.person, try context.principal)
        let organization = try OrganizationID.optional(
            requestText: request.organizationID, field: "organization_id")
        let name = try Text.accept(
            request.name, field: "name", lengths: APIKeyRules.nameLengths)
        let role = try Parse.role(request.role, ofKeyAt: organization)
        let idempotencyKey = try context.idempotencyKey
        let id: APIKeyID = service.identifiers.next()
        let secret = APIKeySecret.text(of: id, madeUnder: idempotencyKey, with: secrets)
        let now = context.now
        // When the key of the process has been replaced, a repeated call would be answered another
        // secret: it is a mismatch then.
        var reply = try await service.whenKnown {
            try await service.database.command(context, request, digestedWith: service.digestKey) {
                transaction in
                let path = try organization.map {
                    try service.path(to: $0, context, in: transaction)
                }
                try service.check(
                    APIKeyRules.decide(
                        role, by: caller, at: path?.ids ?? [], pausedAt: path?.pause))
                let key = APIKeyRecord(
                    id: id, name: name, role: role, organization: organization,
                    prefix: APIKeySecret.prefix(of: secret), creator: person, created: now,
                    expires: try Parse.expiry(request.expiresAt, after: now))
                try transaction.makeRoom(of: organization, at: now)
                try transaction.add(key, secretHash: APIKeySecret.hash(of: secret))
                return CreateApiKeyReply(apiKey: ApiKey(key))
            }
        }
        // What is kept of the reply has no secret: it is made again.
        if let made = reply.apiKey.flatMap({ APIKeyID(text: $0.id) }) {
            reply.secret = APIKeySecret.text(of: made, madeUnder: idempotencyKey, with: secrets)
        }
        return reply
    }

    func listApiKeys(
        _ request: ListApiKeysRequest, _ context: CallContext
    ) async throws -> ListApiKeysReply {
        _ = try context.person
        let caller = try context.principal
        let organization = try OrganizationID.optional(
            requestText: request.organizationID, field: "organization_id")
        let page = try service.pageTokens.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListApiKeysRequest(organizationID: request.organizationID))
        let end = try Parse.apiKey(before: page)
        return try await service.whenKnown {
            try await service.database.read { snapshot in
                let path = try organization.map {
                    try service.placeOfKeys($0, context, in: snapshot)
                }
                // A pause hides nothing from those who look after it.
                try service.check(APIKeyRules.decide(caller, at: path?.ids ?? []))
                let found = try snapshot.apiKeys(
                    of: organization, before: end, limit: page.limit)
                let (keys, next) = page.cut(found) { [$0.id] }
                return ListApiKeysReply(
                    apiKeys: keys.map { ApiKey($0) }, nextPageToken: next)
            }
        }
    }

    func deleteApiKey(
        _ request: DeleteApiKeyRequest, _ context: CallContext
    ) async throws -> DeleteApiKeyReply {
        _ = try context.person
        let caller = try context.principal
        let id = try APIKeyID(requestText: request.id, field: "id")
        do {
            return try await service.whenKnown(otherwise: Denial.noSuchAPIKey) {
                try await service.database.command(context, request) { transaction in
                    guard let key = try transaction.apiKey(id) else { throw UnknownAPIKey() }
                    let path = try key.organization.map {
                        try service.placeOfKeys($0, context, in: transaction)
                    }
                    let ids = path?.ids ?? []
                    // Who looks after no keys there learns of none. A pause keeps nobody from
                    // taking a credential away.
                    guard APIKeyRules.decide(caller, at: ids) == .allowed else {
                        throw UnknownAPIKey()
                    }
                    try service.check(APIKeyRules.decide(key.role, by: caller, at: ids))
                    try transaction.remove(id)
                    return DeleteApiKeyReply()
                }
            }
        } catch is UnknownAPIKey {
            throw Denial.noSuchAPIKey
        }
    }
}

/// An API key that is not there, or not for the caller to know of.
///
/// It is no refusal that is kept under the call's key: rights may come.
private struct UnknownAPIKey: Error {}

extension Transaction {
    /// Sees to it that one more key has room at a place.
    ///
    /// - Throws: ``Refusal/tooManyAPIKeys(_:)``.
    fileprivate func makeRoom(of organization: OrganizationID?, at now: WallTime) throws {
        try sweepAPIKeys(
            of: organization, at: now,
            expiredBefore: now.advanced(
                by: .microseconds(-APIKeyRules.expiredKeptForMicroseconds)))
        let most = APIKeyRules.keysMax(of: organization)
        guard try liveAPIKeyCount(of: organization, at: now) < most else {
            throw Refusal.tooManyAPIKeys(most)
        }
    }
}

extension Service {
    /// The path to an organization whose keys the caller lists or ends: who may take it out of the
    /// archive finds it there as well, so that no credential comes back with it.
    ///
    /// - Throws: ``UnknownNode``.
    fileprivate func placeOfKeys(
        _ organization: OrganizationID, _ context: CallContext, in reading: some Reading
    ) throws -> TreePath {
        let day = context.now.day
        guard let path = try TreeCopy.path(of: organization, in: reading, on: day) else {
            throw UnknownNode()
        }
        let principal = try context.principal
        let isBeingPrepared = path.nodes.contains { $0.status == .provisioning }
        if !isBeingPrepared, principal.decide(.restoreOrganization, at: path.ids) == .allowed {
            return path
        }
        return try path.visible(to: principal)
    }

    /// What the secret of an API key stands for.
    func programOwner(_ token: String, at now: WallTime) async throws -> AuthenticateReply {
        guard token.utf8.count <= SessionToken.textBytesMax else { throw Denial.apiKeyOver }
        let hash = APIKeySecret.hash(of: token)
        let (key, grants) = try database.readInline { snapshot in
            guard let key = try snapshot.apiKey(secretHash: hash), key.isLive(at: now) else {
                throw Denial.apiKeyOver
            }
            return (key, try Self.grants(of: key, in: snapshot, on: now.day))
        }
        let minute = WallTime(microseconds: APIKeyRules.minute(of: now.microseconds))
        if key.used.map({ $0 < minute }) ?? true {
            do {
                try await database.write { try $0.recordUse(of: key.id, at: minute) }
            } catch StorageFault.busy {
                // As for sessions: the use is written down by a later call.
            }
        }
        return AuthenticateReply(
            grants: grants.map { Messages.Grant($0) },
            expiresAt: key.expires.map { Timestamp($0) }, apiKeyID: key.id.text)
    }

    /// What a key may act as on a day: nothing while its organization is archived, as a member.
    private static func grants(
        of key: APIKeyRecord, in reading: some Reading, on day: CalendarDay
    ) throws -> [Access.Grant] {
        guard let organization = key.organization else { return [key.grant] }
        let path = try TreeCopy.path(of: organization, in: reading, on: day)
        return path?.isThereForPeople == false ? [] : [key.grant]
    }
}

extension CallContext {
    /// The person who acts.
    ///
    /// - Throws: ``Denial/forPeopleAlone`` when a program or a service does.
    var person: UserID {
        get throws {
            guard let id = try principal.userID else { throw Denial.forPeopleAlone }
            return id
        }
    }
}

extension ApiKey {
    fileprivate init(_ key: APIKeyRecord) {
        self.init(
            id: key.id.text, name: key.name, grant: Messages.Grant(key.grant), prefix: key.prefix,
            createdBy: key.creator.text, createdAt: Timestamp(key.created),
            expiresAt: key.expires.map { Timestamp($0) }, lastUsedAt: key.used.map { Timestamp($0) }
        )
    }
}

extension Parse {
    fileprivate static func role(
        _ role: Messages.Role, ofKeyAt organization: OrganizationID?
    ) throws(Denial) -> Access.Role {
        guard let known = Access.Role(role),
            APIKeyRules.isAcceptable(known, ofPlatform: organization == nil)
        else {
            throw .invalid(
                field: "role",
                organization == nil
                    ? "A key of the platform has a role of its staff."
                    : "A key of an organization has a role that members can have.")
        }
        return known
    }

    fileprivate static func expiry(
        _ timestamp: Timestamp?, after now: WallTime
    ) throws(Denial) -> WallTime? {
        guard let timestamp else { return nil }
        guard let instant = WallTime(timestamp), now < instant,
            instant < WallTime(startOf: CalendarDay.all.upperBound)
        else {
            throw .invalid(
                field: "expires_at", "A key expires in the future, before the year 9999 ends.")
        }
        return instant
    }

    fileprivate static func apiKey(before page: Page) throws(Denial) -> APIKeyID? {
        guard let after = page.after else { return nil }
        guard case .blob(let bytes) = after.first, after.count == 1,
            let id = APIKeyID(bytes: bytes)
        else { throw .invalid(field: "page_token", "This token is not valid here.") }
        return id
    }
}
