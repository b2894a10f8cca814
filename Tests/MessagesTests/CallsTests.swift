import Messages
import RPC
import RPCTesting
import Synchronization
import Testing

/// A service that answers from its request and remembers idempotency keys.
private final class Health: HealthService {
    let keys = Mutex<[String?]>([])

    func check(
        _ request: CheckHealthRequest, _ context: CallContext
    ) async throws -> CheckHealthReply {
        keys.withLock { $0.append(context.metadata[text: MetadataKey.idempotencyKey]) }
        return CheckHealthReply(state: request.service.isEmpty ? .serving : .notServing)
    }

    func watch(
        _ request: CheckHealthRequest, _ context: CallContext,
        _ replies: ReplyStream<CheckHealthReply>
    ) async throws {
        try await replies.write(CheckHealthReply(state: .notServing))
        try await replies.write(CheckHealthReply(state: .serving))
    }
}

@Suite struct CallsTests {
    private let context = CallContext(
        method: HealthMethods.check, deadline: .after(.seconds(60)), peer: Peer("test"))

    /// A method whose handler answers bytes and keeps the caller's idempotency key.
    private func channel(
        _ method: MethodDescriptor, answering reply: [UInt8],
        _ onKey: @escaping @Sendable (String?) -> Void = { _ in }
    ) -> InProcessChannel {
        let registered = RegisteredMethod(
            method,
            .unary { _, context in
                onKey(context.metadata[text: MetadataKey.idempotencyKey])
                return .encoded(reply)
            })
        return InProcessChannel(Router(services: [[registered]]))
    }

    @Test func `a client calls a service`() async throws {
        let service = Health()
        let client = HealthClient(InProcessChannel(Router(services: [service.registeredMethods])))

        let reply = try await client.check(CheckHealthRequest())

        #expect(reply.state == .serving)
        #expect(service.keys.withLock(\.self) == [nil], "a safe method needs no key")
    }

    @Test func `a client takes the replies of a stream in order`() async throws {
        let client = HealthClient(InProcessChannel(Router(services: [Health().registeredMethods])))
        let states = Mutex<[ServingState]>([])

        try await client.watch(CheckHealthRequest()) { reply in
            states.withLock { $0.append(reply.state) }
        }

        #expect(states.withLock(\.self) == [.notServing, .serving])
    }

    @Test func `a malformed request is refused with its reason and place`() async throws {
        let handler = try #require(Health().registeredMethods.first).handler
        guard case .unary(let run) = handler else {
            Issue.record("Check is unary")
            return
        }
        let bytes = Wire.bytes(1, [0xff])

        let status = await #expect(throws: Status.self) { _ = try await run(bytes, context) }

        #expect(status?.code == .invalidArgument)
        #expect(status?.reason == "malformed_message")
        let violation = StatusDetail.FieldViolation(
            field: "guildhall.rpc.v1.CheckHealthRequest.service",
            description: "invalidText at guildhall.rpc.v1.CheckHealthRequest.service")
        #expect(status?.details.contains(.badRequest([violation])) == true)
    }

    @Test func `a malformed reply is an internal error`() async {
        let client = HealthClient(channel(HealthMethods.check, answering: [0x08]))

        let status = await #expect(throws: Status.self) {
            _ = try await client.check(CheckHealthRequest())
        }

        #expect(status?.code == .internal)
    }

    @Test func `a keyed call gets a new key, unless the caller chose one`() async throws {
        let keys = Mutex<[String?]>([])
        let method = OrganizationsMethods.createOrganization
        let client = OrganizationsClient(
            channel(method, answering: []) { key in keys.withLock { $0.append(key) } })
        var chosen = CallOptions()
        chosen.metadata[text: MetadataKey.idempotencyKey] = "mine"

        _ = try await client.createOrganization(CreateOrganizationRequest())
        _ = try await client.createOrganization(CreateOrganizationRequest())
        _ = try await client.createOrganization(CreateOrganizationRequest(), options: chosen)

        let seen = keys.withLock(\.self)
        #expect(seen.count == 3)
        #expect(seen[0]?.count == 32 && seen[1]?.count == 32)
        #expect(seen[0] != seen[1])
        #expect(seen[2] == "mine")
    }

    @Test func `methods are described as declared`() {
        #expect(
            OrganizationsMethods.getOrganization.path
                == "guildhall.organizations.v1.Organizations/GetOrganization")
        #expect(OrganizationsMethods.getOrganization.idempotency == .safe)
        #expect(OrganizationsMethods.createOrganization.idempotency == .keyed)
        #expect(MembershipMethods.signIn.idempotency == .unknown)
        #expect(OrganizationsMethods.watch.kind == .serverStreaming)
        #expect(OrganizationsMethods.all.count == 19)
    }
}
