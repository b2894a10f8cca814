import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

struct RPCPortTests {
    private static func options(_ token: String?) -> CallOptions {
        var metadata = Metadata()
        metadata[text: MetadataKey.authorization] = token.map { "Bearer \($0)" }
        // A claim of a client counts for nothing.
        metadata[bytes: MetadataKey.principal] = [1, 2, 3]
        return CallOptions(metadata: metadata)
    }

    @Test func `a call is handed on in the name of the person who is signed in`() async throws {
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, context) throws -> Organization in
            #expect(try context.principal.subject == .user(Stage.ada))
            #expect(context.metadata[text: MetadataKey.authorization] == nil)
            #expect(!context.requestID.isEmpty)
            return Organization(id: request.id)
        }
        try await Stage.run([authentication, getOrganization]) { stage in
            let reply = try await OrganizationsClient(stage.rpc).getOrganization(
                GetOrganizationRequest(id: "7"), options: Self.options(Stage.token))
            #expect(reply == Organization(id: "7"))
        }
    }

    @Test func `a sign-out ends the session that makes it, whatever token it names`() async throws {
        let ended = Last<String>()
        let signOut = serve(MembershipMethods.signOut) { (request: SignOutRequest, _) in
            ended.keep(request.token)
            return SignOutReply()
        }
        try await Stage.run([authentication, signOut]) { stage in
            _ = try await MembershipClient(stage.rpc).signOut(
                SignOutRequest(token: "of-bo"), options: Self.options(Stage.token))
        }
        #expect(ended.value == Stage.token)
    }

    @Test func `callers are told what the service adds, and the identifier of their request`()
        async throws
    {
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, context) throws -> Organization in
            context.trailingMetadata[text: "cost"] = "3"
            guard request.id == "7" else {
                var status = Status(.notFound, "No.")
                status.trailingMetadata[text: "hint"] = "8"
                throw status
            }
            return Organization(id: request.id)
        }
        try await Stage.run([authentication, getOrganization]) { stage in
            var options = Self.options(Stage.token)
            options.metadata[text: MetadataKey.requestID] = "r-1"
            let told = options.collectTrailingMetadata()

            _ = try await OrganizationsClient(stage.rpc).getOrganization(
                GetOrganizationRequest(id: "7"), options: options)
            #expect(told[text: "cost"] == "3")
            #expect(told[text: MetadataKey.requestID] == "r-1")

            let error = await #expect(throws: Status.self) {
                try await OrganizationsClient(stage.rpc).getOrganization(
                    GetOrganizationRequest(id: "8"), options: options)
            }
            #expect(error?.trailingMetadata[text: "cost"] == "3")
            #expect(error?.trailingMetadata[text: "hint"] == "8")
            #expect(error?.trailingMetadata[text: MetadataKey.requestID] == "r-1")
        }
    }

    @Test func `a call without a good token is refused`() async throws {
        try await Stage.run([authentication]) { stage in
            for token in [nil, "wrong"] {
                let error = await #expect(throws: Status.self) {
                    try await OrganizationsClient(stage.rpc).getOrganization(
                        GetOrganizationRequest(id: "7"), options: Self.options(token))
                }
                #expect(error?.code == .unauthenticated)
            }
        }
    }

    @Test func `a service that is busy is told as busy, with the time to wait`() async throws {
        let authenticate = serve(MembershipMethods.authenticate) {
            (_: AuthenticateRequest, _) -> AuthenticateReply in
            var status = Status.refusal(.busy, "The service is busy.")
            status.details.append(.retryInfo(delay: .seconds(3)))
            throw status
        }
        try await Stage.run([authenticate]) { stage in
            let error = await #expect(throws: Status.self) {
                try await OrganizationsClient(stage.rpc).getOrganization(
                    GetOrganizationRequest(id: "7"), options: Self.options(Stage.token))
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.details.contains(.retryInfo(delay: .seconds(3))) == true)
        }
    }

    @Test func `who has made an organization is asked about anew in every session`() async throws {
        let asked = AskedTokens()
        let authenticate = serve(MembershipMethods.authenticate) {
            (request: AuthenticateRequest, _) -> AuthenticateReply in
            asked.tokens.withLock { $0.append(request.token) }
            return AuthenticateReply(userID: Stage.ada.text)
        }
        let getOrganization = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, _) -> Organization in
            Organization(id: request.id)
        }
        let createOrganization = serve(SignUpsMethods.createOwnOrganization) {
            (_: CreateOwnOrganizationRequest, _) -> CreateOwnOrganizationReply in
            CreateOwnOrganizationReply(organizationID: "7")
        }
        try await Stage.run([authenticate, getOrganization, createOrganization]) { stage in
            func look() async throws {
                for token in ["one", "two"] {
                    _ = try await OrganizationsClient(stage.rpc).getOrganization(
                        GetOrganizationRequest(id: "7"), options: Self.options(token))
                }
            }
            for _ in 1...2 { try await look() }
            _ = try await SignUpsClient(stage.rpc).createOwnOrganization(
                CreateOwnOrganizationRequest(title: "A"), options: Self.options("one"))
            for _ in 1...2 { try await look() }
        }
        #expect(asked.tokens.withLock { $0 } == ["one", "two", "one", "two"])
    }

    @Test func `signing in needs no token and hands on no claim`() async throws {
        let signIn = serve(MembershipMethods.signIn) { (_: SignInRequest, context) in
            #expect(throws: Status.self) { try context.principal }
            return Session(token: Stage.token)
        }
        try await Stage.run([signIn]) { stage in
            let session = try await MembershipClient(stage.rpc).signIn(
                SignInRequest(email: "a@b.org", password: "x"), options: Self.options(nil))
            #expect(session.token == Stage.token)
        }
    }

    @Test func `a method for services is refused before anything is asked`() async throws {
        try await Stage.run([]) { stage in
            let error = await #expect(throws: Status.self) {
                try await MembershipClient(stage.rpc).grantSeats(
                    GrantSeatsRequest(), options: Self.options(Stage.token))
            }
            #expect(error?.code == .permissionDenied)
            #expect(error?.reason == "forbidden")

            let stream = await #expect(throws: Status.self) {
                try await OrganizationsClient(stage.rpc).watch(
                    WatchRequest(), options: Self.options(Stage.token)
                ) { _ in }
            }
            #expect(stream?.code == .permissionDenied)
        }
    }
}

/// The tokens that Membership was asked about, in order.
private final class AskedTokens: Sendable {
    let tokens = Mutex<[String]>([])
}
