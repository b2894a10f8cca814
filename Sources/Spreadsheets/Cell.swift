/// What a cell of a sheet holds.
public enum Cell: Hashable, Sendable {
    /// Nothing; a format alone is nothing too.
    case empty
    /// Text, also where it looks like a number or a date; never empty when read.
    case text(String)
    /// A number; a percentage is shown times 100, so that 0.15 is 15 %.
    case number(Double, isPercent: Bool = false)
    /// A day, with the time of day if the cell has one.
    case date(CellDate)
    /// A truth value.
    case boolean(Bool)
    /// What Excel shows instead of a result, such as `#DIV/0!`.
    case error(String)
    /// A formula with the result that was saved with it, `empty` if there is none.
    indirect case formula(Cell)
}

/// A day of the Gregorian calendar as a cell holds it, without a time zone.
public struct CellDate: Hashable, Sendable {
    /// The year, from 1900 to 9999.
    public let year: Int
    /// The month, from 1 to 12.
    public let month: Int
    /// The day of the month, from 1.
    public let day: Int
    /// The time since midnight in whole milliseconds; nil where the cell holds the day alone.
    public let timeOfDay: Duration?

    /// A day, and perhaps a time of it; nil if there is no such day or time.
    public init?(year: Int, month: Int, day: Int, timeOfDay: Duration? = nil) {
        guard (1_900...9_999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.dayCount(year: year, month: month)
        else { return nil }
        if let timeOfDay {
            guard timeOfDay >= .zero, timeOfDay < .seconds(86_400) else { return nil }
        }
        (self.year, self.month, self.day, self.timeOfDay) = (year, month, day, timeOfDay)
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CellDate: CustomStringConvertible {
    /// The date as ISO 8601 writes it: `2026-03-01`, or `2026-03-01T09:30:00`.
    public var description: String {
        let date = "\(year)-\(Self.padded(month))-\(Self.padded(day))"
        guard let timeOfDay else { return date }
        let milliseconds = Int(timeOfDay / .milliseconds(1))
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { Self.padded($0) }
        let time = "\(date)T\(clock.joined(separator: ":"))"
        return rest == 0 ? time : time + "." + Self.padded(rest, to: 3)
    }

    private static func padded(_ number: Int, to width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A row of a sheet that is not blank.
public struct SpreadsheetRow: Hashable, Sendable {
    /// The number as Excel shows it, from 1; blank rows have theirs, so that numbers may skip.
    ///
    /// In text files it counts records, blank ones too.
    public let number: Int
    /// The cells from column A on, without empty ones at the end.
    public let cells: [Cell]

    /// A row with its number, from 1.
    public init(number: Int, cells: [Cell]) {
        (self.number, self.cells) = (number, cells)
    }

    /// The cell of a column, counted from 0; `empty` beyond the last.
    public subscript(column: Int) -> Cell {
        cells.indices.contains(column) ? cells[column] : .empty
    }
}
