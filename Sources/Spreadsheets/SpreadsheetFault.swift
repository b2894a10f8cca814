/// Why a file could not be read or written, in words for the person who brought it.
public struct SpreadsheetFault: Error, Hashable, Sendable {
    /// The kind of fault; the raw values are stable.
    public enum Code: String, CaseIterable, Sendable {
        /// The bytes are neither an Excel workbook nor text.
        case notASpreadsheet = "not_a_spreadsheet"
        /// A spreadsheet, but of a kind that is not read: .xls, .xlsb, .ods.
        case unsupportedFormat = "unsupported_format"
        /// A workbook with a password.
        case encrypted
        /// The file is larger than allowed.
        case fileTooLarge = "file_too_large"
        /// The file is small, but holds more than allowed.
        case contentsTooLarge = "contents_too_large"
        /// More rows than allowed.
        case tooManyRows = "too_many_rows"
        /// More columns than allowed.
        case tooManyColumns = "too_many_columns"
        /// A cell's text is longer than allowed.
        case cellTooLong = "cell_too_long"
        /// The file took too much time or memory, or is built in a way that could.
        case tooComplex = "too_complex"
        /// The file is cut off or contradicts itself.
        case damaged
        /// The workbook has no visible worksheet.
        case noWorksheet = "no_worksheet"
        /// The sheet has no row that is not blank.
        case empty
        /// A text file is not in UTF-8, nor in UTF-16 with a mark.
        case unknownEncoding = "unknown_encoding"
        /// Too many files are read or written at the moment; later it may succeed.
        case busy
        /// The process that reads and writes did not start, or its disk is full.
        case unavailable
    }

    /// What is wrong.
    public let code: Code
    /// The same in a sentence or two, with the place.
    public let message: String
    /// The name of the sheet, where there is one.
    public let sheet: String?
    /// The row as Excel shows it, from 1.
    public let row: Int?
    /// The column as Excel shows it, such as `C`.
    public let column: String?

    /// A fault, with the place as far as it is known.
    ///
    /// - Parameters:
    ///   - code: What is wrong.
    ///   - message: The same in words.
    ///   - sheet: The name of the sheet.
    ///   - row: The row as Excel shows it, from 1.
    ///   - column: The column as Excel shows it.
    public init(
        _ code: Code, _ message: String, sheet: String? = nil, row: Int? = nil,
        column: String? = nil
    ) {
        (self.code, self.message) = (code, message)
        (self.sheet, self.row, self.column) = (sheet, row, column)
    }

    /// The cell as Excel shows it, such as `C7`.
    public var cell: String? {
        guard let row, let column else { return nil }
        return "\(column)\(row)"
    }
}

extension SpreadsheetFault: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}

/// Where in a file something is.
struct Place {
    var sheet: String?
    var row: Int?
    /// Counted from 0.
    var column: Int?

    /// A fault here.
    func fault(_ code: SpreadsheetFault.Code, _ sentence: String) -> SpreadsheetFault {
        let letters = column.map { CellReference.letters(of: $0) }
        return SpreadsheetFault(
            code, "\(words)\(sentence)", sheet: sheet, row: row, column: letters)
    }

    private var words: String {
        let where_ = sheet.map { " of the sheet “\($0)”" } ?? ""
        guard let row else { return sheet.map { "Sheet “\($0)”: " } ?? "" }
        guard let column else { return "Row \(row)\(where_): " }
        return "Cell \(CellReference.letters(of: column))\(row)\(where_): "
    }
}

extension SpreadsheetFault {
    static let notASpreadsheet = SpreadsheetFault(
        .notASpreadsheet,
        "This is neither an Excel workbook (.xlsx) nor a text file with columns (.csv).")

    static let oldFormat = SpreadsheetFault(
        .unsupportedFormat,
        "This is a workbook of an old Excel (.xls). Save it as “Excel Workbook (.xlsx)”.")

    static let otherFormat = SpreadsheetFault(
        .unsupportedFormat,
        "Workbooks of this kind are not read. Save it as “Excel Workbook (.xlsx)”.")

    static let encrypted = SpreadsheetFault(
        .encrypted, "The workbook has a password. Save it without one.")

    static let noWorksheet = SpreadsheetFault(
        .noWorksheet, "The workbook has no visible worksheet.")

    static let empty = SpreadsheetFault(.empty, "The file has no rows.")

    static let tooComplex = SpreadsheetFault(
        .tooComplex,
        "The file takes too much time or memory. Copy its values into a new workbook.")

    static let tooComplexToWrite = SpreadsheetFault(
        .tooComplex, "The file takes too much time, memory or room to write.")

    static let unavailable = SpreadsheetFault(
        .unavailable, "Spreadsheets cannot be read or written at the moment.")

    static let busy = SpreadsheetFault(
        .busy, "Many files are read or written at the moment. Try again in a minute.")

    static func damaged(_ sentence: String) -> SpreadsheetFault {
        SpreadsheetFault(.damaged, "The file is damaged: \(sentence)")
    }

    static func fileTooLarge(_ limits: SpreadsheetLimits) -> SpreadsheetFault {
        SpreadsheetFault(
            .fileTooLarge,
            "The file is larger than \(SpreadsheetFault.size(limits.fileBytesMax)).")
    }

    static func contentsTooLarge(_ limits: SpreadsheetLimits) -> SpreadsheetFault {
        SpreadsheetFault(
            .contentsTooLarge,
            "The file holds more than \(SpreadsheetFault.size(limits.inflatedBytesMax)).")
    }

    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }
}
