/// Writes text with commas as RFC 4180 describes it, in UTF-8 with a mark, without which Excel
/// takes it for another encoding.
struct TextWriter {
    /// The bytes that have been written and not taken.
    private(set) var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
    private let limits: SpreadsheetLimits
    private var row = 0
    /// A field with one of these is quoted: also semicolons and tabs, at which programs may cut.
    private static let special = Set("\",;\t\r\n\0".utf8)
    /// A field that begins with one of these is quoted: other formats begin so too, after whatever
    /// stands for white space.
    private static let ambiguous = Set<UInt8>(0...0x20).union("<%".utf8)

    init(_ sheet: SpreadsheetSheet, limits: SpreadsheetLimits) throws(SpreadsheetFault) {
        self.limits = limits
        try write(sheet.columns.map { .text($0.title) })
    }

    /// Takes what has been written.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    mutating func write(_ cells: [Cell]) throws(SpreadsheetFault) {
        row += 1
        for (column, cell) in cells.enumerated() {
            if column > 0 { bytes.append(UInt8(ascii: ",")) }
            let field = Self.field(of: cell)
            guard
                field.utf8.count <= limits.cellCharactersMax
                    || field.utf16.count <= limits.cellCharactersMax
            else {
                throw Place(row: row, column: column).fault(
                    .cellTooLong, "the text is longer than \(limits.cellCharactersMax) characters.")
            }
            append(field)
        }
        bytes.append(contentsOf: [UInt8(ascii: "\r"), UInt8(ascii: "\n")])
    }

    private static func field(of cell: Cell) -> String {
        switch cell {
        case .empty: ""
        case .text(let text), .error(let text): FormulaGuard.protect(text)
        case .number(let number, isPercent: true): "\(decimal(number * 100))%"
        case .number(let number, isPercent: false): decimal(number)
        case .date(let date): date.description
        case .boolean(let isTrue): isTrue ? "TRUE" : "FALSE"
        case .formula(let value): field(of: value)
        }
    }

    /// The number, whole ones without a point, to fifteen digits as Excel has them.
    private static func decimal(_ number: Double) -> String {
        let rounded = (number * 1e9).rounded() / 1e9
        let value = abs(rounded - number) <= abs(number) * 1e-15 ? rounded : number
        return Int(exactly: value).map { String($0) } ?? String(value)
    }

    private mutating func append(_ field: String) {
        let isSpecial = field.utf8.contains { Self.special.contains($0) }
        let isAmbiguous = field.utf8.first.map { Self.ambiguous.contains($0) } ?? false
        guard isSpecial || isAmbiguous || field.hasSuffix(" ") else {
            bytes.append(contentsOf: field.utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in field.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            // No text file has the byte 0; a mark stands for what could not be written.
            if byte == 0 { bytes.append(contentsOf: "\u{FFFD}".utf8) } else { bytes.append(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
