import Testing

@testable import guildhall

@Suite struct EndingsTests {
    private let start = ContinuousClock.now

    @Test func `each part has its time from when it was asked`() {
        var endings = Endings()
        endings.ask(.gateway, at: start)
        // The gateway took almost all of its time; the services begin only then.
        let later = start.advanced(by: .seconds(14))
        endings.ask(.membership, at: later)

        let end = start.advanced(by: Endings.timeMax)

        #expect(endings.isLate(.gateway, at: end))
        #expect(!endings.isLate(.membership, at: end))
        #expect(endings.isLate(.membership, at: later.advanced(by: Endings.timeMax)))
        #expect(!endings.isLate(.partners, at: end.advanced(by: .seconds(3_600))))
    }

    @Test func `asking again gives no more time, a new process begins afresh`() {
        var endings = Endings()
        endings.ask(.gateway, at: start)
        endings.ask(.gateway, at: start.advanced(by: .seconds(10)))
        let end = start.advanced(by: Endings.timeMax)
        #expect(endings.isLate(.gateway, at: end))

        endings.began(.gateway)

        #expect(!endings.isLate(.gateway, at: end))
    }
}
