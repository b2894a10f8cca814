import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `The page for operators` {
    private static let token = "a-token-that-nobody-guesses"
    private static let request = "GET /debug HTTP/1.1\r\nHost: localhost\r\n\r\n"

    private func withPage<Result>(
        _ access: DebugPageAccess = .local, security: RPCServerSecurity = .plaintext,
        limits: (inout RPCServerConfiguration.Limits) -> Void = { _ in },
        _ body: (RPCAddress) async throws -> Result
    ) async throws -> Result {
        try await withServer(of: Router(services: [[Methods.echoing]])) {
            $0.debugPage = access
            $0.security = security
            limits(&$0.limits)
        } _: { _, address in
            try await body(address)
        }
    }

    private func answer(
        to parts: String..., at address: RPCAddress
    ) async throws -> (status: String, text: String) {
        let text = try await Exchange.run(parts, at: address)
        let status = text.split(separator: "\r\n", maxSplits: 1).first ?? ""
        return (String(status.dropFirst("HTTP/1.1 ".count).prefix(3)), text)
    }

    @Test func `it tells of connections, calls and limits, and closes`() async throws {
        try await withPage { address in
            let open = try await RawConnection.open(to: address)
            try await open.send(.call(1, Methods.echo), .call(3, Methods.unary("Nowhere")))
            _ = try await open.end(of: 3)
            let (status, text) = try await answer(to: Self.request, at: address)
            try await open.send(.call(5, Methods.echo))
            let ending = try await open.end(of: 5)
            await open.close()

            #expect(status == "200")
            #expect(text.contains("connection: close\r\n"))
            #expect(text.contains("content-type: text/plain; charset=utf-8\r\n"))
            #expect(text.contains("test/1, up "))
            #expect(text.contains("2 connections, 1 of them shaking hands\n"))
            #expect(text.contains("1 calls begun, 1 succeeded, 0 failed, 1 of unknown methods\n"))
            #expect(text.contains("  test.v1.Test/Echo\n    1 begun, 1 succeeded, 0 in flight"))
            #expect(text.contains(", 0 of 256 suspended\n"))
            #expect(text.contains("  handshakeTimeout 5 s\n"))
            #expect(ending?.status.code == .ok)
        }
    }

    @Test(arguments: [
        ["G", "ET /debug HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        ["GET", " /debug HTTP/1.1\r\nHost: 127.0.0.1:7101\r\n\r", "\n"],
        ["GET /debug HTTP/1.0\r\n\r\n"],
        ["GET /debug HTTP/1.1\r\nHost: [::1]:7101\r\n\r\n"],
    ])
    func `a request may arrive in pieces, and is one of HTTP/1.0 or 1.1`(parts: [String])
        async throws
    {
        try await withPage { address in
            let text = try await Exchange.run(parts, at: address)

            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test(arguments: [
        ("404", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("404", "GET /debug/../debug HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("403", "GET /debug HTTP/1.1\r\nHost: rebound.example\r\n\r\n"),
        ("403", "GET /debug HTTP/1.1\r\nHost: localhost.example:80\r\n\r\n"),
        ("400", "GET /debug HTTP/1.1\r\n\r\n"),
        ("400", "GET /debug HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
        ("400", "GET /debug HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab"),
        (
            "400",
            "GET /debug HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
        ),
        ("400", "GET /debug\r\n\r\n"), ("400", "GET  \r\n\r\n"),
        ("400", "GET /debug HTTP/1.1\r\nHost : localhost\r\n\r\n"),
        ("400", "GET /debug HTTP/1.1\r\nHo\0st: localhost\r\n\r\n"),
        ("400", "GET /debug HTTQ/1.1\r\nHost: localhost\r\n\r\n"),
        ("400", "GET /debug HTTP/2.0\r\nHost: localhost\r\n\r\n"),
    ])
    func `anything else is refused and closed`(expected: String, request: String) async throws {
        try await withPage { address in
            let (status, _) = try await answer(to: request, at: address)

            #expect(status == expected)
        }
    }

    @Test func `what is no GET is no HTTP`() async throws {
        try await withPage { address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Array("POST /debug HTTP/1.1\r\n\r\n".utf8))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The connection does not begin with the preface.")
        }
    }

    @Test(arguments: [8 * 1_024, 8 * 1_024 + 1])
    func `a request has at most 8 KiB`(size: Int) async throws {
        let start = "GET /debug HTTP/1.1\r\nHost: localhost\r\nFiller: "
        let filler = String(repeating: "x", count: size - start.utf8.count - 4)

        try await withPage { address in
            let (status, _) = try await answer(to: start + filler + "\r\n\r\n", at: address)

            #expect(status == (size > 8 * 1_024 ? "431" : "200"))
        }
    }

    @Test func `a request that does not end is closed when the time for a handshake is over`()
        async throws
    {
        try await withPage {
            $0.handshakeTimeout = .milliseconds(30)
        } _: { address in
            let text = try await Exchange.run(["GET /debug HTTP/1.1\r\nHost:"], at: address)

            #expect(text.isEmpty)
        }
    }

    @Test func `requests that do not end are bounded like handshakes, and make room again`()
        async throws
    {
        try await withPage {
            $0.handshakesPerAddressMax = 1
        } _: { address in
            for _ in 0..<5 {
                var status = ""
                // The one before makes room when the server has seen the end of its connection.
                while status != "200" {
                    status = try await answer(to: Self.request, at: address).status
                }
            }
            let half = try await RawConnection(to: address)
            try await half.send(Array("GET /deb".utf8))
            // The server has seen the first once it refuses the second.
            let refused = try await RawConnection(to: address).goaway()
            await half.close()

            #expect(refused?.status.code == .resourceExhausted)
        }
    }

    @Test func `requests that are broken off give back one place each`() async throws {
        try await withPage { address in
            let silent = try await RawConnection(to: address)
            for _ in 0..<3 {
                let half = try await RawConnection(to: address)
                try await half.send(Array("GET /deb".utf8))
                await half.close()
            }
            var text = ""
            while !text.contains(" 2 connections, ") {
                text = try await answer(to: Self.request, at: address).text
            }
            await silent.close()

            #expect(text.contains("2 connections, 2 of them shaking hands\n"))
        }
    }

    @Test func `nobody reads it when it is off`() async throws {
        try await withPage(.nobody) { address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Array(Self.request.utf8))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.code == .invalidArgument)
        }
    }

    @Test(arguments: [
        (DebugPageAccess.local, true, [], true),
        (.local, false, [("host", "127.0.0.1")], false),
        (.local, false, [("authorization", "Bearer \(token)")], false),
        (.localOrToken(token), true, [("host", "rebound.example")], false),
        (.localOrToken(token), true, [("host", "localhost")], true),
        (.localOrToken(token), false, [], false),
        (.localOrToken(token), false, [("authorization", "Bearer \(token)")], true),
        (.localOrToken(token), false, [("authorization", "Bearer \(token)x")], false),
        (.localOrToken(token), false, [("authorization", "Bearer \(token.dropLast())y")], false),
        (.localOrToken(token), false, [("authorization", "Bearer ")], false),
        (.localOrToken(token), false, [("authorization", "Basic \(token)")], false),
        (
            .localOrToken(token), false,
            [("authorization", "Bearer \(token)"), ("authorization", "Bearer x")], false
        ),
        (.localOrToken(""), false, [("authorization", "Bearer ")], false),
        (.nobody, true, [], false),
    ])
    func `this machine may read it, others with the token alone`(
        access: DebugPageAccess, isLocal: Bool, headers: [(String, String)], expected: Bool
    ) {
        let peer = Peer("somebody", isLocal: isLocal)

        #expect(access.includes(peer, HTTPHeaders(headers)) == expected)
    }

    @Test func `over TLS it is read over TLS, by a client that knows nothing of ours`()
        async throws
    {
        let authority = try TestAuthority()
        let security = RPCServerSecurity.tls(
            try TLSCredentials(TLSFiles(own: try authority.issue("server"))))

        try await withPage(security: security) { address in
            let text = try await curl(["--cacert", authority.trust], at: address)

            #expect(text.hasPrefix("test/1, up "))
        }
    }

    @Test func `under mutual TLS it is for peers that were granted introspection`() async throws {
        let authority = try TestAuthority()
        let policy = PeerPolicy(["guildhall": [DebugPageAccess.service]])
        let security = RPCServerSecurity.mutualTLS(
            try authority.credentials(service: "organizations"), policy)

        try await withPage(.localOrToken(Self.token), security: security) { address in
            var answers: [String: String] = [:]
            for name in ["guildhall", "gateway"] {
                let own = try authority.issue(service: name)
                answers[name] = try await curl(
                    [
                        "--insecure", "--cert", own.certificate, "--key", own.key,
                        "--header", "Authorization: Bearer \(Self.token)",
                    ], at: address)
            }

            #expect(answers["guildhall"]?.hasPrefix("test/1, up ") == true)
            #expect(answers["gateway"] == "403 Forbidden\n")
        }
    }

    private func curl(_ arguments: [String], at address: RPCAddress) async throws -> String {
        guard case .tcp(_, let port) = address else { return "" }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments =
            ["--silent", "--show-error", "--max-time", "20"] + arguments
            + ["https://localhost:\(port)/debug"]
        process.standardOutput = output
        try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        // The page is smaller than what a pipe holds.
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    @Test func `what others wrote does not move the terminal of whoever reads it`() {
        var method = MethodReport(path: "a/B")
        method.begun = 1
        method.failed = [.notFound: 1]
        method.failures = [
            .init(
                age: .seconds(61), duration: .microseconds(1_234), code: .notFound,
                message: "é\u{1B}[2J\nx\u{202E}")
        ]
        let page = DebugPage(server: ServerReport(), connections: [], methods: [method])

        #expect(
            page.text.contains("    failed: 61 s ago, took 1.2 ms, notFound: é?[2J?x?\n"))
    }
}

/// Sends bytes over a socket, piece by piece, and takes what comes until the other side closes.
private enum Exchange {
    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var text = ByteBuffer()
        private let whole: EventLoopPromise<String>

        init(_ whole: EventLoopPromise<String>) {
            self.whole = whole
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            whole.succeed(String(buffer: text))
        }
    }

    static func run(_ parts: [String], at address: RPCAddress) async throws -> String {
        guard case .tcp(let host, let port) = address else { return "" }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let whole = loop.makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(whole))
                }
            }
            .connect(host: host, port: port).get()
        for (position, part) in parts.enumerated() {
            // So that the pieces arrive one by one.
            if position > 0 { try await ContinuousClock().sleep(for: .milliseconds(10)) }
            // The server may have closed it already; the test sees that in what comes.
            try? await channel.writeAndFlush(ByteBuffer(string: part))
        }
        return try await whole.futureResult.get()
    }
}
