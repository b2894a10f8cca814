import Glibc

/// The elements of workbooks that mean something to us.
enum XMLElement: UInt8 {
    case row, cell, value, formula, inlineText, text, phonetic, sharedItem
    case worksheet, sheetData, sharedStrings
    case workbook, workbookProperties, sheet
    case relationship
    case styleSheet, numberFormat, cellFormats, format
    /// Anything else.
    case other

    /// What expat puts between a namespace and a name: no byte of XML.
    static let separator: CChar = 1
    /// Where the elements of sheets, styles and texts stand, in both editions of the standard.
    private static let namespaces: [StaticString] = [
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://schemas.openxmlformats.org/package/2006/relationships",
    ]

    private static let names: [(name: StaticString, element: XMLElement)] = [
        ("c", .cell), ("v", .value), ("t", .text), ("row", .row), ("si", .sharedItem),
        ("is", .inlineText), ("f", .formula), ("rPh", .phonetic), ("worksheet", .worksheet),
        ("sheetData", .sheetData), ("sst", .sharedStrings), ("workbook", .workbook),
        ("workbookPr", .workbookProperties), ("sheet", .sheet), ("Relationship", .relationship),
        ("styleSheet", .styleSheet), ("numFmt", .numberFormat), ("cellXfs", .cellFormats),
        ("xf", .format),
    ]

    /// The element of a name as expat gives it, with its namespace.
    init(_ name: UnsafePointer<CChar>) {
        self = .other
        for namespace in Self.namespaces {
            let count = namespace.utf8CodeUnitCount
            guard unsafe strncmp(name, namespace.characters, count) == 0,
                unsafe name[count] == Self.separator
            else { continue }
            let local = unsafe name + count + 1
            for known in Self.names where unsafe strcmp(local, known.name.characters) == 0 {
                self = known.element
                return
            }
            return
        }
    }
}

extension StaticString {
    /// The text with a zero at its end.
    fileprivate var characters: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
