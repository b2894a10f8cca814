public import Encodings
import SwiftProtobuf

/// Messages, enums and services as the descriptors of .proto files declare them.
///
/// The descriptors are those of proto3 files, or of what such files import. Everything that they
/// refer to must be among them.
public struct Schema: Sendable {
    /// The services by full name.
    public private(set) var services: [String: ServiceType] = [:]
    /// The messages by full name, those in other messages included, map entries left out.
    public let messages: [String: MessageType]
    /// The enums by full name.
    public let enums: [String: EnumType]
    /// The packages by the name of the file.
    private let packages: [String: String]

    /// A schema of files.
    ///
    /// - Parameter files: Encoded `google.protobuf.FileDescriptorProto` messages, in any order;
    ///   of those with the same name the first counts.
    /// - Throws: ``SchemaFault`` when they are malformed, or refer to what is not among them.
    public init(files: [[UInt8]]) throws(SchemaFault) {
        var descriptors: [Google_Protobuf_FileDescriptorProto] = []
        for file in files {
            do {
                descriptors.append(try Google_Protobuf_FileDescriptorProto(serializedBytes: file))
            } catch {
                throw SchemaFault(description: "A file descriptor is malformed: \(error)")
            }
        }
        try self.init(descriptors)
    }

    /// A schema of a set of files.
    ///
    /// - Parameter set: An encoded `google.protobuf.FileDescriptorSet`.
    /// - Throws: ``SchemaFault`` when it is malformed, or refers to what is not in it.
    public init(set: [UInt8]) throws(SchemaFault) {
        let files: [Google_Protobuf_FileDescriptorProto]
        do {
            files = try Google_Protobuf_FileDescriptorSet(serializedBytes: set).file
        } catch {
            throw SchemaFault(description: "The set of file descriptors is malformed: \(error)")
        }
        try self.init(files)
    }

    private init(_ files: [Google_Protobuf_FileDescriptorProto]) throws(SchemaFault) {
        var builder = SchemaBuilder()
        var packages: [String: String] = [:]
        for file in files where packages[file.name] == nil {
            packages[file.name] = file.package
            try builder.add(file)
        }
        messages = builder.messages
        enums = builder.enums
        self.packages = packages
        try expectComplete()
        services = try builder.services(in: self)
    }

    /// Everything that a field refers to is there.
    private func expectComplete() throws(SchemaFault) {
        for message in messages.values {
            for field in message.fields {
                let missing: String? =
                    switch field.kind {
                    case .message(let name): messages[name] == nil ? name : nil
                    case .enumeration(let name): enums[name] == nil ? name : nil
                    default: nil
                    }
                guard let missing else { continue }
                throw SchemaFault(
                    description: "\(message.fullName).\(field.name) is a \(missing), "
                        + "which no file declares.")
            }
        }
    }

    /// The package of a file.
    func package(of file: String) -> String { packages[file] ?? "" }

    /// A message that a field refers to.
    func known(message name: String) throws(MessageFault) -> MessageType {
        guard let type = messages[name] else {
            throw MessageFault("No descriptor declares the message \(name).")
        }
        return type
    }
}

extension Schema {
    /// Encodes a JSON document as a message of a type.
    ///
    /// The document is read as the proto3 JSON mapping has it; beyond that a name that the message
    /// does not have is refused, and so is one that stands twice.
    ///
    /// - Parameters:
    ///   - json: The document.
    ///   - type: The type, which is one of this schema.
    /// - Returns: The encoded message.
    /// - Throws: ``MessageFault`` with the path of the first thing that is wrong.
    public func encode(_ json: JSONValue, as type: MessageType) throws(MessageFault) -> [UInt8] {
        try JSONReading(schema: self).message(json, type).encoded
    }

    /// Decodes a message of a type as a JSON document, as the proto3 JSON mapping has it.
    ///
    /// - Parameters:
    ///   - bytes: The encoded message; fields that the type does not have are left out.
    ///   - type: The type, which is one of this schema.
    ///   - options: What may differ.
    /// - Returns: The document.
    /// - Throws: ``MessageFault`` when the bytes are not a message, or hold what has no JSON.
    public func decode(
        _ bytes: [UInt8], as type: MessageType, options: JSONOptions = JSONOptions()
    ) throws(MessageFault) -> JSONValue {
        try JSONWriting(schema: self, options: options).message(
            try DynamicMessage(decoding: bytes, as: type, in: self), depth: 1)
    }
}

/// How messages are written as JSON.
public struct JSONOptions: Sendable, Hashable {
    /// Whether fields are written that hold the default and cannot be told from fields not set.
    public var writesDefaults = false

    /// The mapping's own choices.
    public init() {}
}
