import Testing

@testable import Spreadsheets

/// What happens to files that no program writes: each is refused in words, at once.
@Suite struct HostileFileTests {
    /// A file, with what is wrong with it.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let code: SpreadsheetFault.Code
        var place: String?
        let bytes: [UInt8]

        var testDescription: String { name }
    }

    private static func sheet(
        _ name: String, _ code: SpreadsheetFault.Code, at place: String? = nil, _ rows: String
    ) throws -> Case {
        Case(
            name: name, code: code, place: place, bytes: try HandmadeWorkbook(rows: rows).bytes())
    }

    static func wrongSheets() throws -> [Case] {
        [
            try sheet(
                "a text that does not exist", .damaged, at: "B2",
                #"<row r="2"><c r="B2" t="s"><v>0</v></c></row>"#),
            try sheet(
                "a negative text", .damaged, at: "A1", #"<row><c t="s"><v>-1</v></c></row>"#),
            try sheet(
                "a huge text number", .damaged, at: "A1",
                #"<row><c t="s"><v>99999999999999999999</v></c></row>"#),
            try sheet(
                "a style that does not exist", .damaged, at: "A1",
                #"<row><c s="7"><v>1</v></c></row>"#),
            try sheet(
                "a negative style", .damaged, at: "A1", #"<row><c s="-1"><v>1</v></c></row>"#),
            try sheet(
                "an unknown type", .damaged, at: "A1", #"<row><c t="x"><v>1</v></c></row>"#),
            try sheet("no number", .damaged, at: "A1", "<row><c><v>0x10</v></c></row>"),
            try sheet("not a number", .damaged, at: "A1", "<row><c><v>nan</v></c></row>"),
            try sheet("an infinite number", .damaged, at: "A1", "<row><c><v>1e999</v></c></row>"),
            try sheet("two numbers", .damaged, at: "A1", "<row><c><v>1 2</v></c></row>"),
            try sheet("no date", .damaged, at: "A1", #"<row><c t="d"><v>soon</v></c></row>"#),
            try sheet(
                "a row number twice", .damaged, #"<row r="2"><c><v>1</v></c></row><row r="2"/>"#),
            try sheet(
                "a row number that falls", .damaged, #"<row r="2"/><row r="1"/>"#),
            try sheet("the row 0", .damaged, #"<row r="0"/>"#),
            try sheet("a negative row", .damaged, #"<row r="-1"/>"#),
            try sheet("a row beyond the last", .damaged, #"<row r="1048577"/>"#),
            try sheet("a row after the last", .damaged, #"<row r="1048576"/><row/>"#),
            try sheet(
                "a cell of another row", .damaged, #"<row r="1"><c r="A2"><v>1</v></c></row>"#),
            try sheet(
                "a cell beyond the last", .damaged, #"<row r="1"><c r="XFE1"><v>1</v></c></row>"#),
            try sheet(
                "an absurd cell", .damaged,
                #"<row r="1"><c r="AAAAAAAAAAAAAAAAAAAA99999999999"><v>1</v></c></row>"#),
            try sheet(
                "a cell twice", .damaged, at: "A1",
                #"<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#),
            try sheet(
                "a cell after the last", .damaged, at: "XFE1",
                #"<row r="1"><c r="XFD1"/><c><v>1</v></c></row>"#),
            try sheet(
                "too many columns", .tooManyColumns, at: "BM1",
                #"<row r="1"><c r="BM1"><v>1</v></c></row>"#),
            try sheet("a row in a row", .damaged, "<row><row/></row>"),
            try sheet("a cell in a cell", .damaged, "<row><c><c/></c></row>"),
            try sheet(
                "a long text", .cellTooLong, at: "A1",
                "<row><c t=\"inlineStr\"><is><t>\(String(repeating: "ä", count: 32_768))</t></is>"
                    + "</c></row>"),
            try sheet("no end", .damaged, "<row><c>"),
        ]
    }

    static func wrongParts() throws -> [Case] {
        var doctype = HandmadeWorkbook(rows: "<row><c><v>&a;</v></c></row>")
        doctype.prolog = #"<!DOCTYPE a [<!ENTITY a "1">]>"#
        var external = HandmadeWorkbook(rows: "<row><c><v>1</v></c></row>")
        external.prolog = #"<!DOCTYPE a SYSTEM "file:///etc/passwd">"#
        var laughs = HandmadeWorkbook(rows: "<row><c><v>&j;</v></c></row>")
        let letters = Array("abcdefghij")
        let entities = zip(letters, letters.dropFirst()).map { inner, outer in
            "<!ENTITY \(outer) \"\(String(repeating: "&\(inner);", count: 10))\">"
        }
        laughs.prolog = "<!DOCTYPE a [<!ENTITY a \"ha\">\(entities.joined())]>"
        var hidden = HandmadeWorkbook()
        hidden.sheets = #"<sheet name="A" sheetId="1" state="hidden" r:id="rId1"/>"#
        var missing = HandmadeWorkbook()
        missing.sheets = #"<sheet name="A" sheetId="1" r:id="rId2"/>"#
        var other = HandmadeWorkbook()
        other.sheet = Array("<html/>".utf8)
        var document = HandmadeWorkbook()
        document.mainNamespace = "urn:document"
        let binary: [(name: String, contents: [UInt8])] = HandmadeWorkbook().parts.map { part in
            let text = String(decoding: part.contents, as: UTF8.self)
            return (part.name, Array(text.replacing("workbook.xml", with: "workbook.bin").utf8))
        }
        return [
            Case(name: "a document type", code: .damaged, bytes: try doctype.bytes()),
            Case(name: "an external entity", code: .damaged, bytes: try external.bytes()),
            Case(name: "a billion laughs", code: .damaged, bytes: try laughs.bytes()),
            Case(name: "no visible sheet", code: .noWorksheet, bytes: try hidden.bytes()),
            Case(name: "a sheet that is missing", code: .damaged, bytes: try missing.bytes()),
            Case(name: "a sheet that is none", code: .damaged, bytes: try other.bytes()),
            Case(name: "no workbook", code: .notASpreadsheet, bytes: try document.bytes()),
            Case(name: "a blank sheet", code: .empty, bytes: try HandmadeWorkbook().bytes()),
            Case(name: ".xlsb", code: .unsupportedFormat, bytes: try Archive.bytes(binary)),
            Case(
                name: ".ods", code: .unsupportedFormat,
                bytes: try Archive.bytes([("mimetype", [1]), ("content.xml", [2])])),
            Case(
                name: "another archive", code: .notASpreadsheet,
                bytes: try Archive.bytes([("a", [1])])),
            Case(
                name: "an empty archive", code: .notASpreadsheet,
                bytes: [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)),
            Case(name: "a bare magic", code: .damaged, bytes: [0x50, 0x4B, 3, 4]),
            Case(name: ".xls", code: .unsupportedFormat, bytes: compound("Workbook")),
            Case(name: "a password", code: .encrypted, bytes: compound("EncryptedPackage")),
        ]
    }

    private static func compound(_ name: String) -> [UInt8] {
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
            + [UInt8](repeating: 0, count: 1_001) + name.utf16.flatMap { [UInt8($0), 0] }
            + [UInt8](repeating: 0, count: 100)
    }

    static func tooMuch() throws -> [Case] {
        let attributes = (0..<200_000).map { " a\($0)=\"\"" }.joined()
        let fewer = (0..<300).map { " a\($0)=\"\"" }.joined()
        let depth = String(repeating: "<e>", count: 100)
        let text = String(repeating: " ", count: 120 << 20)
        return [
            try sheet("200,000 attributes", .tooComplex, "<row\(attributes)/>"),
            try sheet("300 attributes", .tooComplex, "<row\(fewer)/>"),
            try sheet("100 elements deep", .tooComplex, depth),
            try sheet(
                "a comment of 9 MiB", .tooComplex,
                "<!--\(String(repeating: "-x", count: 9 << 19))-->"),
            try sheet("120 MiB of blanks", .contentsTooLarge, text),
        ]
    }

    @Test func `a wrong sheet is refused, with the cell`() throws {
        for file in try Self.wrongSheets() {
            let fault = try Reading.fault(of: file.bytes)

            #expect(fault?.code == file.code, "\(file.name): \(fault?.description ?? "read")")
            #expect(fault?.sheet == "Sheet" || file.name == "no end", "\(file.name)")
            if let place = file.place { #expect(fault?.cell == place, "\(file.name)") }
            #expect(fault?.message.hasSuffix(".") == true, "\(file.name)")
        }
    }

    @Test func `a file of wrong parts is refused`() throws {
        for file in try Self.wrongParts() {
            let fault = try Reading.fault(of: file.bytes)

            #expect(fault?.code == file.code, "\(file.name): \(fault?.description ?? "read")")
        }
    }

    @Test func `a file that would cost too much is refused`() throws {
        for file in try Self.tooMuch() {
            let fault = try Reading.fault(of: file.bytes)

            #expect(fault?.code == file.code, "\(file.name): \(fault?.description ?? "read")")
        }
    }

    @Test func `a sheet of a million blank rows has none`() throws {
        let rows = String(repeating: "<row/>", count: 1_048_576)

        #expect(try Reading.fault(of: HandmadeWorkbook(rows: rows))?.code == .empty)
    }

    @Test func `rows are counted without the header and without blank ones`() throws {
        let rows = String(repeating: "<row/><row><c><v>1</v></c></row>", count: 12)

        let refused = try Reading.fault(of: HandmadeWorkbook(rows: rows)) { $0.rowsMax = 10 }
        #expect(refused?.code == .tooManyRows && refused?.row == 24)
        #expect(
            refused?.message == "Row 24 of the sheet “Sheet”: the sheet has more than 10 rows "
                + "below its header.")
        #expect(try Reading.rows(of: HandmadeWorkbook(rows: rows)) { $0.rowsMax = 11 }.count == 12)
    }

    @Test func `what texts cells share is bounded`() throws {
        var workbook = HandmadeWorkbook(rows: #"<row><c t="s"><v>0</v></c></row>"#)
        workbook.texts = String(repeating: "<si><t>0123456789</t></si>", count: 10)

        #expect(
            try Reading.fault(of: workbook) { $0.sharedTextsMax = 9 }?.code == .contentsTooLarge)
        #expect(
            try Reading.fault(of: workbook) { $0.sharedTextBytesMax = 99 }?.code
                == .contentsTooLarge)
        #expect(try Reading.fault(of: workbook) { $0.sharedTextBytesMax = 100 } == nil)
    }

    @Test func `all parts are counted together while they inflate`() throws {
        var workbook = HandmadeWorkbook(rows: #"<row><c t="s"><v>0</v></c></row>"#)
        workbook.texts = "<si><t>text</t></si>"
        let bytes = try workbook.bytes()
        let total = workbook.parts.reduce(0) { $0 + $1.contents.count }

        #expect(try Reading.fault(of: bytes) { $0.inflatedBytesMax = total } == nil)
        #expect(
            try Reading.fault(of: bytes) { $0.inflatedBytesMax = total - 1 }?.code
                == .contentsTooLarge)
    }

    @Test func `an archive of too many entries is refused`() throws {
        let workbook = HandmadeWorkbook(rows: "<row><c><v>1</v></c></row>")

        #expect(try Reading.fault(of: workbook) { $0.entriesMax = 3 }?.code == .tooComplex)
        #expect(try Reading.fault(of: workbook) { $0.entriesMax = 4 } == nil)
    }

    @Test func `entries that overlap are refused`() throws {
        var bytes = try HandmadeWorkbook(rows: "<row><c><v>1</v></c></row>").bytes()
        // In the directory, every entry now is as large as the file.
        let size = (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        for index in bytes.indices.dropLast(46) where bytes[index...].starts(with: [80, 75, 1, 2]) {
            bytes.replaceSubrange(index + 20..<index + 24, with: size)
        }

        let fault = try Reading.fault(of: bytes)

        #expect(fault?.code == .damaged)
    }

    @Test func `an entry with a password is refused as such`() throws {
        var bytes = try HandmadeWorkbook(rows: "<row><c><v>1</v></c></row>").bytes()
        for index in bytes.indices.dropLast(46) {
            if bytes[index...].starts(with: [80, 75, 1, 2]) { bytes[index + 8] |= 1 }
            if bytes[index...].starts(with: [80, 75, 3, 4]) { bytes[index + 6] |= 1 }
        }

        #expect(try Reading.fault(of: bytes)?.code == .encrypted)
    }

    @Test func `every cut and every changed byte is read or refused, and nothing else`() throws {
        var workbook = HandmadeWorkbook(
            rows: #"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>4.5</v></c></row>"#)
        workbook.texts = "<si><t>text</t></si>"
        workbook.styles = #"<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#
        let bytes = try workbook.bytes()

        // Fewer bytes than the magic's are text.
        for count in 4..<bytes.count {
            #expect(try Reading.fault(of: Array(bytes.prefix(count))) != nil, "\(count)")
        }
        for index in bytes.indices {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= mask
                _ = try Reading.fault(of: changed)
            }
        }
    }
}
