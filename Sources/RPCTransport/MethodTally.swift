import RPC

/// What became of the calls of one method on one thread: plain counters, no locks.
final class MethodTally {
    /// So many calls are kept of those that were slow, and as many of those that failed.
    static let recordedCallsMax = 5

    let method: ServerMethod
    /// Whether its times are counted: streams last as long as somebody listens.
    private var isTimed: Bool { !method.isStream }
    private(set) var begun: UInt64 = 0
    private(set) var succeeded: UInt64 = 0
    private(set) var failed: [Status.Code: UInt64] = [:]
    private(set) var latency = LatencyHistogram()
    private(set) var slow: [EndedCall] = []
    private(set) var failures: [EndedCall] = []
    /// Suspended calls that have ended since their times were last told to the limiter.
    private var sample = AdaptiveLimit.Sample()
    private var sampleStart: MonotonicInstant?
    /// So often a thread tells the limiter of a method, which all threads share.
    private static let sampleTime: Duration = .milliseconds(20)
    /// Calls that ended well within the read burst in which they came, not yet timed.
    fileprivate var endedInBurst = 0

    init(_ method: ServerMethod) {
        self.method = method
    }

    /// The path of the method.
    var path: String { method.descriptor.path }

    @inline(__always)
    func begin() { begun &+= 1 }

    @inline(__always)
    fileprivate func succeed() { succeeded &+= 1 }

    fileprivate func fail(_ code: Status.Code) { failed[code, default: 0] &+= 1 }

    /// Times the calls that ended in a burst; true when they are worth remembering.
    fileprivate func settleBurst(_ latency: Duration, slowCallTime: Duration) -> Bool {
        let count = endedInBurst
        endedInBurst = 0
        guard isTimed else { return false }
        self.latency.add(latency, count: count)
        return latency > slowCallTime
    }

    fileprivate func settle(_ call: EndedCall, slowCallTime: Duration) {
        if isTimed { latency.add(call.duration) }
        if call.code != .ok { Self.keep(call, in: &failures) }
        if isTimed, call.duration > slowCallTime { remember(call) }
    }

    /// Tells the limiter of the method from time to time how long its calls take.
    fileprivate func learn(_ call: Suspension, at now: MonotonicInstant) {
        let start = sampleStart ?? now
        sampleStart = start
        sample.add(call.since.duration(to: now), inFlight: call.inFlight)
        guard start.duration(to: now) >= Self.sampleTime else { return }
        call.limiter.note(sample, at: now)
        sample = AdaptiveLimit.Sample()
        sampleStart = now
    }

    fileprivate func remember(_ call: EndedCall) { Self.keep(call, in: &slow) }

    private static func keep(_ call: EndedCall, in calls: inout [EndedCall]) {
        if calls.count == recordedCallsMax { calls.removeFirst() }
        calls.append(call)
    }
}

/// A call that had suspended when it was answered.
private struct Suspension {
    let since: MonotonicInstant
    /// The calls of the method that were suspended then, itself included.
    let inFlight: Int
    let limiter: MethodLimiter

    /// A call whose own place is given back later; nil when its method has no limit.
    init?(of method: ServerMethod, since: MonotonicInstant) {
        guard let limiter = method.limiter else { return nil }
        self.since = since
        self.limiter = limiter
        inFlight = limiter.suspendedCount
    }
}

/// A call that has ended, as it is remembered: nothing of its request, reply or metadata.
struct EndedCall: Sendable, Hashable {
    /// Longer sentences are cut.
    static let messageBytesMax = 200

    let endedAt: MonotonicInstant
    let duration: Duration
    let code: Status.Code
    let message: String

    init(_ status: Status?, from start: MonotonicInstant, to end: MonotonicInstant) {
        endedAt = end
        duration = start.duration(to: end)
        code = status?.code ?? .ok
        let message = status?.message ?? ""
        // A copy of its own: the sentence may be a part of something large.
        self.message = String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self)
    }
}

/// The tallies of a server's methods on one thread.
///
/// A call pays for a few additions. The clock is read once for all calls whose answers are written
/// together: their time is that from the burst in which they came to that reading.
final class MethodTallies {
    private struct Ended {
        let tally: MethodTally
        let status: Status?
        let arrived: MonotonicInstant
        let suspended: Suspension?
    }

    private let slowCallTime: Duration
    /// All of them, in the order of the methods.
    let all: [MethodTally]
    /// Those with calls that ended in the burst being handled.
    private var inBurst: [MethodTally] = []
    private var burstStart: MonotonicInstant?
    /// Other calls whose answers have yet to be written.
    private var ended: [Ended] = []
    /// Calls of methods that the server does not have.
    private(set) var unknown: UInt64 = 0

    init(_ methods: ServerMethods, slowCallTime: Duration) {
        self.slowCallTime = slowCallTime
        all = methods.announced.map { MethodTally($0) }
    }

    /// The tally of a method.
    subscript(method: ServerMethod) -> MethodTally { all[method.position] }

    /// The tally of the method with an announced number; nil when none has it.
    subscript(announced number: UInt32) -> MethodTally? {
        let position = Int(number) - 1
        return all.indices.contains(position) ? all[position] : nil
    }

    /// A call names no method of this server.
    func noteUnknown() { unknown &+= 1 }

    /// A call was answered within the burst in which it came.
    @inline(__always)
    func end(inBurst tally: MethodTally, at start: MonotonicInstant) {
        tally.succeed()
        if tally.endedInBurst == 0 {
            inBurst.append(tally)
            burstStart = start
        }
        tally.endedInBurst &+= 1
    }

    /// A call was answered in any other way; nil is success.
    ///
    /// - Parameters:
    ///   - tally: That of the method called.
    ///   - status: What it was answered with.
    ///   - arrived: When the burst arrived in which it came.
    ///   - suspendedSince: When it began, if it has suspended.
    func end(
        _ tally: MethodTally, _ status: Status?, arrived: MonotonicInstant,
        suspendedSince: MonotonicInstant? = nil
    ) {
        if let status, status.code != .ok { tally.fail(status.code) } else { tally.succeed() }
        let suspended = suspendedSince.flatMap { Suspension(of: tally.method, since: $0) }
        ended.append(
            Ended(tally: tally, status: status, arrived: arrived, suspended: suspended))
    }

    /// A call has ended and nobody waits for an answer.
    ///
    /// Callers give up when calls take too long: so the time until then counts for the limiter.
    func cancel(_ tally: MethodTally, suspendedSince: MonotonicInstant? = nil) {
        tally.fail(.cancelled)
        if let suspendedSince,
            let suspended = Suspension(of: tally.method, since: suspendedSince)
        {
            tally.learn(suspended, at: .now)
        }
    }

    /// Answers have been written: times the calls that they end.
    func settle() {
        guard !inBurst.isEmpty || !ended.isEmpty else { return }
        let now = MonotonicInstant.now
        if let burstStart { settleBurst(from: burstStart, to: now) }
        for call in ended {
            let record = EndedCall(call.status, from: call.arrived, to: now)
            call.tally.settle(record, slowCallTime: slowCallTime)
            if let suspended = call.suspended { call.tally.learn(suspended, at: now) }
        }
        ended.removeAll(keepingCapacity: ended.capacity <= 256)
    }

    private func settleBurst(
        from start: MonotonicInstant, to end: MonotonicInstant
    ) {
        let latency = start.duration(to: end)
        for tally in inBurst where tally.settleBurst(latency, slowCallTime: slowCallTime) {
            tally.remember(EndedCall(nil, from: start, to: end))
        }
        inBurst.removeAll(keepingCapacity: true)
        burstStart = nil
    }
}
