import RPC
import Synchronization

/// How many calls of one method may be suspended at once, found from how long they take.
///
/// By Little's law the calls in flight are throughput times latency: once whatever the calls wait
/// for is busy, more of them in flight bring no throughput, they only wait longer. So the mean time
/// of a short window is held against the usual one. While it stays near, the limit grows by its
/// square root a window, as far as it is made use of; when it is a multiple, the limit falls by the
/// same ratio, at most to a half, smoothed. That is Gradient2 of Netflix's concurrency-limits.
///
/// The other candidates: brpc's limiter (highest throughput times lowest latency) must take places
/// away from time to time to see the latency without load again, which callers feel; AIMD needs
/// calls to fail before it learns anything. The weakness of Gradient2 is that a lasting overload
/// becomes usual; so here the usual time rises slowly, over minutes, and falls fast.
///
/// It starts at the ceiling: a server that has not measured yet refuses nobody. Times are those of
/// handlers; the wait for a place is not among them, or the limit would chase itself down.
struct AdaptiveLimit: Sendable {
    /// A window lasts so long at least, and until so many calls have ended in it.
    static let windowTime: Duration = .milliseconds(200)
    /// Fewer calls say nothing of the mean.
    static let windowCallsMin = 20
    /// A window's mean may be so many times the usual before the limit falls.
    static let tolerance = 2.0
    /// No window lets the limit fall below this share of it, before smoothing.
    static let gradientMin = 0.5
    /// The weight of a window's result.
    static let smoothing = 0.2
    /// The first windows make the usual time by themselves.
    static let warmUpWindows = 5
    /// The weight of a window whose time is above the usual: five minutes double it at the least.
    static let weightRising = 1.0 / 1_500
    /// The weight of one whose time is below.
    static let weightFalling = 1.0 / 20

    let floor: Int
    let ceiling: Int
    private var exact: Double
    /// In seconds; 0 before the first window.
    private(set) var usualLatency = 0.0
    private var windows = 0
    private var start: MonotonicInstant?
    private var sample = Sample()

    /// Calls that have ended.
    struct Sample: Sendable, Hashable {
        var count = 0
        /// The sum of the times of their handlers.
        var sum: Duration = .zero
        /// The most calls that were suspended at once.
        var inFlightMax = 0

        mutating func add(_ latency: Duration, inFlight: Int) {
            count += 1
            sum += latency
            inFlightMax = max(inFlightMax, inFlight)
        }

        mutating func add(_ other: Sample) {
            count += other.count
            sum += other.sum
            inFlightMax = max(inFlightMax, other.inFlightMax)
        }

        fileprivate var mean: Double {
            let (seconds, attoseconds) = (sum / max(count, 1)).components
            return Double(seconds) + Double(attoseconds) * 1e-18
        }
    }

    /// A limit between a floor and a ceiling.
    init(floor: Int, ceiling: Int) {
        self.ceiling = max(ceiling, 1)
        self.floor = min(max(floor, 1), self.ceiling)
        exact = Double(self.ceiling)
    }

    /// The limit.
    var limit: Int { Int(exact) }

    /// Adds calls that have ended; the limit may change with them.
    mutating func note(_ calls: Sample, at now: MonotonicInstant) {
        let start = self.start ?? now
        self.start = start
        sample.add(calls)
        guard sample.count >= Self.windowCallsMin, start.duration(to: now) >= Self.windowTime
        else { return }
        end(sample)
        sample = Sample()
        self.start = now
    }

    private mutating func end(_ window: Sample) {
        let latency = max(window.mean, 1e-9)
        learn(latency)
        // Whoever is not held back says nothing of the limit.
        guard 2 * Double(window.inFlightMax) >= exact else { return }
        let ratio = Self.tolerance * usualLatency / latency
        let gradient = max(Self.gradientMin, min(1, ratio))
        let wanted = exact * gradient + exact.squareRoot()
        exact += (wanted - exact) * Self.smoothing
        exact = min(max(exact, Double(floor)), Double(ceiling))
    }

    private mutating func learn(_ latency: Double) {
        windows += 1
        let weight: Double
        if windows <= Self.warmUpWindows {
            weight = 1 / Double(windows)
        } else {
            weight = latency > usualLatency ? Self.weightRising : Self.weightFalling
        }
        usualLatency += (latency - usualLatency) * weight
    }
}

/// The adaptive limit of one method, over all threads of a server.
///
/// As with the places of ``Admission``, a call is counted once it suspends.
final class MethodLimiter: Sendable {
    private let suspended = Atomic<Int>(0)
    private let limit: Atomic<Int>
    private let state: Mutex<AdaptiveLimit>

    init(_ limits: RPCServerConfiguration.Limits) {
        let ceiling = min(limits.callsPerMethodMax, limits.callsMax)
        let adaptive = AdaptiveLimit(floor: limits.callsPerMethodMin, ceiling: ceiling)
        limit = Atomic(adaptive.limit)
        state = Mutex(adaptive)
    }

    /// Whether another call may begin.
    @inline(__always)
    var hasPlace: Bool {
        suspended.load(ordering: .relaxed) < limit.load(ordering: .relaxed)
    }

    func take() { suspended.wrappingAdd(1, ordering: .relaxed) }

    func giveBack() { suspended.wrappingSubtract(1, ordering: .relaxed) }

    /// The calls that are suspended now.
    var suspendedCount: Int { suspended.load(ordering: .relaxed) }
    /// How many may be.
    var current: Int { limit.load(ordering: .relaxed) }

    /// Adds calls that have ended.
    func note(_ calls: AdaptiveLimit.Sample, at now: MonotonicInstant) {
        let found = state.withLock { state in
            state.note(calls, at: now)
            return state.limit
        }
        limit.store(found, ordering: .relaxed)
    }
}
