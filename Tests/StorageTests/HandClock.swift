@testable import Storage

/// A clock that a test moves by hand: for waits, and for the wall.
struct HandClock: Clock {
    struct Instant: InstantProtocol {
        let offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let microseconds = Threshold(0)

    var now: Instant { Instant(offset: .microseconds(microseconds.value)) }
    var minimumResolution: Duration { .microseconds(1) }
    var wall: WallTime { .start.advanced(by: now.offset) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let (seconds, attoseconds) = deadline.offset.components
        let until = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        _ = try await microseconds.wait(past: until - 1)
    }

    func advance(by duration: Duration) {
        microseconds.advance(
            to: microseconds.value + WallTime(microseconds: 0).advanced(by: duration).microseconds)
    }
}
