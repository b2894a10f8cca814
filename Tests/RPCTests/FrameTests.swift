import RPC
import Testing

@Suite struct `The frame codec` {
    private func decoded(_ bytes: [UInt8]) throws(FrameFault) -> Frame {
        let content = Array(bytes.dropFirst(Frame.lengthByteCount))
        return try unsafe Frame(decoding: content.span.bytes)
    }

    @Test func `an opening comes back as it was sent, its message in place`() throws {
        var metadata = Metadata()
        metadata[text: "request-id"] = "r–1"
        metadata[bytes: "token-bin"] = [0, 1, 255]
        let message: [UInt8] = Array(0..<200)

        let bytes = OutgoingFrame.open(
            call: 300,
            OutgoingOpening(
                method: .path("a.B/C"), timeout: .milliseconds(1_500), metadata: metadata,
                message: .encoded(message), window: 70_000)
        ).encoded()

        guard case .open(let call, let opening) = try decoded(bytes) else {
            Issue.record("no opening")
            return
        }
        #expect(call == 300)
        #expect(opening.method == .path("a.B/C"))
        #expect(opening.timeout == .milliseconds(1_500))
        #expect(opening.metadata == metadata)
        #expect(opening.endOfStream)
        #expect(opening.window == 70_000)
        let range = try #require(opening.message)
        #expect(Array(bytes[(range.lowerBound + 4)..<(range.upperBound + 4)]) == message)
    }

    @Test(arguments: [0, 1, 100, 127, 128, 16_000, 16_383, 16_384, 100_000])
    func `a reply of any size is framed by its true length`(count: Int) throws {
        let message = [UInt8](repeating: 7, count: count)

        let bytes = OutgoingFrame.reply(call: 1, .encoded(message)).encoded()

        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        #expect(length == bytes.count - 4)
        guard case .end(1, let ending) = try decoded(bytes) else {
            Issue.record("no end")
            return
        }
        #expect(ending.status == Status(.ok, ""))
        #expect(ending.reply?.count == count)
    }

    @Test func `frames without messages come back as they were sent`() throws {
        var settings = Frame.Settings()
        settings.frameBytesMax = 65_536
        settings.callsMax = 64
        settings.window = 1
        settings.agent = "guildhall-test/1"
        settings.incarnation = [1, 2, 3]
        settings.methods = [1: "a.B/C", 2: "a.B/D"]
        settings.pingIntervalMin = .seconds(10)
        let goaway = Frame.Goaway(
            lastCall: 9, status: Status(.unavailable, "Draining."), drain: .seconds(3))

        #expect(try decoded(OutgoingFrame.settings(settings).encoded()) == .settings(settings))
        #expect(try decoded(OutgoingFrame.goaway(goaway).encoded()) == .goaway(goaway))
        #expect(try decoded(OutgoingFrame.cancel(call: 3).encoded()) == .cancel(call: 3))
        #expect(
            try decoded(OutgoingFrame.window(call: 3, bytes: .max).encoded())
                == .window(call: 3, bytes: .max))
        #expect(
            try decoded(OutgoingFrame.ping(number: .max).encoded()) == .ping(number: .max))
        #expect(try decoded(OutgoingFrame.pong(number: 0).encoded()) == .pong(number: 0))
    }

    @Test func `trailing metadata travel with a reply and with a status`() throws {
        var trailing = Metadata()
        trailing[text: "cost"] = "3"
        trailing[text: "empty"] = ""
        trailing[bytes: "token-bin"] = [0, 255]
        let status = Status(
            .notFound, "No.", details: [.retryInfo(delay: .seconds(1))],
            trailingMetadata: trailing)
        let reply = OutgoingFrame.reply(
            call: 5, .encoded([1, 2] as [UInt8]), trailingMetadata: trailing
        ).encoded()

        guard case .end(3, let failed) = try decoded(OutgoingFrame.end(call: 3, status).encoded()),
            case .end(5, let answered) = try decoded(reply), let range = answered.reply
        else {
            Issue.record("no end")
            return
        }
        #expect(failed.status == status)
        #expect(answered.status == Status(.ok, "", trailingMetadata: trailing))
        #expect(Array(reply.dropFirst(Frame.lengthByteCount).map(\.self)[range]) == [1, 2])
    }

    @Test func `every frame cut short is a named fault, never a trap`() throws {
        var trailing = Metadata()
        trailing[text: "cost"] = "3"
        let frames: [OutgoingFrame] = [
            .reply(call: 1, .encoded([1, 2, 3] as [UInt8])),
            .data(call: 1, .encoded([1, 2, 3] as [UInt8]), endOfStream: true),
            .end(call: 1, Status(.notFound, "No.", details: [.retryInfo(delay: .seconds(1))])),
            .reply(call: 1, .encoded([1] as [UInt8]), trailingMetadata: trailing),
            .end(call: 1, Status(.notFound, "No.", trailingMetadata: trailing)),
            .window(call: 1, bytes: 1_000),
            .goaway(Frame.Goaway(lastCall: 1, status: Status(.internal, "x"))),
        ]

        for frame in frames {
            let content = Array(frame.encoded().dropFirst(Frame.lengthByteCount))
            for count in 0..<content.count {
                #expect(throws: FrameFault.self) {
                    let cut = Array(content.prefix(count))
                    _ = try unsafe Frame(decoding: cut.span.bytes)
                }
            }
        }
    }

    @Test func `a code that gRPC does not know is unknown`() throws {
        let frame: [UInt8] = [0x08, 0x01, 0x22, 0x03, 0x08, 0xE7, 0x07]

        guard case .end(1, let ending) = try unsafe Frame(decoding: frame.span.bytes) else {
            Issue.record("no end")
            return
        }
        #expect(ending.status.code == .unknown)
    }

    @Test func `timeouts neither overflow nor vanish`() throws {
        for (sent, received) in [
            (Duration.nanoseconds(1), Duration.microseconds(1)),
            (.seconds(Int64.max / 4), .microseconds(1 << 52)),
        ] {
            let bytes = OutgoingFrame.open(
                call: 1, OutgoingOpening(method: .number(1), timeout: sent, message: nil)
            ).encoded()
            guard case .open(_, let opening) = try decoded(bytes) else { continue }
            #expect(opening.timeout == received)
        }
    }
}
