import Access
import Crypto
import FoundationEssentials
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing

@Suite struct PrincipalTests {
    private let installation = Installation()
    private let router: Router
    private let person: UserID = IdentifierSource(milliseconds: { 1 }).next()

    init() throws {
        let shelf = Shelf(
            try installation.database("shelf", Shelf.migrations), clock: installation.clock.clock)
        router = try installation.router("shelf", shelf.methods)
    }

    private func look(_ statement: [UInt8]?) async throws -> Organization {
        var metadata = Metadata()
        metadata[bytes: MetadataKey.principal] = statement
        return try await call(
            InProcessChannel(router), Shelf.look, Organization(), metadata: metadata)
    }

    private func refusal(_ statement: [UInt8]?) async -> Status? {
        await status { try await look(statement) }
    }

    /// A statement signed by a key, saying whatever it likes.
    private func forged(
        by name: String, _ change: (inout Messages.Principal) -> Void
    ) throws -> [UInt8] {
        let now = installation.clock.now
        var claim = Messages.Principal(
            subject: .userID(person.text), issuedAt: Timestamp(now),
            expiresAt: Timestamp(now.advanced(by: .seconds(60))), audience: "shelf")
        change(&claim)
        _ = try installation.keys(name)
        let file = installation.folder.path + "/keys/\(name).key"
        let hex = String(
            decoding: try #require(FileManager.default.contents(atPath: file)), as: UTF8.self)
        let seed = stride(from: 0, to: 64, by: 2).compactMap { offset in
            let start = hex.index(hex.startIndex, offsetBy: offset)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
        }
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        let body = claim.encoded()
        return SignedPrincipal(
            principal: body, keyName: name, signature: Array(try key.signature(for: body))
        ).encoded()
    }

    @Test func `a service is believed about itself`() async throws {
        let statement = try installation.signer("partners").service(audience: "shelf")

        #expect(try await look(statement).id == "service:partners")
    }

    @Test func `the gateway is believed about people and their grants`() async throws {
        let statement = try installation.signer("gateway").user(
            person, grants: [Grant(.owner, at: nil), Grant(.teacher)], audience: "shelf")

        let seen = try await look(statement)

        #expect(seen.id == "user:\(person.text)")
        #expect(seen.title == "owner,teacher")
    }

    @Test func `the gateway is believed about programs, nobody else is`() async throws {
        let key: APIKeyID = IdentifierSource(milliseconds: { 2 }).next()
        let grants = [Grant(.orgAdmin)]

        let seen = try await look(
            try installation.signer("gateway").apiKey(key, grants: grants, audience: "shelf"))
        let refused = await refusal(
            try installation.signer("partners").apiKey(key, grants: grants))
        let nameless = await refusal(
            try forged(by: "gateway") { $0.subject = .apiKeyID("nobody") })

        #expect(seen.id == "apiKey:\(key.text)" && seen.title == "org_admin")
        #expect(refused?.code == .unauthenticated && nameless?.code == .unauthenticated)
    }

    @Test func `a service is not believed about people`() async throws {
        let statement = try installation.signer("partners").user(person, grants: [])

        #expect(await refusal(statement)?.code == .unauthenticated)
    }

    @Test func `a service is not believed about another service`() async throws {
        let statement = try forged(by: "partners") { $0.subject = .service("organizations") }

        #expect(await refusal(statement)?.code == .unauthenticated)
    }

    @Test func `a service cannot give itself grants`() async throws {
        let statement = try forged(by: "partners") {
            $0.subject = .service("partners")
            $0.grants = [Messages.Grant(role: .platformOwner)]
        }

        #expect(await refusal(statement)?.code == .unauthenticated)
    }

    @Test func `without a principal nothing but health is answered`() async throws {
        let refused = await refusal(nil)

        #expect(refused?.code == .unauthenticated)
        #expect(refused?.reason == "unauthenticated")
    }

    @Test func `a statement for another service is refused, one for any is not`() async throws {
        let signer = try installation.signer("gateway")

        let other = try signer.user(person, grants: [], audience: "branding")
        let any = try signer.user(person, grants: [])

        #expect(await refusal(other)?.code == .unauthenticated)
        #expect(try await look(any).id == "user:\(person.text)")
    }

    @Test func `a statement ends, though it was believed before`() async throws {
        let statement = try installation.signer("gateway").user(person, grants: [])
        _ = try await look(statement)

        installation.clock.advance(by: .seconds(64))
        _ = try await look(statement)
        installation.clock.advance(by: .seconds(2))

        #expect(await refusal(statement)?.code == .unauthenticated)
    }

    @Test func `times that cannot be are refused`() async throws {
        let now = installation.clock.now
        let tooLong = try forged(by: "gateway") {
            $0.expiresAt = Timestamp(now.advanced(by: .seconds(61)))
        }
        let fromTheFuture = try forged(by: "gateway") {
            $0.issuedAt = Timestamp(now.advanced(by: .seconds(10)))
        }
        let endless = try forged(by: "gateway") { $0.expiresAt = nil }
        let turned = try forged(by: "gateway") {
            $0.expiresAt = Timestamp(now.advanced(by: .seconds(-30)))
        }
        let strange = try forged(by: "gateway") {
            $0.expiresAt = Timestamp(seconds: .max, nanos: .max)
        }

        for statement in [tooLong, fromTheFuture, endless, turned, strange] {
            #expect(await refusal(statement)?.code == .unauthenticated)
        }
    }

    @Test func `a changed byte anywhere is noticed`() async throws {
        let statement = try installation.signer("gateway").user(person, grants: [Grant(.owner)])

        for index in stride(from: 0, to: statement.count, by: 3) {
            var changed = statement
            changed[index] ^= 1
            #expect(await refusal(changed)?.code == .unauthenticated, "byte \(index)")
        }
    }

    @Test(arguments: [[], [0], [255, 255, 255], [UInt8](repeating: 7, count: 7_000)])
    func `nonsense is refused`(bytes: [UInt8]) async throws {
        let code = await refusal(bytes)?.code

        #expect(code == .unauthenticated)
    }

    @Test func `a key that is not in the folder is nobody's`() async throws {
        let elsewhere = Installation()
        let statement = try elsewhere.signer("gateway").user(person, grants: [])

        #expect(await refusal(statement)?.code == .unauthenticated)
    }

    @Test func `a process that joins later is believed`() async throws {
        _ = try await look(try installation.signer("gateway").user(person, grants: []))

        let statement = try installation.signer("branding").service(audience: "shelf")

        #expect(try await look(statement).id == "service:branding")
    }

    @Test func `a role that is not known gives no right`() async throws {
        let statement = try forged(by: "gateway") {
            $0.grants = [
                Messages.Grant(role: .unrecognized(99)), Messages.Grant(role: .member),
                Messages.Grant(role: .owner, organizationID: "nonsense"),
            ]
        }

        #expect(try await look(statement).title == "member")
    }

    @Test func `a call made because of another carries its request and trace, not its caller`()
        async throws
    {
        let trace = String(repeating: "4b", count: 16)
        var metadata = Metadata()
        metadata[bytes: MetadataKey.principal] = try installation.signer("gateway")
            .user(person, grants: [])
        metadata[text: MetadataKey.requestID] = "r1"
        metadata[text: MetadataKey.traceParent] = "00-\(trace)-00f067aa0ba902b7-01"
        let shelf = InProcessChannel(router).intercepted(
            by: SigningInterceptor(
                signer: try installation.signer("relay"), audience: "shelf"))
        let relay = try installation.router(
            "relay",
            [
                unary(Shelf.look) { (request: Organization, context) -> Organization in
                    try await call(
                        shelf, Shelf.look, request, metadata: context.tracing().metadata)
                }
            ])

        let seen: Organization = try await call(
            InProcessChannel(relay), Shelf.look, Organization(), metadata: metadata)

        #expect(seen.id == "service:relay")
        let calls = installation.log.lines.filter { $0.hasPrefix("debug call ") }
        #expect(calls.count == 2)
        #expect(calls.allSatisfy { $0.contains("request=r1") && $0.contains("trace=\(trace)") })
    }

    @Test(arguments: ["", "00-1-1-01", "00-" + String(repeating: "x", count: 52)])
    func `a trace that is none is not logged`(parent: String) async throws {
        var metadata = Metadata()
        metadata[text: MetadataKey.traceParent] = parent

        _ = await status {
            let _: Organization = try await call(
                InProcessChannel(router), Shelf.look, Organization(), metadata: metadata)
        }

        #expect(installation.log.lines.count == 1)
        #expect(!installation.log.lines.contains { $0.contains("trace=") })
    }
}

@Suite struct KeyRingTests {
    private let folder = Folder()

    @Test func `a key is made once and found again`() throws {
        let first = try KeyRing(folder: folder.path, name: "gateway")
        let second = try KeyRing(folder: folder.path, name: "gateway")

        #expect(first.secret(for: "a") == second.secret(for: "a"))
        #expect(first.secret(for: "a") != first.secret(for: "b"))
    }

    @Test func `a private key is its owner's alone`() throws {
        _ = try KeyRing(folder: folder.path, name: "gateway")
        let path = folder.path + "/gateway.key"

        let facts = try FileManager.default.attributesOfItem(atPath: path)
        #expect(facts[.posixPermissions].map { "\($0)" } == "384")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)

        #expect(throws: KeyRing.Fault.self) {
            try KeyRing(folder: folder.path, name: "gateway")
        }
    }

    @Test func `a damaged key stops the start with one line`() throws {
        _ = try KeyRing(folder: folder.path, name: "gateway")
        let path = folder.path + "/gateway.key"
        try Data("abc".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)

        let fault = #expect(throws: KeyRing.Fault.self) {
            try KeyRing(folder: folder.path, name: "gateway")
        }
        #expect(fault?.description.contains("gateway.key") == true)
    }

    @Test(arguments: ["", "../gateway", "Gateway", "a/b", String(repeating: "a", count: 65)])
    func `a name that could leave the folder is refused`(name: String) {
        #expect(throws: KeyRing.Fault.self) { try KeyRing(folder: folder.path, name: name) }
    }
}
