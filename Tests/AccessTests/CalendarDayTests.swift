import Access
import Testing

/// Days of the calendar, by facts that can be looked up.
@Suite struct CalendarDayTests {
    @Test(arguments: [
        ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2000-03-01", 11_017),
        ("2026-11-27", 20_784), ("1900-01-01", -25_567), ("9999-12-31", 2_932_896),
    ])
    func `a text is a day, and a day a text`(text: String, days: Int) {
        #expect(CalendarDay(text: text)?.daysSince1970 == days)
        #expect(CalendarDay(daysSince1970: days).text == text)
    }

    @Test(arguments: [
        "", "2026-02-29", "1900-02-29", "2026-04-31", "2026-00-10", "2026-13-01", "2026-1-1",
        "2026-01-00", "1899-12-31", "2026-01-011", "+026-01-01", "２０２６-01-01",
    ])
    func `what is no day is none`(text: String) {
        #expect(CalendarDay(text: text) == nil)
    }

    @Test func `every day of 500 years follows the one before`() throws {
        let first = try #require(CalendarDay(year: 1900, month: 1, day: 1))
        var (year, month, day) = first.parts
        for offset in 1...182_621 {
            let next = first.advanced(by: offset)
            let parts = next.parts
            let isNextDay = parts == (year, month, day + 1)
            let isNextMonth = parts == (year, month + 1, 1) && day >= 28
            let isNextYear = parts == (year + 1, 1, 1) && (month, day) == (12, 31)
            guard isNextDay || isNextMonth || isNextYear,
                CalendarDay(year: parts.year, month: parts.month, day: parts.day) == next
            else {
                Issue.record("\(next.text) does not follow \(year)-\(month)-\(day)")
                return
            }
            (year, month, day) = parts
        }
        #expect((year, month, day) == (2400, 1, 1))
    }

    @Test func `days are ordered by time`() throws {
        let earlier = try #require(CalendarDay(text: "2025-12-31"))
        let later = try #require(CalendarDay(text: "2026-01-01"))

        #expect(earlier < later)
        #expect(earlier.advanced(by: 1) == later)
        #expect(later.advanced(by: -1) == earlier)
    }
}
