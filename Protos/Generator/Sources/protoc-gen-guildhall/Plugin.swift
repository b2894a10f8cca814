import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Generates Swift values, their bridges to protobuf-c, services, and the gateway's routes.
///
/// Parameters: `name` begins the names of the C files (`messages`), `support` names the module
/// with arena and pre-check when it is another one, as for messages of tests.
@main
struct Plugin: CodeGenerator {
    let supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] = [
        .proto3Optional
    ]

    func generate(
        files: [FileDescriptor],
        parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext,
        generatorOutputs: any GeneratorOutputs
    ) throws {
        let parameters = Dictionary(parameter.parsedPairs) { _, last in last }
        let name = parameters["name"] ?? "messages"
        let support = parameters["support"]
        let builder = ModelBuilder()
        let models = try files.map(builder.file)
        try refuseDuplicates(models)

        let module = "C\(Names.upperCamel(name))"
        var values = ["public import RPC"]
        var bridges = [
            "internal import CProtobufC", "internal import \(module)", "public import RPC",
        ]
        if let support {
            values.append("public import \(support)")
            bridges += ["@testable import \(support)", "internal import C\(support)"]
        }
        for file in models {
            if !file.messages.isEmpty || !file.enums.isEmpty {
                try generatorOutputs.add(
                    fileName: "swift/\(file.swiftName).swift",
                    contents: Values(file: file, imports: values).print())
            }
            if !file.messages.isEmpty {
                try generatorOutputs.add(
                    fileName: "swift/\(file.swiftName)+Bridge.swift",
                    contents: Bridges(file: file, imports: bridges).print())
            }
            if !file.services.isEmpty {
                try generatorOutputs.add(
                    fileName: "swift/\(file.swiftName)+Service.swift",
                    contents: Services(file: file).print())
            }
        }
        let shapes = Shapes(
            files: models, name: name,
            support: support.map { ["C\($0).h"] } ?? ["arena.h", "precheck.h", "shape.h"])
        try generatorOutputs.add(
            fileName: "c/include/\(name)_shapes.h", contents: shapes.header())
        try generatorOutputs.add(fileName: "c/\(name)_shapes.c", contents: shapes.source())
        try generatorOutputs.add(
            fileName: "c/include/\(module).h", contents: shapes.umbrella())
        try generatorOutputs.add(
            fileName: "c/include/module.modulemap", contents: shapes.moduleMap(module))
        if support == nil {
            try generatorOutputs.add(
                fileName: "gateway/Routes.swift", contents: Routes(files).print())
            try generatorOutputs.add(
                fileName: "gateway/ReplyShapes.swift", contents: ReplyShapes(files).print())
        }
    }

    /// One module holds all files, without prefixes: names must differ.
    private func refuseDuplicates(_ files: [FileModel]) throws {
        var seen: [String: String] = [:]
        func claim(_ name: String, _ place: String) throws {
            if let other = seen.updateValue(place, forKey: name) {
                throw Refusal(place, "\"\(name)\" is also the Swift name of \(other)")
            }
        }
        for file in files {
            try claim("\(file.swiftName).swift", file.protoName)
            for message in file.messages { try claim(message.swiftName, message.fullName) }
            for enumeration in file.enums {
                try claim(enumeration.swiftName, enumeration.fullName)
            }
            for service in file.services {
                for suffix in ["Service", "Methods", "Client"] {
                    try claim(service.name + suffix, service.fullName)
                }
            }
        }
    }
}
