import Foundation
import Messages
import RPC
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: [Everything.full, .extremes, .maps, Everything()])
    func `every kind of field survives the wire`(value: Everything) throws {
        #expect(try Everything(decoding: value.encoded()) == value)
    }

    @Test(arguments: [
        Everything.Choice.chosenNumber(0), .chosenNumber(-1), .chosenBool(true), .chosenText(""),
        .chosenText("x"), .chosenData([]), .chosenData([0]), .chosenColor(.unspecified),
        .chosenColor(.negative), .chosenLeaf(Leaf()), .chosenInner(.init(text: "y")),
    ])
    func `the chosen field of a oneof survives the wire`(choice: Everything.Choice) throws {
        let value = Everything(choice: choice)

        #expect(try Everything(decoding: value.encoded()).choice == choice)
    }

    @Test func `a message at its defaults takes no bytes`() throws {
        #expect(Everything().encoded() == [])
        #expect(Organization().encoded() == [])
        #expect(Nothing().encoded() == [])
        #expect(try Organization(decoding: [UInt8]()) == Organization())
    }

    @Test func `an absent and an empty optional field differ`() throws {
        let absent = Everything()
        let empty = Everything(optionalText: "")

        #expect(try Everything(decoding: absent.encoded()).optionalText == nil)
        #expect(try Everything(decoding: empty.encoded()).optionalText == "")
    }

    @Test func `a number that an enum does not know is kept`() throws {
        let value = Everything(color: .init(rawValue: 77))

        let decoded = try Everything(decoding: value.encoded())

        #expect(decoded.color == .unrecognized(77))
        #expect(decoded.color.rawValue == 77)
        #expect(Color(rawValue: 2) == .deepBlue)
    }

    @Test func `fields of a later version are skipped`() throws {
        let leaf = Leaf(name: "n", weight: 3)

        #expect(try OldLeaf(decoding: leaf.encoded()) == OldLeaf(name: "n"))
    }

    @Test func `the last of equal map keys holds`() throws {
        let first = Everything(textsByText: ["k": "first"]).encoded()
        let last = Everything(textsByText: ["k": "last"]).encoded()

        #expect(try Everything(decoding: first + last).textsByText == ["k": "last"])
    }

    @Test func `a map entry without key and value is one at their defaults`() throws {
        let bytes = Wire.message(40, []) + Wire.message(41, [])

        let decoded = try Everything(decoding: bytes)

        #expect(decoded.textsByText == ["": ""])
        #expect(decoded.leavesByNumber == [0: Leaf()])
    }

    @Test func `equal maps encode to equal bytes`() {
        let pairs = (0..<100).map { ("key \($0)", "\($0)") }
        let rising = Everything(textsByText: .init(pairs) { $1 })
        let falling = Everything(textsByText: .init(pairs.reversed()) { $1 })

        #expect(rising.encoded() == falling.encoded())
    }

    @Test func `numbers may come packed or not, whatever the declaration`() throws {
        let apart = Wire.varint(30, 1) + Wire.varint(30, 2) + Wire.bytes(30, [3, 4])
        let together = Wire.bytes(39, [1, 2, 0xac, 0x02])

        #expect(try Everything(decoding: apart).int32s == [1, 2, 3, 4])
        #expect(try Everything(decoding: together).unpacked == [1, 2, 300])
    }

    @Test func `no value takes more bytes than its bound`() {
        for value in [Everything.full, .extremes, .maps, Everything()] {
            #expect(value.encoded().count <= value.encodedByteCountMax)
        }
    }

    @Test func `numbers that are not packed take no more bytes than their bound`() {
        let value = Everything(unpacked: [UInt32](repeating: .max, count: 1_000))

        #expect(value.encoded().count <= value.encodedByteCountMax)
    }

    @Test func `a message is appended after what is there`() throws {
        let leaf = Leaf(name: "n", weight: 3)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64) { memory, count in
            var output = unsafe OutputRawSpan(
                buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
            unsafe output.append(0xaa, as: UInt8.self)
            leaf.encode(into: &output)
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(memory))
        }

        #expect(bytes == [0xaa] + leaf.encoded())
    }

    @Test func `a message larger than the arena's block survives the wire`() throws {
        let value = Everything(
            data: [UInt8](repeating: 7, count: 1 << 20),
            leaves: (0..<3_000).map { Leaf(name: "leaf number \($0)", weight: $0) })

        #expect(try Everything(decoding: value.encoded(), limits: .bulk) == value)
    }
}

@Suite struct ParityTests {
    private func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: folder.appending(path: "Fixtures/\(name).bin")))
    }

    @Test(arguments: [("full", Everything.full), ("extremes", .extremes)])
    func `Python's encoding and ours are the same`(name: String, value: Everything) throws {
        let bytes = try fixture(name)

        #expect(try Everything(decoding: bytes) == value)
        #expect(value.encoded() == bytes)
    }

    @Test func `maps that Python wrote in its own order are read`() throws {
        let bytes = try fixture("maps")

        #expect(try Everything(decoding: bytes) == .maps)
    }

    @Test func `Python's frame and ours are the same`() throws {
        let bytes = try fixture("frame")

        #expect(try Frame(decoding: bytes) == .opening)
        #expect(Frame.opening.encoded() == bytes)
    }
}
