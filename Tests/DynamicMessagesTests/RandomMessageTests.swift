import DynamicMessages
import Encodings
import Foundation
import Testing

/// Random messages are what protobuf's own Python says, both ways.
@Suite struct RandomMessageTests {
    /// The messages of one run.
    static let count = 2_000

    @Test(arguments: [1, 2, 3])
    func `every kind of field`(seed: Int) async throws {
        try await Self.compare(try Fixtures.kinds(), Fixtures.kindsFile, seed: seed)
    }

    static func compare(_ schema: Schema, _ file: URL, seed: Int) async throws {
        let made = try await Fixtures.python(["make", file.path, "\(seed)", "\(count)"])
        var answers = ""
        for line in made.split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            try #require(parts.count == 3)
            let type = try #require(schema.messages[String(parts[0])])
            let bytes = Array(try #require(Data(base64Encoded: String(parts[1]))))

            let theirs = try JSONValue(parsing: parts[2].utf8)
            let ours = try schema.decode(bytes, as: type)
            let again = try schema.encode(theirs, as: type)

            #expect(ours.isSame(as: theirs), "\(type.fullName): \(ours.text()) is not \(parts[2])")
            answers +=
                "\(type.fullName)\t\(parts[1])\t\(Data(again).base64EncodedString())\t"
                + ours.text() + "\n"
        }
        let checked = try await Fixtures.python(["check", file.path], input: answers)
        #expect(checked == "checked \(count)\n")
    }
}
