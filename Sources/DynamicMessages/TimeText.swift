/// Instants and durations as JSON spells them.
enum TimeText {
    /// The most seconds of a duration: 10,000 years.
    static let durationSecondsMax: Int64 = 315_576_000_000
    /// The first second of the year 1.
    static let instantSecondsMin: Int64 = -62_135_596_800
    /// The last second of the year 9999.
    static let instantSecondsMax: Int64 = 253_402_300_799

    /// `2030-01-31T08:00:00.5Z`; nil outside the years 1 to 9999.
    static func text(instant seconds: Int64, _ nanoseconds: Int64) -> String? {
        guard (instantSecondsMin...instantSecondsMax).contains(seconds),
            (0..<1_000_000_000).contains(nanoseconds)
        else { return nil }
        let (day, second) = seconds.flooredQuotientAndRemainder(dividingBy: 86_400)
        let (year, month, date) = civil(day)
        let time = [second / 3_600, second / 60 % 60, second % 60].map { padded($0, 2) }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))T"
            + time.joined(separator: ":") + fraction(nanoseconds) + "Z"
    }

    /// Reads what RFC 3339 calls a date-time, with `Z` or an offset.
    static func instant(_ text: String) -> (seconds: Int64, nanoseconds: Int64)? {
        var rest = Substring(text)
        guard let year = digits(4, &rest), take("-", &rest), let month = digits(2, &rest),
            take("-", &rest), let date = digits(2, &rest), take("T", &rest),
            let hour = digits(2, &rest), take(":", &rest), let minute = digits(2, &rest),
            take(":", &rest), let second = digits(2, &rest),
            let nanoseconds = takeFraction(&rest), let offset = takeOffset(&rest), rest.isEmpty,
            (1...12).contains(month), hour < 24, minute < 60, second < 60
        else { return nil }
        let day = days(year, month, date)
        guard civil(day) == (year, month, date) else { return nil }
        let seconds = day * 86_400 + hour * 3_600 + minute * 60 + second - offset
        guard (instantSecondsMin...instantSecondsMax).contains(seconds) else { return nil }
        return (seconds, nanoseconds)
    }

    /// `3.500s`; nil beyond 10,000 years, or when the signs of both parts differ.
    static func text(duration seconds: Int64, _ nanoseconds: Int64) -> String? {
        guard seconds.magnitude <= durationSecondsMax.magnitude,
            nanoseconds.magnitude < 1_000_000_000,
            seconds == 0 || nanoseconds == 0 || seconds.signum() == nanoseconds.signum()
        else { return nil }
        let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
        return "\(sign)\(seconds.magnitude)\(fraction(Int64(nanoseconds.magnitude)))s"
    }

    /// Reads seconds with at most nine places.
    static func duration(_ text: String) -> (seconds: Int64, nanoseconds: Int64)? {
        var rest = Substring(text)
        let sign: Int64 = take("-", &rest) ? -1 : 1
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        guard whole.count <= 12, let seconds = Int64(whole), seconds <= durationSecondsMax,
            let nanoseconds = takeFraction(&rest), take("s", &rest), rest.isEmpty
        else { return nil }
        return (sign * seconds, sign * nanoseconds)
    }

    /// Nothing, or 3, 6 or 9 places: as few as hold the value.
    private static func fraction(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "" }
        if nanoseconds % 1_000_000 == 0 { return "." + padded(nanoseconds / 1_000_000, 3) }
        if nanoseconds % 1_000 == 0 { return "." + padded(nanoseconds / 1_000, 6) }
        return "." + padded(nanoseconds, 9)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func take(_ character: Character, _ rest: inout Substring) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func digits(_ count: Int, _ rest: inout Substring) -> Int64? {
        let text = rest.prefix(count)
        guard text.count == count, text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return nil
        }
        rest = rest.dropFirst(count)
        return Int64(text)
    }

    /// A point with 1 to 9 digits, in nanoseconds; 0 where there is no point.
    private static func takeFraction(_ rest: inout Substring) -> Int64? {
        guard take(".", &rest) else { return 0 }
        let text = rest.prefix { $0.isASCII && $0.isNumber }
        guard (1...9).contains(text.count) else { return nil }
        rest = rest.dropFirst(text.count)
        return Int64(text + String(repeating: "0", count: 9 - text.count))
    }

    /// `Z` or an offset such as `+01:30`, in seconds.
    private static func takeOffset(_ rest: inout Substring) -> Int64? {
        if take("Z", &rest) { return 0 }
        let sign: Int64
        if take("+", &rest) {
            sign = 1
        } else if take("-", &rest) {
            sign = -1
        } else {
            return nil
        }
        guard let hours = digits(2, &rest), take(":", &rest), let minutes = digits(2, &rest),
            hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    /// The day since 1970 of a date of the proleptic Gregorian calendar.
    ///
    /// Years are counted from March, so that the day that leap years add is the last.
    private static func days(_ year: Int64, _ month: Int64, _ date: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredQuotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a day since 1970.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let (era, dayOfEra) = (day + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted + (shifted < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(
        dividingBy divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
