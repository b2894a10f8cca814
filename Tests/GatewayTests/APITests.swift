import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

struct APITests {
    private static let path = "/v1/organizations/01890a5d-ac96-774b-bcce-b302099a8057"

    @Test func `a call goes to its service with the person who is signed in`() async throws {
        let seen = Last<CallContext>()
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, context) in
            seen.keep(context)
            return Organization(
                id: request.id, title: "Nørth", status: .active, version: 3, etag: "v3",
                path: [PathElement(id: "r")])
        }
        try await Stage.run([authentication, getOrganization]) { stage in
            let answer = try await stage.http.send(
                "GET", Self.path, bearer.with("X-Request-Id", "from-me"))

            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "application/json")
            #expect(answer.fields["etag"] == "\"v3\"")
            #expect(answer.fields["x-request-id"] == "from-me")
            #expect(
                answer.text == #"""
                    {"id":"01890a5d-ac96-774b-bcce-b302099a8057","parentId":"","depth":0,\#
                    "title":"Nørth","description":"","category":\#
                    "ORGANIZATION_CATEGORY_UNSPECIFIED","country":"",\#
                    "status":"ORGANIZATION_STATUS_ACTIVE","effectiveState":\#
                    "EFFECTIVE_STATE_UNSPECIFIED","origin":"ORGANIZATION_ORIGIN_UNSPECIFIED",\#
                    "version":"3","etag":"v3","path":[{"id":"r","title":""}],"warnings":[],\#
                    "kind":"ORGANIZATION_KIND_UNSPECIFIED","salesRepEmail":"","typeId":"",\#
                    "expiresAt":"","services":[],"externalId":"","memberCount":"0",\#
                    "categorySource":"ORGANIZATION_CATEGORY_SOURCE_UNSPECIFIED","normalized":[]}
                    """#)
        }
        let context = try #require(seen.value)
        #expect(try context.principal.subject == .user(Stage.ada))
        #expect(try context.principal.grants.map(\.role) == [.platformOwner])
        #expect(context.requestID == "from-me")
        #expect(context.metadata[text: MetadataKey.idempotencyKey] == nil)
    }

    @Test func `what makes something answers 201 and always has an idempotency key`() async throws {
        let keys = Last<String>()
        let addMember = serve(MembershipMethods.addMember) { (request: AddMemberRequest, context) in
            keys.keep(try context.idempotencyKey)
            return Member(organizationID: request.organizationID, email: request.email)
        }
        try await Stage.run([authentication, addMember]) { stage in
            let body = #"{"email":"bo@example.org","name":"Bo"}"#
            let first = try await stage.http.send(
                "POST", Self.path + "/members", bearer.with("Idempotency-Key", "mine"), body: body)
            #expect(first.status == 201)
            #expect(keys.value == "mine")

            _ = try await stage.http.send("POST", Self.path + "/members", bearer, body: body)
            #expect(keys.value?.utf8.count == 32)
        }
    }

    @Test func `signing in needs no token and signing out ends the token at once`() async throws {
        let asked = Counter()
        let ended = Last<String>()
        let authenticate = serve(MembershipMethods.authenticate) {
            (request: AuthenticateRequest, _) -> AuthenticateReply in
            asked.add()
            guard ended.value != request.token else { throw Status.unauthenticated() }
            return AuthenticateReply(userID: Stage.ada.text)
        }
        let signIn = serve(MembershipMethods.signIn) { (_: SignInRequest, _) in
            Session(token: Stage.token)
        }
        let signOut = serve(MembershipMethods.signOut) { (request: SignOutRequest, _) in
            ended.keep(request.token)
            return SignOutReply()
        }
        let getMe = serve(MembershipMethods.getMe) { (_: GetMeRequest, _) in Me() }
        try await Stage.run([authenticate, signIn, signOut, getMe]) { stage in
            let session = try await stage.http.send(
                "POST", "/v1/sessions", body: #"{"email":"a@b.org","password":"x"}"#)
            #expect(session.status == 201)
            #expect(try session.text("token") == Stage.token)

            #expect(try await stage.http.send("GET", "/v1/me", bearer).status == 200)
            #expect(try await stage.http.send("GET", "/v1/me", bearer).status == 200)
            #expect(asked.value == 1)

            #expect(
                try await stage.http.send("DELETE", "/v1/sessions/current", bearer).status == 200)
            #expect(ended.value == Stage.token)
            #expect(try await stage.http.send("GET", "/v1/me", bearer).status == 401)
        }
    }

    @Test func `a change of what somebody may do holds for the next request`() async throws {
        let asked = Counter()
        let authenticate = serve(MembershipMethods.authenticate) { (_: AuthenticateRequest, _) in
            asked.add()
            return AuthenticateReply(userID: Stage.ada.text)
        }
        let getMe = serve(MembershipMethods.getMe) { (_: GetMeRequest, _) in Me() }
        let block = serve(MembershipMethods.blockMember) { (request: BlockMemberRequest, _) in
            Member(organizationID: request.organizationID, userID: request.userID)
        }
        let update = serve(MembershipMethods.updateMember) { (request: UpdateMemberRequest, _) in
            Member(
                organizationID: request.organizationID, userID: request.userID,
                roles: request.roles)
        }
        try await Stage.run([authenticate, getMe, block, update]) { stage in
            let member = Self.path + "/members/"
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            let other = "01890a5d-ac96-774b-bcce-b302099a8058"
            _ = try await stage.http.send("POST", member + other + ":block", bearer, body: "{}")
            #expect(asked.value == 1)

            _ = try await stage.http.send(
                "POST", member + Stage.ada.text + ":block", bearer, body: "{}")
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            #expect(asked.value == 2)

            _ = try await MembershipClient(stage.rpc).blockMember(
                BlockMemberRequest(organizationID: other, userID: Stage.ada.text),
                options: .bearer(Stage.token))
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            #expect(asked.value == 3)

            let updated = try await stage.http.send(
                "PATCH", member + Stage.ada.text, bearer, body: #"{"roles": ["ROLE_TEACHER"]}"#)
            #expect(updated.status == 200)
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            #expect(asked.value == 4)
        }
    }

    @Test func `what Membership answered before a change is not kept after it`() async throws {
        let asked = Counter()
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let authenticate = serve(MembershipMethods.authenticate) { (_: AuthenticateRequest, _) in
            asked.add()
            if asked.value == 2 { for await _ in held { break } }
            return AuthenticateReply(userID: Stage.ada.text)
        }
        let getMe = serve(MembershipMethods.getMe) { (_: GetMeRequest, _) in Me() }
        let block = serve(MembershipMethods.blockMember) { (request: BlockMemberRequest, _) in
            Member(organizationID: request.organizationID, userID: request.userID)
        }
        try await Stage.run([authenticate, getMe, block]) { stage in
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            async let late = stage.http.send(
                "GET", "/v1/me", ["Authorization": "Bearer other-\(Stage.token)"])
            while asked.value < 2 { await Task.yield() }
            _ = try await stage.http.send(
                "POST", Self.path + "/members/" + Stage.ada.text + ":block", bearer, body: "{}")
            release.yield()
            _ = try await late

            _ = try await stage.http.send(
                "GET", "/v1/me", ["Authorization": "Bearer other-\(Stage.token)"])
            #expect(asked.value == 3)
        }
    }

    @Test func `the entity tag in a body counts like the one in If-Match`() async throws {
        let match = Last<String>()
        let update = serve(MembershipMethods.updateCaps) { (_: UpdateCapsRequest, context) in
            match.keep(context.metadata[text: MetadataKey.ifMatch] ?? "")
            return Caps()
        }
        try await Stage.run([authentication, update]) { stage in
            let body = #"{"members":"5","etag":"v3"}"#
            _ = try await stage.http.send("PATCH", Self.path + "/caps", bearer, body: body)
            #expect(match.value == "v3")

            let two = try await stage.http.send(
                "PATCH", Self.path + "/caps", bearer.with("If-Match", "\"v2\""), body: body)
            #expect(two.status == 412)
            #expect(try two.text("code") == "version_mismatch")
        }
    }

    @Test func `every gate that refused carries its facts`() async throws {
        let addMember = serve(MembershipMethods.addMember) {
            (_: AddMemberRequest, _) -> Member in
            var status = Status.refusal(
                .roleQuotaReached, "The limit is reached.",
                metadata: ["at": "a", "kind": "students", "used": "1", "cap": "1"],
                violations: [
                    .init(type: "role_quota_reached", subject: "a", description: "1 of 1."),
                    .init(type: "role_quota_reached", subject: "a", description: "2 of 2."),
                ])
            status.details.append(
                .errorInfo(
                    reason: "role_quota_reached", domain: "guildhall",
                    metadata: ["at": "a", "kind": "teachers", "used": "2", "cap": "2"]))
            throw status
        }
        try await Stage.run([authentication, addMember]) { stage in
            let answer = try await stage.http.send(
                "POST", Self.path + "/members", bearer, body: "{}")

            #expect(
                answer.text.contains(
                    #"""
                    "violations":[{"code":"role_quota_reached","at":"a","message":"1 of 1.",\#
                    "cap":1,"kind":"students","used":1},{"code":"role_quota_reached","at":"a",\#
                    "message":"2 of 2.","cap":2,"kind":"teachers","used":2}]
                    """#))
        }
    }

    @Test func `a session is asked again after two seconds`() async throws {
        let asked = Counter()
        let authenticate = serve(MembershipMethods.authenticate) { (_: AuthenticateRequest, _) in
            asked.add()
            return AuthenticateReply(userID: Stage.ada.text)
        }
        let getMe = serve(MembershipMethods.getMe) { (_: GetMeRequest, _) in Me() }
        try await Stage.run([authenticate, getMe]) { stage in
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            stage.clock.advance(by: .milliseconds(1_999))
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            #expect(asked.value == 1)

            stage.clock.advance(by: .milliseconds(1))
            _ = try await stage.http.send("GET", "/v1/me", bearer)
            #expect(asked.value == 2)
        }
    }

    @Test(arguments: [nil, "Bearer", "Bearer wrong", "Basic YTpi", "Bearer a b"])
    func `without a good token the answer is 401`(authorization: String?) async throws {
        try await Stage.run([authentication]) { stage in
            let fields = authorization.map { ["Authorization": $0] } ?? [:]
            let answer = try await stage.http.send("GET", "/v1/me", fields)

            #expect(answer.status == 401)
            #expect(try answer.text("code") == "unauthenticated")
            #expect(answer.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
        }
    }

    @Test func `a refusal leaves with its code, its gates and where it is explained`() async throws
    {
        let addMember = serve(MembershipMethods.addMember) {
            (_: AddMemberRequest, _) -> Member in
            throw Status.refusal(
                .membersLimitReached, "The limit is reached.",
                metadata: ["at": "district", "kind": "members", "used": "100", "cap": "100"],
                violations: [
                    .init(
                        type: "members_limit_reached", subject: "district",
                        description: "100 of 100.")
                ])
        }
        try await Stage.run([authentication, addMember]) { stage in
            let answer = try await stage.http.send(
                "POST", Self.path + "/members", bearer.with("X-Request-Id", "r1"), body: "{}")

            #expect(answer.status == 409)
            #expect(
                answer.text == #"""
                    {"code":"members_limit_reached","message":"The limit is reached.",\#
                    "violations":[{"code":"members_limit_reached","at":"district",\#
                    "message":"100 of 100.","cap":100,"kind":"members","used":100}],\#
                    "requestId":"r1","explainUrl":"/v1/explain/admission"}
                    """#)
        }
    }

    @Test func `a service that is down is named and nothing else of it`() async throws {
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (_: GetOrganizationRequest, _) -> Organization in
            throw Status(.unavailable, "connect to 10.0.0.7:7101 refused")
        }
        try await Stage.run([authentication, getOrganization]) { stage in
            let answer = try await stage.http.send("GET", Self.path, bearer)

            #expect(answer.status == 503)
            #expect(answer.fields["retry-after"] == "1")
            #expect(try answer.text("code") == "unavailable")
            #expect(try answer.text("message")?.contains("organizations") == true)
            #expect(!answer.text.contains("10.0.0.7"))
        }
    }

    @Test func `a wait that a service asks for becomes Retry-After`() async throws {
        let signIn = serve(MembershipMethods.signIn) { (_: SignInRequest, _) -> Session in
            throw Status(
                .resourceExhausted, "Wait.",
                details: [
                    .errorInfo(reason: "too_many_attempts", domain: "guildhall", metadata: [:]),
                    .retryInfo(delay: .milliseconds(1_500)),
                ])
        }
        try await Stage.run([signIn]) { stage in
            let answer = try await stage.http.send("POST", "/v1/sessions", body: "{}")

            #expect(answer.status == 429)
            #expect(answer.fields["retry-after"] == "2")
            #expect(try answer.text("code") == "too_many_attempts")
        }
    }

    @Test func `a request that is too large for its method is no reason to wait`() async throws {
        let signIn = serve(MembershipMethods.signIn) { (_: SignInRequest, _) -> Session in
            throw Status(
                .resourceExhausted, "A request has 70000 bytes; this method accepts 65536.",
                details: [
                    RPCReason.requestTooLarge.detail(["bytes": "70000", "max": "65536"])
                ])
        }
        try await Stage.run([signIn]) { stage in
            let answer = try await stage.http.send("POST", "/v1/sessions", body: "{}")

            #expect(answer.status == 413)
            #expect(answer.fields["retry-after"] == nil)
            #expect(try answer.text("code") == "too_large")
            #expect(try answer.text("message")?.contains("accepts 65536") == true)
        }
    }

    @Test func `If-Match goes along and If-None-Match spares the body`() async throws {
        let match = Last<String>()
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, _) in Organization(id: request.id, etag: "v3")
        }
        let update = serve(OrganizationsMethods.updateOrganization) {
            (request: UpdateOrganizationRequest, context) -> Organization in
            match.keep(context.metadata[text: MetadataKey.ifMatch] ?? "")
            throw Status.refusal(.versionMismatch, "It has changed.")
        }
        try await Stage.run([authentication, getOrganization, update]) { stage in
            let same = try await stage.http.send(
                "GET", Self.path, bearer.with("If-None-Match", "\"v2\", \"v3\""))
            #expect(same.status == 304)
            #expect(same.body.isEmpty)

            let stale = try await stage.http.send(
                "PATCH", Self.path, bearer.with("If-Match", "\"v2\""), body: #"{"title":"x"}"#)
            #expect(stale.status == 412)
            #expect(match.value == "v2")
        }
    }

    @Test func `an image goes in as it is and comes out by its hash`() async throws {
        let image: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0, 255]
        let stored = Last<[UInt8]>()
        let setLogo = serve(BrandingMethods.setLogo) { (request: SetLogoRequest, _) in
            stored.keep(request.image)
            return Appearance(logoHash: "ab12")
        }
        let getAsset = serve(BrandingMethods.getAsset) { (request: GetAssetRequest, _) in
            guard request.hash == "ab12" else { throw Status.notFound() }
            return Asset(hash: request.hash, contentType: "image/png", data: stored.value ?? [])
        }
        try await Stage.run([authentication, setLogo, getAsset]) { stage in
            let put = try await stage.http.send(
                "PUT", Self.path + "/images/logo", bearer.with("Content-Type", "image/png"),
                bytes: image)
            #expect(put.status == 200)
            #expect(stored.value == image)

            let asset = try await stage.http.send("GET", "/assets/ab12")
            #expect(asset.status == 200)
            #expect(asset.body == image)
            #expect(asset.fields["content-type"] == "image/png")
            #expect(asset.fields["x-content-type-options"] == "nosniff")
            #expect(asset.fields["cache-control"]?.contains("immutable") == true)
            #expect(asset.fields["content-security-policy"]?.contains("sandbox") == true)
            #expect(try await stage.http.send("GET", "/assets/cd34").status == 404)
            #expect(try await stage.http.send("GET", "/assets/..%2f").status == 404)
        }
    }
}

extension CallOptions {
    /// Options of a call in the session of a token.
    fileprivate static func bearer(_ token: String) -> CallOptions {
        var metadata = Metadata()
        metadata[text: MetadataKey.authorization] = "Bearer \(token)"
        return CallOptions(metadata: metadata)
    }
}
