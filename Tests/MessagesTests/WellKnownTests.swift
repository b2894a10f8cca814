import Messages
import RPC
import Testing

/// The types of `google.protobuf`, and what is deprecated.
@Suite struct WellKnownTests {
    private let leaf = Leaf(name: "n", weight: 3)

    @Test func `a packed message is unpacked`() throws {
        let any = ProtobufAny(packing: leaf)

        let received = try ProtobufAny(decoding: any.encoded())

        #expect(received.typeURL == "type.googleapis.com/guildhall.testing.v1.Leaf")
        #expect(received.holds(Leaf.self))
        #expect(try received.unpacked() == leaf)
    }

    @Test func `a message of another type is not unpacked`() throws {
        let any = ProtobufAny(packing: leaf)

        #expect(!any.holds(OldLeaf.self))
        #expect(try any.unpacked(as: OldLeaf.self) == nil)
    }

    @Test(arguments: [
        ("example.org/types/guildhall.testing.v1.Leaf", true), ("/guildhall.testing.v1.Leaf", true),
        ("guildhall.testing.v1.Leaf", false), ("type.googleapis.com/Leaf", false),
        ("type.googleapis.com/guildhall.testing.v1.Leaf/", false), ("", false),
    ])
    func `the name after the last slash decides`(typeURL: String, holds: Bool) {
        #expect(ProtobufAny(typeURL: typeURL, value: leaf.encoded()).holds(Leaf.self) == holds)
    }

    @Test func `a packed message that is malformed is refused`() {
        var any = ProtobufAny(packing: leaf)
        any.value = [0xff]

        #expect(throws: DecodingFault.self) { _ = try any.unpacked(as: Leaf.self) }
    }

    @Test func `an absent wrapper and an empty one differ`() throws {
        let absent = WellKnown()
        let empty = WellKnown(text: StringValue())

        #expect(try WellKnown(decoding: absent.encoded()).text == nil)
        #expect(try WellKnown(decoding: empty.encoded()).text == StringValue(value: ""))
    }

    @Test func `a negative zero is kept`() throws {
        let value = Everything(float: -0.0, double: -0.0, doublesByNumber: [1: -0.0])

        let decoded = try Everything(decoding: value.encoded())

        #expect(decoded.float.sign == .minus)
        #expect(decoded.double.sign == .minus)
        #expect(decoded.doublesByNumber[1]?.sign == .minus)
        #expect(try DoubleValue(decoding: DoubleValue(value: -0.0).encoded()).value.sign == .minus)
    }

    @Test func `deprecated fields survive the wire`() throws {
        let fields =
            Wire.text(1, "name") + Wire.text(2, "former") + Wire.varint(3, 0) + Wire.text(6, "box")
            + Wire.message(8, Wire.text(1, "text")) + Wire.varint(9, 1)

        let value = try Renamed(decoding: fields)

        #expect(value.encoded() == fields)
        #expect(value.former?.text == "text")
        #expect(value.encodedByteCountMax >= fields.count)
    }

    @Test func `deprecated values of an enum are known`() {
        #expect([0, 1, 2, 3].map { Grade(rawValue: $0).rawValue } == [0, 1, 2, 3])
        #expect(Grade(rawValue: 2) != .unrecognized(2))
        #expect(Grade(rawValue: 3) == .unrecognized(3))
    }
}

/// What reflection is given.
@Suite struct FileDescriptorsTests {
    /// The contents of the fields with a number, of those that have a length.
    private func contents(_ number: UInt64, in bytes: [UInt8]) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var rest = bytes[...]
        func varint() -> UInt64 {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7f) << shift
                guard byte >= 0x80 else { break }
                shift += 7
            }
            return value
        }
        while !rest.isEmpty {
            let tag = varint()
            try #require(tag & 7 == 2, "every field here has a length")
            let count = Int(varint())
            let content = rest.prefix(count)
            rest = rest.dropFirst(content.count)
            if tag >> 3 == number { found.append(Array(content)) }
        }
        return found
    }

    @Test func `the descriptors name every file after those it imports`() throws {
        var names: Set<String> = []
        for file in try contents(1, in: FileDescriptors.set) {
            let name = try #require(try contents(1, in: file).first)
            for dependency in try contents(3, in: file) {
                #expect(names.contains(String(decoding: dependency, as: UTF8.self)))
            }
            names.insert(String(decoding: name, as: UTF8.self))
        }

        #expect(
            names.isSuperset(of: [
                "guildhall/organizations/v1/organizations.proto", "guildhall/rpc/v1/frame.proto",
                "google/api/annotations.proto", "google/protobuf/any.proto",
            ]))
    }
}
