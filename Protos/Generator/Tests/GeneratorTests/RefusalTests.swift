import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import protoc_gen_guildhall

/// What the generator refuses, with the sentence that says so.
@Suite struct RefusalTests {
    /// Runs the plugin on one .proto file; answers its error, or nothing.
    private func refusal(_ body: String, syntax: String = "proto3") throws -> String? {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = "syntax = \"\(syntax)\";\npackage test.v1;\n\(body)\n"
        try Data(source.utf8).write(to: folder.appending(path: "test.proto"))

        let protoc = Process()
        protoc.executableURL = URL(filePath: "/usr/bin/env")
        protoc.arguments = [
            "protoc", "-I", folder.path, "--include_imports", "--descriptor_set_out",
            folder.appending(path: "set.pb").path, "test.proto",
        ]
        try protoc.run()
        protoc.waitUntilExit()
        try #require(protoc.terminationStatus == 0, "protoc accepts the file")

        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: "set.pb")))
        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
        let request = Google_Protobuf_Compiler_CodeGeneratorRequest.with {
            $0.fileToGenerate = ["test.proto"]
            $0.protoFile = set.file
        }
        let response = generateCode(request: request, generator: Plugin())
        return response.hasError ? response.error : nil
    }

    @Test func `an ordinary file is accepted`() throws {
        #expect(try refusal("message Tree { repeated Leaf leaves = 1; } message Leaf {}") == nil)
    }

    @Test(arguments: [
        ("message Tree { repeated Tree children = 1; }", "recursive: test.v1.Tree → test.v1.Tree"),
        ("message A { B b = 1; } message B { map<string, A> a = 1; }", "recursive"),
        ("message A { enum B { B_X = 0; } B b = 1; oneof b_ { int32 c = 2; } }", "named b"),
        ("message A { message Kind {} oneof kind { Kind k = 1; } }", "same name in Swift"),
        ("message String {}", "\"String\" is taken in Swift"),
        ("message HealthClient {} service Health {}", "also the Swift name of"),
        ("message A { map<bool, string> a = 1; }", "keys of type bool"),
        ("enum Color { RED = 0; }", "must begin with COLOR_"),
        ("enum E { option allow_alias = true; E_A = 0; E_B = 0; }", "two names for one number"),
        ("enum E { E_1 = 0; }", "cannot be a case"),
        (
            "message A {} service S { rpc M(stream A) returns (A); }",
            "methods that stream requests are not supported"
        ),
        (
            "import \"google/protobuf/struct.proto\"; message A { google.protobuf.Struct a = 1; }",
            "this type of google.protobuf is not supported"
        ),
    ])
    func `what is not supported is refused`(body: String, sentence: String) throws {
        let refusal = try #require(try refusal(body))

        #expect(refusal.contains(sentence), "\(refusal)")
    }

    @Test func `proto2 is refused`() throws {
        let refusal = try refusal("message A { optional group G = 1 {} }", syntax: "proto2")

        #expect(refusal == "test.proto: only proto3 is supported")
    }

    @Test(arguments: [
        ("parent_id", "parentID"), ("id", "id"), ("url", "url"), ("asset_urls", "assetURLs"),
        ("is_default", "isDefault"), ("ACADEMIC_K12", "academicK12"), ("API", "api"),
    ])
    func `names read as Swift`(proto: String, swift: String) {
        #expect(Names.lowerCamel(proto) == swift)
    }

    @Test(arguments: [
        ("GetOrganization", "getOrganization"), ("URLOf", "urlOf"), ("Watch", "watch"),
    ])
    func `methods read as Swift`(proto: String, swift: String) {
        #expect(Names.lowerFirst(proto) == swift)
    }
}
