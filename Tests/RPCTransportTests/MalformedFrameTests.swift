import RPC
import TestSupport
import Testing

@testable import RPCTransport

/// Bytes that break the protocol after the handshake, and a word of the answer.
struct Malformed: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let code: Status.Code
    let word: String

    init(
        _ description: String, _ word: String, _ bytes: [UInt8],
        code: Status.Code = .invalidArgument
    ) {
        testDescription = description
        self.bytes = bytes
        self.code = code
        self.word = word
    }

    /// With its true length before it.
    static func content(_ description: String, _ word: String, _ content: [UInt8]) -> Malformed {
        Malformed(description, word, RawConnection.framed(content))
    }

    static let all: [Malformed] = [
        Malformed("length 0", "no bytes", [0, 0, 0, 0]),
        Malformed(
            "a length above the limit", "accepts", [0, 0x10, 0, 1], code: .resourceExhausted),
        Malformed(
            "the largest length", "accepts", [0xFF, 0xFF, 0xFF, 0xFF], code: .resourceExhausted),
        .content("garbage", "malformed", [UInt8](repeating: 0xFF, count: 64)),
        .content("text", "malformed", Array("GET / HTTP/1.1\r\n\r\n".utf8)),
        .content("a truncated varint", "truncated", [0x08, 0x80]),
        .content("an overlong varint", "malformed", [0x08] + .init(repeating: 0xFF, count: 11)),
        .content("field number 0", "malformed", [0x00, 0x01]),
        .content("a group", "malformed", [0x0B, 0x0C]),
        .content("a length past the end", "truncated", [0x08, 0x01, 0x12, 0x7F]),
        .content("a call of the wrong type", "wrongType", [0x0A, 0x00]),
        .content("a kind of the wrong type", "wrongType", [0x08, 0x01, 0x10, 0x01]),
        .content("the call twice", "duplicateField", [0x08, 0x01, 0x08, 0x03, 0x2A, 0x00]),
        .content("no kind", "no kind", [0x08, 0x01]),
        .content("an unknown kind", "no kind", [0x08, 0x01, 0x7A, 0x00]),
        .content("two kinds", "more than one", [0x08, 0x01, 0x2A, 0x00, 0x32, 0x00]),
        .content(
            "many unknown fields", "tooManyUnknownFields",
            [[UInt8]](repeating: [0x78, 0x01], count: 20).flatMap(\.self)),
        .content("a call without number", "no call number", [0x12, 0x00]),
        .content("a ping with a call", "has a call number", [0x08, 0x01, 0x3A, 0x00]),
        .content("an opening without method", "no method", [0x08, 0x01, 0x12, 0x00]),
        .content(
            "a method named twice", "path and by number",
            [0x08, 0x01, 0x12, 0x05, 0x0A, 0x01, 0x61, 0x10, 0x01]),
        .content(
            "a path that is no text", "invalidText",
            [0x08, 0x01, 0x12, 0x03, 0x0A, 0x01, 0xFF]),
        .content("a call above 32 bits", "malformed", [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F]),
        Malformed("an even call", "odd", OutgoingFrame.call(2, Methods.echo).encoded()),
        Malformed(
            "a call number used twice", "not above",
            OutgoingFrame.call(5, Methods.echo).encoded()
                + OutgoingFrame.call(5, Methods.echo).encoded()),
        Malformed(
            "a call number that falls", "not above",
            OutgoingFrame.call(5, Methods.echo).encoded()
                + OutgoingFrame.call(3, Methods.echo).encoded()),
        Malformed(
            "data for an unknown call", "no further message",
            OutgoingFrame.data(call: 1, .encoded([1] as [UInt8]), endOfStream: false).encoded()),
        Malformed("a cancel of an unknown call", "opened", OutgoingFrame.cancel(call: 9).encoded()),
        Malformed(
            "credit for an unknown call", "opened",
            OutgoingFrame.window(call: 9, bytes: 1).encoded()),
        Malformed(
            "settings twice", "must not", OutgoingFrame.settings(Frame.Settings()).encoded()),
        Malformed("an end from a client", "must not", OutgoingFrame.end(call: 1, nil).encoded()),
    ]
}

@Suite(.timeLimit(.minutes(1))) struct `Peers that break the protocol` {
    @Test(arguments: Malformed.all)
    func `get a sentence and are closed, and others are served on`(
        malformed: Malformed
    ) async throws {
        try await withServer { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(malformed.bytes)
            let goaway = try await raw.goaway()
            await raw.close()
            let reply = try await withClient(address) { try await $0.bytes(Methods.echo, [1]) }

            #expect(goaway?.status.code == malformed.code)
            #expect(goaway?.status.message.contains(malformed.word) == true, "\(goaway as Any)")
            #expect(reply == [1])
        }
    }

    @Test(arguments: [
        ("PUT / HTTP/1.1\r\n\r\n", Status.Code.invalidArgument, "preface"),
        ("GHRPC/9\n", .unimplemented, "version 1"),
        ("GHRPC/1\r", .invalidArgument, "preface"),
        ("X", .invalidArgument, "preface"),
    ])
    func `a wrong preface gets a sentence`(
        preface: String, code: Status.Code, word: String
    ) async throws {
        try await withServer { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Array(preface.utf8))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.code == code)
            #expect(goaway?.status.message.contains(word) == true)
        }
    }

    @Test func `a call before the settings is refused`() async throws {
        try await withServer { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + OutgoingFrame.call(1, Methods.echo).encoded())
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The first frame must be Settings.")
        }
    }

    @Test func `settings that accept no frames are refused`() async throws {
        try await withServer { _, address in
            var settings = Frame.Settings()
            settings.frameBytesMax = 10
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + OutgoingFrame.settings(settings).encoded())
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.code == .invalidArgument)
        }
    }

    @Test func `a call cut at every byte neither hangs nor harms the server`() async throws {
        try await withServer { server, address in
            let bytes =
                Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
                + OutgoingFrame.call(1, Methods.echo, [1, 2, 3]).encoded()
            for count in 0..<bytes.count {
                let raw = try await RawConnection(to: address)
                try await raw.send(Array(bytes.prefix(count)))
                await raw.close()
            }
            let reply = try await withClient(address) { try await $0.bytes(Methods.echo, [1]) }

            #expect(reply == [1])
        }
    }

    @Test func `a call that arrives byte by byte is answered`() async throws {
        try await withServer { _, address in
            let raw = try await RawConnection.open(to: address)
            for byte in OutgoingFrame.call(1, Methods.echo, [1, 2, 3]).encoded() {
                try await raw.send([byte])
            }
            let ending = try await raw.end(of: 1)
            await raw.close()

            #expect(ending?.status.code == .ok)
        }
    }

    @Test func `an opening cut at every byte inside its frame is refused`() async throws {
        let content = Array(OutgoingFrame.call(1, Methods.echo, [1, 2, 3]).encoded().dropFirst(4))

        try await withServer { _, address in
            for count in 1..<content.count {
                let raw = try await RawConnection.open(to: address)
                try await raw.send(content: Array(content.prefix(count)))
                let goaway = try await raw.goaway()
                await raw.close()
                #expect(goaway?.status.code == .invalidArgument, "cut at \(count)")
            }
        }
    }

    @Test func `random bytes never stop the server`() async throws {
        var random = SplitMix(seed: 42)
        let contents = (0..<200).map { _ in
            let count = Int.random(in: 1...80, using: &random)
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }

        try await withServer { _, address in
            for content in contents {
                let raw = try await RawConnection.open(to: address)
                try await raw.send(content: content)
                await raw.close()
            }
            let reply = try await withClient(address) { try await $0.bytes(Methods.echo, [1]) }

            #expect(reply == [1])
        }
    }

    @Test func `a call without message or with more to come is refused alone`() async throws {
        try await withServer { _, address in
            let raw = try await RawConnection.open(to: address)
            let method = MethodReference.path(Methods.echo.path)
            try await raw.send(
                .open(call: 1, OutgoingOpening(method: method, timeout: nil, message: nil)))
            let absent = try await raw.end(of: 1)
            try await raw.send(
                .open(
                    call: 3,
                    OutgoingOpening(
                        method: method, timeout: nil, message: .encoded([1] as [UInt8]),
                        endOfStream: false)))
            let open = try await raw.end(of: 3)
            await raw.close()

            #expect(absent?.status.code == .invalidArgument)
            #expect(open?.status.code == .invalidArgument)
        }
    }
}
