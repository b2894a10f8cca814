@testable import Spreadsheets

/// Reads files in this process.
enum Reading {
    static func rows(
        of bytes: [UInt8], _ change: (inout SpreadsheetLimits) -> Void = { _ in }
    ) throws -> [SpreadsheetRow] {
        var limits = SpreadsheetLimits()
        change(&limits)
        let taken = Taken()
        try SpreadsheetContents.read(bytes, limits: limits) { taken.rows.append($0) }
        return taken.rows
    }

    private final class Taken {
        var rows: [SpreadsheetRow] = []
    }

    static func rows(
        of workbook: HandmadeWorkbook, _ change: (inout SpreadsheetLimits) -> Void = { _ in }
    ) throws -> [SpreadsheetRow] {
        try rows(of: workbook.bytes(), change)
    }

    /// The rows of a sheet by what stands in it.
    static func rows(_ rows: String) throws -> [SpreadsheetRow] {
        try Self.rows(of: HandmadeWorkbook(rows: rows))
    }

    static func rows(ofText text: String) throws -> [SpreadsheetRow] {
        try rows(of: Array(text.utf8))
    }

    /// The fault of reading; nil if there is none.
    static func fault(
        of bytes: [UInt8], _ change: (inout SpreadsheetLimits) -> Void = { _ in }
    ) throws -> SpreadsheetFault? {
        do {
            _ = try rows(of: bytes, change)
            return nil
        } catch let fault as SpreadsheetFault {
            return fault
        }
    }

    static func fault(
        of workbook: HandmadeWorkbook, _ change: (inout SpreadsheetLimits) -> Void = { _ in }
    ) throws -> SpreadsheetFault? {
        try fault(of: workbook.bytes(), change)
    }
}

extension CellDate {
    /// A date of a test, known to be one.
    static func of(
        _ year: Int, _ month: Int, _ day: Int, _ timeOfDay: Duration? = nil
    ) -> Cell {
        guard let date = CellDate(year: year, month: month, day: day, timeOfDay: timeOfDay) else {
            return .error("no such day")
        }
        return .date(date)
    }
}
