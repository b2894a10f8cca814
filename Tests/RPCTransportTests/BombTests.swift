import Messages
import RPC
import Testing

@testable import RPCTransport

/// Frames of the largest size whose content costs more than it seems to.
struct Bomb: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]

    /// A field that fills the frame, inside the fields given, outermost first.
    init(_ description: String, _ field: [UInt8], in path: [UInt8] = [], before: [UInt8] = []) {
        testDescription = description
        let room = Frame.byteCountHardMax - 128 - before.count
        var content = [[UInt8]](repeating: field, count: room / field.count).flatMap(\.self)
        for (level, number) in path.reversed().enumerated() {
            let isInnermost = level == path.count - 1
            content = Self.field(number, (isInnermost ? before : []) + content)
        }
        bytes = path.isEmpty ? before + content : content
    }

    static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest >= 0x80 {
            length.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return [number << 3 | 2] + length + [UInt8(rest)] + content
    }

    private static let call: [UInt8] = [0x08, 0x01]

    /// Inside the frame of a call.
    static func ofCall(_ description: String, _ field: [UInt8], in path: [UInt8]) -> Bomb {
        let bomb = Bomb(description, field, in: path)
        return Bomb(testDescription: description, bytes: call + bomb.bytes)
    }

    /// A detail of a status, inside the end of a call.
    static func ofDetail(_ type: String, _ field: [UInt8]) -> Bomb {
        let url = Self.field(1, Array("type.googleapis.com/google.rpc.\(type)".utf8))
        let value = Bomb("", field, in: [2]).bytes
        return Bomb(
            testDescription: "a \(type) of \(field.count)-byte fields",
            bytes: call + Self.field(4, Self.field(3, url + value)))
    }

    private init(testDescription: String, bytes: [UInt8]) {
        self.testDescription = testDescription
        self.bytes = bytes
    }

    static let all: [Bomb] = [
        Bomb("unknown fields", [0x78, 0x01]),
        Bomb("cancels", [0x2A, 0x00]),
        .ofCall("entries of metadata", [0x22, 0x00], in: [2]),
        .ofCall("entries of metadata with a key", [0x22, 0x03, 0x0A, 0x01, 0x61], in: [2]),
        .ofCall("unknown fields of an opening", [0x40, 0x01], in: [2]),
        .ofCall("details of a status", [0x1A, 0x00], in: [4]),
        .ofCall("entries of metadata of an end", [0x22, 0x00], in: [4]),
        .ofDetail("BadRequest", [0x0A, 0x00]),
        .ofDetail("PreconditionFailure", [0x0A, 0x00]),
        .ofDetail("ErrorInfo", [0x1A, 0x00]),
        .ofDetail("RetryInfo", [0x10, 0x01]),
        Bomb("methods of settings", [0x32, 0x00], in: [10]),
        Bomb("methods of settings, numbered", [0x32, 0x02, 0x08, 0x01], in: [10]),
    ]
}

@Suite(.serialized) struct `Bombs` {
    @Test(arguments: Bomb.all)
    func `as frames cost neither time nor memory`(bomb: Bomb) {
        #expect(bomb.bytes.count <= Frame.byteCountHardMax)
        #expect(bomb.bytes.count > Frame.byteCountHardMax - 1_024)

        let cost = Cost.of { _ = try? unsafe RPC.Frame(decoding: bomb.bytes.span.bytes) }

        #expect(cost.time <= Cost.timeMax)
        #expect(cost.bytes <= Cost.bytesMax)
    }

    @Test(arguments: [
        Bomb("one submessage again and again", [0x52, 0x02, 0x08, 0x01]),
        Bomb("entries of a list", [0x82, 0x01, 0x00]),
        Bomb("unknown fields", [0xF8, 0x07, 0x01]),
        Bomb("a text", [0x61], in: [4]),
        Bomb("a text of three-byte letters", [0xE2, 0x82, 0xAC], in: [4]),
        Bomb("one text again and again", [0x22, 0x01, 0x61]),
    ])
    func `as messages cost neither time nor memory`(bomb: Bomb) {
        let cost = Cost.of { _ = try? Organization(decoding: bomb.bytes, limits: .standard) }

        #expect(cost.time <= Cost.timeMax)
        #expect(cost.bytes <= Cost.bytesMax)
    }

    @Test(arguments: [
        Bomb("entries of a list", [0x0A, 0x00]),
        Bomb("lists in entries of a list", [0x0A, 0x03, 0x82, 0x01, 0x00]),
    ])
    func `as bulk messages cost neither time nor memory`(bomb: Bomb) {
        let cost = Cost.of {
            _ = try? ListOrganizationsReply(decoding: bomb.bytes, limits: .bulk)
        }

        #expect(cost.time <= Cost.timeMax)
        #expect(cost.bytes <= Cost.bytesMax)
    }
}
