extension ByteWriter {
    /// What a cell is, before its value.
    fileprivate enum Tag: UInt8 {
        case nothing, text, number, percent, day, moment, no, yes, error, formula
    }

    mutating func write(_ row: SpreadsheetRow) {
        write(UInt32(row.number))
        write(UInt16(row.cells.count))
        for cell in row.cells { write(cell) }
    }

    private mutating func write(_ cell: Cell) {
        switch cell {
        case .empty: write(.nothing)
        case .text(let text):
            write(.text)
            write(text)
        case .number(let number, let isPercent):
            write(isPercent ? .percent : .number)
            write(number)
        case .date(let date):
            write(date.timeOfDay == nil ? .day : .moment)
            write(UInt16(date.year))
            write(UInt8(date.month))
            write(UInt8(date.day))
            if let time = date.timeOfDay { write(UInt32(time / .milliseconds(1))) }
        case .boolean(let isTrue): write(isTrue ? .yes : .no)
        case .error(let name):
            write(.error)
            write(name)
        case .formula(let value):
            write(.formula)
            write(value)
        }
    }

    private mutating func write(_ tag: Tag) { write(tag.rawValue) }

    mutating func write(_ fault: SpreadsheetFault) {
        write(fault.code.rawValue)
        write(fault.message)
        write(fault.sheet)
        write(UInt32(fault.row ?? 0))
        write(fault.column)
    }
}

extension ByteReader {
    /// How many formulas may lie in each other; none is known to.
    private static let depthMax = 4

    mutating func row() throws(MalformedFrame) -> SpreadsheetRow {
        let number: UInt32 = try read()
        let count: UInt16 = try read()
        var cells: [Cell] = []
        cells.reserveCapacity(Int(count))
        for _ in 0..<count { cells.append(try cell(depth: 0)) }
        return SpreadsheetRow(number: Int(number), cells: cells)
    }

    /// All rows up to the end.
    mutating func rows() throws(MalformedFrame) -> [SpreadsheetRow] {
        var rows: [SpreadsheetRow] = []
        while !isAtEnd { rows.append(try row()) }
        return rows
    }

    private mutating func cell(depth: Int) throws(MalformedFrame) -> Cell {
        guard depth < Self.depthMax, let tag = ByteWriter.Tag(rawValue: try read()) else {
            throw MalformedFrame()
        }
        switch tag {
        case .nothing: return .empty
        case .text: return .text(try read())
        case .number: return .number(try read())
        case .percent: return .number(try read(), isPercent: true)
        case .day: return .date(try date(hasTime: false))
        case .moment: return .date(try date(hasTime: true))
        case .no: return .boolean(false)
        case .yes: return .boolean(true)
        case .error: return .error(try read())
        case .formula: return .formula(try cell(depth: depth + 1))
        }
    }

    private mutating func date(hasTime: Bool) throws(MalformedFrame) -> CellDate {
        let year: UInt16 = try read()
        let month: UInt8 = try read()
        let day: UInt8 = try read()
        var time: Duration?
        if hasTime {
            let milliseconds: UInt32 = try read()
            time = .milliseconds(Int(milliseconds))
        }
        guard
            let date = CellDate(
                year: Int(year), month: Int(month), day: Int(day), timeOfDay: time)
        else { throw MalformedFrame() }
        return date
    }

    mutating func fault() throws(MalformedFrame) -> SpreadsheetFault {
        guard let code = SpreadsheetFault.Code(rawValue: try read()) else { throw MalformedFrame() }
        let message: String = try read()
        let sheet: String? = try read()
        let row: UInt32 = try read()
        return SpreadsheetFault(
            code, message, sheet: sheet, row: row == 0 ? nil : Int(row), column: try read())
    }
}
