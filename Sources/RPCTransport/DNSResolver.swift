import Glibc
import NIOCore
import NIOPosix
import RPC
import Synchronization

/// Finds a server at each address of a host, and looks again from time to time.
///
/// It looks when its time has come, and sooner when a connection has failed. The system's look-up
/// blocks its thread, which is neither an event loop's nor one of the cooperative pool.
public struct DNSResolver: Resolver {
    /// The host, by name.
    public let host: String
    /// The port of its servers.
    public let port: Int
    /// The time from one look to the next, give or take a tenth.
    public let interval: Duration
    /// No look begins sooner than this after the last, whatever fails; a look that failed is
    /// repeated after this time, doubled each time up to ``interval``.
    public let pauseMin: Duration
    private let look: @Sendable (_ host: String, _ port: Int) async -> Resolution

    /// Looks are spread by this part of the interval, so that clients do not look all at once.
    private static let jitter = 0.1

    /// A resolver of a host's addresses, A and AAAA.
    public init(
        host: String, port: Int, interval: Duration = .seconds(30),
        pauseMin: Duration = .seconds(1)
    ) {
        self.init(
            host: host, port: port, interval: interval, pauseMin: pauseMin,
            look: { await Self.lookUp($0, port: $1) })
    }

    init(
        host: String, port: Int, interval: Duration, pauseMin: Duration,
        look: @escaping @Sendable (String, Int) async -> Resolution
    ) {
        self.host = host
        self.port = port
        self.interval = interval
        self.pauseMin = pauseMin
        self.look = look
    }

    /// The host and port as a target in settings.
    public var description: String {
        "\(RPCTarget.dnsPrefix)\(RPCAddress.tcp(host: host, port: port))"
    }

    /// The addresses at each look.
    public func resolutions(_ requests: RefreshRequests) -> AsyncStream<Resolution> {
        let failures = Mutex<Int?>(nil)
        return AsyncStream {
            if let failures = failures.withLock({ $0 }) {
                await pause(after: failures, requests)
            }
            guard !Task.isCancelled else { return nil }
            let found = await look(host, port)
            failures.withLock { count in
                if case .failed = found { count = (count ?? 0) + 1 } else { count = 0 }
            }
            return found
        }
    }

    private func pause(after failures: Int, _ requests: RefreshRequests) async {
        // Ends early only when it is cancelled, which the caller sees.
        try? await ContinuousClock().sleep(for: pauseMin)
        let doubled = pauseMin * (1 << min(max(failures - 1, 0), 16))
        let rest = failures == 0 ? interval : min(doubled, interval)
        await requests.wait(atMost: rest.spread(by: Self.jitter) - pauseMin)
    }

    // MARK: The system's look-up

    /// The addresses of a host, asked for on a thread that may block.
    static func lookUp(_ host: String, port: Int) async -> Resolution {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                blockingLookUp(host, port: port)
            }
        } catch {
            return .failed("\(error)")
        }
    }

    private static func blockingLookUp(_ host: String, port: Int) -> Resolution {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failed(unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [RPCAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let ip = unsafe ipAddress(entry.pointee) {
                let address = RPCAddress.tcp(host: ip, port: port)
                if !addresses.contains(address) { addresses.append(address) }
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failed("the name has no address") : .addresses(addresses)
    }

    private static func ipAddress(_ entry: addrinfo) -> String? {
        guard let address = unsafe UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch unsafe entry.ai_family {
        case AF_INET:
            return unsafe SocketAddress(address.loadUnaligned(as: sockaddr_in.self)).ipAddress
        case AF_INET6:
            return unsafe SocketAddress(address.loadUnaligned(as: sockaddr_in6.self)).ipAddress
        default: return nil
        }
    }
}
