import Logging
import RPC
import Synchronization

/// What all threads of a client share.
final class ClientCore: Sendable {
    let target: RPCTarget
    let configuration: RPCClientConfiguration
    let logger: Logger
    let budget: RetryBudget
    let refreshes = RefreshRequests()
    /// What a server announced last; 0 before.
    let callsPerConnection = Atomic<Int>(0)
    /// Draws this client's own among too many addresses.
    private let seed = UInt64.random(in: .min ... .max)

    init(_ target: RPCTarget, _ configuration: RPCClientConfiguration, _ logger: Logger) {
        self.target = target
        var configuration = configuration
        if case .tls(let credentials, .host) = configuration.security, let name = target.hostName {
            // What the name was looked up to says nothing of who ought to be there.
            configuration.security = .tls(credentials, server: .name(name))
        }
        self.configuration = configuration
        self.logger = logger
        budget = RetryBudget(configuration)
    }

    func observe(_ event: @autoclosure () -> RPCClientEvent) {
        if let observer = configuration.observer { observer(event()) }
    }

    /// The addresses to use of those there are: each once, and at most so many as configured.
    ///
    /// A client keeps to those it has drawn as long as they are there, and clients draw apart.
    func chosen(of addresses: [RPCAddress]) -> [RPCAddress] {
        var seen: Set<RPCAddress> = []
        let distinct = addresses.filter { seen.insert($0).inserted }
        guard distinct.count > configuration.addressesMax else { return distinct }
        let ranked = distinct.map { address in
            var hasher = Hasher()
            hasher.combine(seed)
            hasher.combine(address)
            return (rank: hasher.finalize(), address: address)
        }
        return ranked.sorted { $0.rank < $1.rank }
            .prefix(max(1, configuration.addressesMax)).map(\.address)
    }
}

/// Bounds further attempts, so that they do not multiply the load of servers in trouble.
final class RetryBudget: Sendable {
    /// In parts of a token, so many as successes earn one.
    private let parts: Atomic<Int>
    private let partsMax: Int
    private let partsPerToken: Int

    init(_ configuration: RPCClientConfiguration) {
        partsPerToken = max(1, configuration.successesPerRetryToken)
        partsMax = max(0, configuration.retryTokensMax) * partsPerToken
        parts = Atomic(partsMax)
    }

    func succeeded() {
        // Nearly always full, which a look tells.
        guard parts.load(ordering: .relaxed) < partsMax else { return }
        // Threads that come at once may overfill it by one part each, which does no harm.
        parts.wrappingAdd(1, ordering: .relaxed)
    }

    func take() -> Bool {
        var current = parts.load(ordering: .relaxed)
        while current >= partsPerToken {
            let (isTaken, seen) = parts.weakCompareExchange(
                expected: current, desired: current - partsPerToken, ordering: .relaxed)
            if isTaken { return true }
            current = seen
        }
        return false
    }
}
