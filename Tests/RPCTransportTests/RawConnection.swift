import NIOCore
import NIOPosix
import RPC
import Testing

@testable import RPCTransport

/// A connection that sends what a test says, right or wrong.
struct RawConnection: Sendable {
    /// A frame with the bytes it was decoded from.
    struct Received: Sendable {
        let frame: Frame
        let bytes: [UInt8]
    }

    private let channel: any NIOCore.Channel
    private let inbox: AsyncThrowingStream<Received, any Error>

    /// Hands whole frames on.
    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let source: AsyncThrowingStream<Received, any Error>.Continuation
        private var assembler = FrameAssembler(frameBytesMax: 1 << 20)

        init(_ source: AsyncThrowingStream<Received, any Error>.Continuation) {
            self.source = source
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            assembler.append(unwrapInboundIn(data))
            do {
                while let bytes = try assembler.next() {
                    let frame = try Frame(decoding: bytes.readableBytesSpan)
                    source.yield(Received(frame: frame, bytes: Array(bytes.readableBytesView)))
                }
            } catch {
                source.finish(throwing: error)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            source.finish()
        }
    }

    /// Connects and sends nothing.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - reading: Whether it reads at once.
    ///   - stays: Whether it stays when the server has said its last.
    /// - Throws: What keeps it from connecting.
    init(to address: RPCAddress, reading: Bool = true, stays: Bool = false) async throws {
        guard case .tcp(let host, let port) = address else {
            throw RPCAddressFault(text: "\(address)")
        }
        let (inbox, source) = AsyncThrowingStream<Received, any Error>.makeStream()
        self.inbox = inbox
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: reading)
            .channelOption(.allowRemoteHalfClosure, value: stays)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(source))
                }
            }
            .connect(host: host, port: port).get()
    }

    /// Connects, shakes hands and reads the server's settings.
    static func open(
        to address: RPCAddress, window: UInt32 = 0, takesDeflated: Bool = false
    ) async throws -> RawConnection {
        let connection = try await RawConnection(to: address)
        var settings = Frame.Settings()
        settings.window = window
        settings.takesDeflated = takesDeflated
        try await connection.send(Frame.preface + OutgoingFrame.settings(settings).encoded())
        guard case .settings = try await connection.next()?.frame else {
            throw Status(.internal, "no settings")
        }
        return connection
    }

    func send(_ bytes: [UInt8]) async throws {
        // The server may have closed it already; the test sees that in what it reads.
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ frames: OutgoingFrame...) async throws {
        try await send(frames.flatMap { $0.encoded() })
    }

    /// Sends content after its true length.
    func send(content: [UInt8]) async throws {
        try await send(Self.framed(content))
    }

    static func framed(_ content: [UInt8]) -> [UInt8] {
        let count = UInt32(content.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + content
    }

    /// Begins to read after all.
    func beginReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
    }

    /// The next frame; nil once the server has closed.
    func next() async throws -> Received? {
        for try await received in inbox { return received }
        return nil
    }

    /// The Goaway with which the server ends the connection; frames before it are passed over.
    func goaway() async throws -> Frame.Goaway? {
        var found: Frame.Goaway?
        while let received = try await next() {
            if case .goaway(let goaway) = received.frame { found = goaway }
        }
        return found
    }

    /// The end of a call; frames of others are passed over.
    func end(of call: UInt32) async throws -> Frame.Ending? {
        while let received = try await next() {
            if case .end(call, let ending) = received.frame { return ending }
        }
        return nil
    }

    func close() async {
        // It may have been closed by the server.
        try? await channel.close()
    }
}

extension OutgoingFrame {
    /// The opening of a call with bytes as its message.
    static func call(
        _ number: UInt32, _ method: MethodDescriptor, _ request: [UInt8] = [],
        timeout: Duration? = .seconds(20), metadata: Metadata = Metadata(), window: UInt32 = 0
    ) -> OutgoingFrame {
        .open(
            call: number,
            OutgoingOpening(
                method: .path(method.path), timeout: timeout, metadata: metadata,
                message: .encoded(request), window: window))
    }
}
