import Foundation
import SwiftProtobuf

/// What is changed in the descriptors before a generator sees them.
enum Filter {
    /// Whether a file is of no use to any generator: annotations, and what they are made of.
    static func isDropped(_ file: String) -> Bool {
        file.hasPrefix("google/api/") || file == "google/protobuf/descriptor.proto"
            || ownAnnotations.contains(file)
    }

    private static let ownAnnotations: Set<String> = [
        "guildhall/http/v1/annotations.proto", "guildhall/rpc/v1/annotations.proto",
    ]

    /// The file without imports of what is dropped and without the options that it defines.
    static func withoutAnnotations(
        _ file: Google_Protobuf_FileDescriptorProto
    ) -> Google_Protobuf_FileDescriptorProto {
        var file = file
        precondition(
            file.publicDependency.isEmpty && file.weakDependency.isEmpty,
            "\(file.name): public and weak imports are not supported")
        file.dependency.removeAll(where: isDropped)
        for service in file.service.indices {
            for method in file.service[service].method.indices {
                // Extensions are unknown fields here, for this program knows none.
                let level = file.service[service].method[method].options.idempotencyLevel
                var options = Google_Protobuf_MethodOptions()
                if level != .idempotencyUnknown { options.idempotencyLevel = level }
                file.service[service].method[method].options = options
            }
        }
        file.messageType = file.messageType.map(withoutAnnotations)
        return file
    }

    private static func withoutAnnotations(
        _ message: Google_Protobuf_DescriptorProto
    ) -> Google_Protobuf_DescriptorProto {
        var message = message
        message.nestedType = message.nestedType.map(withoutAnnotations)
        for index in message.field.indices where message.field[index].hasOptions {
            message.field[index].options.unknownFields = UnknownStorage()
        }
        return message
    }

    /// The file as protoc-c is to see it.
    static func forProtobufC(
        _ file: Google_Protobuf_FileDescriptorProto
    ) -> Google_Protobuf_FileDescriptorProto {
        var file = file
        file.service = []
        file.clearSourceCodeInfo()
        file.messageType = file.messageType.map(forProtobufC)
        file.enumType = file.enumType.map(withoutDeprecation)
        file.options.clearDeprecated()
        // protoc-c's options are extensions with number 1019. gen_pack_helpers = false: unused.
        setOption(&file.options, bytes: [0x10, 0x00])
        return file
    }

    private static func forProtobufC(
        _ message: Google_Protobuf_DescriptorProto
    ) -> Google_Protobuf_DescriptorProto {
        var message = message
        message.nestedType = message.nestedType.map(forProtobufC)
        message.enumType = message.enumType.map(withoutDeprecation)
        message.options.clearDeprecated()
        for index in message.field.indices {
            // protoc-c's attribute would make every use in the bridge a warning.
            message.field[index].options.clearDeprecated()
            // protoc-c 1.4.1 refuses the mark, not the oneof with one member that it stands for.
            message.field[index].clearProto3Optional()
            if message.field[index].type == .string {
                // string_as_bytes = true: else a string ends at its first NUL.
                setOption(&message.field[index].options, bytes: [0x08, 0x01])
            }
            if isFloating(message.field[index]) {
                // protobuf-c leaves a negative zero out, which is not the default: so it is told
                // by a oneof with one member, as for `optional`, when there is a value.
                let oneof = Google_Protobuf_OneofDescriptorProto.with {
                    $0.name = "_" + message.field[index].name
                }
                message.field[index].oneofIndex = Int32(message.oneofDecl.count)
                message.oneofDecl.append(oneof)
            }
        }
        return message
    }

    /// Whether a field is a `float` or `double` that is neither repeated nor in a oneof.
    private static func isFloating(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
        [.float, .double].contains(field.type) && field.label == .optional && !field.hasOneofIndex
    }

    private static func withoutDeprecation(
        _ enumeration: Google_Protobuf_EnumDescriptorProto
    ) -> Google_Protobuf_EnumDescriptorProto {
        var enumeration = enumeration
        enumeration.options.clearDeprecated()
        for index in enumeration.value.indices {
            enumeration.value[index].options.clearDeprecated()
        }
        return enumeration
    }

    /// Sets the option of protoc-c, extension 1019, to an encoded message.
    private static func setOption<Options: Message>(_ options: inout Options, bytes: [UInt8]) {
        // 1019 << 3 | 2 as a varint, the length, the message.
        let encoded: [UInt8] = [0xda, 0x3f, UInt8(bytes.count)] + bytes
        do {
            try options.merge(serializedBytes: encoded)
        } catch {
            preconditionFailure("a constant option is well-formed: \(error)")
        }
    }
}
