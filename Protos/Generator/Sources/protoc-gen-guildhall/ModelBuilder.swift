import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Makes the emitters' model of descriptors, and refuses what the emitters do not support.
struct ModelBuilder {
    /// The messages of `google.protobuf` that have a Swift type, with a summary of each.
    private static let wellKnown: [String: (name: String, summary: String)] = [
        "google.protobuf.Timestamp": (
            "Timestamp", "A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z."
        ),
        "google.protobuf.Duration": (
            "ProtobufDuration", "A signed span of time: seconds and nanoseconds."
        ),
        "google.protobuf.FieldMask": (
            "FieldMask", "Names fields of a message by their paths."
        ),
        "google.protobuf.Any": (
            "ProtobufAny", "A message of any type: the URL that names the type, and its encoding."
        ),
        "google.protobuf.Empty": ("Empty", "A message without fields."),
        "google.protobuf.BoolValue": ("BoolValue", "A bool that may be absent."),
        "google.protobuf.BytesValue": ("BytesValue", "Bytes that may be absent."),
        "google.protobuf.DoubleValue": ("DoubleValue", "A double that may be absent."),
        "google.protobuf.FloatValue": ("FloatValue", "A float that may be absent."),
        "google.protobuf.Int32Value": ("Int32Value", "An int32 that may be absent."),
        "google.protobuf.Int64Value": ("Int64Value", "An int64 that may be absent."),
        "google.protobuf.StringValue": ("StringValue", "A string that may be absent."),
        "google.protobuf.UInt32Value": ("UInt32Value", "A uint32 that may be absent."),
        "google.protobuf.UInt64Value": ("UInt64Value", "A uint64 that may be absent."),
    ]

    /// Those that hold themselves.
    private static let recursive: Set<String> = [
        "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue",
    ]

    func file(_ file: FileDescriptor) throws -> FileModel {
        guard file.edition == .proto3 else { throw Refusal(file.name, "only proto3 is supported") }
        let base = file.name.split(separator: "/").last.map(String.init) ?? file.name
        return FileModel(
            protoName: file.name,
            swiftName: Names.upperCamel(base.replacing(".proto", with: "")),
            messages: try file.messages.map(message),
            enums: try file.enums.map(enumeration),
            services: try file.services.map(service),
            messagesUseWellKnown: file.messages.contains(where: Self.usesWellKnown),
            servicesUseWellKnown: file.services.flatMap(\.methods).contains { method in
                [method.inputType, method.outputType].contains(where: Self.isWellKnown)
            })
    }

    private func message(_ message: Descriptor) throws -> MessageModel {
        let oneofs = try message.realOneofs.map { oneof in
            OneofModel(
                name: oneof.name, documentation: documentation(oneof),
                fields: try oneof.fields.map(field))
        }
        let model = MessageModel(
            fullName: message.fullName,
            swiftName: message.options.mapEntry ? "" : try swiftName(message),
            documentation: Self.wellKnown[message.fullName].map { [$0.summary] }
                ?? documentation(message),
            deprecation: deprecation(message, message.options.deprecated, in: message.fullName),
            fields: try message.fields.map(field), oneofs: oneofs,
            messages: try message.messages.filter { !$0.options.mapEntry }.map(self.message),
            enums: try message.enums.map(enumeration),
            entries: try message.messages.filter(\.options.mapEntry).map(self.message))
        try refuseRecursion(in: message)
        try refuseExcess(model)
        return model
    }

    private func field(_ field: FieldDescriptor) throws -> FieldModel {
        let cardinality: FieldModel.Cardinality
        var value = field
        if field.isMap, let entry = field.messageType.mapKeyAndValue {
            cardinality = .map(key: try valueModel(entry.key), entry: field.messageType.fullName)
            value = entry.value
        } else if field.isRepeated {
            cardinality = .repeated
        } else if field.realContainingOneof != nil {
            cardinality = .plain
        } else if field.hasPresence {
            cardinality = .optional
        } else {
            cardinality = .plain
        }
        return FieldModel(
            name: field.name, number: field.number,
            documentation: Self.isWellKnown(field.containingType) ? [] : documentation(field),
            deprecation: deprecation(field, field.options.deprecated, in: field.fullName),
            value: try valueModel(value), cardinality: cardinality,
            oneof: field.realContainingOneof.map(\.index), isPacked: field.isPacked,
            isMarkedOptional: field.oneofIndex != nil && field.realContainingOneof == nil)
    }

    private func valueModel(_ field: FieldDescriptor) throws -> ValueModel {
        switch field.type {
        case .int32: .scalar(.int32)
        case .sint32: .scalar(.sint32)
        case .sfixed32: .scalar(.sfixed32)
        case .int64: .scalar(.int64)
        case .sint64: .scalar(.sint64)
        case .sfixed64: .scalar(.sfixed64)
        case .uint32: .scalar(.uint32)
        case .fixed32: .scalar(.fixed32)
        case .uint64: .scalar(.uint64)
        case .fixed64: .scalar(.fixed64)
        case .bool: .scalar(.bool)
        case .float: .scalar(.float)
        case .double: .scalar(.double)
        case .string: .text
        case .bytes: .bytes
        case .enum:
            .enumeration(
                swiftName: try swiftName(field.enumType), fullName: field.enumType.fullName,
                initial: initial(try enumeration(field.enumType).cases[0]))
        case .message:
            .message(
                swiftName: try swiftName(field.messageType), fullName: field.messageType.fullName)
        case .group: throw Refusal(field.fullName, "groups are not supported")
        }
    }

    private func enumeration(_ enumeration: EnumDescriptor) throws -> EnumModel {
        let prefix = Names.upperSnake(enumeration.name) + "_"
        var numbers: Set<Int32> = []
        let cases = try enumeration.values.map { value in
            guard numbers.insert(value.number).inserted else {
                throw Refusal(value.fullName, "two names for one number are not supported")
            }
            guard value.name.hasPrefix(prefix) else {
                throw Refusal(value.fullName, "the name must begin with \(prefix)")
            }
            let name = Names.lowerCamel(String(value.name.dropFirst(prefix.count)))
            guard let first = name.first, first.isLetter, name != "unrecognized" else {
                throw Refusal(value.fullName, "\"\(name)\" cannot be a case in Swift")
            }
            return EnumModel.Case(
                protoName: value.name, swiftName: Names.escaped(name), number: value.number,
                documentation: documentation(value),
                deprecation: deprecation(value, value.options.deprecated, in: value.fullName))
        }
        return EnumModel(
            fullName: enumeration.fullName, swiftName: try swiftName(enumeration),
            documentation: documentation(enumeration),
            deprecation: deprecation(
                enumeration, enumeration.options.deprecated, in: enumeration.fullName),
            cases: cases)
    }

    /// The expression for an enum's first value.
    private func initial(_ first: EnumModel.Case) -> String {
        first.deprecation == nil ? ".\(first.swiftName)" : ".init(rawValue: \(first.number))"
    }

    private func service(_ service: ServiceDescriptor) throws -> ServiceModel {
        let methods = try service.methods.map { method in
            let idempotency =
                switch method.options.idempotencyLevel {
                case .noSideEffects: "safe"
                case .idempotent: "keyed"
                case .idempotencyUnknown: "unknown"
                }
            return ServiceModel.Method(
                name: method.name, documentation: documentation(method),
                deprecation: deprecation(method, method.options.deprecated, in: method.fullName),
                request: try swiftName(method.inputType), reply: try swiftName(method.outputType),
                kind: kind(of: method), idempotency: idempotency, isBulk: try isBulk(method))
        }
        return ServiceModel(
            fullName: service.fullName, name: service.name,
            documentation: documentation(service),
            deprecation: deprecation(service, service.options.deprecated, in: service.fullName),
            methods: methods)
    }

    /// The number of the extension of `google.protobuf.MethodOptions`.
    private static let bulkNumber = 51_101

    /// Whether a method has the annotation `guildhall.rpc.v1.bulk`.
    private func isBulk(_ method: MethodDescriptor) throws -> Bool {
        try WireFields(of: method).numbers.contains {
            $0.number == Self.bulkNumber && $0.value != 0
        }
    }

    private func kind(of method: MethodDescriptor) -> ServiceModel.Kind {
        switch (method.clientStreaming, method.serverStreaming) {
        case (false, false): .unary
        case (false, true): .serverStreaming
        case (true, false): .clientStreaming
        case (true, true): .bidirectional
        }
    }

    // MARK: Names

    private func swiftName(_ message: Descriptor) throws -> String {
        if let wellKnown = Self.wellKnown[message.fullName] { return wellKnown.name }
        guard !Self.recursive.contains(message.fullName) else {
            throw Refusal(
                message.fullName,
                "this type holds itself, to any depth, and protobuf-c crashes the stack on what"
                    + " nests deeply: declare a message, or carry JSON in a string")
        }
        guard !Self.isWellKnown(message) else {
            throw Refusal(message.fullName, "this type of google.protobuf is not supported")
        }
        let name = (message.options.deprecated ? Deprecation.typePrefix : "") + message.name
        return try nested(name, in: message.containingType, message.fullName)
    }

    private func swiftName(_ enumeration: EnumDescriptor) throws -> String {
        guard enumeration.file.package != "google.protobuf" else {
            throw Refusal(enumeration.fullName, "this type of google.protobuf is not supported")
        }
        let prefix = enumeration.options.deprecated ? Deprecation.typePrefix : ""
        return try nested(
            prefix + enumeration.name, in: enumeration.containingType, enumeration.fullName)
    }

    private func nested(_ name: String, in outer: Descriptor?, _ place: String) throws -> String {
        let isTaken =
            Names.taken.contains(name) || (outer == nil && Names.takenAtTop.contains(name))
        guard !isTaken else {
            throw Refusal(place, "\"\(name)\" is taken in Swift")
        }
        guard let outer else { return name }
        return "\(try swiftName(outer)).\(name)"
    }

    private static func isWellKnown(_ message: Descriptor) -> Bool {
        message.file.package == "google.protobuf"
    }

    private static func usesWellKnown(_ message: Descriptor) -> Bool {
        !isWellKnown(message)
            && (message.fields.compactMap(\.messageType).contains(where: isWellKnown)
                || message.messages.contains(where: usesWellKnown))
    }

    // MARK: Comments

    /// The comment before an element, else the one behind it.
    func documentation(_ place: some ProvidesSourceCodeLocation) -> [String] {
        guard let location = place.sourceCodeInfoLocation else { return [] }
        let comments =
            location.hasLeadingComments ? location.leadingComments : location.trailingComments
        var lines = comments.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            if line.first == " " { line.removeFirst() }
            while line.last?.isWhitespace == true { line.removeLast() }
            return String(line)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// The mark of an element, with what its comment says after `Deprecated:`.
    private func deprecation(
        _ place: some ProvidesSourceCodeLocation, _ isDeprecated: Bool, in name: String
    ) -> Deprecation? {
        guard isDeprecated else { return nil }
        let start = "Deprecated: "
        let lines = documentation(place).drop { !$0.hasPrefix(start) }
        guard let first = lines.first else {
            return Deprecation(sentence: "\(name) is deprecated in its .proto file.")
        }
        let rest = lines.dropFirst().prefix { !$0.isEmpty }
        return Deprecation(
            sentence: ([String(first.dropFirst(start.count))] + rest).joined(separator: " "))
    }

    // MARK: Refusals

    /// A recursive type has no bound on its depth: protobuf-c crashes the stack on it.
    private func refuseRecursion(in message: Descriptor) throws {
        func visit(_ descriptor: Descriptor, _ path: [String]) throws {
            guard !path.contains(descriptor.fullName) else {
                throw Refusal(
                    message.fullName,
                    "recursive: \((path + [descriptor.fullName]).joined(separator: " → "))")
            }
            for field in descriptor.fields where field.type == .message {
                try visit(field.messageType, path + [descriptor.fullName])
            }
        }
        try visit(message, [])
    }

    /// The pre-check has one bit for each field that may occur once; names must differ in Swift.
    private func refuseExcess(_ message: MessageModel) throws {
        guard message.members.count <= 128 else {
            throw Refusal(message.fullName, "a message may have 128 fields at most")
        }
        var seen: Set<String> = []
        for member in message.members {
            let names =
                switch member {
                case .field(let field): [field.swiftName, field.storageName]
                case .oneof(let oneof): [oneof.swiftName]
                }
            for name in Set(names) where !seen.insert(name).inserted {
                throw Refusal(message.fullName, "two fields are named \(name) in Swift")
            }
        }
        let types =
            message.messages.map(\.simpleName) + message.enums.map(\.simpleName)
            + message.messages.compactMap(\.alias) + message.enums.compactMap(\.alias)
            + message.oneofs.map(\.swiftType)
        guard Set(types).count == types.count else {
            throw Refusal(message.fullName, "two types within it have the same name in Swift")
        }
    }
}
