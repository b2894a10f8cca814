import Messages
import RPC
import TestSupport
import Testing

/// What must be refused before protobuf-c sees it.
@Suite struct HostileBytesTests {
    private func fault<Value: Message>(
        _ bytes: [UInt8], as type: Value.Type = Everything.self,
        limits: DecodingLimits = .standard
    ) -> DecodingFault? {
        do {
            _ = try Value(decoding: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a submessage repeated through 512 KiB is refused at its second occurrence`() {
        let once = Wire.message(17, Leaf(name: "n").encoded())
        let bomb = [[UInt8]](repeating: once, count: 512 * 1_024 / once.count).flatMap(\.self)

        let fault = fault(bomb, limits: .bulk)

        #expect(fault == DecodingFault(.duplicateField, at: "guildhall.testing.v1.Everything.leaf"))
    }

    @Test(arguments: [
        Wire.varint(1, 1) + Wire.varint(1, 2),
        Wire.text(14, "a") + Wire.text(14, "b"),
        Wire.text(24, "a") + Wire.text(24, "b"),
        Wire.fixed64(8) + Wire.fixed64(8),
        Wire.message(2_047, []) + Wire.message(2_047, []),
        Wire.text(2_048, "") + Wire.varint(1, 1) + Wire.text(2_048, ""),
        Wire.message(41, Wire.varint(1, 1) + Wire.varint(1, 1)),
    ])
    func `a field that may occur once is refused when it occurs twice`(bytes: [UInt8]) {
        #expect(fault(bytes)?.reason == .duplicateField)
    }

    @Test func `two fields of one oneof are refused`() {
        let bytes = Wire.varint(50, 1) + Wire.varint(51, 1)

        let fault = fault(bytes)

        #expect(
            fault
                == DecodingFault(.duplicateField, at: "guildhall.testing.v1.Everything.chosen_bool")
        )
    }

    @Test func `a duplicate within a submessage names the field there`() {
        let bytes = Wire.message(17, Wire.text(1, "a") + Wire.text(1, "b"))

        #expect(
            fault(bytes) == DecodingFault(.duplicateField, at: "guildhall.testing.v1.Leaf.name"))
    }

    @Test func `nesting deeper than the limit is refused`() {
        let bytes = Everything(nested: .init(inners: [.init(text: "x")])).encoded()
        var limits = DecodingLimits.standard

        limits.depthMax = 3
        #expect(fault(bytes, limits: limits) == nil)

        limits.depthMax = 2
        #expect(fault(bytes, limits: limits)?.reason == .tooDeep)

        limits.depthMax = 0
        #expect(fault(Wire.varint(1, 1), limits: limits)?.reason == .tooDeep)
    }

    @Test func `the fields of submessages count, and one more than the limit is refused`() {
        let one = Wire.message(38, Wire.varint(2, 2))
        let most = [[UInt8]](repeating: one, count: 2_048).flatMap(\.self)

        #expect(fault(most) == nil)
        #expect(fault(most + Wire.varint(1, 1))?.reason == .tooManyFields)
        #expect(fault(most + Wire.varint(1, 1), limits: .bulk) == nil)
    }

    @Test func `sixteen unknown fields are skipped and seventeen are refused`() {
        let kinds = [
            Wire.varint(999, .max), Wire.fixed32(999), Wire.fixed64(999), Wire.text(999, "?"),
        ]
        let sixteen = [[[UInt8]]](repeating: kinds, count: 4).flatMap(\.self).flatMap(\.self)

        #expect(fault(sixteen) == nil)
        #expect(fault(sixteen + kinds[0])?.reason == .tooManyUnknownFields)
    }

    @Test(
        arguments: [
            [0x00], [0x61, 0x00], [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28],
            [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe2, 0x82], [0xe2, 0x28, 0xa1],
            [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x98],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
            [0xfe], [0xff],
        ] as [[UInt8]])
    func `text that is not UTF-8 or holds a NUL is refused`(text: [UInt8]) {
        let long = Array("seven b".utf8) + text + Array("and a longer tail".utf8)

        for content in [text, long] {
            #expect(fault(Wire.bytes(14, content))?.reason == .invalidText)
            #expect(fault(Wire.bytes(35, content))?.reason == .invalidText)
            #expect(fault(Wire.bytes(52, content))?.reason == .invalidText)
            #expect(fault(Wire.message(40, Wire.bytes(1, content)))?.reason == .invalidText)
            #expect(fault(Wire.message(40, Wire.bytes(2, content)))?.reason == .invalidText)
            #expect(fault(Wire.bytes(15, content)) == nil, "bytes may hold anything")
        }
    }

    @Test(arguments: [
        "\u{1}", "~\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{fffd}",
        "\u{ffff}", "\u{10000}", "\u{10ffff}", "seven b\u{e9}and more", "日本語の学校", "🏫🏫🏫",
    ])
    func `every other text is accepted`(text: String) throws {
        let decoded = try Everything(decoding: Wire.text(14, text))

        #expect(Array(decoded.text.utf8) == Array(text.utf8))
    }

    @Test(arguments: [
        Wire.fixed32(1), Wire.fixed64(1), Wire.text(1, ""), Wire.varint(7, 1), Wire.fixed64(7),
        Wire.varint(8, 1), Wire.fixed32(8), Wire.varint(14, 1), Wire.varint(15, 1),
        Wire.varint(17, 1), Wire.fixed32(16), Wire.varint(35, 1), Wire.varint(38, 1),
        Wire.varint(40, 1), Wire.fixed32(30), Wire.varint(32, 1), Wire.text(13, "x"),
        Wire.tag(1, 3), Wire.tag(17, 4), Wire.tag(1, 6), Wire.tag(14, 7),
    ])
    func `a field of another wire type than declared is refused`(bytes: [UInt8]) {
        #expect(fault(bytes)?.reason == .wrongType)
    }

    @Test(arguments: [
        // Field number 0.
        [0x00, 0x01], [0x02, 0x00],
        // Groups and wire types that do not exist, of fields that are not known.
        Wire.tag(999, 3), Wire.tag(999, 4), Wire.tag(999, 6), Wire.tag(999, 7),
        // A tag above 32 bits, and one in more than five bytes.
        Wire.number(1 << 32 | 8), [0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01],
        // Varints of more than ten bytes and of more than 64 bits.
        [0x10] + [UInt8](repeating: 0x80, count: 10) + [0x00],
        [0x10] + [UInt8](repeating: 0xff, count: 9) + [0x02],
        // Numbers that protobuf-c would cut to 32 bits.
        Wire.varint(1, 1 << 32), Wire.varint(1, UInt64(bitPattern: -1 << 31) - 1),
        Wire.varint(3, 1 << 32), Wire.varint(5, .max), Wire.varint(16, 1 << 40),
        Wire.bytes(30, Wire.number(1 << 33)), Wire.bytes(37, Wire.number(1 << 33)),
        // A length in more than five bytes.
        Wire.tag(14, 2) + [0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0x61],
    ])
    func `what no encoder writes is refused`(bytes: [UInt8]) {
        #expect(fault(bytes)?.reason == .malformed)
    }

    @Test(arguments: [
        [0x08], [0x08, 0x80], [0x80], [0x3d, 0, 0, 0], [0x41, 0, 0, 0, 0, 0, 0, 0], [0x72],
        [0x72, 0x01], [0x72, 0x80],
        // Lengths up to the largest that five bytes hold.
        Wire.tag(14, 2) + Wire.number(.init(UInt32.max)), Wire.tag(14, 2) + Wire.number(1 << 31),
        Wire.tag(999, 2) + Wire.number(1 << 34),
        // Packed numbers that end within one.
        Wire.bytes(30, [0x80]), Wire.bytes(32, [1, 2, 3]), Wire.bytes(33, [1, 2, 3, 4, 5, 6, 7]),
        // A submessage that claims more than it has, though bytes follow.
        Wire.message(17, [0x0a, 0x02, 0x61]) + Wire.text(14, "more"),
    ])
    func `bytes that end within a field are refused`(bytes: [UInt8]) {
        #expect(fault(bytes)?.reason == .truncated)
    }

    @Test func `a negative number may come in 32 or 64 bits`() throws {
        let short = Wire.varint(1, UInt64(UInt32(bitPattern: -5)))
        let long = Wire.varint(1, UInt64(bitPattern: -5))

        #expect(try Everything(decoding: short).int32 == -5)
        #expect(try Everything(decoding: long).int32 == -5)
    }

    @Test func `a message that takes more memory than its limit is refused`() {
        let bytes = Everything(data: [UInt8](repeating: 1, count: 100_000)).encoded()
        var limits = DecodingLimits.standard

        #expect(fault(bytes, limits: limits) == nil)

        limits.arenaBytesMax = 50_000
        #expect(fault(bytes, limits: limits)?.reason == .tooLarge)
        limits.arenaBytesMax = 0
        #expect(fault(bytes, limits: limits)?.reason == .tooLarge)
    }

    @Test func `packed numbers cannot take more memory than the limit`() {
        // A byte on the wire takes eight in memory.
        let bytes = Wire.bytes(31, [UInt8](repeating: 0, count: 2 << 20))

        #expect(fault(bytes)?.reason == .tooLarge)
    }
}

/// Bytes that are wrong in no particular way: they decode or are refused, and never trap.
@Suite struct DamagedBytesTests {
    /// Decodes; what is accepted must encode and decode again to the same bytes.
    private func check(_ bytes: [UInt8]) throws {
        do throws(DecodingFault) {
            let value = try Everything(decoding: bytes)
            let encoded = value.encoded()
            #expect(try Everything(decoding: encoded).encoded() == encoded)
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    @Test func `a message cut off at any byte decodes or is refused`() throws {
        let bytes = Everything.full.encoded()

        for count in bytes.indices { try check(Array(bytes[..<count])) }
    }

    @Test func `a message with any byte changed decodes or is refused`() throws {
        let bytes = Everything.full.encoded()

        for index in bytes.indices {
            for change: UInt8 in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                var damaged = bytes
                damaged[index] ^= change
                try check(damaged)
            }
        }
    }

    @Test func `a message with any run of bytes removed decodes or is refused`() throws {
        let bytes = Everything.full.encoded()

        for start in bytes.indices {
            for count in 1...3 where start + count <= bytes.count {
                try check(Array(bytes[..<start] + bytes[(start + count)...]))
            }
        }
    }

    @Test func `random bytes decode or are refused`() throws {
        var generator = SplitMix(seed: 9)

        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            try check((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }
}
