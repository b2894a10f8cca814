import CXLSXWriter

/// Writes an Excel workbook with one sheet, row by row; each row goes to a temporary file at once.
@safe final class WorkbookWriter {
    private let workbook: UnsafeMutablePointer<lxw_workbook>
    private let worksheet: UnsafeMutablePointer<lxw_worksheet>
    private let bold: UnsafeMutablePointer<lxw_format>
    private let percent: UnsafeMutablePointer<lxw_format>
    private let day: UnsafeMutablePointer<lxw_format>
    private let moment: UnsafeMutablePointer<lxw_format>
    private let columnCount: Int
    private let limits: SpreadsheetLimits
    /// Counted from 0; the header is the first.
    private var row = 0

    /// Begins a workbook.
    ///
    /// - Parameters:
    ///   - sheet: Its only sheet.
    ///   - path: The file; it is written by ``finish()``.
    ///   - temporaryFolder: Where rows wait until then, in a file without a name.
    ///   - limits: What may be written.
    /// - Throws: What is wrong with the titles, or that no file can be made.
    init(
        _ sheet: SpreadsheetSheet, path: String, temporaryFolder: String,
        limits: SpreadsheetLimits
    ) throws(SpreadsheetFault) {
        columnCount = sheet.columns.count
        self.limits = limits
        var folder = Array(temporaryFolder.utf8CString)
        let made = unsafe folder.withUnsafeMutableBufferPointer { folder in
            var options = unsafe lxw_workbook_options(
                constant_memory: 1, tmpdir: folder.baseAddress, use_zip64: 0)
            return unsafe workbook_new_opt(path, &options)
        }
        guard let workbook = unsafe made,
            let worksheet = unsafe workbook_add_worksheet(workbook, sheet.excelName),
            let bold = unsafe workbook_add_format(workbook),
            let percent = unsafe workbook_add_format(workbook),
            let day = unsafe workbook_add_format(workbook),
            let moment = unsafe workbook_add_format(workbook)
        else { throw SpreadsheetFault.unavailable }
        unsafe (self.workbook, self.worksheet) = (workbook, worksheet)
        unsafe (self.bold, self.percent, self.day, self.moment) = (bold, percent, day, moment)
        unsafe format_set_bold(bold)
        unsafe format_set_num_format(percent, "0.##########%")
        unsafe format_set_num_format(day, "yyyy-mm-dd")
        unsafe format_set_num_format(moment, "yyyy-mm-dd hh:mm:ss")
        unsafe worksheet_freeze_panes(worksheet, 1, 0)
        for (index, column) in sheet.columns.enumerated() {
            let place = UInt16(index)
            unsafe worksheet_set_column(worksheet, place, place, column.displayWidth, nil)
        }
        for (index, column) in sheet.columns.enumerated() {
            try write(column.title, at: index, bold: true)
        }
        row = 1
    }

    /// Writes the next row; text is never a formula.
    func write(_ cells: [Cell]) throws(SpreadsheetFault) {
        guard row < CellReference.rowMax else {
            throw Place(row: row).fault(.tooManyRows, "no sheet has more rows.")
        }
        for (column, cell) in cells.enumerated() { try write(cell, at: column) }
        row += 1
    }

    private func write(_ cell: Cell, at column: Int) throws(SpreadsheetFault) {
        let (row, place) = (UInt32(row), UInt16(clamping: column))
        let result: lxw_error
        switch cell {
        case .empty: return
        case .text(let text), .error(let text):
            try write(text, at: column)
            return
        case .number(let number, let isPercent):
            guard number.isFinite else {
                try write(String(number), at: column)
                return
            }
            result = unsafe worksheet_write_number(
                worksheet, row, place, number, isPercent ? percent : nil)
        case .boolean(let isTrue):
            result = unsafe worksheet_write_boolean(worksheet, row, place, isTrue ? 1 : 0, nil)
        case .date(let date):
            var time = date.clock
            result = unsafe worksheet_write_datetime(
                worksheet, row, place, &time, date.timeOfDay == nil ? day : moment)
        case .formula(let value):
            try write(value, at: column)
            return
        }
        try check(result, column)
    }

    private func write(
        _ text: String, at column: Int, bold isBold: Bool = false
    ) throws(SpreadsheetFault) {
        guard
            text.utf8.count <= limits.cellCharactersMax
                || text.utf16.count <= limits.cellCharactersMax
        else { throw tooLong(column) }
        let result = unsafe worksheet_write_string(
            worksheet, UInt32(row), UInt16(clamping: column), WorkbookText.encode(text),
            isBold ? bold : nil)
        try check(result, column)
    }

    private func check(_ result: lxw_error, _ column: Int) throws(SpreadsheetFault) {
        switch result {
        case LXW_NO_ERROR: return
        case LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED: throw tooLong(column)
        case LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE:
            throw Place(row: row + 1).fault(.tooManyColumns, "no sheet has more columns.")
        default: throw SpreadsheetFault.unavailable
        }
    }

    private func tooLong(_ column: Int) -> SpreadsheetFault {
        Place(row: row + 1, column: column).fault(
            .cellTooLong, "the text is longer than \(limits.cellCharactersMax) characters.")
    }

    /// Writes the file; nothing else may be called after.
    func finish() throws(SpreadsheetFault) {
        if columnCount > 0 {
            unsafe worksheet_autofilter(
                worksheet, 0, 0, UInt32(max(row - 1, 0)), UInt16(columnCount - 1))
        }
        guard unsafe workbook_close(workbook) == LXW_NO_ERROR else {
            throw SpreadsheetFault.unavailable
        }
    }
}

extension CellDate {
    /// The date as the library takes it.
    fileprivate var clock: lxw_datetime {
        let milliseconds = Int((timeOfDay ?? .zero) / .milliseconds(1))
        return lxw_datetime(
            year: Int32(year), month: Int32(month), day: Int32(day),
            hour: Int32(milliseconds / 3_600_000), min: Int32(milliseconds / 60_000 % 60),
            sec: Double(milliseconds % 60_000) / 1_000)
    }
}
