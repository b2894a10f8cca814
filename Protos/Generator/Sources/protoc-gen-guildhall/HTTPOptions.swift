import SwiftProtobufPluginLibrary

/// The annotations of `guildhall/http/v1/annotations.proto` on a method.
struct HTTPOptions {
    /// Whether it needs no principal.
    let isOpen: Bool
    /// Whether a POST of it makes something.
    let creates: Bool
    /// The field that the body of a PUT has to name.
    let replaced: FieldDescriptor?
    /// The method that says whether a file would be taken.
    let check: MethodDescriptor?
    /// The types of the file that it takes or answers.
    let fileTypes: [String]
    /// The field of the reply that names the person whose rights it may have changed.
    let changedPerson: FieldDescriptor?
    /// The codes of refusals that it explains.
    let explained: [String]
    /// The methods whose refusals those are; none: all.
    let explainedMethods: [MethodDescriptor]
    /// The field of the request that names where a refusal is explained, after those that it is
    /// within; none when it is not said.
    let explanationPlace: [FieldDescriptor]

    /// The numbers of the extensions of `google.protobuf.MethodOptions`.
    private enum Number {
        static let open = 51_111
        static let creates = 51_112
        static let replaces = 51_113
        static let checkedBy = 51_114
        static let fileTypes = 51_115
        static let changesRightsOf = 51_116
        static let explains = 51_117
        static let explainsRefusalsOf = 51_118
        static let explainedAt = 51_119
    }

    /// What a method says of itself.
    ///
    /// - Throws: ``Refusal`` when it names a field or a method that there is not.
    init(of method: MethodDescriptor) throws {
        let wire = try WireFields(of: method)
        func field(_ number: Int, in message: Descriptor) throws -> FieldDescriptor? {
            guard let name = wire.texts(number).last else { return nil }
            guard let field = message.fields.first(where: { $0.name == name }) else {
                throw Refusal(method.fullName, "\(message.fullName) has no field \(name)")
            }
            return field
        }
        func path(_ number: Int, in message: Descriptor) throws -> [FieldDescriptor] {
            guard let text = wire.texts(number).last else { return [] }
            var within = (name: message.fullName, fields: message.fields)
            return try text.split(separator: ".", omittingEmptySubsequences: false).map { name in
                guard let field = within.fields.first(where: { $0.name == name }) else {
                    throw Refusal(method.fullName, "\(within.name) has no field \(name)")
                }
                within = (field.fullName, field.messageType?.fields ?? [])
                return field
            }
        }
        func methods(_ number: Int) throws -> [MethodDescriptor] {
            try wire.texts(number).map { name in
                guard let found = method.service.methods.first(where: { $0.name == name }) else {
                    throw Refusal(
                        method.fullName, "\(method.service.fullName) has no method \(name)")
                }
                return found
            }
        }
        isOpen = wire.isSet(Number.open)
        creates = wire.isSet(Number.creates) || method.name.hasPrefix("Create")
        replaced = try field(Number.replaces, in: method.inputType)
        check = try methods(Number.checkedBy).last
        fileTypes = wire.texts(Number.fileTypes)
        changedPerson = try field(Number.changesRightsOf, in: method.outputType)
        explained = wire.texts(Number.explains)
        explainedMethods = try methods(Number.explainsRefusalsOf)
        explanationPlace = try path(Number.explainedAt, in: method.inputType)
        try refuse(in: method)
    }

    /// Refuses what the gateway could not do.
    private func refuse(in method: MethodDescriptor) throws {
        for field in [changedPerson, explanationPlace.last].compactMap({ $0 })
        where field.type != .string || field.isRepeated {
            throw Refusal(method.fullName, "\(field.fullName) is no text")
        }
        for field in explanationPlace.dropLast() where field.isRepeated {
            throw Refusal(method.fullName, "\(field.fullName) is a list")
        }
        guard let check else { return }
        let offered = method.inputType.fields.filter { $0.type != .bytes }
        let isAlike = check.inputType.fields.elementsEqual(offered) { one, other in
            one.name == other.name && one.number == other.number && one.type == other.type
                && one.messageType?.fullName == other.messageType?.fullName
        }
        guard method.clientStreaming, !check.clientStreaming, !check.serverStreaming, isAlike
        else {
            throw Refusal(
                method.fullName, "\(check.name) does not ask for the fields of the file's request")
        }
    }
}

extension FieldDescriptor {
    /// The name in JSON.
    var nameInJSON: String { jsonName ?? Names.lowerCamel(name) }

    /// Whether it holds names of fields.
    var namesFields: Bool {
        get throws { try WireFields(of: self).isSet(51_111) }
    }

    /// Whether the gateway fills it with the token of the session.
    var isSessionToken: Bool {
        get throws { try WireFields(of: self).isSet(51_112) }
    }
}
