import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The annotation `google.api.http` of a method, as far as the gateway serves it.
struct HTTPRule {
    let verb: String
    let template: String
    /// Empty: none; `*`: the request; else the field that the body fills.
    let body: String

    /// The number of the extension of `google.protobuf.MethodOptions`.
    private static let extensionNumber = 72_295_728

    /// The rule of a method and its additional bindings; none when it has no annotation.
    static func rules(of method: MethodDescriptor) throws -> [HTTPRule] {
        // The extension is read by hand: two messages are not worth their generated code.
        let options = try WireFields(Array(method.options.unknownFields.data))
        return try options.fields.filter { $0.number == extensionNumber }.flatMap { field in
            try rules(in: WireFields(field.bytes), of: method.fullName)
        }
    }

    private static func rules(in wire: WireFields, of method: String) throws -> [HTTPRule] {
        var verb = ""
        var template = ""
        var body = ""
        var additional: [HTTPRule] = []
        for field in wire.fields {
            let text = String(decoding: field.bytes, as: UTF8.self)
            switch field.number {
            case 2: (verb, template) = ("GET", text)
            case 3: (verb, template) = ("PUT", text)
            case 4: (verb, template) = ("POST", text)
            case 5: (verb, template) = ("DELETE", text)
            case 6: (verb, template) = ("PATCH", text)
            case 7: body = text
            case 11: additional += try rules(in: WireFields(field.bytes), of: method)
            default:
                throw Refusal(method, "field \(field.number) of google.api.http is not supported")
            }
        }
        guard template.hasPrefix("/") else {
            throw Refusal(method, "google.api.http needs a path that begins with /")
        }
        return [HTTPRule(verb: verb, template: template, body: body)] + additional
    }
}

/// The fields of an encoded message that have a length.
private struct WireFields {
    var fields: [(number: Int, bytes: [UInt8])] = []

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let tag = try Self.varint(&rest)
            switch tag & 7 {
            case 0: _ = try Self.varint(&rest)
            case 1: rest = rest.dropFirst(8)
            case 2:
                let count = try Self.varint(&rest)
                guard count <= rest.count else {
                    throw Refusal("google.api.http", "the option is cut off")
                }
                fields.append((tag >> 3, Array(rest.prefix(count))))
                rest = rest.dropFirst(count)
            case 5: rest = rest.dropFirst(4)
            default: throw Refusal("google.api.http", "the option is malformed")
            }
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) throws -> Int {
        var value = 0
        for shift in stride(from: 0, to: 56, by: 7) {
            guard let byte = bytes.popFirst() else { break }
            value |= Int(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Refusal("google.api.http", "the option is malformed")
    }
}
