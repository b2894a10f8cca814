import Foundation
import SwiftProtobuf

/// Collects what files declare.
struct SchemaBuilder {
    /// Messages declared in messages nest at most so deep.
    static let nestingMax = 32

    private(set) var messages: [String: MessageType] = [:]
    private(set) var enums: [String: EnumType] = [:]
    /// Fields that files add to the options of every file, by the message that they extend.
    private var extensions: [String: [Google_Protobuf_FieldDescriptorProto]] = [:]
    private var files: [Google_Protobuf_FileDescriptorProto] = []

    mutating func add(_ file: Google_Protobuf_FileDescriptorProto) throws(SchemaFault) {
        guard ["", "proto2", "proto3"].contains(file.syntax) else {
            throw SchemaFault(description: "\(file.name) is written in \(file.syntax).")
        }
        let place = Place(file)
        for (position, message) in file.messageType.enumerated() {
            try add(message, place.inside(message.name, [4, Int32(position)]))
        }
        for (position, type) in file.enumType.enumerated() {
            add(type, place.inside(type.name, [5, Int32(position)]))
        }
        for field in file.extension {
            let name = Self.name(field.extendee)
            extensions[name, default: []].append(Self.named(field, in: file.package))
        }
        files.append(file)
    }

    private mutating func add(
        _ message: Google_Protobuf_DescriptorProto, _ place: Place
    ) throws(SchemaFault) {
        guard place.depth <= Self.nestingMax else {
            throw SchemaFault(description: "\(place.name) is declared too deep in others.")
        }
        var entries: [String: Google_Protobuf_DescriptorProto] = [:]
        var nested: [String] = []
        for (position, inner) in message.nestedType.enumerated() {
            let innerPlace = place.inside(inner.name, [3, Int32(position)])
            if inner.options.mapEntry {
                entries[innerPlace.name] = inner
            } else {
                nested.append(innerPlace.name)
                try add(inner, innerPlace)
            }
        }
        for (position, type) in message.enumType.enumerated() {
            add(type, place.inside(type.name, [4, Int32(position)]))
        }
        var fields: [Field] = []
        for (position, field) in message.field.enumerated() {
            let comment = place.comment([2, Int32(position)])
            fields.append(
                try Self.field(field, entries, isProto3: place.isProto3, comment: comment))
        }
        let synthetic = Set(message.field.filter(\.proto3Optional).map(\.oneofIndex))
        messages[place.name] = MessageType(
            fullName: place.name, file: place.file, comment: place.comment(), fields: fields,
            choices: message.oneofDecl.enumerated()
                .filter { !synthetic.contains(Int32($0.offset)) }.map(\.element.name),
            nestedMessages: nested,
            nestedEnums: message.enumType.map { "\(place.name).\($0.name)" },
            isDeprecated: message.options.deprecated)
    }

    private mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, _ place: Place) {
        let values = type.value.enumerated().map { position, value in
            EnumType.Value(
                name: value.name, number: value.number, isDeprecated: value.options.deprecated,
                comment: place.comment([2, Int32(position)]))
        }
        enums[place.name] = EnumType(
            fullName: place.name, file: place.file, comment: place.comment(), values: values)
    }

    /// The services of all files, with the options that the files define.
    func services(in schema: Schema) throws(SchemaFault) -> [String: ServiceType] {
        let options = try methodOptions()
        var services: [String: ServiceType] = [:]
        for file in files {
            for (position, service) in file.service.enumerated() {
                let place = Place(file).inside(service.name, [6, Int32(position)])
                var methods: [MethodType] = []
                for (position, method) in service.method.enumerated() {
                    let comment = place.comment([2, Int32(position)])
                    methods.append(
                        try Self.method(method, of: place.name, comment, options, schema))
                }
                services[place.name] = ServiceType(
                    fullName: place.name, file: place.file, comment: place.comment(),
                    methods: methods)
            }
        }
        return services
    }

    /// What files add to the options of methods, as a message of its own.
    private func methodOptions() throws(SchemaFault) -> MessageType {
        var fields: [Field] = []
        for field in extensions["google.protobuf.MethodOptions"] ?? [] {
            fields.append(try Self.field(field, [:], isProto3: true, comment: ""))
        }
        return MessageType(fullName: "google.protobuf.MethodOptions", file: "", fields: fields)
    }

    private static func method(
        _ method: Google_Protobuf_MethodDescriptorProto, of service: String, _ comment: String,
        _ options: MessageType, _ schema: Schema
    ) throws(SchemaFault) -> MethodType {
        for name in [method.inputType, method.outputType].map(Self.name)
        where schema.messages[name] == nil {
            throw SchemaFault(
                description: "\(service)/\(method.name) takes or answers a \(name), "
                    + "which no file declares.")
        }
        let unknown = Array(method.options.unknownFields.data)
        // Options that cannot be read are left out: they do not change how a method is called.
        let custom = try? DynamicMessage(decoding: unknown, as: options, in: schema)
        let idempotency: MethodType.Idempotency =
            switch method.options.idempotencyLevel {
            case .noSideEffects: .noSideEffects
            case .idempotent: .idempotent
            default: .unknown
            }
        return MethodType(
            service: service, name: method.name, request: name(method.inputType),
            reply: name(method.outputType), streamsRequests: method.clientStreaming,
            streamsReplies: method.serverStreaming,
            idempotency: idempotency,
            isDeprecated: method.options.deprecated, comment: comment, customOptions: custom)
    }
}

/// Where in a file a declaration stands, and what comments say of it.
private struct Place {
    let file: String
    let isProto3: Bool
    let name: String
    let depth: Int
    private let path: [Int32]
    private let comments: [[Int32]: String]

    init(_ file: Google_Protobuf_FileDescriptorProto) {
        self.file = file.name
        isProto3 = file.syntax == "proto3"
        name = file.package
        depth = 0
        path = []
        comments = Dictionary(
            file.sourceCodeInfo.location.map { location in
                let leading = location.leadingComments
                return (location.path, leading.isEmpty ? location.trailingComments : leading)
            },
            uniquingKeysWith: { first, _ in first })
    }

    private init(_ outer: Place, _ name: String, _ path: [Int32]) {
        file = outer.file
        isProto3 = outer.isProto3
        self.name = outer.name.isEmpty ? name : "\(outer.name).\(name)"
        depth = outer.depth + 1
        self.path = outer.path + path
        comments = outer.comments
    }

    func inside(_ name: String, _ path: [Int32]) -> Place { Place(self, name, path) }

    /// The comment of the declaration, or of one in it; lines without their leading space.
    func comment(_ inner: [Int32] = []) -> String {
        guard let text = comments[path + inner], !text.isEmpty else { return "" }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(" ") ? $0.dropFirst() : $0 }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension SchemaBuilder {
    /// A full name without the dot that descriptors put before it.
    private static func name(_ reference: String) -> String {
        reference.hasPrefix(".") ? String(reference.dropFirst()) : reference
    }

    /// A field of options under its full name, as it is written: `(google.api.http)`.
    private static func named(
        _ field: Google_Protobuf_FieldDescriptorProto, in package: String
    ) -> Google_Protobuf_FieldDescriptorProto {
        var field = field
        field.name = package.isEmpty ? "(\(field.name))" : "(\(package).\(field.name))"
        return field
    }

    private static func field(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ entries: [String: Google_Protobuf_DescriptorProto], isProto3: Bool, comment: String
    ) throws(SchemaFault) -> Field {
        var kind = try kind(of: field)
        var shape: Field.Shape = field.label == .repeated ? .repeated : .singular
        if case .message(let name) = kind, let entry = entries[name] {
            guard let key = entry.field.first(where: { $0.number == 1 }),
                let value = entry.field.first(where: { $0.number == 2 })
            else { throw SchemaFault(description: "The map \(field.name) has no key or value.") }
            shape = .map(key: try self.kind(of: key))
            kind = try self.kind(of: value)
        }
        let isChosen = field.hasOneofIndex && !field.proto3Optional
        let isMessage = if case .message = kind { true } else { false }
        return Field(
            name: field.name,
            jsonName: field.hasJsonName ? field.jsonName : FieldNames.camelCase(field.name),
            number: field.number, kind: kind, shape: shape,
            choice: isChosen ? Int(field.oneofIndex) : nil,
            hasPresence: isChosen || field.proto3Optional || isMessage || !isProto3,
            isOptional: field.proto3Optional,
            isPacked: field.options.hasPacked ? field.options.packed : isProto3,
            isDeprecated: field.options.deprecated, comment: comment)
    }

    private static func kind(
        of field: Google_Protobuf_FieldDescriptorProto
    ) throws(SchemaFault) -> Field.Kind {
        switch field.type {
        case .double: .double
        case .float: .float
        case .int64: .int64
        case .uint64: .uint64
        case .int32: .int32
        case .fixed64: .fixed64
        case .fixed32: .fixed32
        case .bool: .bool
        case .string: .string
        case .message: .message(name(field.typeName))
        case .bytes: .bytes
        case .uint32: .uint32
        case .enum: .enumeration(name(field.typeName))
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        case .sint32: .sint32
        case .sint64: .sint64
        case .group: throw SchemaFault(description: "\(field.name) is a group.")
        }
    }
}

/// Names of fields in .proto files and in JSON.
enum FieldNames {
    /// `parent_id` as `parentId`.
    static func camelCase(_ name: String) -> String {
        var result = ""
        var isStart = false
        for character in name {
            if character == "_" {
                isStart = true
            } else {
                result += isStart ? character.uppercased() : String(character)
                isStart = false
            }
        }
        return result
    }

    /// `parentId` as `parent_id`.
    static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { result, character in
            if character.isUppercase { result += "_" }
            result += character.lowercased()
        }
    }
}
