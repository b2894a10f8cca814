import Testing

@testable import Spreadsheets

/// Text with columns.
@Suite struct TextTests {
    private func cells(_ text: String) throws -> [[String]] {
        try Reading.rows(ofText: text).map { row in
            row.cells.map { if case .text(let text) = $0 { text } else { "" } }
        }
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `every end of line ends a row`(end: String) throws {
        let text = ["a,b", "", "1,\"x\(end)y\"", "2,"].joined(separator: end)

        let rows = try Reading.rows(ofText: text)

        #expect(rows.map(\.number) == [1, 3, 4])
        #expect(rows[1].cells == [.text("1"), .text("x\(end)y")])
        #expect(rows[2].cells == [.text("2")])
    }

    @Test(arguments: [",", ";", "\t"])
    func `the separator is the most frequent of the first line`(separator: String) throws {
        let text = "\"a,;,;,;\"\(separator)b\(separator)c,\n1\(separator)2\(separator)3"

        #expect(try cells(text).last?.prefix(2) == ["1", "2"])
    }

    @Test func `quotes hold separators, quotes and lines`() throws {
        #expect(
            try cells("a,b\r\n\"1,\"\"2\"\"\",\" 3 \"\r\n\"\",\"\"x\r\nmid\"dle,\"\"") == [
                ["a", "b"], ["1,\"2\"", " 3 "], ["", "x"], ["mid\"dle"],
            ])
    }

    @Test func `a mark of UTF-8 is no text`() throws {
        #expect(try cells("\u{FEFF}Title;Mask\nä;ö") == [["Title", "Mask"], ["ä", "ö"]])
    }

    @Test(arguments: [true, false])
    func `UTF-16 is told by its mark`(isLittle: Bool) throws {
        let units = Array("\u{FEFF}Title;Mask\r\n日本😀;ö".utf16)
        let bytes = units.flatMap { unit in
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            return isLittle ? [low, high] : [high, low]
        }

        #expect(
            try Reading.rows(of: bytes).last
                == SpreadsheetRow(number: 2, cells: [.text("日本😀"), .text("ö")]))
    }

    @Test func `text in another encoding is refused with its row`() throws {
        let fault = try Reading.fault(
            of: Array("Title,Mask\nOne,x\nSch".utf8) + [0xF6] + Array("n,y".utf8))

        #expect(fault?.code == .unknownEncoding)
        #expect(fault?.row == 3 && fault?.cell == "A3")
        #expect(fault?.message == "Cell A3: the text is not in UTF-8. Save it as “CSV UTF-8”.")
    }

    @Test func `a quotation without an end is refused with its row`() throws {
        let fault = try Reading.fault(of: Array("a,b\n1,\"2\n3,4".utf8))

        #expect(fault?.code == .damaged && fault?.cell == "B2")
    }

    @Test(arguments: [
        "", "plain", "=1+1", "+49 30", "-", "-5", "@sum", "\tx", "\rx", "\nx", "'", "''", "'=1",
        "''=1", "'plain", " =1", "＝1", "'＠x", "a=1", "\"=1\"", "x\"y", ",;\t", " x ", "x\r\ny",
        "<html>", "%PDF-", "\u{1}", "\u{8}\u{5}<!doctype", "\u{1F}%PDF-", "\u{FEFF}x",
    ])
    func `a text comes back as it was written, and never first with a formula`(text: String) throws
    {
        let sheet = SpreadsheetSheet(name: "Sheet", columns: [.init(text), .init("x")])
        var writer = try TextWriter(sheet, limits: SpreadsheetLimits())
        try writer.write([.text("x"), .text(text)])
        let bytes = writer.take()

        let rows = try Reading.rows(of: bytes)

        let expected: Cell = text.isEmpty ? .empty : .text(text)
        #expect(rows.first?.cells == [expected, .text("x")])
        #expect(rows.last?[1] == expected)
        var field = String(decoding: bytes.dropFirst(3), as: UTF8.self)
        if field.first == "\"" { field.removeFirst() }
        #expect(field.first.map { !"=+-@\t\r\n＝＋－＠".contains($0) } ?? true)
    }

    @Test func `cells are written as they read best`() throws {
        let sheet = SpreadsheetSheet(name: "Sheet", columns: [.init("a")])
        var writer = try TextWriter(sheet, limits: SpreadsheetLimits())
        try writer.write([
            .number(15), .number(-1.5), .number(0.155, isPercent: true), .boolean(true),
            CellDate.of(2026, 3, 1), .empty, .formula(.number(2)), .error("#N/A"), .text("a;b"),
            .number(0.1 + 0.2), .number(1e300),
        ])

        let text = String(decoding: writer.take().dropFirst(3), as: UTF8.self)

        #expect(text == "a\r\n15,-1.5,15.5%,TRUE,2026-03-01,,2,#N/A,\"a;b\",0.3,1e+300\r\n")
    }

    @Test(arguments: [
        "%PDF-1.7\n", " <HTML><table>", "<?xml version=\"1.0\"?>", "a,b\u{0}c", "a\nb\u{0}",
    ])
    func `what is no text with columns is refused`(text: String) throws {
        #expect(try Reading.fault(of: Array(text.utf8))?.code == .notASpreadsheet)
    }

    @Test func `binary bytes are no text`() throws {
        let bytes: [UInt8] = [0x1F, 0x8B, 0x08, 0x01, 0x0A, 0xFF]

        #expect(try Reading.fault(of: bytes)?.code == .notASpreadsheet)
    }

    @Test(arguments: ["", "\n\n", "\r\n", ",,,\n,", "\u{FEFF}"])
    func `a file without any text has no rows`(text: String) throws {
        #expect(try Reading.fault(of: Array(text.utf8))?.code == .empty)
    }

    @Test func `limits hold for text`() throws {
        let many = Array(String(repeating: "x\n", count: 12).utf8)

        #expect(try Reading.fault(of: many) { $0.rowsMax = 10 }?.code == .tooManyRows)
        #expect(try Reading.fault(of: many) { $0.rowsMax = 11 } == nil)
        #expect(try Reading.fault(of: many) { $0.fileBytesMax = 23 }?.code == .fileTooLarge)
        let wide = Array("a,b,c,d,,,,\n".utf8)
        #expect(try Reading.fault(of: wide) { $0.columnsMax = 3 }?.code == .tooManyColumns)
        #expect(try Reading.fault(of: wide) { $0.columnsMax = 4 } == nil)
        let long = Array("äääää".utf8)
        #expect(try Reading.fault(of: long) { $0.cellCharactersMax = 4 }?.code == .cellTooLong)
        #expect(try Reading.fault(of: long) { $0.cellCharactersMax = 5 } == nil)
    }
}
