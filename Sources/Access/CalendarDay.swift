internal import Encodings

/// A day of the Gregorian calendar in UTC.
///
/// Business dates are whole days and inclusive: what is valid through a day ends with the first
/// instant of the next.
public struct CalendarDay: Sendable, Hashable, Comparable {
    /// The days that can be told: 1900-01-01 to 9999-12-31.
    public static let all =
        CalendarDay(
            daysSince1970: -25_567)...CalendarDay(
            daysSince1970: 2_932_896)

    /// Days since 1970-01-01, negative before.
    public let daysSince1970: Int

    /// The day so many days after 1970-01-01.
    public init(daysSince1970: Int) {
        self.daysSince1970 = daysSince1970
    }

    /// The day of the calendar; nil when there is none, or it lies outside of ``all``.
    public init?(year: Int, month: Int, day: Int) {
        guard (1900...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.length(of: month, in: year)
        else { return nil }
        self.init(
            daysSince1970: Int(
                RFC3339.day(year: Int64(year), month: Int64(month), day: Int64(day))))
    }

    /// The day in a text of the form `2026-11-27`; nil when it is none.
    public init?(text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Year, month and day.
    public var parts: (year: Int, month: Int, day: Int) {
        let date = RFC3339.date(ofDay: Int64(daysSince1970))
        return (Int(date.year), Int(date.month), Int(date.day))
    }

    /// As `2026-11-27`.
    public var text: String { RFC3339.text(ofDay: Int64(daysSince1970)) }

    /// The day so many days later; earlier when the number is negative.
    public func advanced(by days: Int) -> CalendarDay {
        CalendarDay(daysSince1970: daysSince1970 + days)
    }

    /// Orders by time.
    public static func < (left: CalendarDay, right: CalendarDay) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }

    private static func length(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
