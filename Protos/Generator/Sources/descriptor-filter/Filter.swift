import Foundation
import SwiftProtobuf

/// What is changed in the descriptors before a generator sees them.
enum Filter {
    /// Whether a file is of no use to any generator: annotations, and what they are made of.
    static func isDropped(_ file: String) -> Bool {
        file.hasPrefix("google/api/") || file == "google/protobuf/descriptor.proto"
    }

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
        return file
    }

    /// The file as protoc-c is to see it.
    static func forProtobufC(
        _ file: Google_Protobuf_FileDescriptorProto
    ) -> Google_Protobuf_FileDescriptorProto {
        var file = file
        file.service = []
        file.clearSourceCodeInfo()
        file.messageType = file.messageType.map(forProtobufC)
        // protoc-c's options are extensions with number 1019. gen_pack_helpers = false: unused.
        setOption(&file.options, bytes: [0x10, 0x00])
        return file
    }

    private static func forProtobufC(
        _ message: Google_Protobuf_DescriptorProto
    ) -> Google_Protobuf_DescriptorProto {
        var message = message
        message.nestedType = message.nestedType.map(forProtobufC)
        for index in message.field.indices {
            // protoc-c 1.4.1 refuses the mark, not the oneof with one member that it stands for.
            message.field[index].clearProto3Optional()
            if message.field[index].type == .string {
                // string_as_bytes = true: else a string ends at its first NUL.
                setOption(&message.field[index].options, bytes: [0x08, 0x01])
            }
        }
        return message
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
