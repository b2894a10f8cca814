import DynamicMessages
import Encodings
import SwiftProtobuf
import Testing

/// Well-known types are spelled as swift-protobuf spells them.
@Suite struct KnownTypeTests {
    private let schema: Schema

    init() throws {
        schema = try Fixtures.kinds()
    }

    private func compare<Known: SwiftProtobuf.Message>(_ message: Known) throws {
        let type = try #require(schema.messages[Known.protoMessageName])
        let theirs = try message.jsonString()
        let bytes: [UInt8] = try message.serializedBytes()

        let ours = try schema.decode(bytes, as: type)
        let again = try schema.encode(try JSONValue(parsing: theirs.utf8), as: type)

        #expect(ours.isSame(as: try JSONValue(parsing: theirs.utf8)), "\(ours.text()) \(theirs)")
        // By value: the entries of a map have no order.
        #expect(try Known(serializedBytes: again).isEqualTo(message: message))
    }

    @Test func `instants`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            try compare(
                Google_Protobuf_Timestamp(
                    seconds: .random(in: -62_135_596_800...253_402_300_799, using: &generator),
                    nanos: .random(in: 0...999_999_999, using: &generator)))
        }
        for seconds in [-62_135_596_800, -1, 0, 951_782_399, 951_782_400, 253_402_300_799]
            as [Int64]
        {
            try compare(Google_Protobuf_Timestamp(seconds: seconds, nanos: 0))
            try compare(Google_Protobuf_Timestamp(seconds: seconds, nanos: 500_000_000))
        }
    }

    @Test func `instants with an offset`() throws {
        let type = try #require(schema.messages["google.protobuf.Timestamp"])
        for text in ["2030-01-31T08:00:00+01:30", "1969-12-31T23:59:59.5-00:15"] {
            let bytes = try schema.encode(.string(text), as: type)
            let theirs = try Google_Protobuf_Timestamp(jsonString: "\"\(text)\"")
            #expect(bytes == (try theirs.serializedBytes() as [UInt8]))
        }
    }

    @Test func `durations`() throws {
        for _ in 0..<2_000 {
            let seconds = Int64.random(in: -315_576_000_000...315_576_000_000)
            let nanoseconds = Int32.random(in: 0...999_999_999)
            try compare(
                Google_Protobuf_Duration(
                    seconds: seconds, nanos: seconds < 0 ? -nanoseconds : nanoseconds))
        }
        try compare(Google_Protobuf_Duration(seconds: 0, nanos: -500_000_000))
    }

    @Test func `what is out of range has no JSON`() throws {
        let instant = try #require(schema.messages["google.protobuf.Timestamp"])
        let bytes: [UInt8] = try Google_Protobuf_Timestamp(seconds: 253_402_300_800, nanos: 0)
            .serializedBytes()

        #expect(throws: MessageFault.self) { try schema.decode(bytes, as: instant) }
        #expect(throws: MessageFault.self) {
            try schema.encode(.string("9999-12-31T23:59:59-00:01"), as: instant)
        }
    }

    @Test func `wrappers, masks and structures`() throws {
        try compare(Google_Protobuf_DoubleValue(.greatestFiniteMagnitude))
        try compare(Google_Protobuf_FloatValue(.leastNonzeroMagnitude))
        try compare(Google_Protobuf_Int64Value(.min))
        try compare(Google_Protobuf_UInt64Value(.max))
        try compare(Google_Protobuf_BoolValue(true))
        try compare(Google_Protobuf_StringValue("\u{1}\"\\\u{2028}🦆"))
        try compare(Google_Protobuf_FieldMask(protoPaths: "a_b.c", "d"))
        try compare(try Google_Protobuf_Struct(jsonString: #"{"a":[1,null,{"b":"c"}],"d":true}"#))
    }
}
