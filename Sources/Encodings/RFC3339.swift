/// Numbers with zeros before them.
public enum Digits {
    /// A number with at least so many digits: `07`.
    public static func text(_ number: some BinaryInteger, atLeast width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// Days and instants in UTC as RFC 3339 spells them, by the Gregorian calendar, which is taken to
/// hold for all time.
public enum RFC3339 {
    private static let daySeconds: Int64 = 86_400

    /// Which places of a second are spelled.
    public enum Fraction: Sendable {
        /// None, 3, 6 or 9: as few as hold the value.
        case asNeeded
        /// Milliseconds, whatever the value; what is shorter is cut off.
        case milliseconds
    }

    /// The date of a day.
    ///
    /// - Parameter day: Days since 1970-01-01, negative before.
    /// - Returns: Year, month from 1, day of the month from 1.
    public static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // By eras of 400 years, which begin with March: the day that leap years add is the last.
        let (era, dayOfEra) = floored(day + 719_468, by: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch + (fromMarch < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    /// The day of a date.
    ///
    /// - Parameters:
    ///   - year: The year.
    ///   - month: From 1 to 12.
    ///   - day: From 1; one that the month does not have is a day of the next.
    /// - Returns: Days since 1970-01-01, negative before.
    public static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floored(month <= 2 ? year - 1 : year, by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// A day as `2026-11-27`.
    ///
    /// - Parameter day: Days since 1970-01-01, negative before.
    /// - Returns: The text.
    public static func text(ofDay day: Int64) -> String {
        let (year, month, day) = date(ofDay: day)
        return [Digits.text(year, atLeast: 4), two(month), two(day)].joined(separator: "-")
    }

    /// An instant as `2026-11-27T09:05:03.120Z`.
    ///
    /// - Parameters:
    ///   - seconds: Since 1970-01-01T00:00:00Z, negative before.
    ///   - nanoseconds: After that second, less than a second.
    ///   - fraction: Which places of the second are spelled.
    /// - Returns: The text.
    public static func text(
        seconds: Int64, nanoseconds: Int64, fraction: Fraction = .asNeeded
    ) -> String {
        let (day, second) = floored(seconds, by: daySeconds)
        let clock = [second / 3_600, second / 60 % 60, second % 60].map(two)
        let places =
            switch fraction {
            case .asNeeded: text(ofFraction: nanoseconds)
            case .milliseconds: "." + Digits.text(nanoseconds / 1_000_000, atLeast: 3)
            }
        return "\(text(ofDay: day))T\(clock.joined(separator: ":"))\(places)Z"
    }

    /// A part of a second with its point, in 3, 6 or 9 places: as few as hold it; nothing for none.
    ///
    /// - Parameter nanoseconds: From 0, less than a second.
    /// - Returns: The text.
    public static func text(ofFraction nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "" }
        for (unit, places) in [(1_000_000, 3), (1_000, 6)] as [(Int64, Int)]
        where nanoseconds % unit == 0 {
            return "." + Digits.text(nanoseconds / unit, atLeast: places)
        }
        return "." + Digits.text(nanoseconds, atLeast: 9)
    }

    private static func two(_ number: Int64) -> String { Digits.text(number, atLeast: 2) }

    /// Quotient and remainder such that the remainder is never negative.
    private static func floored(
        _ number: Int64, by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
