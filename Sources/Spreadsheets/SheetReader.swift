import Glibc

/// Reads a worksheet's rows and hands over those that are not blank.
final class SheetReader: XMLHandler {
    /// What the type of a cell says of its value.
    private enum Kind {
        case number, shared, text, boolean, error, date
    }

    /// The cell that is being read.
    private struct OpenCell {
        let kind: Kind
        let format: NumberFormat
        var isFormula = false
    }

    private let styles: Styles
    private let texts: SharedTexts
    private let isFrom1904: Bool
    private let limits: SpreadsheetLimits
    private let take: (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    private let textBytesMax: Int

    private var hasSheet = false
    private var isInData = false
    private var isInRow = false
    private var place: Place
    private var row = 0
    private var column = -1
    private var cells: [Cell] = []
    private var open: OpenCell?
    /// Whether text belongs to the value of the open cell.
    private var isInText = false
    private var phoneticDepth = 0
    private var bytes: [UInt8] = []
    private var rowsTaken = 0

    init(
        _ name: String, styles: Styles, texts: SharedTexts, isFrom1904: Bool,
        limits: SpreadsheetLimits,
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) {
        place = Place(sheet: name)
        (self.styles, self.texts, self.isFrom1904) = (styles, texts, isFrom1904)
        (self.limits, self.take) = (limits, take)
        textBytesMax = WorkbookText.bytesMax(characters: limits.cellCharactersMax)
    }

    /// Ends the sheet.
    func finish() throws(SpreadsheetFault) {
        guard hasSheet else { throw damaged("this is no worksheet.") }
    }

    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault) {
        switch element {
        case .worksheet: hasSheet = true
        case .sheetData: isInData = true
        case .row where isInData: try beginRow(attributes)
        case .cell where isInRow: try beginCell(attributes)
        case .value where open != nil: isInText = true
        case .text where open != nil: isInText = phoneticDepth == 0
        case .phonetic: phoneticDepth += 1
        case .formula: open?.isFormula = true
        default: break
        }
    }

    func end(_ element: XMLElement) throws(SpreadsheetFault) {
        switch element {
        case .value, .text: isInText = false
        case .phonetic: phoneticDepth -= 1
        case .cell: try endCell()
        case .row: try endRow()
        case .sheetData: isInData = false
        default: break
        }
    }

    func text(_ piece: UnsafeRawBufferPointer) throws(SpreadsheetFault) {
        guard isInText else { return }
        guard bytes.count + piece.count <= textBytesMax else { throw tooLong }
        unsafe bytes.append(contentsOf: piece)
    }

    // MARK: Rows

    private func beginRow(_ attributes: XMLAttributes) throws(SpreadsheetFault) {
        guard !isInRow else { throw damaged("a row lies in a row.") }
        if let number = attributes["r"] {
            guard let integer = number.integer, integer > row else {
                place.row = row > 0 ? row : nil
                throw damaged("a row with the number “\(number.string.prefix(20))” follows.")
            }
            row = integer
        } else {
            row += 1
        }
        place.row = row
        guard row <= CellReference.rowMax else { throw damaged("no sheet has so many rows.") }
        isInRow = true
        column = -1
        cells.removeAll(keepingCapacity: true)
    }

    private func endRow() throws(SpreadsheetFault) {
        guard isInRow else { return }
        isInRow = false
        place.column = nil
        guard !cells.isEmpty else { return }
        guard rowsTaken <= limits.rowsMax else {
            throw place.fault(
                .tooManyRows, "the sheet has more than \(limits.rowsMax) rows below its header.")
        }
        rowsTaken += 1
        try take(SpreadsheetRow(number: row, cells: cells))
    }

    // MARK: Cells

    private func beginCell(_ attributes: XMLAttributes) throws(SpreadsheetFault) {
        guard open == nil else { throw damaged("a cell lies in a cell.") }
        if let reference = attributes["r"] {
            guard let cell = CellReference.parse(reference), cell.row == row else {
                place.column = nil
                throw damaged("it has a cell named “\(reference.string.prefix(20))”.")
            }
            column = cell.column
        } else {
            column += 1
        }
        place.column = column
        guard column < CellReference.columnMax else { throw damaged("no row has such a cell.") }
        guard let style = attributes["s"].map(\.integer) ?? 0, let format = styles[style] else {
            throw damaged("its style does not exist.")
        }
        guard let kind = Self.kind(attributes["t"]) else { throw damaged("its type is unknown.") }
        open = OpenCell(kind: kind, format: format)
        bytes.removeAll(keepingCapacity: true)
    }

    private static func kind(_ name: XMLValue?) -> Kind? {
        guard let name else { return .number }
        // Most cells, and without a string made of it.
        if name.byte(at: 0) == UInt8(ascii: "s"), name.byte(at: 1) == 0 { return .shared }
        return switch name.string {
        case "n": .number
        case "str", "inlineStr": .text
        case "b": .boolean
        case "e": .error
        case "d": .date
        default: nil
        }
    }

    private func endCell() throws(SpreadsheetFault) {
        guard let cell = open else { return }
        open = nil
        isInText = false
        var value = try value(of: cell)
        if cell.isFormula { value = .formula(value) }
        if case .empty = value { return }
        guard column < limits.columnsMax else {
            throw place.fault(
                .tooManyColumns, "the sheet has more than \(limits.columnsMax) columns.")
        }
        while cells.count <= column { cells.append(.empty) }
        guard case .empty = cells[column] else { throw damaged("the cell is there twice.") }
        cells[column] = value
    }

    private func value(of cell: OpenCell) throws(SpreadsheetFault) -> Cell {
        guard !bytes.isEmpty else { return .empty }
        switch cell.kind {
        case .number:
            return number(try parsedNumber(), format: cell.format)
        case .shared:
            guard let index = index(), let text = texts[index] else {
                throw damaged("its text does not exist.")
            }
            return try self.text(text)
        case .text:
            return try self.text(bytes[...])
        case .boolean:
            return .boolean(bytes == [UInt8(ascii: "1")] || bytes == Array("true".utf8))
        case .error:
            guard case .text(let name) = try self.text(bytes[...]) else { return .empty }
            return .error(name)
        case .date:
            guard let date = CellDate(iso: String(decoding: bytes, as: UTF8.self)) else {
                throw damaged("its date is none.")
            }
            return .date(date)
        }
    }

    private func text(_ text: ArraySlice<UInt8>) throws(SpreadsheetFault) -> Cell {
        guard text.count <= textBytesMax else { throw tooLong }
        let string = WorkbookText.decode(text)
        // No text of so few bytes has more units.
        guard
            text.count <= limits.cellCharactersMax || string.utf16.count <= limits.cellCharactersMax
        else { throw tooLong }
        return string.isEmpty ? .empty : .text(string)
    }

    private func number(_ number: Double, format: NumberFormat) -> Cell {
        switch format {
        case .plain: return .number(number)
        case .percent: return .number(number, isPercent: true)
        case .date:
            return CellDate(serial: number, isFrom1904: isFrom1904).map { .date($0) }
                ?? .number(number)
        }
    }

    private func index() -> Int? {
        guard bytes.count <= 9 else { return nil }
        var index = 0
        for digit in bytes {
            guard (48...57).contains(digit) else { return nil }
            index = index * 10 + Int(digit) - 48
        }
        return index
    }

    private func parsedNumber() throws(SpreadsheetFault) -> Double {
        if let index = index() { return Double(index) }
        guard bytes.count <= Self.numberBytesMax, bytes.allSatisfy(Self.isOfNumber) else {
            throw damaged("its number is none.")
        }
        bytes.append(0)
        let parsed: Double? = unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let start = unsafe start else { return nil }
            var end: UnsafeMutablePointer<CChar>?
            let number = unsafe strtod(start, &end)
            guard let end = unsafe end,
                unsafe end - UnsafeMutablePointer(mutating: start) == bytes.count - 1
            else { return nil }
            return number.isFinite ? number : nil
        }
        guard let parsed else { throw damaged("its number is none.") }
        return parsed
    }

    /// No program writes a longer number, in bytes.
    private static let numberBytesMax = 64

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    // MARK: Faults

    private func damaged(_ sentence: String) -> SpreadsheetFault {
        place.fault(.damaged, "the file is damaged: \(sentence)")
    }

    private var tooLong: SpreadsheetFault {
        place.fault(
            .cellTooLong, "the text is longer than \(limits.cellCharactersMax) characters.")
    }
}
