import Foundation
import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Mutual TLS` {
    let authority: TestAuthority
    static let policy = PeerPolicy(["gateway": [Methods.service]])

    init() throws {
        authority = try TestAuthority()
    }

    private func server(_ policy: PeerPolicy = Self.policy) throws -> RPCServerSecurity {
        .mutualTLS(try authority.credentials(service: "organizations"), policy)
    }

    private func organizations() throws -> RPCClientSecurity.ExpectedServer {
        .identity(
            try PeerIdentity(installation: TestAuthority.installation, name: "organizations"))
    }

    private func withClientOf(
        _ own: TLSFiles.Own?, at address: RPCAddress, trust: String? = nil,
        server: RPCClientSecurity.ExpectedServer? = nil,
        _ body: (RPCClient) async throws -> Void
    ) async throws {
        let credentials = try TLSCredentials(TLSFiles(own: own, trust: trust ?? authority.trust))
        let server = try server ?? organizations()
        try await withClient(address) {
            $0.secure(credentials, server: server)
        } _: { client in
            try await body(client)
        }
    }

    private func expectRefusal(
        of own: TLSFiles.Own?, at address: RPCAddress, saying words: String,
        phase: String = "secure", server: RPCClientSecurity.ExpectedServer? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withClientOf(own, at: address, server: server) { client in
            let refused = await status { try await client.bytes(Methods.echo) }
            let message = refused?.message ?? "-"

            #expect(refused?.code == .unavailable, sourceLocation: sourceLocation)
            #expect(message.contains(words), "\(message)", sourceLocation: sourceLocation)
            #expect(
                message.contains("phase \(phase)"), "\(message)", sourceLocation: sourceLocation)
        }
    }

    @Test func `a handler knows who calls, from the certificate`() async throws {
        let gateway = try authority.issue(service: "gateway")

        try await withServer([whoCalls], security: try server()) { _, address in
            try await withClientOf(gateway, at: address) { client in
                let name = try await client.bytes(whoCalls.descriptor)

                #expect(
                    String(decoding: name, as: UTF8.self) == "spiffe://guildhall.test/svc/gateway")
            }
        }
    }

    @Test func `it holds on a Unix socket too`() async throws {
        let gateway = try authority.issue(service: "gateway")
        let socket = RPCAddress.unix(path: authority.path("socket"))

        try await withServer([whoCalls], at: socket, security: try server()) { _, address in
            try await withClientOf(gateway, at: address) { client in
                let name = try await client.bytes(whoCalls.descriptor)
                #expect(name.count == 35)
            }
        }
    }

    @Test func `a client without certificate is refused`() async throws {
        try await withServer(security: try server()) { _, address in
            try await expectRefusal(
                of: nil, at: address, saying: "the other side demands a certificate")
        }
    }

    @Test func `a client from another authority is refused`() async throws {
        let stranger = try TestAuthority()
        let forged = try stranger.issue(service: "gateway")

        try await withServer(security: try server()) { _, address in
            try await expectRefusal(
                of: forged, at: address, saying: "does not trust the authority")
        }
    }

    @Test func `a client whose certificate has expired is refused`() async throws {
        let expired = try authority.issue(service: "gateway", days: -1)

        try await withServer(security: try server()) { _, address in
            try await expectRefusal(
                of: expired, at: address, saying: "the certificate shown has expired")
        }
    }

    @Test func `a server that is another service is refused`() async throws {
        let gateway = try authority.issue(service: "gateway")
        let membership = RPCClientSecurity.ExpectedServer.identity(
            try PeerIdentity(installation: TestAuthority.installation, name: "membership"))

        try await withServer(security: try server()) { _, address in
            try await expectRefusal(
                of: gateway, at: address,
                saying: "the server is spiffe://guildhall.test/svc/organizations, "
                    + "expected spiffe://guildhall.test/svc/membership",
                server: membership)
        }
    }

    @Test func `a client of another installation, or of none, is refused`() async throws {
        let elsewhere = try authority.issue(service: "gateway", of: "elsewhere.test")
        let nobody = try authority.issue("nobody")
        let two = try authority.issue(
            "two", names: "URI:spiffe://guildhall.test/svc/a,URI:spiffe://guildhall.test/svc/b")

        try await withServer(security: try server()) { _, address in
            try await expectRefusal(
                of: elsewhere, at: address, saying: "is not of the installation guildhall.test")
            try await expectRefusal(
                of: nobody, at: address, saying: "the certificate has 0 URIs")
            try await expectRefusal(of: two, at: address, saying: "the certificate has 2 URIs")
        }
    }

    @Test func `a peer calls what it was granted, and no more`() async throws {
        let gateway = try authority.issue(service: "gateway")
        let branding = try authority.issue(service: "branding")
        let health = MethodDescriptor(service: "guildhall.rpc.v1.Health", name: "Check")
        let methods = [
            Methods.echoing, Methods.counting,
            RegisteredMethod(health, .synchronous { payload, _ in .encoded(payload) }),
        ]
        let policy = PeerPolicy(["gateway": [Methods.echo.path]])

        try await withServer(methods, security: try server(policy)) { _, address in
            try await withClientOf(gateway, at: address) { client in
                let refused = await status {
                    try await client.serverStreaming(
                        Methods.count, .encoded([1, 1]), options: CallOptions()
                    ) { _ in }
                }

                let reply = try await client.bytes(Methods.echo, [1])
                #expect(reply == [1])
                let healthy = try await client.bytes(health, [2])
                #expect(healthy == [2])
                #expect(refused?.code == .permissionDenied)
                #expect(refused?.reason == "peer_not_granted")
                #expect(
                    refused?.message.contains("gateway may not call test.v1.Test/Count") == true)
            }
            try await withClientOf(branding, at: address) { client in
                let refused = await status { try await client.bytes(Methods.echo, [1]) }

                let healthy = try await client.bytes(health, [2])
                #expect(healthy == [2])
                #expect(refused?.code == .permissionDenied)
            }
        }
    }

    @Test func `the connections of a peer are limited`() async throws {
        let gateway = try authority.issue(service: "gateway")
        let partners = try authority.issue(service: "partners")
        let policy = PeerPolicy(["gateway": [Methods.service], "partners": [Methods.service]])

        try await withServer(security: try server(policy)) {
            $0.connectionsPerIdentityMax = 1
        } _: { _, address in
            try await withClientOf(gateway, at: address) { client in
                let reply = try await client.bytes(Methods.echo, [1])
                #expect(reply == [1])
                try await expectRefusal(
                    of: gateway, at: address, saying: "/svc/gateway has 1 connections",
                    phase: "connect")
                try await withClientOf(partners, at: address) { client in
                    let reply = try await client.bytes(Methods.echo, [1])
                    #expect(reply == [1])
                }
            }
        }
        // The place is free again once the connection has gone.
    }

    @Test func `a server without identity or authorities does not start`() async throws {
        let nobody = try authority.issue("nobody")
        let own = try authority.issue(service: "organizations")
        let cases = [
            (TLSFiles(own: nobody, trust: authority.trust), "names no identity"),
            (TLSFiles(own: own), "needs a file with the trusted authorities"),
            (TLSFiles(trust: authority.trust), "a server needs a certificate"),
        ]

        for (files, words) in cases {
            let security = RPCServerSecurity.mutualTLS(try TLSCredentials(files), Self.policy)
            let fault = await #expect(throws: TLSFault.self) {
                try await withServer(security: security) { _, _ in }
            }

            #expect(fault?.description.contains(words) == true)
        }
    }
}
