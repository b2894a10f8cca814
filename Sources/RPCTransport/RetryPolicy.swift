import RPC

/// Whether, and after which pause, a call is tried again.
struct RetryPolicy {
    let attemptsMax: Int
    let pauseBase: Duration
    let pauseMax: Duration

    init(_ configuration: RPCClientConfiguration) {
        attemptsMax = configuration.attemptsMax
        pauseBase = configuration.retryBase
        pauseMax = configuration.retryPauseMax
    }

    /// Decides on another attempt.
    ///
    /// - Parameters:
    ///   - failure: How the attempt ended.
    ///   - ordinal: Which attempt of its call it was, from 1.
    ///   - isRepeatable: Whether the call may be made twice.
    ///   - luck: From 0 to 1, for the jitter.
    ///   - remaining: The time left until the deadline.
    /// - Returns: The pause before it; nil when there must be none.
    func pause(
        after failure: AttemptFailure, ordinal: Int, isRepeatable: Bool, luck: Double,
        remaining: Duration
    ) -> Duration? {
        let status = failure.status
        switch status.code {
        case .unavailable: guard failure.isUnseen || isRepeatable else { return nil }
        // Refused by a limit before it began; a limit that knows no better time is final.
        case .resourceExhausted:
            guard failure.isUnseen, status.retryDelay != nil else { return nil }
        default: return nil
        }
        guard ordinal < attemptsMax else { return nil }
        let bound = Duration.doubled(pauseBase, times: ordinal - 1, max: pauseMax)
        // What is drawn makes no attempt impossible for which there is time.
        let pause =
            status.retryDelay.map { named(by: $0, luck, remaining) }
            ?? min(bound, remaining) * luck
        return pause <= pauseMax && pause < remaining ? pause : nil
    }

    /// At least what the server asks for, and up to half as much again: it may have told many the
    /// same, who must not come back together.
    ///
    /// At most half of the time that is left after it is spent so.
    private func named(
        by server: Duration, _ luck: Double, _ remaining: Duration
    ) -> Duration {
        guard server <= pauseMax, server < remaining else { return server }
        let more = min(server / 2, (remaining - server) / 2, pauseMax - server)
        return server + more * luck
    }
}

/// Which attempt of a call is next.
struct Attempts {
    /// From 1.
    var ordinal = 1
    /// When the first attempt was made; nil of itself, which knows.
    var began: MonotonicInstant?
    /// Where the attempt before has failed: another address is better.
    var avoided: RPCAddress?
}

extension ClientCall {
    /// Whether the call may be made twice.
    var isRepeatable: Bool {
        switch method.idempotency {
        case .safe: true
        case .keyed: options.metadata[text: MetadataKey.idempotencyKey] != nil
        case .unknown: false
        }
    }
}
