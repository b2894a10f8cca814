import Synchronization

/// How often one address may call without having signed in: so many times at once, and in the long
/// run so many times a minute.
struct OpenCallPace: Sendable, Hashable {
    static let period: Duration = .seconds(60)

    /// How many calls.
    let countMax: Int

    private var interval: Duration { Self.period / countMax }

    /// Counts a call.
    ///
    /// - Parameters:
    ///   - level: When all calls of before will have been made up for; nil: there were none.
    ///   - now: The time.
    /// - Returns: The level afterwards, or how long to wait.
    func next(
        after level: ContinuousClock.Instant?, at now: ContinuousClock.Instant
    ) -> (level: ContinuousClock.Instant, wait: Duration?) {
        let start = max(level ?? now, now)
        let wait = now.duration(to: start) - (Self.period - interval)
        guard wait <= .zero else { return (start, wait) }
        return (start.advanced(by: interval), nil)
    }
}

/// The calls that need no session, by the address from which they come.
///
/// They are counted in memory, in two generations: when one has as many addresses as it may, or
/// after a minute, the next begins, and the one before the last is forgotten. After a minute
/// nothing is lost by that, for whoever was quiet for so long may call as often as anybody; who
/// calls is carried along.
final class OpenCalls: Sendable {
    /// The most addresses of a generation: some MiB.
    static let addressesMax = 32_768

    /// Who is counted as one: an address of IPv4, or 64 bits of IPv6, of which a customer of a
    /// provider has all that begin so; whose address is not known is counted with all of these.
    private enum Client: Hashable {
        case four(UInt64)
        case six(UInt64)
        case unknown

        init(_ address: NetworkAddress?) {
            guard let address else {
                self = .unknown
                return
            }
            let number = address.bytes.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            self = address.bytes.count == 4 ? .four(number) : .six(number)
        }
    }

    private struct Levels {
        var latest: [Client: ContinuousClock.Instant] = [:]
        var before: [Client: ContinuousClock.Instant] = [:]
        var begin: ContinuousClock.Instant
    }

    private let pace: OpenCallPace
    private let proxies: TrustedProxies
    private let addressesMax: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let levels: Mutex<Levels>

    /// - Parameters:
    ///   - limits: How many calls.
    ///   - proxies: Whose word counts about who calls.
    ///   - addressesMax: The most addresses of a generation.
    ///   - now: The time.
    init(
        limits: Limits, proxies: TrustedProxies = .none, addressesMax: Int = addressesMax,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        pace = OpenCallPace(countMax: limits.openCallsPerMinuteMax)
        self.proxies = proxies
        self.addressesMax = addressesMax
        self.now = now
        levels = Mutex(Levels(begin: now()))
    }

    /// How many addresses are kept.
    var addressCount: Int { levels.withLock { $0.latest.count + $0.before.count } }

    /// Counts a call over HTTP, or refuses it.
    ///
    /// - Throws: ``Problem/tooManyOpenCalls(retryAfter:)``.
    func admit(_ request: Incoming) throws(Problem) {
        try admit(Client(proxies.client(of: request)))
    }

    /// Counts a call by RPC, or refuses it: between its client and the gateway is no proxy that
    /// would say who it is.
    ///
    /// - Parameter address: The client's, with its port; what is none is counted with all of these.
    /// - Throws: ``Problem/tooManyOpenCalls(retryAfter:)``.
    func admit(from address: String) throws(Problem) {
        let host = address.lastIndex(of: ":").map { address[..<$0] } ?? address[...]
        try admit(Client(NetworkAddress(host.filter { $0 != "[" && $0 != "]" })))
    }

    private func admit(_ client: Client) throws(Problem) {
        let now = now()
        let wait = levels.withLock { levels -> Duration? in
            let age = levels.begin.duration(to: now)
            if levels.latest.count >= addressesMax || age >= OpenCallPace.period {
                levels.before = age >= OpenCallPace.period * 2 ? [:] : levels.latest
                (levels.latest, levels.begin) = ([:], now)
            }
            let kept = levels.latest[client] ?? levels.before[client]
            let (level, wait) = pace.next(after: kept, at: now)
            levels.latest[client] = level
            return wait
        }
        if let wait { throw .tooManyOpenCalls(retryAfter: wait) }
    }
}
