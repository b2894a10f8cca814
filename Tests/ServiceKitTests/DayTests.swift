import Access
import ServiceKit
import Storage
import Testing

/// Instants and the days they lie in, in UTC.
@Suite struct DayTests {
    @Test func `a day lasts until the instant before the next begins`() throws {
        let day = try #require(CalendarDay(text: "2026-11-27"))
        let start = WallTime(startOf: day)
        let next = WallTime(startOf: day.advanced(by: 1))

        #expect(start.day == day)
        #expect(start.duration(to: next) == .seconds(86_400))
        #expect(next.advanced(by: .microseconds(-1)).day == day)
        #expect(next.day == day.advanced(by: 1))
        #expect(start.advanced(by: .microseconds(-1)).day == day.advanced(by: -1))
    }

    @Test func `before 1970 days are told as well`() {
        #expect(WallTime(microseconds: -1).day == CalendarDay(daysSince1970: -1))
        #expect(WallTime(microseconds: 0).day == CalendarDay(daysSince1970: 0))
    }
}
