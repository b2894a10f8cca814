import Access
import Messages
import RPC
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// Programs at the gateway: they call by their API key, and one that is deleted ends at once.
struct APIKeyTests {
    private static let key = APIKeyID(millisecondsSince1970: 2, random: (8, 8))
    private static let path = "/v1/organizations/01890a5d-ac96-774b-bcce-b302099a8057"
    private static let program = ["Authorization": "Bearer ghk_program"]

    /// Answers whose credential it is, as long as the key is there; counts how often it is asked.
    private final class Office: Sendable {
        let asked = Counter()
        private let deleted = Mutex(false)
        /// What is answered once a key is deleted, if not that it is.
        private let failure: Status?

        init(failure: Status? = nil) {
            self.failure = failure
        }

        var methods: [RegisteredMethod] {
            [
                serve(MembershipMethods.authenticate) {
                    (request: AuthenticateRequest, _) -> AuthenticateReply in
                    self.asked.add()
                    if request.token == Stage.token {
                        return AuthenticateReply(
                            userID: Stage.ada.text, grants: [Messages.Grant(role: .platformOwner)])
                    }
                    guard request.token == "ghk_program", !self.deleted.withLock({ $0 }) else {
                        throw Status.unauthenticated()
                    }
                    return AuthenticateReply(
                        grants: [Messages.Grant(role: .globalAdmin)], apiKeyID: key.text)
                },
                serve(ApiKeysMethods.deleteApiKey) {
                    (request: DeleteApiKeyRequest, _) -> DeleteApiKeyReply in
                    if request.id == key.text { self.deleted.withLock { $0 = true } }
                    if let failure = self.failure { throw failure }
                    return DeleteApiKeyReply()
                },
                serve(OrganizationsMethods.getOrganization) {
                    (request: GetOrganizationRequest, _) in Organization(id: request.id)
                },
            ]
        }
    }

    @Test func `a program calls in the name of its key`() async throws {
        let seen = Last<Access.Principal>()
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, context) in
            seen.keep(try context.principal)
            return Organization(id: request.id)
        }
        let methods = Array(Office().methods.prefix(2)) + [getOrganization]
        try await Stage.run(methods) { stage in
            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 200)
            #expect(seen.value?.subject == .apiKey(Self.key))
            #expect(seen.value?.grants == [Access.Grant(.globalAdmin)])

            var options = CallOptions()
            options.metadata[text: MetadataKey.authorization] = "Bearer ghk_program"
            _ = try await OrganizationsClient(stage.rpc).getOrganization(
                GetOrganizationRequest(id: "7"), options: options)
            #expect(seen.value?.subject == .apiKey(Self.key))
        }
    }

    @Test func `a key that is deleted here ends at once, others are kept for their moment`()
        async throws
    {
        let office = Office()
        try await Stage.run(office.methods) { stage in
            func status() async throws -> Int {
                try await stage.http.send("GET", Self.path, Self.program).status
            }
            #expect(try await status() == 200 && office.asked.value == 1)
            let other = APIKeyID(millisecondsSince1970: 3, random: (9, 9))
            _ = try await stage.http.send("DELETE", "/v1/apiKeys/\(other.text)", bearer)
            #expect(try await status() == 200 && office.asked.value == 2)

            let deleted = try await stage.http.send(
                "DELETE", "/v1/apiKeys/\(Self.key.text)", bearer)

            #expect(deleted.status == 200)
            #expect(try await status() == 401)
        }
    }

    @Test func `a key that is deleted by RPC ends at once, too`() async throws {
        let office = Office()
        try await Stage.run(office.methods) { stage in
            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 200)
            var options = CallOptions()
            options.metadata[text: MetadataKey.authorization] = "Bearer \(Stage.token)"

            _ = try await ApiKeysClient(stage.rpc).deleteApiKey(
                DeleteApiKeyRequest(id: Self.key.text), options: options)

            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 401)
        }
    }

    @Test(arguments: [true, false])
    func `a key that is deleted ends at once also when the answer is lost`(isByRPC: Bool)
        async throws
    {
        let office = Office(failure: Status(.deadlineExceeded, "late"))
        try await Stage.run(office.methods) { stage in
            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 200)

            if isByRPC {
                let request = DeleteApiKeyRequest(id: Self.key.text)
                await #expect(throws: Status.self) {
                    _ = try await ApiKeysClient(stage.rpc).deleteApiKey(
                        request, options: Self.personsOptions)
                }
            } else {
                let deleted = try await stage.http.send(
                    "DELETE", "/v1/apiKeys/\(Self.key.text)", bearer)
                #expect(deleted.status == 504)
            }

            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 401)
        }
    }

    @Test func `what Membership answered before a key was deleted is not kept after it`()
        async throws
    {
        let asked = Counter()
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let authenticate = serve(MembershipMethods.authenticate) {
            (request: AuthenticateRequest, _) -> AuthenticateReply in
            if request.token == Stage.token { return AuthenticateReply(userID: Stage.ada.text) }
            asked.add()
            guard asked.value == 1 else { throw Status.unauthenticated() }
            for await _ in held { break }
            return AuthenticateReply(apiKeyID: Self.key.text)
        }
        try await Stage.run([authenticate] + Office().methods.dropFirst()) { stage in
            async let late = stage.http.send("GET", Self.path, Self.program)
            while asked.value < 1 { await Task.yield() }
            _ = try await stage.http.send("DELETE", "/v1/apiKeys/\(Self.key.text)", bearer)
            release.yield()
            _ = try await late

            #expect(try await stage.http.send("GET", Self.path, Self.program).status == 401)
        }
    }

    @Test func `an answer that names both a person and a key opens nothing`() async throws {
        let authenticate = serve(MembershipMethods.authenticate) { (_: AuthenticateRequest, _) in
            AuthenticateReply(userID: Stage.ada.text, apiKeyID: Self.key.text)
        }
        try await Stage.run([authenticate] + Office().methods.dropFirst()) { stage in
            let answer = try await stage.http.send("GET", Self.path, Self.program)
            #expect(answer.status == 401)
        }
    }

    private final class Seen: Sendable {
        let audiences = Mutex<[String]>([])
    }

    @Test func `only what is forwarded is stated for every service`() async throws {
        let seen = Seen()
        @Sendable func note(_ context: CallContext) throws {
            let statement = try #require(context.metadata[bytes: MetadataKey.principal])
            let signed = try SignedPrincipal(decoding: statement)
            let audience = try Messages.Principal(decoding: signed.principal).audience
            seen.audiences.withLock { $0.append(audience) }
        }
        let provision = serve(ProvisioningMethods.provisionMember) {
            (request: ProvisionMemberRequest, context) in
            try note(context)
            return Member(email: request.email)
        }
        let addMember = serve(MembershipMethods.addMember) { (request: AddMemberRequest, context) in
            try note(context)
            return Member(email: request.email)
        }
        try await Stage.run(Office().methods + [provision, addMember]) { stage in
            let body = #"{"email":"bo@example.org","name":"Bo"}"#
            let provisioned = try await stage.http.send(
                "POST", "/v1/members:provision", Self.program, body: body)
            #expect(provisioned.status == 201)
            _ = try await stage.http.send("POST", Self.path + "/members", Self.program, body: body)
        }
        #expect(seen.audiences.withLock { $0 } == ["*", "membership"])
    }

    /// Those of a call by RPC that a person makes.
    private static var personsOptions: CallOptions {
        var options = CallOptions()
        options.metadata[text: MetadataKey.authorization] = "Bearer \(Stage.token)"
        return options
    }
}
