import Synchronization

/// Where the HTTP API is, once it is known.
final class HTTPAddress: Sendable {
    private let configured: String?
    private let listening = Mutex<String?>(nil)
    private let changes = AsyncStream.makeStream(of: String.self)

    /// - Parameter configured: Where clients reach the API; nil for where it listens.
    init(configured: String?) {
        self.configured = configured
    }

    /// Where clients reach the API.
    var publicURL: String { configured ?? listening.withLock { $0 } ?? "" }

    /// Says where the server listens.
    func listens(host: String, port: Int) {
        let url = host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        listening.withLock { $0 = url }
        changes.continuation.yield(url)
        changes.continuation.finish()
    }

    /// Where the server listens; to be awaited once.
    ///
    /// - Throws: `CancellationError` when it does not come to that.
    func whenListening() async throws -> String {
        for await url in changes.stream { return url }
        throw CancellationError()
    }
}
