import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import protoc_gen_guildhall

/// What the plugin makes of one .proto file.
struct Generation {
    /// The contents by the names of the files.
    let files: [String: String]
    /// Why there are none.
    let refusal: String?

    /// Runs protoc and the plugin on a file of the package `test.v1`.
    ///
    /// It may import google/api/annotations.proto, of which it gets a small part, and our own.
    init(
        _ body: String, syntax: String = "proto3", parameter: String = ""
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sources = [
            "test.proto": "syntax = \"\(syntax)\";\npackage test.v1;\n\(body)\n",
            "google/api/annotations.proto": Self.annotations,
            "guildhall/http/v1/annotations.proto": try Self.ownAnnotations("http"),
            "guildhall/rpc/v1/annotations.proto": try Self.ownAnnotations("rpc"),
        ]
        for (name, text) in sources {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let output = folder.appending(path: "set.pb")
        let protoc = Process()
        protoc.executableURL = URL(filePath: "/usr/bin/env")
        protoc.arguments = [
            "protoc", "-I", folder.path, "--include_imports", "--include_source_info",
            "--descriptor_set_out", output.path, "test.proto",
        ]
        try protoc.run()
        protoc.waitUntilExit()
        try #require(protoc.terminationStatus == 0, "protoc accepts the file")

        let set = try Google_Protobuf_FileDescriptorSet(
            serializedBytes: [UInt8](try Data(contentsOf: output)))
        let request = Google_Protobuf_Compiler_CodeGeneratorRequest.with {
            $0.fileToGenerate = ["test.proto"]
            $0.parameter = parameter
            $0.protoFile = set.file
        }
        let response = generateCode(request: request, generator: Plugin())
        files = Dictionary(response.file.map { ($0.name, $0.content) }) { first, _ in first }
        refusal = response.hasError ? response.error : nil
    }

    private static func ownAnnotations(_ part: String) throws -> String {
        let protos = URL(filePath: #filePath).appending(path: "../../../..").standardized
        return try String(
            contentsOf: protos.appending(path: "guildhall/\(part)/v1/annotations.proto"),
            encoding: .utf8)
    }

    private static let annotations = """
        syntax = "proto3";
        package google.api;
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { HttpRule http = 72295728; }
        message HttpRule {
          oneof pattern {
            string get = 2; string put = 3; string post = 4; string delete = 5; string patch = 6;
          }
          string body = 7;
        }
        """

    /// The contents of a file, of which there must be one.
    func file(_ name: String) throws -> String {
        if let refusal { Issue.record("refused: \(refusal)") }
        return try #require(files[name], "there is \(name)")
    }

    /// The lines of a file without what they are indented by.
    func lines(_ name: String) throws -> [String] {
        try file(name).split(separator: "\n").map { line in
            String(line.drop { $0 == " " })
        }
    }
}
