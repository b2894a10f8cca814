import BenchmarkKit
import NIOCore
import NIOPosix

/// `EchoServer REPLY-FILE`: prints its port and serves until it is killed.
@main
enum EchoServer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { throw Misuse() }
        let message = try Fixture.bytes(at: CommandLine.arguments[1])
        var reply = ByteBuffer()
        reply.writeInteger(UInt32(message.count))
        reply.writeBytes(message)
        let listener = try await ServerBootstrap(
            group: MultiThreadedEventLoopGroup(numberOfThreads: 1)
        )
        .serverChannelOption(.backlog, value: 1_024)
        .childChannelOption(.maxMessagesPerRead, value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { [reply] channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(EchoHandler(reply: reply))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
        Output.line("\(listener.localAddress?.port ?? 0)")
        try await listener.closeFuture.get()
    }

    /// The arguments are not those of the usage above.
    struct Misuse: Error {}
}
