import NIOCore
import RPC
import Testing

@testable import RPCTransport

/// What a client sent in a session with every kind of call, and what it was answered.
enum Session {
    static let methods = [
        Methods.echoing, Methods.counting, `Streams of requests`.summing,
        `Streams of requests`.chatting, hanging,
    ]

    /// Never answers of its own accord.
    private static let hanging = RegisteredMethod(
        Methods.hang,
        .unary { payload, _ in
            try await Task.sleep(for: .seconds(600))
            return .encoded(payload)
        })

    static let frames: [OutgoingFrame] = [
        .settings(Frame.Settings()),
        .call(1, Methods.echo, [1, 2, 3]),
        // Room for the first reply alone; the credit for the others follows.
        .call(3, Methods.count, [3, 1], window: 10),
        .ping(number: 77),
        .window(call: 3, bytes: 100_000),
        opening(5, `Streams of requests`.sum, nil),
        .data(call: 5, .encoded([9, 9] as [UInt8]), endOfStream: false),
        opening(7, `Streams of requests`.chat, [1]),
        .data(call: 5, .encoded([8] as [UInt8]), endOfStream: true),
        .data(call: 7, .encoded([2] as [UInt8]), endOfStream: false),
        .call(9, Methods.hang),
        .cancel(call: 9),
        .data(call: 7, nil, endOfStream: true),
        .open(
            call: 11,
            OutgoingOpening(
                method: .number(1), timeout: .seconds(20), metadata: metadata,
                message: .encoded([4] as [UInt8]))),
        .call(13, MethodDescriptor(service: "test.v1.None", name: "None")),
        .pong(number: 78),
        deflated(.call(15, Methods.echo, [UInt8](repeating: 5, count: 200))),
        .goaway(Frame.Goaway(lastCall: 0, status: Status(.ok, "Done."))),
    ]

    static let bytes = Frame.preface + frames.flatMap { $0.encoded() }

    private static var metadata: Metadata {
        var metadata = Metadata()
        metadata[text: "request-id"] = "r1"
        return metadata
    }

    /// A frame as it travels compressed.
    static func deflated(_ frame: OutgoingFrame) -> OutgoingFrame {
        let bytes = Array(frame.encoded().dropFirst(Frame.lengthByteCount))
        let content = Deflater()?.deflate(ByteBuffer(bytes: bytes), shorterThan: bytes.count)
        return .deflated(
            byteCount: bytes.count, .encoded(content.map { Array($0.readableBytesView) } ?? []))
    }

    private static func opening(
        _ call: UInt32, _ method: MethodDescriptor, _ message: [UInt8]?
    ) -> OutgoingFrame {
        .open(
            call: call,
            OutgoingOpening(
                method: .path(method.path), timeout: .seconds(20),
                message: message.map { .encoded($0) }, endOfStream: false))
    }
}

/// The frames of an answer by call: those of different calls may come in any order.
private typealias Answer = [UInt32: [[UInt8]]]

@Suite(.timeLimit(.minutes(2))) struct `A recorded session` {
    /// So many connections are open at a time.
    private static let batch = 64

    private func answer(on raw: RawConnection) async throws -> Answer {
        var answer: Answer = [:]
        while let received = try await raw.next() {
            answer[received.frame.call, default: []].append(received.bytes)
        }
        await raw.close()
        return answer
    }

    private func answer(to pieces: [[UInt8]], at address: RPCAddress) async throws -> Answer {
        let raw = try await RawConnection(to: address)
        for piece in pieces { try await raw.send(piece) }
        return try await answer(on: raw)
    }

    private func withSessionServer<Result>(
        _ body: (RPCAddress) async throws -> Result
    ) async throws -> Result {
        try await withServer(of: Router(services: [Session.methods])) {
            $0.limits.handshakesPerAddressMax = 2 * Self.batch
            $0.limits.handshakeTimeout = .seconds(60)
            $0.limits.frameTimeout = .seconds(60)
            $0.compression = .deflate()
        } _: { _, address in
            try await body(address)
        }
    }

    @Test func `is answered in full when it arrives at once`() async throws {
        let answers = try await withSessionServer { address in
            try await answer(to: [Session.bytes], at: address)
        }

        let reply = Array(
            OutgoingFrame.reply(call: 1, .encoded([1, 2, 3] as [UInt8])).encoded().dropFirst(4))
        let sum = Array(
            OutgoingFrame.reply(call: 5, .encoded([0, 0, 0, 2, 0, 0, 0, 3] as [UInt8])).encoded()
                .dropFirst(4))
        #expect(answers[0]?.count == 2, "the settings and the pong")
        #expect(answers[1] == [reply])
        #expect(answers[3]?.count == 4)
        #expect(answers[5] == [sum])
        #expect(answers[7]?.count == 3)
        #expect(answers[9] == nil, "it was cancelled")
        #expect(answers[11]?.count == 1)
        #expect(answers[13]?.count == 1)
        let inflated = OutgoingFrame.reply(
            call: 15, .encoded([UInt8](repeating: 5, count: 200)))
        #expect(answers[15] == [Array(inflated.encoded().dropFirst(4))])
    }

    @Test func `gets the same answers when it is split at any byte`() async throws {
        let bytes = Session.bytes

        try await withSessionServer { address in
            let whole = try await answer(to: [bytes], at: address)
            for start in stride(from: 1, to: bytes.count, by: Self.batch) {
                let positions = start..<min(start + Self.batch, bytes.count)
                var connections: [(Int, RawConnection)] = []
                for position in positions {
                    let raw = try await RawConnection(to: address)
                    try await raw.send(Array(bytes[..<position]))
                    connections.append((position, raw))
                }
                // By the time these are answered the first halves have been read.
                for _ in 0..<4 { _ = try await answer(to: [bytes], at: address) }
                for (position, raw) in connections { try await raw.send(Array(bytes[position...])) }
                for (position, raw) in connections {
                    let parts = try await answer(on: raw)
                    #expect(parts == whole, "split at \(position)")
                }
            }
        }
    }

    @Test func `gets the same answers byte by byte`() async throws {
        try await withSessionServer { address in
            let whole = try await answer(to: [Session.bytes], at: address)
            let pieces = try await answer(to: Session.bytes.map { [$0] }, at: address)
            #expect(pieces == whole)
        }
    }
}

extension Frame {
    /// The call that a server's frame belongs to; 0 for the connection.
    fileprivate var call: UInt32 {
        switch self {
        case .data(let call, _, _), .end(let call, _), .window(let call, _): call
        default: 0
        }
    }
}
