import Foundation
import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `TLS` {
    let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
    }

    private func server(_ own: TLSFiles.Own) throws -> RPCServerSecurity {
        .tls(try TLSCredentials(TLSFiles(own: own)))
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `calls and streams work over TLS`(host: String) async throws {
        let security = try server(try authority.issue("server"))
        let trusting = try authority.trusting()

        try await withServer(security: security) { _, address in
            try await withClient(address.at(host)) {
                $0.secure(trusting)
            } _: { client in
                let reply = try await client.bytes(Methods.echo, [1, 2, 3])
                let large = [UInt8](repeating: 7, count: 200_000)
                let largeReply = try await client.bytes(Methods.echo, large)
                let streamed = Counter()
                try await client.serverStreaming(
                    Methods.count, .encoded([50, 8]), options: CallOptions(timeout: .seconds(20))
                ) { _ in streamed.increment() }

                #expect(reply == [1, 2, 3])
                #expect(largeReply == large)
                #expect(streamed.value == 50)
            }
        }
    }

    @Test(arguments: [("DNS:localhost", true), ("DNS:elsewhere.example", false)])
    func `a server behind a name must prove the name`(names: String, isRight: Bool) async throws {
        let security = try server(try authority.issue("server", names: names))
        let trusting = try authority.trusting()

        try await withServer(security: security) { _, address in
            guard case .tcp(_, let port) = address else { return }
            try await withClient(of: RPCTarget(parsing: "dns:localhost:\(port)")) {
                $0.security = .tls(trusting)
            } _: { client in
                let options = CallOptions(timeout: .seconds(20), waitsForReady: isRight)
                var code = Status.Code.ok
                do {
                    _ = try await client.unary(Methods.echo, .encoded([1]), options: options)
                } catch let status as Status {
                    code = status.code
                }

                #expect(code == (isRight ? .ok : .unavailable))
            }
        }
    }

    @Test func `a plaintext client hears that the server speaks TLS`() async throws {
        let security = try server(try authority.issue("server"))

        try await withServer(security: security) { _, address in
            try await withClient(address) {
                $0.attemptsMax = 1
            } _: { client in
                let refused = await status { try await client.bytes(Methods.echo) }

                #expect(refused?.code == .unavailable)
                #expect(refused?.message.contains("the server speaks TLS") == true)
                #expect(refused?.message.contains("phase secure") == true)
            }
        }
    }

    @Test func `a client of TLS hears that the server does not speak it`() async throws {
        let trusting = try authority.trusting()

        try await withServer { _, address in
            try await expectRefusal(
                at: address, trusting, saying: "the other side does not speak TLS")
        }
    }

    @Test func `a server from another authority is refused`() async throws {
        let security = try server(try authority.issue("server"))
        let trusting = try TestAuthority().trusting()

        try await withServer(security: security) { _, address in
            try await expectRefusal(at: address, trusting, saying: "not from a trusted authority")
        }
    }

    @Test func `a server with another name is refused`() async throws {
        let security = try server(try authority.issue("server", names: "DNS:elsewhere.example"))
        let trusting = try authority.trusting()

        try await withServer(security: security) { _, address in
            for host in ["127.0.0.1", "localhost"] {
                try await expectRefusal(
                    at: address.at(host), trusting,
                    saying: "the certificate of the other side is for another name")
            }
            try await withClient(address) {
                $0.secure(trusting, server: .name("elsewhere.example"))
            } _: { client in
                let reply = try await client.bytes(Methods.echo, [4])
                #expect(reply == [4])
            }
        }
    }

    @Test func `a server whose certificate has expired is refused`() async throws {
        let security = try server(try authority.issue("server", days: -1))
        let trusting = try authority.trusting()

        try await withServer(security: security) { _, address in
            try await expectRefusal(
                at: address, trusting, saying: "the certificate of the other side has expired")
        }
    }

    private func expectRefusal(
        at address: RPCAddress, _ credentials: TLSCredentials, saying words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withClient(address) {
            $0.secure(credentials)
        } _: { client in
            let refused = await status { try await client.bytes(Methods.echo) }
            let message = refused?.message ?? "-"

            #expect(refused?.code == .unavailable, sourceLocation: sourceLocation)
            #expect(message.contains(words), "\(message)", sourceLocation: sourceLocation)
            #expect(message.contains("phase secure"), "\(message)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [("-tls1_3", true), ("-tls1_2", false)])
    func `a client of TLS 1.2 is refused`(version: String, isAccepted: Bool) async throws {
        let security = try server(try authority.issue("server"))

        try await withServer(security: security) { _, address in
            let outcome = try OpenSSL.run(
                "s_client -connect \(address) \(version) -alpn ghrpc/1 -CAfile ca.pem",
                in: authority.folder)

            #expect(outcome.output.contains("New, TLSv1.3") == isAccepted)
            #expect(outcome.output.contains("alert protocol version") == !isAccepted)
            #expect((outcome.code == 0) == isAccepted, "\(outcome.output)")
        }
    }

    @Test func `a client that does not agree on the protocol is told so`() async throws {
        let security = try server(try authority.issue("server"))

        try await withServer(security: security) { _, address in
            let outcome = try OpenSSL.run(
                "s_client -connect \(address) -quiet -CAfile ca.pem",
                in: authority.folder)

            #expect(outcome.output.contains("This server speaks ghrpc/1"), "\(outcome.output)")
        }
    }

    @Test func `a peer that does not begin TLS is closed when the time is over`() async throws {
        let security = try server(try authority.issue("server"))

        try await withServer(security: security) {
            $0.handshakeTimeout = .milliseconds(100)
        } _: { server, address in
            let began = ContinuousClock.now
            let silent = try await RawConnection(to: address)
            let received = try await silent.next()
            let spent = began.duration(to: .now)

            #expect(received == nil)
            #expect(spent >= .milliseconds(100))
            #expect(spent < .seconds(20))
            // The peer sees the end a moment before the server has noted it.
            try await until { server.connectionCount == 0 }
        }
    }

    @Test func `connections of an address that have not agreed on TLS are limited`() async throws {
        let security = try server(try authority.issue("server"))
        let trusting = try authority.trusting()

        try await withServer(security: security) {
            $0.handshakesPerAddressMax = 2
        } _: { _, address in
            let silent = [
                try await RawConnection(to: address), try await RawConnection(to: address),
            ]
            // What it had sent was not read: the end may also look like a reset.
            try await expectRefusal(
                at: address, trusting,
                saying: "phase secure, the server has not seen the call")
            for connection in silent { await connection.close() }
        }
    }

    @Test func `a server that stays silent is given up when the time is over`() async throws {
        let trusting = try authority.trusting()

        try await withSilentListener { address in
            try await withClient(address) {
                $0.secure(trusting)
                $0.handshakeTimeout = .milliseconds(100)
            } _: { client in
                let refused = await status { try await client.bytes(Methods.echo) }

                #expect(refused?.message.contains("it took longer than 0.1 s") == true)
                #expect(refused?.message.contains("phase secure") == true)
            }
        }
    }
}
