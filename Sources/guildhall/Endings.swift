/// Which parts were asked to end, and since when: each has its time from then on.
struct Endings: Sendable {
    /// A part that has not ended this long after it was asked to is killed.
    static let timeMax: Duration = .seconds(15)

    private var asked: [Part: ContinuousClock.Instant] = [:]

    /// A new process of the part was started; nobody has asked it anything.
    mutating func began(_ part: Part) { asked[part] = nil }

    /// The process of the part was asked to end; the first time counts.
    mutating func ask(_ part: Part, at now: ContinuousClock.Instant) {
        asked[part] = asked[part] ?? now
    }

    /// Whether the part has had its time.
    func isLate(_ part: Part, at now: ContinuousClock.Instant) -> Bool {
        guard let start = asked[part] else { return false }
        return start.duration(to: now) >= Self.timeMax
    }
}
