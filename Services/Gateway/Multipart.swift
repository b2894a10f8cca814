import ServiceKit

/// A form with a file (`multipart/form-data`, RFC 7578), taken apart as browsers send it.
///
/// The parts are slices of the body: a file is not copied to be found.
struct Multipart: Sendable {
    /// What a body may have beside its file, in bytes: delimiters, headers and the other fields.
    static let besideFileBytesMax = 16 * 1_024
    /// The most parts.
    static let partCountMax = 32
    /// The longest header of a part, in bytes.
    static let headBytesMax = 2 * 1_024
    /// The lengths of a boundary.
    private static let boundaryLengths = 1...70

    /// One field.
    struct Part: Sendable {
        let name: String
        /// Whether it is a file, be it that none was chosen.
        let isFile: Bool
        let content: ArraySlice<UInt8>
    }

    let parts: [Part]

    /// The boundary in the type of a body; nil when it is no form of this kind.
    static func boundary(in contentType: String?) -> [UInt8]? {
        guard let contentType else { return nil }
        let type = contentType.prefix { $0 != ";" }
        guard String(type).trimmed.lowercased() == "multipart/form-data" else { return nil }
        let found = parameters(of: contentType).first { $0.name == "boundary" }?.value
        guard let boundary = found.map({ Array($0.utf8) }),
            boundaryLengths.contains(boundary.count), boundary.allSatisfy(isInBoundary),
            boundary.last != UInt8(ascii: " ")
        else { return nil }
        return boundary
    }

    /// The characters of RFC 2046: no line break is among them.
    private static func isInBoundary(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "'()+_,-./:=? ".utf8.contains(byte)
        }
    }

    /// Takes a body apart.
    ///
    /// - Parameters:
    ///   - body: The whole body.
    ///   - boundary: What its parts are apart by.
    /// - Throws: ``Problem`` when a part has no name or no end, or there are too many.
    init(_ body: [UInt8], boundary: [UInt8]) throws(Problem) {
        var reader = Reader(body: body, delimiter: Array("\r\n--".utf8) + boundary)
        var parts: [Part] = []
        try reader.skipFirstDelimiter()
        while try reader.hasPart() {
            guard parts.count < Self.partCountMax else {
                throw .malformedForm("It has more than \(Self.partCountMax) fields.")
            }
            let head = try reader.head()
            let content = try reader.content()
            guard let disposition = Self.disposition(in: head) else {
                throw .malformedForm("One of its fields has no name.")
            }
            parts.append(
                Part(
                    name: disposition.name, isFile: disposition.isFile, content: content))
        }
        self.parts = parts
    }

    /// What the header of a part says of it.
    private static func disposition(in head: String) -> (name: String, isFile: Bool)? {
        for line in head.split(separator: "\r\n") {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2,
                String(halves[0]).trimmed.lowercased() == "content-disposition"
            else { continue }
            let kind = String(halves[1].prefix { $0 != ";" }).trimmed.lowercased()
            let parameters = parameters(of: String(halves[1]))
            guard kind == "form-data",
                let name = parameters.first(where: { $0.name == "name" })?.value
            else { return nil }
            return (name, parameters.contains { $0.name == "filename" })
        }
        return nil
    }

    /// The parameters behind the first semicolon, such as `name="file"`; a backslash is one, as
    /// browsers mean it, and quotation marks end a value.
    private static func parameters(of field: String) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var rest = field.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst()
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            let value: Substring
            if rest.first == "\"" {
                value = rest.dropFirst().prefix { $0 != "\"" }
                rest = rest.dropFirst(value.count + 2).drop { $0 != ";" }
            } else {
                value = rest.prefix { $0 != ";" }
                rest = rest.dropFirst(value.count)
            }
            result.append((String(name).trimmed.lowercased(), String(value)))
        }
        return result
    }
}

/// Goes through a body from part to part.
private struct Reader {
    private static let lineBreak = Array("\r\n".utf8)
    private static let headEnd = Array("\r\n\r\n".utf8)
    private static let lastMark = Array("--".utf8)

    let body: [UInt8]
    /// What stands between two parts; of its bytes only the first is a carriage return.
    let delimiter: [UInt8]
    private var position = 0

    init(body: [UInt8], delimiter: [UInt8]) {
        self.body = body
        self.delimiter = delimiter
    }

    private func stands(_ pattern: some Collection<UInt8>) -> Bool {
        body[position...].starts(with: pattern)
    }

    /// Goes behind the delimiter with which a body begins.
    mutating func skipFirstDelimiter() throws(Problem) {
        let first = delimiter.dropFirst(Self.lineBreak.count)
        guard stands(first) else { throw .malformedForm("Its beginning is missing.") }
        position += first.count
    }

    /// Whether another part begins behind the delimiter.
    mutating func hasPart() throws(Problem) -> Bool {
        if stands(Self.lastMark) { return false }
        guard stands(Self.lineBreak) else { throw .malformedForm("It is not whole.") }
        position += Self.lineBreak.count
        return true
    }

    /// The header of a part.
    mutating func head() throws(Problem) -> String {
        let end = min(body.count, position + Multipart.headBytesMax)
        var index = position
        while index < end, !body[index...].starts(with: Self.headEnd) { index += 1 }
        guard index < end else {
            throw .malformedForm("The header of a field is too long, or not whole.")
        }
        let head = String(decoding: body[position..<index], as: UTF8.self)
        position = index + Self.headEnd.count
        return head
    }

    /// What stands up to the next delimiter, behind which the reader goes.
    ///
    /// Where a delimiter fails to match it has no other carriage return behind it, so that no byte
    /// is looked at more than twice, whatever somebody sends.
    mutating func content() throws(Problem) -> ArraySlice<UInt8> {
        let start = position
        var index = position
        while index < body.count {
            guard body[index] == delimiter[0] else {
                index += 1
                continue
            }
            var matched = 1
            while matched < delimiter.count, index + matched < body.count,
                body[index + matched] == delimiter[matched]
            { matched += 1 }
            if matched == delimiter.count {
                position = index + matched
                return body[start..<index]
            }
            index += matched
        }
        throw .malformedForm("It is not whole.")
    }
}

extension Problem {
    /// A form with a file that cannot be taken apart.
    static func malformedForm(_ sentence: String) -> Problem {
        Problem(
            httpStatus: 400, code: "malformed_message",
            message: "The form could not be read. \(sentence)")
    }

    /// The file in a form is larger than allowed.
    static func uploadTooLarge(_ field: String, _ words: String) -> Problem {
        let sentence = "The file is too large: \(words) at most."
        return Problem(
            httpStatus: 413, code: "too_large", message: sentence,
            violations: [Violation(code: "too_large", at: field, message: sentence)],
            closesConnection: true)
    }
}
