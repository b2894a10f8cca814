import CExpat
import Glibc

/// What handles the elements of one part of a workbook.
protocol XMLHandler: AnyObject {
    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault)
    func end(_ element: XMLElement) throws(SpreadsheetFault)
    /// Text between tags, in UTF-8 and in pieces; no piece cuts a character.
    func text(_ bytes: UnsafeRawBufferPointer) throws(SpreadsheetFault)
}

extension XMLHandler {
    func end(_ element: XMLElement) throws(SpreadsheetFault) {}
    func text(_ bytes: UnsafeRawBufferPointer) throws(SpreadsheetFault) {}
}

/// Reads XML that comes in pieces; document types, and with them entities, are refused.
@safe final class XMLReader {
    private let parser: XML_Parser
    private let handler: any XMLHandler
    private let part: String
    private let limits: SpreadsheetLimits
    private var fault: SpreadsheetFault?
    private var depth = 0
    private var byteCount = 0
    /// Whether there is a fault; asking the fault itself would copy it, at every tag.
    private var isStopped = false

    /// Begins a part; the name is that of its entry in the archive.
    init(_ part: String, handler: any XMLHandler, limits: SpreadsheetLimits) {
        (self.part, self.handler, self.limits) = (part, handler, limits)
        guard let parser = unsafe XML_ParserCreateNS(nil, XMLElement.separator) else {
            preconditionFailure("no memory is left")
        }
        unsafe self.parser = parser
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        unsafe XML_SetElementHandler(
            parser,
            { reader, name, attributes in
                unsafe XMLReader.at(reader)?.begin(name, attributes)
            },
            { reader, name in
                unsafe XMLReader.at(reader)?.end(name)
            })
        unsafe XML_SetCharacterDataHandler(parser) { reader, text, count in
            unsafe XMLReader.at(reader)?.text(
                UnsafeRawBufferPointer(start: text, count: Int(count)))
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { reader, _, _, _, _ in
            unsafe XMLReader.at(reader)?.refuseDocumentType()
        }
    }

    deinit {
        unsafe XML_ParserFree(parser)
    }

    private static func at(_ pointer: UnsafeMutableRawPointer?) -> XMLReader? {
        unsafe pointer.map { unsafe Unmanaged<XMLReader>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Reads the next piece.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(SpreadsheetFault) {
        byteCount += bytes.count
        try unsafe parse(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count: bytes.count,
            isFinal: false)
        // A tag that has not ended is read from its start at every piece.
        guard unsafe byteCount - Int(XML_GetCurrentByteIndex(parser)) <= limits.tokenBytesMax else {
            throw tooComplex("a tag longer than \(limits.tokenBytesMax) bytes")
        }
    }

    /// Ends the part; throws if it is not whole.
    func finish() throws(SpreadsheetFault) {
        try unsafe parse(nil, count: 0, isFinal: true)
    }

    private func parse(
        _ bytes: UnsafePointer<CChar>?, count: Int, isFinal: Bool
    ) throws(SpreadsheetFault) {
        let status = unsafe XML_Parse(parser, bytes, Int32(count), isFinal ? 1 : 0)
        if let fault { throw fault }
        guard status == XML_STATUS_OK else {
            let line = unsafe XML_GetCurrentLineNumber(parser)
            throw SpreadsheetFault.damaged("its part \(part) is not XML, at line \(line).")
        }
    }

    private func begin(
        _ name: UnsafePointer<CChar>?,
        _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) {
        guard !isStopped, let name = unsafe name, let attributes = unsafe attributes else {
            return
        }
        guard unsafe XML_GetSpecifiedAttributeCount(parser) <= 2 * Int32(limits.attributesMax)
        else {
            stop(with: tooComplex("an element with more than \(limits.attributesMax) attributes"))
            return
        }
        depth += 1
        guard depth <= limits.elementDepthMax else {
            stop(with: tooComplex("elements more than \(limits.elementDepthMax) deep"))
            return
        }
        attempt { () throws(SpreadsheetFault) in
            try unsafe handler.begin(XMLElement(name), XMLAttributes(attributes))
        }
    }

    private func end(_ name: UnsafePointer<CChar>?) {
        guard !isStopped, let name = unsafe name else { return }
        depth -= 1
        attempt { () throws(SpreadsheetFault) in try unsafe handler.end(XMLElement(name)) }
    }

    private func text(_ bytes: UnsafeRawBufferPointer) {
        guard !isStopped else { return }
        attempt { () throws(SpreadsheetFault) in try unsafe handler.text(bytes) }
    }

    private func refuseDocumentType() {
        stop(with: SpreadsheetFault.damaged("its part \(part) declares a document type."))
    }

    private func tooComplex(_ what: String) -> SpreadsheetFault {
        SpreadsheetFault(.tooComplex, "The file's part \(part) has \(what).")
    }

    private func attempt(_ work: () throws(SpreadsheetFault) -> Void) {
        do throws(SpreadsheetFault) {
            try work()
        } catch {
            stop(with: error)
        }
    }

    private func stop(with fault: SpreadsheetFault) {
        guard !isStopped else { return }
        isStopped = true
        self.fault = fault
        unsafe XML_StopParser(parser, 0)
    }
}

/// The attributes of an element, valid while it begins.
@safe struct XMLAttributes {
    private let pairs: UnsafeMutablePointer<UnsafePointer<CChar>?>

    fileprivate init(_ pairs: UnsafeMutablePointer<UnsafePointer<CChar>?>) {
        unsafe self.pairs = pairs
    }

    /// The value of an attribute without a namespace.
    subscript(_ name: StaticString) -> XMLValue? {
        var index = 0
        while let key = unsafe pairs[index] {
            let isWanted = unsafe name.utf8Start.withMemoryRebound(
                to: CChar.self, capacity: name.utf8CodeUnitCount
            ) { unsafe strcmp(key, $0) == 0 }
            if isWanted { return unsafe pairs[index + 1].map { unsafe XMLValue($0) } }
            index += 2
        }
        return nil
    }

    /// The `id` that names a relationship: the only one in a namespace.
    var relationship: XMLValue? {
        var index = 0
        while let key = unsafe pairs[index] {
            let separator = unsafe strrchr(key, Int32(XMLElement.separator))
            if let separator = unsafe separator, unsafe strcmp(separator + 1, "id") == 0 {
                return unsafe pairs[index + 1].map { unsafe XMLValue($0) }
            }
            index += 2
        }
        return nil
    }
}

/// The value of an attribute, valid while its element begins.
@safe struct XMLValue {
    private let start: UnsafePointer<CChar>

    fileprivate init(_ start: UnsafePointer<CChar>) {
        unsafe self.start = start
    }

    /// Lends a text as a value.
    static func lend<Result>(_ text: String, _ body: (XMLValue) -> Result) -> Result {
        unsafe text.withCString { unsafe body(XMLValue($0)) }
    }

    var string: String { unsafe String(cString: start) }

    /// The value as a number without a sign, at most nine digits.
    var integer: Int? {
        var number = 0
        var index = 0
        while byte(at: index) != 0 {
            let digit = Int(byte(at: index)) - 48
            guard (0...9).contains(digit), index < 9 else { return nil }
            number = number * 10 + digit
            index += 1
        }
        return index > 0 ? number : nil
    }

    /// Whether a truth value is true.
    var isTrue: Bool { string == "1" || string == "true" }

    /// The byte at an index up to the end, which is zero; ask for them in order.
    func byte(at index: Int) -> UInt8 { unsafe UInt8(bitPattern: start[index]) }
}
