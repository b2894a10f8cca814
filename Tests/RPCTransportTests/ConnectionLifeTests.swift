import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `The life of connections` {
    @Test func `connections without calls are closed, and opened again for the next`()
        async throws
    {
        try await withServer { server, address in
            try await withClient(address) {
                $0.idleTimeout = .milliseconds(20)
            } _: { client in
                for number in UInt8(0)..<2 {
                    let reply = try await client.bytes(Methods.echo, [number])
                    #expect(reply == [number])
                    try await until { server.connectionCount == 0 }
                }
            }
        }
    }

    @Test func `a connection with a call in flight is not idle`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) { server, address in
            try await withClient(address) {
                $0.idleTimeout = .milliseconds(5)
            } _: { client in
                async let hung = client.bytes(Methods.hang, [1])
                await hanging.started.wait()
                try await ContinuousClock().sleep(for: .milliseconds(40))
                hanging.cancelled.send()

                let answer = try await hung
                #expect(answer == [1])
            }
        }
    }

    @Test func `connections of age are replaced, and no call is lost`() async throws {
        let server = NumberedServer(1)
        let log = EventLog()

        try await withServer(server.methods) { running, address in
            try await withClient(address) {
                $0.connectionAge = .milliseconds(10)
                $0.observer = log.observer
            } _: { client in
                try await client.callUntilReconnected(to: address, log)
                // A new connection was there before the old one went.
                #expect(log.states(of: address).count { $0 == .connecting } == 1)
                try await until { running.connectionCount <= 2 }
            }
        }
    }

    @Test func `a call outlives the age of its connection`() async throws {
        let hanging = HangingMethod()
        let log = EventLog()

        try await withServer([hanging.method(), Methods.echoing]) { _, address in
            try await withClient(address) {
                $0.connectionAge = .milliseconds(10)
                $0.observer = log.observer
            } _: { client in
                async let hung = client.bytes(Methods.hang, [1])
                await hanging.started.wait()
                try await until { log.states(of: address).count { $0 == .ready } >= 3 }
                hanging.cancelled.send()

                let answer = try await hung
                #expect(answer == [1])
            }
        }
    }

    @Test func `a server that falls silent is pinged, and given up without an answer`()
        async throws
    {
        try await withSilentServer(pingIntervalMin: .milliseconds(1)) { address, pings in
            try await withClient(address) {
                $0.pingInterval = .milliseconds(10)
                $0.pongTimeout = .milliseconds(20)
                $0.attemptsMax = 1
            } _: { client in
                let seen = await status { try await client.bytes(Methods.unknown) }

                #expect(seen?.code == .unavailable)
                #expect(seen?.message.contains("The server does not answer.") == true)
                #expect(seen?.message.contains("may have seen the call") == true)
                #expect(pings.value >= 1)
            }
        }
    }

    @Test(arguments: [Duration.zero, .seconds(20)])
    func `pings keep to what the server tolerates`(announced: Duration) async throws {
        try await withSilentServer(pingIntervalMin: announced) { address, pings in
            try await withClient(address) {
                $0.pingInterval = .milliseconds(5)
                $0.attemptsMax = 1
            } _: { client in
                let seen = await status {
                    try await client.bytes(
                        Methods.unknown, options: CallOptions(timeout: .milliseconds(60)))
                }

                #expect(seen?.code == .deadlineExceeded)
                #expect(pings.value == 0)
            }
        }
    }

    @Test func `the observer sees a call from its sending to its end`() async throws {
        let log = EventLog()

        try await withServerAndClient(configure: {
            $0.observer = log.observer
        }) { client in
            _ = try await client.bytes(Methods.echo)
        }

        let calls = log.events.compactMap { event in
            switch event {
            case .sent(let attempt, _): "sent \(attempt.method.name) \(attempt.number)"
            case .ended(let attempt, let code, _, _): "\(code) \(attempt.method.name)"
            default: nil as String?
            }
        }
        #expect(calls == ["sent Echo 1", "ok Echo"])
    }

    @Test func `the observer sees how many bytes a call took, streams included`() async throws {
        let log = EventLog()

        let methods = [Methods.echoing, Methods.counting, `Streams of requests`.summing]
        try await withServerAndClient(
            methods,
            configure: {
                $0.observer = log.observer
            }
        ) { client in
            _ = try await client.bytes(Methods.echo, [UInt8](repeating: 1, count: 1_000))
            try await client.serverStreaming(
                Methods.count, .encoded([3, 4]), options: CallOptions()
            ) { _ in }
            _ = try await `Streams of requests`.total(client, count: 5, size: 500)
        }

        let bytes = log.events.compactMap { event in
            if case .ended(_, _, let bytes, _) = event { bytes } else { nil }
        }
        // A frame adds a few bytes to its message.
        #expect(bytes.map { $0.sent / 100 } == [10, 0, 25])
        #expect(bytes.map { $0.received / 100 } == [10, 31, 0])
    }
}

/// Shakes hands, then only counts pings.
private final class SilentHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let settings: Frame.Settings
    private let pings: Counter
    private var assembler = FrameAssembler(frameBytesMax: 1 << 20)
    private var hasPreface = false

    init(_ settings: Frame.Settings, _ pings: Counter) {
        self.settings = settings
        self.pings = pings
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = OutgoingFrame.settings(settings).encoded()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        assembler.append(unwrapInboundIn(data))
        if !hasPreface {
            guard assembler.take(Frame.preface.count) != nil else { return }
            hasPreface = true
        }
        do {
            while let bytes = try assembler.next() {
                if case .ping = try Frame(decoding: bytes.readableBytesSpan) { pings.increment() }
            }
        } catch {
            context.close(promise: nil)
        }
    }
}

/// Runs a server that answers nothing; the test is told how many pings came.
private func withSilentServer(
    pingIntervalMin: Duration, _ body: (RPCAddress, Counter) async throws -> Void
) async throws {
    var settings = Frame.Settings()
    settings.pingIntervalMin = pingIntervalMin
    let pings = Counter()
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { [settings] channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(SilentHandler(settings, pings))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    try await body(RPCAddress(listener.localAddress), pings)
    try await listener.close()
}
