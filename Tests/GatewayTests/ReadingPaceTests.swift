import Testing

@testable import Gateway

/// Which readers are cut off, on a clock moved by hand.
struct ReadingPaceTests {
    private static let start = ContinuousClock.now

    /// When a reader is cut off who has always more to take.
    ///
    /// - Parameters:
    ///   - burst: The bytes that it takes at once.
    ///   - rate: The bytes that it takes in a second after that.
    ///   - lump: It takes them by so many at a time.
    ///   - minutes: How long it is looked at.
    /// - Returns: The time; nil when it never is.
    private static func end(
        burst: Int = 0, rate: Int, lump: Int = 1, minutes: Int = 20
    ) -> Duration? {
        var pace = ReadingPace(limits: Limits())
        var time = Duration.zero
        while time < .seconds(60) * minutes {
            let taken = Int(time / .seconds(1) * Double(rate)) / lump * lump
            let bytes = taken + (time > .zero ? burst : 0)
            guard pace.look(at: start.advanced(by: time), bytesTaken: bytes, isWaiting: true)
            else { return time }
            time += pace.interval
        }
        return nil
    }

    @Test func `who takes nothing is cut off after 30 s`() {
        #expect(Self.end(rate: 0) == .seconds(30))
    }

    @Test(arguments: [(512, 30), (2 * 1_024, 30), (8 * 1_024, 30), (13 * 1_024, 45)])
    func `who takes less than 16 KiB a second is cut off`(rate: Int, seconds: Int) {
        // What the system may keep, 128 KiB, is counted in favour of the reader.
        #expect(Self.end(rate: rate) == .seconds(seconds))
    }

    @Test func `what was taken at first does not count after a minute`() {
        #expect(Self.end(burst: 6 * 1_024 * 1_024, rate: 2 * 1_024) == .milliseconds(67_500))
    }

    @Test(arguments: [1, 64 * 1_024, 128 * 1_024])
    func `who takes 16 KiB a second gets all of it, in whatever lumps`(lump: Int) {
        #expect(Self.end(rate: 16 * 1_024, lump: lump) == nil)
    }

    @Test func `who has all that there is begins anew`() {
        var pace = ReadingPace(limits: Limits())
        for second in 0..<600 {
            // A page now and then, each taken within a look.
            let instant = Self.start.advanced(by: .seconds(second) * 8)
            let isGoingOn = pace.look(
                at: instant, bytesTaken: second * 100, isWaiting: second % 4 != 3)
            #expect(isGoingOn)
        }
    }
}
