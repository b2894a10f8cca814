import Testing

@testable import Spreadsheets

/// Which numbers are dates, and which dates they are.
@Suite struct DateTests {
    @Test(arguments: [
        ("yyyy-mm-dd", "date"), ("d.m.yy", "date"), ("mmmm", "date"), ("mmm-yy", "date"),
        ("[$-409]d-mmm-yy;@", "date"), ("dd/mm/yyyy hh:mm", "date"), ("\"Tag\" d", "date"),
        ("yyyy\"年\"m\"月\"", "date"), ("[Red]d;[Blue]0", "date"),
        ("h:mm", "plain"), ("mm:ss.0", "plain"), ("[h]:mm:ss", "plain"), ("[mm]:ss", "plain"),
        ("General", "plain"), ("0.00", "plain"), ("#,##0 \"days\"", "plain"), ("\\d0", "plain"),
        ("0_d", "plain"), ("[Red]0", "plain"), ("0.00E+00", "plain"), ("", "plain"),
        ("General;d", "plain"), ("[$€-407] #,##0", "plain"), ("\"unended d", "plain"),
        ("[unended d", "plain"), ("@", "plain"),
        ("0%", "percent"), ("0.0 %;-0.0 %", "percent"), ("\"%\"0", "plain"), ("0\\%", "plain"),
    ])
    func `a format's code tells what a number is`(code: String, kind: String) {
        #expect("\(NumberFormat(code: code))" == kind)
    }

    @Test(arguments: [
        (9, "percent"), (10, "percent"), (14, "date"), (17, "date"), (18, "plain"),
        (21, "plain"), (22, "date"), (30, "date"), (45, "plain"), (47, "plain"), (57, "date"),
        (0, "plain"), (49, "plain"), (163, "plain"),
    ])
    func `a format's number tells what a number is`(number: Int, kind: String) {
        #expect("\(NumberFormat(builtIn: number))" == kind)
    }

    @Test(arguments: [
        (1.0, "1900-01-01"), (31.0, "1900-01-31"), (59.0, "1900-02-28"), (61.0, "1900-03-01"),
        (36_526.0, "2000-01-01"), (36_585.0, "2000-02-29"), (45_351.0, "2024-02-29"),
        (73_109.0, "2100-02-28"), (73_110.0, "2100-03-01"), (2_958_465.0, "9999-12-31"),
        (45_351.5, "2024-02-29T12:00:00"), (45_351.396006944441, "2024-02-29T09:30:15"),
        (45_351.3960069444, "2024-02-29T09:30:15"),
        (45_351.000_001_446_76, "2024-02-29T00:00:00.125"),
        (45_350.999_999_999_9, "2024-02-29"), (45_351.999_988_425_9, "2024-02-29T23:59:59"),
    ])
    func `days since 1900 are dates`(serial: Double, date: String) {
        #expect(CellDate(serial: serial, isFrom1904: false)?.description == date)
    }

    @Test(arguments: [-1.0, 0, 0.5, 60, 2_958_466, 1e300])
    func `a number without a day stays a number`(serial: Double) {
        #expect(CellDate(serial: serial, isFrom1904: false) == nil)
    }

    @Test func `days since 1904 are dates`() {
        #expect(CellDate(serial: 0, isFrom1904: true)?.description == "1904-01-01")
        #expect(CellDate(serial: 60, isFrom1904: true)?.description == "1904-03-01")
        #expect(CellDate(serial: 2_957_003, isFrom1904: true)?.description == "9999-12-31")
        #expect(CellDate(serial: 2_957_004, isFrom1904: true) == nil)
    }

    @Test(arguments: [
        "2026-03-01", "2026-03-01T09:30:00", "2026-03-01T09:30:15.250", "2024-02-29",
    ])
    func `a date of ISO 8601 is read and shown alike`(text: String) {
        #expect(CellDate(iso: text)?.description == text)
    }

    @Test(arguments: [
        "", "T", "2026-13-01", "2026-02-29", "2026-03", "2026-03-01T25:00", "2026-03-01T09",
        "x-y-z", "2026-03-01T09:30:00T", "2026-03-01Tnan:00:00", "99999999999999999999-01-01",
    ])
    func `a text that is no date is none`(text: String) {
        #expect(CellDate(iso: text) == nil)
    }

    @Test func `no day is made that the calendar does not have`() {
        #expect(CellDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CellDate(year: 2000, month: 2, day: 29) != nil)
        #expect(CellDate(year: 2026, month: 4, day: 31) == nil)
        #expect(CellDate(year: 2026, month: 1, day: 1, timeOfDay: .seconds(86_400)) == nil)
    }

    @Test(arguments: [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")])
    func `columns have letters`(column: Int, letters: String) {
        #expect(CellReference.letters(of: column) == letters)
        let parsed = XMLValue.lend("\(letters)1048576") { CellReference.parse($0) }
        #expect(parsed?.column == column && parsed?.row == 1_048_576)
    }

    @Test(arguments: [
        "", "A", "1", "A0", "A01", "1A", "A1B", "XFE1", "A1048577", "ZZZZZZZZZZZZZZZZZZZZZZZZ1",
        "A99999999999999999999999", "A-1", "$A$1", "A1:B2", "Ä1",
    ])
    func `a reference to no cell is none`(reference: String) {
        #expect(XMLValue.lend(reference) { CellReference.parse($0) } == nil)
    }
}
