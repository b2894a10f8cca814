import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The annotation `google.api.http` of a method, as far as the gateway serves it.
struct HTTPRule {
    let verb: String
    let template: String
    /// Empty: none; `*`: the request; else the field that the body fills.
    let body: String

    /// The fields that the variables of the path name, in order.
    var variables: [String] {
        template.split(separator: "/").compactMap { segment in
            guard segment.hasPrefix("{"), let end = segment.firstIndex(of: "}") else { return nil }
            return String(segment[segment.index(after: segment.startIndex)..<end])
        }
    }

    /// The path with other names for its variables.
    func template(naming names: [String]) -> String {
        var names = names[...]
        let segments = template.split(separator: "/").map { segment -> String in
            guard segment.hasPrefix("{"), let end = segment.firstIndex(of: "}") else {
                return String(segment)
            }
            return "{" + (names.popFirst() ?? "") + segment[end...]
        }
        return "/" + segments.joined(separator: "/")
    }

    /// The number of the extension of `google.protobuf.MethodOptions`.
    private static let extensionNumber = 72_295_728

    /// The rule of a method and its additional bindings; none when it has no annotation.
    static func rules(of method: MethodDescriptor) throws -> [HTTPRule] {
        let options = try WireFields(of: method)
        return try options.fields.filter { $0.number == extensionNumber }.flatMap { field in
            try rules(
                in: WireFields(field.bytes, of: method.fullName), of: method.fullName)
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
            case 11:
                additional += try rules(in: WireFields(field.bytes, of: method), of: method)
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
