import Encodings
import Testing

@testable import Gateway

struct JSONTests {
    private static func parsed(_ text: String) throws -> String {
        let value = try JSONValue(parsing: text.utf8, depthMax: 32)
        return String(decoding: value.encoded, as: UTF8.self)
    }

    @Test(arguments: [
        (" { \"a\" : [ 1 , -2.5e+3 , true , null ] } ", #"{"a":[1,-2.5e+3,true,null]}"#),
        (#""\u00e9\ud83d\ude00\n\/""#, #""é😀\n/""#), ("0", "0"), ("[]", "[]"),
        (#"{"ä":"\u0001\"\\"}"#, #"{"ä":"\u0001\"\\"}"#),
    ])
    func `a document is read and written`(text: String, expected: String) throws {
        #expect(try Self.parsed(text) == expected)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "[1", "{\"a\"}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", "1e", "+1",
        "tru", "nul", "'a'", "\"a", "\"\n\"", #""\x""#, #""\u12""#, #""\ud800""#, #""\udc00""#,
        #""\ud800\u0041""#, #""\u0000""#, "1 2", "[1}", "{\"a\":1,\"a\":2}", "NaN", "[1]]",
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
    ])
    func `what is no document is refused`(text: String) {
        #expect(throws: JSONFault.self) { try Self.parsed(text) }
    }

    @Test func `text that is not UTF-8 is refused`() {
        #expect(throws: JSONFault.self) {
            try JSONValue(parsing: [0x22, 0xFF, 0x22], depthMax: 32)
        }
    }

    @Test func `a repeated name is named`() {
        #expect(throws: JSONFault(place: "title", sentence: "The name stands twice.")) {
            try Self.parsed(#"{"title":"a","title":"b"}"#)
        }
    }

    @Test(
        arguments: [
            ([], ""), ([0], "AA=="), ([0, 1], "AAE="), ([0, 1, 2], "AAEC"),
            ([255, 254, 253, 252], "//79/A=="),
        ] as [([UInt8], String)])
    func `bytes are written in Base64`(bytes: [UInt8], text: String) {
        #expect(Base64.encode(bytes) == text)
    }
}
