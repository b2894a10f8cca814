import SwiftProtobuf
import Testing

/// What the generator makes of messages and enums.
@Suite struct ValueTests {
    private func lines(_ body: String) throws -> [String] {
        try Generation(body).lines("swift/Test.swift")
    }

    @Test func `comments are carried over for every element`() throws {
        let lines = try lines(
            """
            // On the message.
            message A {
              // On the field.
              int32 field = 1;
              int32 behind = 2;  // Behind the field.
              // On the oneof.
              oneof choice {
                // On the case.
                int32 chosen = 3;
                int32 other = 4;  // Behind the case.
              }
              // On the map.
              map<string, string> map = 5;
              // On the inner message.
              message Inner {}
              // On the inner enum.
              enum Kind { KIND_ONE = 0; }
            }
            // On the enum.
            enum E {
              // On the value.
              E_ONE = 0;
              E_TWO = 1;  // Behind the value.
            }
            """)

        for (comment, declaration) in [
            ("On the message.", "public struct A: Message {"),
            ("On the field.", "public var field: Int32"),
            ("Behind the field.", "public var behind: Int32"),
            ("On the oneof.", "public var choice: A.Choice?"),
            ("On the case.", "case chosen(Int32)"), ("Behind the case.", "case other(Int32)"),
            ("On the map.", "public var map: [String: String]"),
            ("On the inner message.", "public struct Inner: Message {"),
            ("On the inner enum.", "public enum Kind: Sendable, Hashable {"),
            ("On the enum.", "public enum E: Sendable, Hashable {"),
            ("On the value.", "case one"), ("Behind the value.", "case two"),
        ] {
            let index = try #require(lines.firstIndex(of: "/// \(comment)"), "\(comment)")
            #expect(lines[index + 1] == declaration)
        }
    }

    @Test func `every declaration that is public has a comment`() throws {
        let lines = try lines(
            "message A { int32 a = 1; oneof c { int32 d = 2; } enum E { E_X = 0; } }")

        for (before, line) in zip(lines, lines.dropFirst())
        where line.hasPrefix("public ") && !line.hasPrefix("public import ") {
            #expect(before.hasPrefix("///"), "\(line)")
        }
    }

    @Test func `a deprecated field is stored under another name`() throws {
        let lines = try lines(
            """
            message A {
              // Deprecated: say "b",
              // or c\\\\d.
              int32 a = 1 [deprecated = true];
              int32 b = 2;
            }
            """)

        let mark = "@available(*, deprecated, message: \"say \\\"b\\\", or c\\\\\\\\d.\")"
        let index = try #require(lines.firstIndex(of: "public var a: Int32 {"))
        #expect(lines[index - 1] == mark)
        #expect(lines.contains("var aStorage: Int32"))
        #expect(lines.filter { $0 == mark }.count == 2, "an initializer with it is marked, too")
    }

    @Test func `the name of a deprecated type is a marked alias`() throws {
        let lines = try lines(
            """
            message A { option deprecated = true; enum E { option deprecated = true; E_X = 0; } }
            message B { A a = 1; A.E e = 2; }
            """)

        #expect(lines.contains("public struct DeprecatedA: Message {"))
        #expect(lines.contains("public typealias A = DeprecatedA"))
        #expect(lines.contains("public typealias E = DeprecatedE"))
        #expect(lines.contains("public var a: DeprecatedA?"))
        #expect(lines.contains("public var e: DeprecatedA.DeprecatedE"))
    }

    @Test(arguments: [
        ("Any", "ProtobufAny"), ("Duration", "ProtobufDuration"), ("Empty", "Empty"),
        ("FieldMask", "FieldMask"), ("Timestamp", "Timestamp"), ("BoolValue", "BoolValue"),
        ("BytesValue", "BytesValue"), ("DoubleValue", "DoubleValue"),
        ("FloatValue", "FloatValue"), ("Int32Value", "Int32Value"), ("Int64Value", "Int64Value"),
        ("StringValue", "StringValue"), ("UInt32Value", "UInt32Value"),
        ("UInt64Value", "UInt64Value"),
    ])
    func `well-known types have a type in Swift`(proto: String, swift: String) throws {
        let imports = ["any", "duration", "empty", "field_mask", "timestamp", "wrappers"]
            .map { "import \"google/protobuf/\($0).proto\";" }.joined(separator: "\n")

        let lines = try lines("\(imports)\nmessage A { google.protobuf.\(proto) a = 1; }")

        #expect(lines.contains("public var a: \(swift)?"))
    }

    @Test(arguments: ["bool", "int32", "sint64", "fixed32", "string"])
    func `maps have keys of every type`(key: String) throws {
        #expect(try Generation("message A { map<\(key), string> a = 1; }").refusal == nil)
    }
}

/// What the generator makes of the bound on a message's bytes.
@Suite struct BoundTests {
    @Test(arguments: [
        ("repeated uint32 a = 1;", "if !self.a.isEmpty { bound += 6 + 5 * self.a.count }"),
        ("repeated uint32 a = 1 [packed = false];", "bound += 6 * self.a.count"),
        ("repeated bool a = 16 [packed = false];", "bound += 3 * self.a.count"),
        ("repeated string a = 1;", "for value in self.a { bound += 6 + value.utf8.count }"),
        ("map<bool, uint32> a = 1;", "bound += 14 * self.a.count"),
    ])
    func `a repeated field counts each value with its tag`(field: String, line: String) throws {
        let lines = try Generation("message A { \(field) }").lines("swift/Test+Bridge.swift")

        #expect(lines.contains(line))
    }
}

/// Messages with many fields.
@Suite struct SharedFieldsTests {
    private func message(memberCount: Int) throws -> [String] {
        let fields = (1...memberCount).map { "int32 f\($0) = \($0);" }.joined()
        return try Generation("message A { \(fields) }").lines("swift/Test.swift")
    }

    @Test func `more than twelve members are shared by the copies of a message`() throws {
        #expect(try message(memberCount: 12).contains("public var f1: Int32"))

        let lines = try message(memberCount: 13)
        #expect(lines.contains("public var f13: Int32 {"))
        #expect(lines.contains("final class Storage: @unchecked Sendable {"))
        #expect(lines.contains("own()"), "a change makes the fields its own first")
    }

    @Test func `each of them is copied, compared and hashed`() throws {
        let fields = (1...13).map { "int32 f\($0) = \($0);" }.joined()
        let lines = try Generation("message A { \(fields) }").lines("swift/Test+Bridge.swift")

        for member in (1...13).map({ "f\($0)" }) {
            #expect(lines.contains("copy.\(member) = self.\(member)"))
            #expect(lines.contains { $0.hasSuffix("self.\(member) == other.\(member)") })
            #expect(lines.contains("hasher.combine(self.\(member))"))
            #expect(lines.contains("(\"\(member)\", self.\(member) as Any),"))
        }
    }

    @Test func `the fields of a oneof are one member`() throws {
        let fields = (1...13).map { "int32 f\($0) = \($0);" }.joined()
        let lines = try Generation("message A { oneof c { \(fields) } }")
            .lines("swift/Test.swift")

        #expect(lines.contains("public var c: A.C?"))
    }
}

/// The descriptors that reflection answers with.
@Suite struct DescriptorTests {
    @Test func `the descriptors are a set that needs no other file`() throws {
        let source = try Generation(
            """
            import "google/api/annotations.proto";
            import "google/protobuf/timestamp.proto";
            // On the message.
            message A { google.protobuf.Timestamp a = 1; }
            service S { rpc M(A) returns (A) { option (google.api.http) = { get: "/a" }; } }
            """
        ).file("c/messages_descriptors.c")
        let start = try #require(source.range(of: "{\n")?.upperBound)
        let end = try #require(source.range(of: "};")?.lowerBound)
        let bytes = source[start..<end].split(separator: "\n")
            .filter { !$0.contains("/*") }
            .flatMap { $0.split(separator: ",") }
            .compactMap { UInt8($0.trimmingPrefix { $0 == " " }) }

        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)

        var seen: Set<String> = []
        for file in set.file {
            #expect(seen.isSuperset(of: file.dependency), "\(file.name) comes after its imports")
            seen.insert(file.name)
        }
        #expect(
            seen == [
                "test.proto", "google/api/annotations.proto", "google/protobuf/descriptor.proto",
                "google/protobuf/timestamp.proto",
            ])
        let test = try #require(set.file.last)
        #expect(test.sourceCodeInfo.location.map(\.leadingComments) == [" On the message.\n"])
        let options = test.service[0].method[0].options
        #expect(!options.unknownFields.data.isEmpty, "google.api.http is kept")
    }

    @Test func `messages of tests have no descriptors`() throws {
        let generation = try Generation("message A {}", parameter: "support=Messages,name=testing")

        #expect(!generation.files.keys.contains { $0.contains("descriptors") })
    }

    @Test func `messages of another package need no module of ours but the C half`() throws {
        let generation = try Generation(
            "message A {}", parameter: "name=Greeter,support=Messages,standalone")

        let imports = try generation.lines("swift/Test+Bridge.swift").filter {
            $0.contains("import ")
        }
        let expected = [
            "internal import CGreeter", "internal import CProtobufC", "public import RPC",
        ]
        #expect(imports == expected)
        #expect(try generation.file("c/include/CGreeter.h").contains("\"CMessages.h\""))
    }
}
