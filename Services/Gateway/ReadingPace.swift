/// Whether a client goes on taking what it is sent, told from looks at how much it has taken.
struct ReadingPace: Sendable {
    /// A look: when it was, and the bytes that were taken by then.
    private struct Look {
        let instant: ContinuousClock.Instant
        let bytesTaken: Int
    }

    /// In the shorter of its two times a client is looked at so often.
    private static let looksMin = 4

    private let limits: Limits
    /// Since when something has been waiting for the client at every look.
    private var begin: ContinuousClock.Instant?
    /// When the last bytes were seen to be taken.
    private var lastProgress: ContinuousClock.Instant?
    /// The looks of the last ``Limits/readingWindow``, and the one before them.
    private var looks: ArraySlice<Look> = []

    init(limits: Limits) {
        self.limits = limits
    }

    /// The time between two looks.
    var interval: Duration {
        min(limits.unreadTimeout, limits.readingWindow) / Self.looksMin
    }

    /// Looks at the client.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - bytesTaken: The bytes that have been taken of all that was ever written.
    ///   - isWaiting: Whether there are more that could be taken.
    /// - Returns: Whether the client may go on; false when it has taken nothing for too long, or
    ///   too little.
    mutating func look(
        at now: ContinuousClock.Instant, bytesTaken: Int, isWaiting: Bool
    ) -> Bool {
        guard isWaiting else {
            // It has all that there is: what comes next is another matter.
            (begin, lastProgress, looks) = (nil, nil, [])
            return true
        }
        let begin = begin ?? now
        self.begin = begin
        let isProgress = looks.last.map { bytesTaken > $0.bytesTaken } ?? true
        let progress = isProgress ? now : lastProgress ?? now
        lastProgress = progress
        looks.append(Look(instant: now, bytesTaken: bytesTaken))
        while looks.count > 1,
            looks[looks.startIndex + 1].instant
                <= now.advanced(by: .zero - limits.readingWindow)
        {
            looks.removeFirst()
        }
        guard progress.duration(to: now) < limits.unreadTimeout else { return false }
        guard begin.duration(to: now) >= limits.readingGrace, let first = looks.first else {
            return true
        }
        // What the system keeps comes and goes at once: by as much a look may be wrong.
        let bytes = bytesTaken - first.bytesTaken + Limits.unsentBytesMax
        let seconds = first.instant.duration(to: now) / .seconds(1)
        return Double(bytes) >= Double(limits.readBytesPerSecondMin) * seconds
    }
}
