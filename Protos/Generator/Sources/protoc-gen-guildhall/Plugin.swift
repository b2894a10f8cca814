import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Generates Swift values, their bridges to protobuf-c, services, descriptors, and the gateway's
/// routes.
///
/// Parameters: `name` begins the names of the C files (`messages`), `support` names the module
/// with arena and pre-check when it is another one, as for messages of tests, `standalone` says that
/// of this module only the C half is used while the Swift half is copied beside the output, as for
/// other packages, and `synchronous`, which may be repeated, names a service that gets the
/// synchronous form, too.
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
        let parameters = Parameters(parameter)
        let models = try files.map(ModelBuilder().file)
        try refuseDuplicates(models)
        try refuseUnknown(parameters.synchronous, in: models)
        var outputs = models.flatMap { Self.swift($0, parameters) } + Self.c(models, parameters)
        if parameters.hasDescriptors {
            let descriptors = Descriptors(files, name: parameters.name)
            outputs += [
                ("c/include/\(parameters.name)_descriptors.h", descriptors.header()),
                ("c/\(parameters.name)_descriptors.c", try descriptors.source()),
            ]
        }
        if parameters.support == nil {
            let routes = try Routes(files)
            var api = OpenAPI(routes.all)
            outputs += [
                ("gateway/Routes.swift", try routes.print()),
                ("gateway/OpenAPIDocument.swift", try api.print()),
                ("gateway/ReplyShapes.swift", try ReplyShapes(files).print()),
            ]
        }
        for (name, contents) in outputs {
            try generatorOutputs.add(fileName: name, contents: contents)
        }
    }

    private typealias Output = (name: String, contents: String)

    private struct Parameters {
        let name: String
        let support: String?
        let isStandalone: Bool
        let synchronous: Set<String>

        var module: String {
            "C" + (name.contains(where: \.isUppercase) ? name : Names.upperCamel(name))
        }

        /// Whether the module tells of its own files, for reflection.
        var hasDescriptors: Bool { support == nil || isStandalone }

        /// The module with the Swift half of the runtime when it is another one.
        var swiftSupport: String? { isStandalone ? nil : support }

        init(_ parameter: any CodeGeneratorParameter) {
            let pairs = parameter.parsedPairs
            name = pairs.last { $0.key == "name" }?.value ?? "messages"
            support = pairs.last { $0.key == "support" }?.value
            isStandalone = pairs.contains { $0.key == "standalone" }
            synchronous = Set(pairs.filter { $0.key == "synchronous" }.map(\.value))
        }
    }

    /// The Swift files of a .proto file.
    private static func swift(_ file: FileModel, _ parameters: Parameters) -> [Output] {
        let support = parameters.swiftSupport
        var outputs: [Output] = []
        if !file.messages.isEmpty || !file.enums.isEmpty {
            let values = Values(file: file, support: support)
            outputs.append(("swift/\(file.swiftName).swift", values.print()))
        }
        if !file.messages.isEmpty || !file.partlyDeprecatedEnums.isEmpty {
            let bridges = Bridges(file: file, module: parameters.module, support: support)
            outputs.append(("swift/\(file.swiftName)+Bridge.swift", bridges.print()))
        }
        if !file.services.isEmpty {
            let services = Services(
                file: file, support: support, synchronous: parameters.synchronous)
            outputs.append(("swift/\(file.swiftName)+Service.swift", services.print()))
        }
        return outputs
    }

    /// The C files beside those of protoc-c.
    private static func c(_ files: [FileModel], _ parameters: Parameters) -> [Output] {
        let descriptors = parameters.hasDescriptors ? ["\(parameters.name)_descriptors.h"] : []
        let runtime =
            parameters.support.map { ["C\($0).h"] } ?? ["arena.h", "precheck.h", "shape.h"]
        let shapes = Shapes(
            // Those of the well-known messages are in the module that is shared.
            files: parameters.isStandalone ? files.filter { !$0.isWellKnown } : files,
            name: parameters.name,
            support: (runtime + descriptors).sorted())
        return [
            ("c/include/\(parameters.name)_shapes.h", shapes.header()),
            ("c/\(parameters.name)_shapes.c", shapes.source()),
            ("c/include/\(parameters.module).h", shapes.umbrella()),
            ("c/include/module.modulemap", shapes.moduleMap(parameters.module)),
        ]
    }

    /// One module holds all files, without prefixes: names must differ.
    private func refuseDuplicates(_ files: [FileModel]) throws {
        var seen: [String: String] = [:]
        func claim(_ name: String?, _ place: String) throws {
            guard let name else { return }
            if let other = seen.updateValue(place, forKey: name) {
                throw Refusal(place, "\"\(name)\" is also the Swift name of \(other)")
            }
        }
        for file in files {
            try claim("\(file.swiftName).swift", file.protoName)
            for message in file.messages {
                try claim(message.swiftName, message.fullName)
                try claim(message.alias, message.fullName)
            }
            for enumeration in file.enums {
                try claim(enumeration.swiftName, enumeration.fullName)
                try claim(enumeration.alias, enumeration.fullName)
            }
            for service in file.services {
                for name in ["Service", "Methods", "Client"].map({ service.name + $0 }) {
                    try claim(name, service.fullName)
                }
                try claim("Synchronous\(service.name)Service", service.fullName)
            }
        }
    }

    private func refuseUnknown(_ synchronous: Set<String>, in files: [FileModel]) throws {
        let eligible = files.flatMap(\.services).filter(\.hasUnaryMethods).map(\.fullName)
        if let name = synchronous.subtracting(eligible).sorted().first {
            throw Refusal(name, "the parameter synchronous names no service with unary methods")
        }
    }
}
