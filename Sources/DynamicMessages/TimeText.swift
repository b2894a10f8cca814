internal import Encodings

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
        return RFC3339.text(seconds: seconds, nanoseconds: nanoseconds)
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
        let day = RFC3339.day(year: year, month: month, day: date)
        guard RFC3339.date(ofDay: day) == (year, month, date) else { return nil }
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
        let fraction = RFC3339.text(ofFraction: Int64(nanoseconds.magnitude))
        return "\(sign)\(seconds.magnitude)\(fraction)s"
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
}
