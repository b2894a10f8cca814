import Encodings
import Testing

/// Days and instants as text, by facts that can be looked up.
struct RFC3339Tests {
    @Test(
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (20_784, "2026-11-27"), (11_016, "2000-02-29"),
            (-25_508, "1900-03-01"), (-719_162, "0001-01-01"), (2_932_896, "9999-12-31"),
        ] as [(Int64, String)])
    func `a day is spelled, and its date is that day`(day: Int64, text: String) {
        let date = RFC3339.date(ofDay: day)

        #expect(RFC3339.text(ofDay: day) == text)
        #expect(RFC3339.day(year: date.year, month: date.month, day: date.day) == day)
    }

    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_795_770_303, 120_000_000, "2026-11-27T09:05:03.120Z"),
            (-1, 999_999_000, "1969-12-31T23:59:59.999999Z"),
            (59, 1, "1970-01-01T00:00:59.000000001Z"),
            (951_827_696, 5_000_000, "2000-02-29T12:34:56.005Z"),
        ] as [(Int64, Int64, String)])
    func `an instant has as few places as hold it`(
        seconds: Int64, nanoseconds: Int64, text: String
    ) {
        #expect(RFC3339.text(seconds: seconds, nanoseconds: nanoseconds) == text)
    }

    @Test(arguments: [(0, "00.000Z"), (999_999, "00.000Z"), (7_000_000, "00.007Z")])
    func `milliseconds are spelled whatever they are`(nanoseconds: Int64, end: String) {
        let text = RFC3339.text(seconds: 0, nanoseconds: nanoseconds, fraction: .milliseconds)

        #expect(text == "1970-01-01T00:00:" + end)
    }

    @Test(arguments: [(0, 2, "00"), (7, 2, "07"), (12, 2, "12"), (123, 2, "123"), (5, 0, "5")])
    func `zeros are put before a number that is short`(number: Int, width: Int, text: String) {
        #expect(Digits.text(number, atLeast: width) == text)
    }
}
