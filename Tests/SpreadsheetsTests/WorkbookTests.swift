import Testing

@testable import Spreadsheets

/// What the cells of a workbook mean.
@Suite struct WorkbookTests {
    @Test func `cells of every type are read`() throws {
        let rows = try Reading.rows(
            """
            <row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c><c r="B1"><v>1.5</v></c>\
            <c r="C1" t="n"><v>-2E3</v></c><c r="D1" t="b"><v>1</v></c><c r="E1" t="b"><v>0</v></c>\
            <c r="F1" t="e"><v>#DIV/0!</v></c><c r="G1" t="str"><v>7</v></c>\
            <c r="H1" t="d"><v>2026-03-01T09:30:00</v></c></row>
            """)

        #expect(
            rows == [
                SpreadsheetRow(
                    number: 1,
                    cells: [
                        .text("text"), .number(1.5), .number(-2_000), .boolean(true),
                        .boolean(false), .error("#DIV/0!"), .text("7"),
                        CellDate.of(2026, 3, 1, .seconds(34_200)),
                    ])
            ])
    }

    @Test func `a formula is known as one, with the result that was saved`() throws {
        let rows = try Reading.rows(
            """
            <row><c><f>A2</f><v>5</v></c><c t="str"><f>B2</f><v>five</v></c><c><f>C2</f></c>\
            <c t="e"><f>1/0</f><v>#DIV/0!</v></c></row>
            """)

        #expect(
            rows.first?.cells == [
                .formula(.number(5)), .formula(.text("five")), .formula(.empty),
                .formula(.error("#DIV/0!")),
            ])
    }

    @Test func `blank rows are left out and keep their numbers, sparse cells their columns`() throws
    {
        let rows = try Reading.rows(
            """
            <row r="2"/><row r="3"><c r="A3"/><c r="B3" s="0"/></row>\
            <row r="5"><c r="C5"><v>1</v></c><c r="AA5"><v>2</v></c></row><row r="9"/>
            """)

        #expect(rows.map(\.number) == [5])
        #expect(rows.first?.cells.count == 27)
        #expect(rows.first?[2] == .number(1))
        #expect(rows.first?[26] == .number(2))
        #expect(rows.first?[3] == .empty)
        #expect(rows.first?[64] == .empty)
    }

    @Test func `rows and cells without references follow the last`() throws {
        let rows = try Reading.rows(
            """
            <row><c><v>1</v></c><c><v>2</v></c></row>\
            <row r="4"><c r="C4"><v>3</v></c><c><v>4</v></c></row><row><c><v>5</v></c></row>
            """)

        #expect(rows.map(\.number) == [1, 4, 5])
        #expect(rows[0].cells == [.number(1), .number(2)])
        #expect(rows[1].cells == [.empty, .empty, .number(3), .number(4)])
    }

    @Test func `cells out of their order are placed by their references`() throws {
        let rows = try Reading.rows(
            #"<row r="1"><c r="B1"><v>2</v></c><c r="A1"><v>1</v></c></row>"#)

        #expect(rows.first?.cells == [.number(1), .number(2)])
    }

    @Test func `shared texts are whole: runs together, readings aside, escapes undone`() throws {
        var workbook = HandmadeWorkbook()
        workbook.texts = """
            <si><t xml:space="preserve"> a </t></si>\
            <si><r><rPr><b/></rPr><t>rich </t></r><r><t>text</t></r></si>\
            <si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>\
            <si><t>line_x000D_\nend _x005F_x000D_ _xD83D__xDE00_ _x12_ _</t></si>\
            <si/><si><t>&lt;&amp;&#x1F600;</t></si>
            """
        workbook.rows =
            "<row>" + (0..<6).map { "<c t=\"s\"><v>\($0)</v></c>" }.joined() + "</row>"

        let rows = try Reading.rows(of: workbook)

        #expect(
            rows.first?.cells == [
                .text(" a "), .text("rich text"), .text("東京"),
                .text("line\r\nend _x000D_ 😀 _x12_ _"), .empty, .text("<&😀"),
            ])
    }

    @Test func `numbers are dates or percentages by their styles`() throws {
        var workbook = HandmadeWorkbook()
        workbook.styles = """
            <numFmts><numFmt numFmtId="164" formatCode="[$-409]d\\-mmm;@"/>\
            <numFmt numFmtId="165" formatCode="0.0%"/></numFmts>\
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>\
            <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="9"/>\
            <xf numFmtId="165"/><xf numFmtId="22"/><xf numFmtId="20"/></cellXfs>
            """
        let styles = [0, 1, 2, 3, 4, 5, 6]
        workbook.rows =
            "<row>" + styles.map { "<c s=\"\($0)\"><v>45352.25</v></c>" }.joined()
            + "<c s=\"1\"><v>45352</v></c></row>"

        let cells = try Reading.rows(of: workbook).first?.cells
        let moment = CellDate.of(2024, 3, 1, .seconds(21_600))

        #expect(
            cells == [
                .number(45_352.25), moment, moment, .number(45_352.25, isPercent: true),
                .number(45_352.25, isPercent: true), moment, .number(45_352.25),
                CellDate.of(2024, 3, 1),
            ])
    }

    @Test func `a workbook that counts from 1904 says so`() throws {
        var workbook = HandmadeWorkbook()
        workbook.properties = #"<workbookPr date1904="1"/>"#
        workbook.styles = #"<cellXfs><xf numFmtId="14"/></cellXfs>"#
        workbook.rows = "<row><c><v>0</v></c><c><v>44561</v></c></row>"

        let cells = try Reading.rows(of: workbook).first?.cells

        #expect(cells == [CellDate.of(1904, 1, 1), CellDate.of(2026, 1, 1)])
    }

    @Test func `the first visible worksheet is read, in the order of the workbook`() throws {
        var workbook = HandmadeWorkbook()
        workbook.sheets = """
            <sheet name="Chart" sheetId="3" r:id="rId3"/>\
            <sheet name="A" sheetId="1" state="veryHidden" r:id="rId1"/>\
            <sheet name="B" sheetId="2" r:id="rId2"/>
            """
        workbook.rows = "<row><c><v>1</v></c></row>"
        workbook.otherParts = [
            (
                "xl/worksheets/Sheet2.xml",
                Array(
                    """
                    <x:worksheet xmlns:x="\(HandmadeWorkbook.main)"><x:sheetData><x:row><x:c>\
                    <x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>
                    """.utf8)
            )
        ]

        #expect(try Reading.rows(of: workbook).first?.cells == [.number(2)])
    }

    @Test func `strict workbooks are read like others`() throws {
        var workbook = HandmadeWorkbook()
        workbook.mainNamespace = HandmadeWorkbook.strictMain
        workbook.relationshipNamespace = HandmadeWorkbook.strictRelationships
        workbook.texts = "<si><t>strict</t></si>"
        workbook.rows = #"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#

        #expect(try Reading.rows(of: workbook).first?.cells == [.text("strict")])
    }

    @Test func `elements of other namespaces are no cells`() throws {
        let rows = try Reading.rows(
            """
            <row r="1"><o:c xmlns:o="urn:other" r="A1"><o:v>1</o:v></o:c>\
            <c r="B1"><v>2</v></c></row>
            """)

        #expect(rows.first?.cells == [.empty, .number(2)])
    }
}
