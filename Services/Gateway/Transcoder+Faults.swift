import Encodings
import SwiftProtobuf

// What is wrong with a document, where, and what would be right there.

/// A place in a document, with documents that hold a value there and nothing else.
struct JSONPlace {
    /// A path such as `lines[0].quantity`; empty for the document itself.
    var path = ""
    /// The document with a value at the place.
    var document: (JSONValue) -> JSONValue = { $0 }

    /// The place inside of what stands at a name or an index.
    fileprivate func inside(
        _ step: String, _ document: @escaping (JSONValue) -> JSONValue
    ) -> JSONPlace {
        let separator = path.isEmpty || path.hasPrefix("[") ? "" : "."
        let inner = self.document
        return JSONPlace(path: step + separator + path) { document(inner($0)) }
    }
}

extension JSONValue {
    /// Finds the smallest part of a document that is wrong.
    ///
    /// - Parameter isRight: Whether a document is right; asked with everything else left out.
    /// - Returns: The place of the part.
    func place(isRight: (JSONValue) -> Bool) -> JSONPlace {
        switch self {
        case .object(let members) where isRight(.emptyObject):
            for member in members {
                func alone(_ value: JSONValue) -> JSONValue {
                    .object([Member(name: member.name, value: value)])
                }
                guard !isRight(alone(member.value)) else { continue }
                return member.value.place { isRight(alone($0)) }
                    .inside(FieldName.json(member.name), alone)
            }
        case .array(let elements) where isRight(.array([])):
            for (position, element) in elements.enumerated() {
                guard !isRight(.array([element])) else { continue }
                return element.place { isRight(.array([$0])) }
                    .inside("[\(position)]") { .array([$0]) }
            }
        default: break
        }
        return JSONPlace()
    }

    /// The value that a document holds inside of objects and lists with one part each.
    fileprivate var onlyLeaf: JSONValue {
        switch self {
        case .object(let members) where members.count == 1: members[0].value.onlyLeaf
        case .array(let elements) where elements.count == 1: elements[0].onlyLeaf
        default: self
        }
    }
}

extension Transcoder {
    /// Of an enum with more names only so many are told.
    private static let namesMax = 20
    /// Values of an enum are looked for up to this number; enums count from 1, and have few.
    private static let enumNumberMax = 64

    /// Why a document is no message of a type; nil when it is one.
    static func fault(
        in document: JSONValue, _ type: any SwiftProtobuf.Message.Type
    ) -> (any Error)? {
        func attempt<Value: SwiftProtobuf.Message>(_ type: Value.Type) -> (any Error)? {
            do {
                _ = try Value(jsonUTF8Bytes: document.encoded)
                return nil
            } catch {
                return error
            }
        }
        return attempt(type)
    }

    /// What would be right at a place of a document.
    static func sentence(
        for error: any Error, at place: JSONPlace, in type: any SwiftProtobuf.Message.Type
    ) -> String {
        let names = enumNames(at: place, in: type)
        guard names.isEmpty else {
            let more = names.count > namesMax ? " and \(names.count - namesMax) more" : ""
            return "One of \(names.prefix(namesMax).joined(separator: ", "))\(more) is expected."
        }
        return switch error {
        case JSONDecodingError.unknownField: "There is no such field."
        case JSONDecodingError.malformedNumber, JSONDecodingError.leadingZero:
            "A number is expected."
        case JSONDecodingError.numberRange: "The number is out of range or not whole."
        case JSONDecodingError.malformedBool: "true or false is expected."
        case JSONDecodingError.malformedString: "A text is expected."
        case JSONDecodingError.malformedMap: "A JSON object is expected."
        case JSONDecodingError.unrecognizedEnumValue: "There is no such value."
        case JSONDecodingError.illegalNull: "null is not allowed here."
        case JSONDecodingError.malformedDuration: "A duration such as 3.5s is expected."
        case JSONDecodingError.malformedTimestamp:
            "An instant such as 2030-01-31T08:00:00Z is expected."
        case JSONDecodingError.malformedFieldMask: "Names of fields, with commas, are expected."
        case JSONDecodingError.conflictingOneOf: "Another field of the same choice is given too."
        default: "The value does not fit the field."
        }
    }

    /// The names that an enum at a place has, by their numbers, but for the one that says nothing;
    /// none where no enum stands.
    static func enumNames(
        at place: JSONPlace, in type: any SwiftProtobuf.Message.Type
    ) -> [String] {
        // An enum takes its numbers, and is written with its names.
        (1...enumNumberMax).compactMap { number in
            let document = place.document(.number(String(number)))
            guard case .string(let name)? = written(document, as: type)?.onlyLeaf,
                name.first?.isLetter == true
            else { return nil }
            return name
        }
    }

    /// The document as a message of the type is written; nil when it is none.
    private static func written(
        _ document: JSONValue, as type: any SwiftProtobuf.Message.Type
    ) -> JSONValue? {
        func attempt<Value: SwiftProtobuf.Message>(_ type: Value.Type) -> JSONValue? {
            do {
                let json: [UInt8] = try Value(jsonUTF8Bytes: document.encoded).jsonUTF8Bytes()
                return try JSONValue(parsing: json, depthMax: Limits().jsonDepthMax)
            } catch {
                return nil
            }
        }
        return attempt(type)
    }
}

extension Query.Parameter {
    /// What would be right for a parameter that stands for a field.
    func sentence(at path: [String], of type: any SwiftProtobuf.Message.Type) -> String {
        let field = JSONPlace(path: name) { value in
            JSONValue.emptyObject.setting(value, at: path[...]) ?? .emptyObject
        }
        // Where a list is expected, each value is one of its elements.
        let isList = Transcoder.decodes(field.document(.array([])), type)
        let place = isList ? JSONPlace(path: name) { field.document(.array([$0])) } : field
        for value in values {
            if let fault = Transcoder.fault(in: place.document(.string(value)), type) {
                return Transcoder.sentence(for: fault, at: place, in: type)
            }
        }
        return "The value does not fit the parameter."
    }
}
