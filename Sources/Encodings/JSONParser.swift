/// Why a text is not an acceptable JSON document.
public struct JSONFault: Error, Sendable, Hashable {
    /// Where it was found: a path such as `lines[0].quantity`, or a position such as `byte 17`.
    public let place: String
    /// What is wrong, in a sentence.
    public let sentence: String

    /// A fault at a place.
    public init(place: String, sentence: String) {
        self.place = place
        self.sentence = sentence
    }
}

extension JSONValue {
    /// Reads a document; a name that stands twice in an object is refused.
    ///
    /// - Parameters:
    ///   - text: The whole document as UTF-8.
    ///   - depthMax: Arrays and objects nest in one another at most so deep.
    ///   - allowsNUL: Whether texts may hold NUL, which C takes for their end.
    /// - Throws: ``JSONFault`` at the first thing that is wrong.
    public init(
        parsing text: some Sequence<UInt8>, depthMax: Int, allowsNUL: Bool = false
    ) throws(JSONFault) {
        self = try JSONParser.document(Array(text), depthMax: depthMax, allowsNUL: allowsNUL)
    }
}

/// Reads one JSON document as RFC 8259 has it and nothing more: no repeated names, no half of a
/// surrogate pair, a bounded depth.
struct JSONParser {
    private let bytes: [UInt8]
    private let depthMax: Int
    private let allowsNUL: Bool
    private var position = 0

    /// Reads a document.
    ///
    /// - Throws: ``JSONFault`` at the first thing that is wrong.
    static func document(
        _ bytes: [UInt8], depthMax: Int, allowsNUL: Bool
    ) throws(JSONFault) -> JSONValue {
        var parser = JSONParser(bytes: bytes, depthMax: depthMax, allowsNUL: allowsNUL)
        parser.skipSpace()
        let value = try parser.value(depth: 1)
        parser.skipSpace()
        guard parser.position == bytes.count else {
            throw parser.fault("Something stands after the end of the document.")
        }
        return value
    }

    private init(bytes: [UInt8], depthMax: Int, allowsNUL: Bool) {
        self.bytes = bytes
        self.depthMax = depthMax
        self.allowsNUL = allowsNUL
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fault(_ sentence: String) -> JSONFault {
        JSONFault(place: "byte \(position)", sentence: sentence)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth <= depthMax else {
            throw fault("The document nests deeper than \(depthMax) levels.")
        }
        guard let byte = next else { throw fault("The document ends too early.") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault("A value is expected here.")
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        let end = position + text.utf8.count
        guard end <= bytes.count, bytes[position..<end].elementsEqual(text.utf8) else {
            throw fault("A value is expected here.")
        }
        position = end
        return value
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSONValue {
        position += 1
        skipSpace()
        if take("}") { return .emptyObject }
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        while true {
            guard next == UInt8(ascii: "\"") else { throw fault("A name is expected here.") }
            let name = try string()
            guard names.insert(name).inserted else {
                throw JSONFault(
                    place: String(name.prefix(100)), sentence: "The name stands twice.")
            }
            skipSpace()
            guard take(":") else { throw fault("A colon is expected here.") }
            skipSpace()
            members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("A comma or a closing brace is expected here.") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) -> JSONValue {
        position += 1
        skipSpace()
        if take("]") { return .array([]) }
        var elements: [JSONValue] = []
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("A comma or a closing bracket is expected here.") }
            skipSpace()
        }
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = position
        _ = take("-")
        if !take("0") {
            guard skipDigits() else { throw fault("A digit is expected here.") }
        }
        if take(".") {
            guard skipDigits() else { throw fault("A digit is expected here.") }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard skipDigits() else { throw fault("A digit is expected here.") }
        }
        if let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            throw fault("A number does not begin with 0.")
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        return position > start
    }

    private mutating func string() throws(JSONFault) -> String {
        position += 1
        var text: [UInt8] = []
        var start = position
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes[start..<position]
                position += 1
                guard let result = String(validating: text, as: UTF8.self) else {
                    throw fault("The text is not UTF-8.")
                }
                return result
            case UInt8(ascii: "\\"):
                text += bytes[start..<position]
                position += 1
                text += try escape().utf8
                start = position
            case 0..<0x20:
                throw fault("A control character must be escaped.")
            default:
                position += 1
            }
        }
        throw fault("The document ends inside a text.")
    }

    private mutating func escape() throws(JSONFault) -> String {
        guard let byte = next else { throw fault("The document ends inside a text.") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return String(Character(try unicodeEscape()))
        default: throw fault("There is no such escape.")
        }
    }

    private mutating func unicodeEscape() throws(JSONFault) -> Unicode.Scalar {
        let unit = try codeUnit()
        guard unit != 0 || allowsNUL else { throw fault("A text holds no NUL.") }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800..<0xDC00).contains(unit), take("\\"), take("u") else {
            throw fault("Half of a surrogate pair is no character.")
        }
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw fault("Half of a surrogate pair is no character.") }
        return scalar
    }

    private mutating func codeUnit() throws(JSONFault) -> UInt32 {
        guard position + 4 <= bytes.count else { throw fault("Four digits are expected here.") }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw fault("Four digits are expected here.")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
