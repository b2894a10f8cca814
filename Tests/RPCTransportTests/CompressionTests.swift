import NIOCore
import NIOPosix
import RPC
import Synchronization
import TestSupport
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Compressed frames` {
    /// Text that says little with many bytes.
    static let wordy = (0..<20_000).map { UInt8($0 / 100 % 26 + 97) }
    /// Bytes that cannot be said with fewer.
    static let dense: [UInt8] = {
        var random = SplitMix(seed: 5)
        return (0..<20_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }()

    /// Answers each request with the same.
    private let talking = RegisteredMethod(
        MethodDescriptor(service: Methods.service, name: "Talk", kind: .bidirectional),
        .bidirectional { requests, _, replies in
            while let request = try await requests.next() {
                try await replies.write(.encoded(request))
            }
        })

    private func withPair(
        server: RPCCompression, client: RPCCompression,
        _ body: (RPCClient, RPCServerMonitor) async throws -> Void
    ) async throws {
        let monitor = RPCServerMonitor()
        let router = Router(services: [[Methods.echoing, Methods.counting, talking]])
        try await withServer(of: router, monitor: monitor) {
            $0.compression = server
        } _: { _, address in
            try await withClient(address) {
                $0.compression = client
                $0.connectionsMax = 1
            } _: { rpcClient in
                // The first call may leave before the server's settings have come.
                _ = try await rpcClient.bytes(Methods.echo)
                try await body(rpcClient, monitor)
            }
        }
    }

    private func traffic(_ monitor: RPCServerMonitor) async -> (received: UInt64, sent: UInt64) {
        await monitor.connections().reduce((0, 0)) {
            ($0.0 + $1.bytesReceived, $0.1 + $1.bytesSent)
        }
    }

    @Test func `calls travel in fewer bytes when both sides want it, and arrive whole`()
        async throws
    {
        try await withPair(server: .deflate(), client: .deflate()) { client, monitor in
            let before = await traffic(monitor)
            let reply = try await client.bytes(Methods.echo, Self.wordy)
            let after = await traffic(monitor)

            #expect(reply == Self.wordy)
            #expect(after.received - before.received < 2_000)
            #expect(after.sent - before.sent < 2_000)
        }
    }

    @Test(arguments: [
        (RPCCompression.off, RPCCompression.deflate()), (.deflate(), .off), (.off, .off),
    ])
    func `nothing is compressed unless both want it`(
        server: RPCCompression, client: RPCCompression
    ) async throws {
        try await withPair(server: server, client: client) { client, monitor in
            let before = await traffic(monitor)
            let reply = try await client.bytes(Methods.echo, Self.wordy)
            let after = await traffic(monitor)

            #expect(reply == Self.wordy)
            #expect(after.received - before.received > 20_000)
            #expect(after.sent - before.sent > 20_000)
        }
    }

    @Test func `streams are compressed both ways, beyond their credit`() async throws {
        try await withPair(server: .deflate(), client: .deflate()) { client, monitor in
            let before = await traffic(monitor)
            var options = CallOptions(timeout: .seconds(20))
            options.waitsForReady = true
            let seen = try await client.bidirectional(
                talking.descriptor, options: options
            ) { requests, replies in
                var seen = 0
                // Together more than twice the credit of a stream.
                for _ in 0..<10 {
                    try await requests.write(.encoded(Self.wordy))
                    let reply = try await replies.next()
                    #expect(reply?.bytes == Self.wordy)
                    seen += 1
                }
                try await requests.finish()
                return seen
            }
            let after = await traffic(monitor)

            #expect(seen == 10)
            #expect(after.received - before.received < 10_000)
            #expect(after.sent - before.sent < 10_000)
        }
    }

    @Test func `small frames, and those that would not get smaller, travel as they are`()
        async throws
    {
        try await withServer(of: Router(services: [[Methods.echoing]])) {
            $0.compression = .deflate(above: 1_024)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address, takesDeflated: true)
            let small = [UInt8](repeating: 1, count: 1_000)
            try await raw.send(
                .call(1, Methods.echo, small), .call(3, Methods.echo, Self.dense),
                .call(5, Methods.echo, Self.wordy))
            let kinds = [try await raw.next(), try await raw.next(), try await raw.next()]
            await raw.close()

            guard case .end(1, _)? = kinds[0]?.frame, case .end(3, _)? = kinds[1]?.frame,
                case .deflated? = kinds[2]?.frame
            else {
                Issue.record("\(kinds.map { $0?.frame })")
                return
            }
        }
    }

    @Test func `a peer that did not announce it sees nothing of it, and may not send it`()
        async throws
    {
        try await withServer(of: Router(services: [[Methods.echoing]])) {
            $0.compression = .deflate()
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.echo, Self.wordy))
            let ending = try await raw.end(of: 1)
            await raw.close()

            #expect(ending?.reply?.count == 20_000)
        }
        try await withServer { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded())
            guard case .settings(let settings)? = try await raw.next()?.frame else {
                Issue.record("no settings")
                return
            }
            try await raw.send(Deflation.frame(of: .call(1, Methods.echo)))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(!settings.takesDeflated)
            #expect(goaway?.status.message == "This server takes no compressed frames.")
        }
    }

    /// What can be wrong with a compressed frame.
    enum Damage: CaseIterable {
        case cut
        case longer
        case changed
        case noZlib
        case empty
        case fewerBytesThanItSays
        case moreBytesThanItSays
        case moreThanItCanHold
        case moreThanIsAccepted

        /// How many bytes it says it has beyond the truth.
        fileprivate var more: Int {
            switch self {
            case .fewerBytesThanItSays: 1
            case .moreBytesThanItSays: -1
            case .moreThanItCanHold: 1_000_000
            case .moreThanIsAccepted: 1 << 21
            case .cut, .longer, .changed, .noZlib, .empty: 0
            }
        }

        fileprivate func done(to content: [UInt8]) -> [UInt8] {
            var content = content
            switch self {
            case .cut: content.removeLast()
            case .longer: content.append(0)
            case .changed: content[40] ^= 0x55
            case .noZlib: content[0] ^= 0xFF
            case .empty: content = []
            default: break
            }
            return content
        }
    }

    @Test(arguments: Damage.allCases)
    func `a compressed frame that is not what it says ends the connection`(damage: Damage)
        async throws
    {
        let opening = OutgoingFrame.call(1, Methods.echo, Array(Self.wordy.prefix(3_000)))
        let honest = Deflation.content(of: opening)

        try await withServer(of: Router(services: [[Methods.echoing]])) {
            $0.compression = .deflate()
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .deflated(
                    byteCount: honest.byteCount + damage.more,
                    .encoded(damage.done(to: honest.content))))
            let goaway = try await raw.goaway()
            await raw.close()

            let isLarge = damage == .moreThanIsAccepted
            #expect(goaway?.status.code == (isLarge ? .resourceExhausted : .invalidArgument))
            #expect(goaway?.status.message.contains("compressed frame") == true)
        }
    }

    @Test func `a compressed frame inside another, or before the settings, is refused`()
        async throws
    {
        let nested = Deflation.frame(of: Deflation.frame(of: .call(1, Methods.echo)))

        try await withServer(of: Router(services: [[Methods.echoing]])) {
            $0.compression = .deflate()
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(nested)
            let afterNested = try await raw.goaway()
            await raw.close()
            let early = try await RawConnection(to: address)
            try await early.send(
                Frame.preface + Deflation.frame(of: .settings(Frame.Settings())).encoded())
            let afterEarly = try await early.goaway()
            await early.close()

            #expect(afterNested?.status.code == .invalidArgument)
            #expect(afterEarly?.status.message == "The first frame must be Settings.")
        }
    }

    @Test func `many large frames in few bytes do not keep other connections waiting`()
        async throws
    {
        let turns = TurnLog()
        let noting = RegisteredMethod(
            Methods.echo,
            .synchronous { _, _ in
                turns.noteCall()
                return .encoded([UInt8]())
            })
        let large = [UInt8](repeating: 0, count: 1_000_000)
        let calls = (0..<40).map { UInt32(2 * $0 + 1) }

        try await withServer(of: Router(services: [[noting]])) {
            $0.compression = .deflate()
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            let frames = calls.map { Deflation.frame(of: .call($0, Methods.echo, large)).encoded() }
            try await raw.send(frames.flatMap(\.self))
            for call in calls {
                let ending = try await raw.end(of: call)
                #expect(ending?.status.code == .ok)
            }
            await raw.close()

            #expect(frames.allSatisfy { $0.count < 2_000 })
            #expect(turns.callsMax <= 2)
        }
    }

    @Test func `what waits to be inflated is not read from the socket before its turn`()
        async throws
    {
        let monitor = RPCServerMonitor()
        let quick = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded([UInt8]()) })
        let large = [UInt8](repeating: 0, count: 1_000_000)
        let calls = (0..<250).map { UInt32(2 * $0 + 1) }

        try await withServer(of: Router(services: [[quick]]), monitor: monitor) {
            $0.compression = .deflate()
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            let frames = calls.map { Deflation.frame(of: .call($0, Methods.echo, large)).encoded() }
            try await raw.send(frames.flatMap(\.self))
            _ = try await raw.end(of: calls[8])
            let received = await traffic(monitor).received
            let last = try await raw.end(of: 499)
            await raw.close()

            #expect(frames.reduce(0) { $0 + $1.count } > 240_000)
            // What one read takes, and what a second may have taken by now.
            #expect(received < 140_000)
            #expect(last?.status.code == .ok)
        }
    }

    /// How many calls a thread handles before it turns to something else.
    private final class TurnLog: Sendable {
        private let state = Mutex((calls: 0, callsMax: 0))

        var callsMax: Int { state.withLock { $0.callsMax } }

        func noteCall() {
            let isFirst = state.withLock { state in
                state.calls += 1
                state.callsMax = max(state.callsMax, state.calls)
                return state.calls == 1
            }
            guard isFirst else { return }
            MultiThreadedEventLoopGroup.currentEventLoop?.execute {
                self.state.withLock { $0.calls = 0 }
            }
        }
    }
}

extension `Bombs` {
    @Test(arguments: [0, 1, 200])
    func `as compressed frames cost neither time nor memory`(count: Int) throws {
        // What a frame can hold at most, said truly and falsely.
        let zeros = [UInt8](repeating: 0, count: count == 200 ? 64 << 20 : Frame.byteCountHardMax)
        let content = try #require(
            Deflater(level: 9)?.deflate(ByteBuffer(bytes: zeros), shorterThan: 1 << 20))
        let inflater = try #require(Inflater())

        let cost = Cost.of {
            _ = inflater.inflate(content, byteCount: Frame.byteCountHardMax - count)
        }

        #expect(content.readableBytes < 70_000)
        #expect(cost.time <= Cost.timeMax)
        #expect(cost.bytes <= Cost.bytesMax)
    }
}

/// Makes compressed frames as a client of another kind would.
private enum Deflation {
    static func content(of frame: OutgoingFrame) -> (byteCount: Int, content: [UInt8]) {
        let bytes = frame.encoded().dropFirst(Frame.lengthByteCount)
        let deflated = Deflater(level: 9)?.deflate(
            ByteBuffer(bytes: bytes), shorterThan: bytes.count + 64)
        return (bytes.count, deflated.map { Array($0.readableBytesView) } ?? [])
    }

    static func frame(of frame: OutgoingFrame) -> OutgoingFrame {
        let (byteCount, content) = content(of: frame)
        return .deflated(byteCount: byteCount, .encoded(content))
    }
}
