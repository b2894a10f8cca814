import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Plaintext` {
    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1", "127.example.org", "guildhall.example"])
    func `a server does not listen in plaintext where others can reach it`(host: String)
        async throws
    {
        let fault = await #expect(throws: TLSFault.self) {
            try await withServer(at: .tcp(host: host, port: 0)) { _, _ in }
        }

        #expect(fault?.description.contains("plaintext is for loopback addresses") == true)
    }

    @Test(arguments: ["0.0.0.0", "192.0.2.1", "guildhall.example"])
    func `a client does not connect in plaintext to another machine`(host: String) async throws {
        try await withClient(.tcp(host: host, port: 7_101)) {
            $0.attemptsMax = 1
        } _: { client in
            let refused = await status { try await client.bytes(Methods.echo) }

            #expect(refused?.message.contains("plaintext is for loopback addresses") == true)
            #expect(refused?.message.contains("phase secure") == true)
        }
    }

    @Test(arguments: ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "localhost"])
    func `loopback addresses are told apart from others`(host: String) {
        #expect(RPCAddress.tcp(host: host, port: 1).isLocal)
    }

    @Test func `it is allowed on any network by a name that says so`() async throws {
        try await withServer(
            at: .tcp(host: "0.0.0.0", port: 0), security: .plaintextOnAnyNetwork
        ) { _, address in
            try await withClient(address) {
                $0.security = .plaintextOnAnyNetwork
            } _: { client in
                let reply = try await client.bytes(Methods.echo, [1])
                #expect(reply == [1])
            }
        }
    }
}
