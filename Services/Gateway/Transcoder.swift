import Encodings
import SwiftProtobuf

/// The request of the call that an HTTP request stands for.
struct TranscodedRequest: Sendable {
    /// The request, encoded.
    let message: [UInt8]
    /// The version that the body of a change says it is made to.
    let entityTag: String?
    /// Whether the client named no update mask, and the one of the request names what it sent.
    let isMaskImplied: Bool
    /// The organization at which a refusal is explained, if the request names it.
    let explanationPlace: String?
}

/// Turns an HTTP request into the request of a call, and the reply of a call into JSON, by the
/// canonical JSON mapping of proto3.
struct Transcoder: Sendable {
    /// What a client may cost.
    let limits: Limits

    /// Makes the request of the call that an HTTP request stands for.
    ///
    /// - Parameters:
    ///   - match: The route with the values of its path variables.
    ///   - query: The query parameters.
    ///   - body: The body.
    ///   - filled: Fields that the gateway fills itself, such as the token of a sign-out.
    /// - Returns: The request, and the entity tag in the body of a change.
    /// - Throws: ``Problem`` naming what is wrong.
    func request(
        _ match: RouteTable.Match, query: Query, body: [UInt8], filled: [String: String] = [:]
    ) throws(Problem) -> TranscodedRequest {
        try encode(match, query: query, body: body, filled: filled, as: match.route.request)
    }

    /// The JSON of an encoded reply.
    ///
    /// - Throws: What the decoder finds wrong with the bytes: a defect of the service.
    func reply(_ bytes: [UInt8], of route: Route) throws -> JSONValue {
        try json(bytes, as: route.reply)
    }

    private func json<Reply: SwiftProtobuf.Message>(
        _ bytes: [UInt8], as type: Reply.Type
    ) throws -> JSONValue {
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        let json: [UInt8] = try Reply(serializedBytes: bytes).jsonUTF8Bytes(options: options)
        return try JSONValue(parsing: json, depthMax: limits.jsonDepthMax)
            .completed(as: Reply.protoMessageName)
    }

    private func encode<Request: SwiftProtobuf.Message>(
        _ match: RouteTable.Match, query: Query, body: [UInt8], filled: [String: String],
        as type: Request.Type
    ) throws(Problem) -> TranscodedRequest {
        var document = JSONValue.emptyObject
        var tag: String?
        var isMaskImplied = false
        switch match.route.content {
        case .none:
            guard body.isEmpty else {
                throw .unreadable("body", "This request has no body.")
            }
        case .whole:
            if !body.isEmpty { document = try object(body) }
            if let field = match.route.replacedField, !field.isSaid(in: document) {
                throw .invalid(field.name, "This field is missing.")
            }
            if match.route.verb == "PATCH" {
                tag = try Self.entityTag(in: document)
                document = document.withoutAnswered(match.route)
            }
        case .bytes(let field):
            let value = JSONValue.string(Base64.encode(body))
            document = .object([.init(name: FieldName.json(field), value: value)])
        case .message(let field):
            let value = try object(body)
            document = .object([.init(name: FieldName.json(field), value: value)])
            if match.route.verb == "PATCH", Self.hasField("updateMask", type) {
                tag = try Self.entityTag(in: value)
                document = document.movingMaskOut(of: FieldName.json(field), type)
                isMaskImplied = document["updateMask"] == nil && !query.hasMask
                if isMaskImplied {
                    document = document.naming(presentIn: value, route: match.route)
                }
            }
        }
        document = try document.adding(
            query, of: type, route: match.route, depthMax: limits.jsonDepthMax)
        for (field, value) in match.variables + filled.map({ (field: $0.key, value: $0.value) }) {
            let path = field.split(separator: ".").map { FieldName.json(String($0)) }
            guard let next = document.setting(.string(value), at: path[...]) else {
                throw .invalid(
                    FieldName.path(
                        path.joined(separator: "."), inBody: match.route.content.field),
                    "The body says otherwise than the path.")
            }
            document = next
        }
        return TranscodedRequest(
            message: try bytes(document, of: match.route, as: type), entityTag: tag,
            isMaskImplied: isMaskImplied,
            explanationPlace: match.route.explanationPlace.flatMap(document.text(at:)))
    }

    /// The version that a change is made to, when the resource in the body names it.
    private static func entityTag(in resource: JSONValue) throws(Problem) -> String? {
        switch resource["etag"] {
        case nil, .null, .string(""): return nil
        case .string(let tag): return tag
        default: throw .invalid("etag", "A text is expected.")
        }
    }

    private func object(_ body: [UInt8]) throws(Problem) -> JSONValue {
        let document: JSONValue
        do throws(JSONFault) {
            document = try JSONValue(parsing: body, depthMax: limits.jsonDepthMax)
        } catch {
            throw .unreadable(FieldName.json(error.place), error.sentence)
        }
        guard case .object = document else {
            throw .unreadable("body", "A JSON object is expected.")
        }
        if let name = document.nameInTwoSpellings {
            throw .unreadable(FieldName.json(name), "The name stands twice.")
        }
        return document
    }

    private func bytes<Request: SwiftProtobuf.Message>(
        _ document: JSONValue, of route: Route, as type: Request.Type
    ) throws(Problem) -> [UInt8] {
        do {
            return try Request(jsonUTF8Bytes: document.encoded).serializedBytes()
        } catch {
            let place = document.place { Self.decodes($0, type) }
            var path = FieldName.path(place.path, inBody: route.content.field)
            if case JSONDecodingError.unknownField(let name) = error,
                path.hasSuffix(FieldName.json(name))
            {
                // What there is not has no spelling but the one that it was sent in.
                path = path.dropLast(FieldName.json(name).count) + name
            }
            throw .invalid(
                path.isEmpty ? "body" : path, Self.sentence(for: error, at: place, in: type))
        }
    }

    /// Whether a document is a message of a type.
    static func decodes(_ document: JSONValue, _ type: any SwiftProtobuf.Message.Type) -> Bool {
        fault(in: document, type) == nil
    }

    /// Whether messages of a type have a field.
    static func hasField(_ name: String, _ type: any SwiftProtobuf.Message.Type) -> Bool {
        decodes(.object([.init(name: name, value: .null)]), type)
    }
}

extension JSONValue {
    /// The text at a path of fields, in whichever spelling they came.
    fileprivate func text(at path: String) -> String? {
        var value: JSONValue? = self
        for name in path.split(separator: ".") {
            value = value?.members.first { FieldName.json($0.name) == name }?.value
        }
        guard case .string(let text)? = value else { return nil }
        return text
    }

    /// The document with an update mask that names what is present in a resource, but for what
    /// says which resource and which version of it is meant.
    fileprivate func naming(presentIn resource: JSONValue, route: Route) -> JSONValue {
        let prefix = (route.content.field ?? "") + "."
        let bound = PathTemplate(route.template).fields.map { field in
            field.split(separator: ".").map { FieldName.json(String($0)) }.joined(separator: ".")
        }
        let names = resource.members.map { FieldName.json($0.name) }
            .filter { $0 != "etag" && !bound.contains(prefix + $0) }
        guard !names.isEmpty else { return self }
        let mask = JSONValue.string(names.joined(separator: ","))
        return .object(members + [Member(name: "updateMask", value: mask)])
    }

    /// The document with an update mask that a client put beside the fields of the resource where
    /// it belongs: beside the resource.
    fileprivate func movingMaskOut(
        of field: String, _ type: any SwiftProtobuf.Message.Type
    ) -> JSONValue {
        guard case .object(let members)? = self[field],
            let position = members.firstIndex(where: { FieldName.json($0.name) == "updateMask" }),
            case let name = members[position].name,
            !Transcoder.decodes(
                .object([Member(name: field, value: .object([Member(name: name, value: .null)]))]),
                type)
        else { return self }
        var rest = members
        var mask = rest.remove(at: position).value
        if case .string(let text) = mask { mask = .string(FieldName.jsonMask(text)) }
        return .object([
            Member(name: field, value: .object(rest)), Member(name: "updateMask", value: mask),
        ])
    }

    /// The document without what the route answers and does not take, so that what was read can be
    /// sent back with a change.
    fileprivate func withoutAnswered(_ route: Route) -> JSONValue {
        .object(
            members.filter { member in
                Transcoder.hasField(member.name, route.request)
                    || !Transcoder.hasField(member.name, route.reply)
            })
    }

    /// A name that an object of the document holds twice, in the spelling of a .proto file and in
    /// that of JSON: which of the two counts would be a matter of luck.
    fileprivate var nameInTwoSpellings: String? {
        switch self {
        case .object(let members):
            var names: Set<String> = []
            for member in members {
                guard names.insert(FieldName.json(member.name)).inserted else { return member.name }
                if let name = member.value.nameInTwoSpellings { return name }
            }
            return nil
        case .array(let elements):
            for element in elements {
                if let name = element.nameInTwoSpellings { return name }
            }
            return nil
        case .null, .bool, .number, .string: return nil
        }
    }

    /// The document with the query parameters as fields.
    fileprivate func adding(
        _ query: Query, of type: any SwiftProtobuf.Message.Type, route: Route, depthMax: Int
    ) throws(Problem) -> JSONValue {
        var document = self
        for parameter in query.parameters {
            let path = parameter.name.split(separator: ".", omittingEmptySubsequences: false)
                .map { FieldName.json(String($0)) }
            // A name becomes as many objects as it has parts.
            guard path.count <= depthMax else { throw .unknownParameter(parameter.name) }
            guard route.content != .whole, !parameter.name.isEmpty, route.content.field != path[0],
                !PathTemplate(route.template).fields.contains(where: { field in
                    field.split(separator: ".").map { FieldName.json(String($0)) } == path
                })
            else { throw .unknownParameter(parameter.name) }
            var parameter = parameter
            if path == Query.maskPath {
                parameter.values = parameter.values.map(FieldName.jsonMask)
            }
            let value = try parameter.json(at: path, of: type)
            guard let next = document.setting(value, at: path[...]) else {
                throw .invalid(
                    path.joined(separator: "."), "The parameter is given twice.")
            }
            document = next
        }
        return document
    }
}

extension Query.Parameter {
    /// The value of the field that a parameter stands for: as a text, a truth value or a list,
    /// whichever the field takes.
    fileprivate func json(
        at path: [String], of type: any SwiftProtobuf.Message.Type
    ) throws(Problem) -> JSONValue {
        func takes(_ value: JSONValue) -> Bool {
            guard let document = JSONValue.emptyObject.setting(value, at: path[...]) else {
                return false
            }
            return Transcoder.decodes(document, type)
        }
        guard takes(.null) else { throw .unknownParameter(name) }
        let texts = values.map(JSONValue.string)
        let truths = values.compactMap { text -> JSONValue? in
            text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
        }
        for candidates in [texts, truths] where candidates.count == values.count {
            if candidates.count == 1, takes(candidates[0]) { return candidates[0] }
            if takes(.array(candidates)) { return .array(candidates) }
        }
        if values.count > 1, takes(texts[0]) || truths.first.map(takes) == true {
            throw .invalid(
                path.joined(separator: "."), "The parameter is given more than once.")
        }
        throw .invalid(path.joined(separator: "."), sentence(at: path, of: type))
    }
}

extension Query {
    fileprivate static let maskPath = ["updateMask"]

    /// Whether an update mask is among the parameters.
    fileprivate var hasMask: Bool {
        parameters.contains { [FieldName.json($0.name)] == Self.maskPath }
    }
}

extension Problem {
    /// A query parameter that the route does not have.
    static func unknownParameter(_ name: String) -> Problem {
        .invalid(String(name.prefix(100)), "There is no such parameter.")
    }
}
