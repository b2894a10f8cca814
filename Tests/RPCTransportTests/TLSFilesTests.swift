import Foundation
import Glibc
import Logging
import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Certificates that change` {
    let old: TestAuthority
    let new: TestAuthority

    init() throws {
        old = try TestAuthority()
        new = try TestAuthority()
    }

    /// Puts the certificate of the new authority where that of the old was.
    private func replace(_ own: TLSFiles.Own) throws {
        let fresh = try new.issue("server")
        try rename(fresh, to: own)
    }

    /// Each file is there at all times, with the old or the new content.
    private func rename(_ fresh: TLSFiles.Own, to own: TLSFiles.Own) throws {
        for (from, to) in [(fresh.key, own.key), (fresh.certificate, own.certificate)] {
            try #require(unsafe Glibc.rename(from, to) == 0)
        }
    }

    private func accepts(_ authority: TestAuthority, at address: RPCAddress) async throws -> Bool {
        let trusting = try authority.trusting()
        return try await withClient(address) {
            $0.secure(trusting)
        } _: { client in
            do {
                return try await client.bytes(Methods.echo, [1]) == [1]
            } catch let status as Status where status.message.contains("trusted authority") {
                return false
            }
        }
    }

    @Test func `new connections see the new certificate, old ones go on`() async throws {
        let own = try old.issue("server")
        let credentials = try TLSCredentials(TLSFiles(own: own))
        let trusting = try old.trusting()
        let began = Signal()
        let changed = Signal()
        let slow = RegisteredMethod(
            Methods.stream("Slow"),
            .serverStreaming { _, _, replies in
                try await replies.write(.encoded([1]))
                await changed.wait()
                try await replies.write(.encoded([2]))
            })

        try await withServer(
            [slow, Methods.echoing], security: .tls(credentials)
        ) { _, address in
            try await withClient(address) {
                $0.secure(trusting)
            } _: { client in
                let replies = Mutex<[UInt8]>([])
                async let stream: Void = client.serverStreaming(
                    slow.descriptor, .encoded([]), options: CallOptions(timeout: .seconds(20))
                ) { reply in
                    replies.withLock { $0 += reply.bytes }
                    began.send()
                }
                await began.wait()
                let before = (
                    try await accepts(old, at: address), try await accepts(new, at: address)
                )
                try replace(own)
                try credentials.reload()
                let after = (
                    try await accepts(old, at: address), try await accepts(new, at: address)
                )
                changed.send()
                try await stream

                #expect(before == (true, false))
                #expect(after == (false, true))
                #expect(replies.withLock { $0 } == [1, 2])
                let reply = try await client.bytes(Methods.echo, [9])
                #expect(reply == [9])
            }
        }
    }

    @Test func `a change of the files is found by itself`() async throws {
        let own = try old.issue("server")
        let credentials = try TLSCredentials(TLSFiles(own: own), pollInterval: .milliseconds(20))

        try await withServer(security: .tls(credentials)) { _, address in
            let before = try await accepts(new, at: address)
            try replace(own)
            while try await !accepts(new, at: address) {}
            let after = try await accepts(old, at: address)

            #expect(!before)
            #expect(!after)
        }
    }

    @Test func `a client's own certificate is renewed as well`() async throws {
        let policy = PeerPolicy(["gateway": [Methods.service]])
        let credentials = try old.credentials(service: "gateway")
        let server = try old.credentials(service: "organizations")
        let identity = RPCClientSecurity.ExpectedServer.identity(try server.ownIdentity)

        try await withServer(security: .mutualTLS(server, policy)) { _, address in
            _ = try old.issue(service: "gateway", days: -1)
            try credentials.reload()
            try await withClient(address) {
                $0.secure(credentials, server: identity)
            } _: { client in
                let refused = await status { try await client.bytes(Methods.echo) }
                _ = try old.issue(service: "gateway")
                try credentials.reload()
                // An attempt to connect that began before may still be under way.
                let reply = try await client.bytes(
                    Methods.echo, [1],
                    options: CallOptions(timeout: .seconds(20), waitsForReady: true))

                #expect(refused?.message.contains("has expired") == true)
                #expect(reply == [1])
            }
        }
    }

    @Test func `a broken file leaves the old certificate in use, and is logged once`()
        async throws
    {
        let log = LoggedLines()
        let own = try old.issue("server")
        let credentials = try TLSCredentials(
            TLSFiles(own: own), pollInterval: .milliseconds(5),
            logger: Logger(label: "test") { _ in log })

        try await withServer(security: .tls(credentials)) { _, address in
            try Data("broken".utf8).write(to: URL(filePath: own.certificate))
            try await log.untilLogged()
            #expect(throws: TLSFault.self) { try credentials.reload() }
            let isAccepted = try await accepts(old, at: address)
            // Many looks at the file later there is still one line.
            try await ContinuousClock().sleep(for: .milliseconds(100))
            #expect(isAccepted)
            #expect(log.lines.count == 1)
            #expect(log.lines.first?.contains("holds no certificates in PEM") == true)
        }
    }

    @Test func `a certificate that ends soon is complained about`() async throws {
        let log = LoggedLines()
        let credentials = try TLSCredentials(
            TLSFiles(own: try old.issue("server", days: 2)),
            logger: Logger(label: "test") { _ in log })

        try await withServer(security: .tls(credentials)) { _, _ in
            try await log.untilLogged()
            #expect(log.lines.first?.contains("the certificate ends soon") == true)
        }
    }

    @Test func `a process does not become another by a new certificate`() throws {
        let own = try old.issue(service: "gateway")
        let credentials = try TLSCredentials(TLSFiles(own: own, trust: old.trust))
        let other = try old.issue(service: "partners")
        try rename(other, to: own)

        let fault = #expect(throws: TLSFault.self) { try credentials.reload() }

        #expect(fault?.description.contains("until it is started again") == true)
        #expect(try credentials.ownIdentity.name == "gateway")
    }

    @Test func `files that cannot be used are named`() throws {
        let own = try old.issue("server")
        let other = try old.issue("other")
        let open = try old.issue("open")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: open.key)
        let cases: [(TLSFiles, String)] = [
            (TLSFiles(trust: "/nowhere/ca.pem"), "cannot open /nowhere/ca.pem"),
            (TLSFiles(trust: old.folder.path), "is not a file"),
            (TLSFiles(trust: own.key), "server.key holds no certificates in PEM"),
            (
                TLSFiles(own: .init(certificate: own.certificate, key: own.certificate)),
                "server.pem"
            ),
            (TLSFiles(own: open), "open.key is open to others"),
            (
                TLSFiles(own: .init(certificate: own.certificate, key: other.key)),
                "do not go together"
            ),
        ]

        for (files, words) in cases {
            let fault = #expect(throws: TLSFault.self) {
                _ = try TLSCredentials(files).context(for: .server)
            }
            #expect(fault?.description.contains(words) == true)
        }
    }
}
