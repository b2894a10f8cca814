/// How a cell's number is shown, as far as it tells what the number means.
enum NumberFormat {
    case plain
    case percent
    case date

    /// The format of a number that needs no entry in the workbook.
    init(builtIn number: Int) {
        switch number {
        case 9, 10: self = .percent
        // Times alone (18 to 21, 32 to 35 and 45 to 47) are no dates.
        case 14...17, 22, 27...31, 36, 50...58: self = .date
        default: self = .plain
        }
    }

    /// The format that a code such as `dd/mm/yyyy;@` means.
    init(code: String) {
        var hasDay = false
        var hasMonthOrMinute = false
        var hasTime = false
        var hasPercent = false
        for letter in Self.letters(of: code) {
            switch letter {
            case "y", "d": hasDay = true
            case "m": hasMonthOrMinute = true
            case "h", "s": hasTime = true
            case "%": hasPercent = true
            default: break
            }
        }
        // Beside hours or seconds, m stands for minutes.
        let isDate = hasDay || (hasMonthOrMinute && !hasTime)
        self = isDate ? .date : hasPercent ? .percent : .plain
    }

    /// The letters of the first section that are neither quoted, escaped, nor in brackets; but a
    /// bracket with hours, minutes or seconds, a time that passes 24 hours, stands for `h`.
    private static func letters(of code: String) -> [Character] {
        var letters: [Character] = []
        var rest = code.lowercased()[...]
        while let character = rest.popFirst(), character != ";" {
            switch character {
            case "\"":
                rest = rest.drop { $0 != "\"" }.dropFirst()
            case "\\", "_", "*":
                rest = rest.dropFirst()
            case "[":
                let inside = rest.prefix { $0 != "]" }
                rest = rest.dropFirst(inside.count + 1)
                if !inside.isEmpty, inside.allSatisfy({ "hms".contains($0) }) {
                    letters.append("h")
                }
            case "g" where rest.hasPrefix("eneral"):
                rest = rest.dropFirst(6)
            default:
                letters.append(character)
            }
        }
        return letters
    }
}

extension CellDate {
    /// The day, and perhaps the time, that a number means in a workbook; nil if it means none.
    ///
    /// Excel counts days from 1 for 1 January 1900, and takes 1900 for a leap year; or from 0 for
    /// 1 January 1904. Below 1, and on the 29 February 1900, there is no day.
    init?(serial: Double, isFrom1904: Bool) {
        guard serial >= 0, serial < 2_958_466 else { return nil }
        var (days, milliseconds) = Int((serial * 86_400_000).rounded())
            .quotientAndRemainder(dividingBy: 86_400_000)
        // A fraction of a day in binary is never quite whole seconds.
        let toSecond = (milliseconds + 500) / 1_000 * 1_000
        if abs(toSecond - milliseconds) <= 1 { milliseconds = toSecond }
        if milliseconds == 86_400_000 { (days, milliseconds) = (days + 1, 0) }
        let daysSince1900: Int
        if isFrom1904 {
            daysSince1900 = days + 1_460
        } else {
            guard days >= 1, days != 60 else { return nil }
            daysSince1900 = days > 60 ? days - 2 : days - 1
        }
        let (year, month, day) = Self.civil(daysSince1900: daysSince1900)
        self.init(
            year: year, month: month, day: day,
            timeOfDay: milliseconds == 0 ? nil : .milliseconds(milliseconds))
    }

    /// The day of a count from 1 January 1900.
    private static func civil(daysSince1900: Int) -> (year: Int, month: Int, day: Int) {
        // Years that begin in March end with their leap day; 693901 days lie between 1 March of
        // the year 0 and 1 January 1900.
        let days = daysSince1900 + 693_901
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    /// The date of a text of ISO 8601, `2026-03-01` or `2026-03-01T09:30:00`, as strict workbooks
    /// hold; nil if it is none.
    init?(iso text: String) {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        let date = parts[0].split(separator: "-").map { Int($0) }
        guard parts.count <= 2, date.count == 3, let year = date[0], let month = date[1],
            let day = date[2]
        else { return nil }
        guard parts.count == 2 else {
            self.init(year: year, month: month, day: day)
            return
        }
        let clock = parts[1].split(separator: "Z", omittingEmptySubsequences: true).first ?? ""
        let time = clock.split(separator: ":").map { Double($0) }
        guard (2...3).contains(time.count), let hours = time[0], let minutes = time[1],
            let seconds = time.count == 3 ? time[2] : 0,
            (0..<24).contains(hours), (0..<60).contains(minutes), (0..<60).contains(seconds)
        else { return nil }
        let milliseconds = Int((hours * 3_600_000 + minutes * 60_000 + seconds * 1_000).rounded())
        self.init(
            year: year, month: month, day: day,
            timeOfDay: milliseconds == 0 ? nil : .milliseconds(min(milliseconds, 86_399_999)))
    }
}
